"""Remembers the syncs and mirrors that wait for a remote: what was wanted, not how to do it."""
