"""What goes with the music: covers, lyrics, cue sheets and playlists. Pure."""
