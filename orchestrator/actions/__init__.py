"""What each command does, without click and without printing: called by the CLI and from Python (docs/python-api.md)."""
