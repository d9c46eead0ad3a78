"""Playlists and cue sheets: which files their entries mean, and the same list with changed entries."""
