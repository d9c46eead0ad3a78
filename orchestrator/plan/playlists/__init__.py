"""Playlists and cue sheets: which files their entries mean, and the same list with those entries changed that moved. Pure."""
