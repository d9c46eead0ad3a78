"""Directories: move one in a single request, and remove those that a run has emptied."""
