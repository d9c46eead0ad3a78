"""One interface for output, as text (rich on a terminal), JSON lines, or a log. Nothing else prints."""
