"""SQLite: what was seen, what it said, what it is."""
