"""Companions: covers, lyrics, cue sheets and playlists, which move with the music. Pure."""
