"""One module a container or family: which ranges are needed, and mutagen's class for it."""
