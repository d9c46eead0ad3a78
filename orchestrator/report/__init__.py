"""One interface for output: human (rich) and JSON lines. Nothing else prints."""
