"""Finds the files of one location in another one by their contents, whatever they are called there; pure."""
