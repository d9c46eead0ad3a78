"""What the music is: songs, albums, their owners, editions and classes, and statistics over them. Pure."""
