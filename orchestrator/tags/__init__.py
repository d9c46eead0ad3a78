"""Bytes of an audio file -> Track, through ranged reads."""
