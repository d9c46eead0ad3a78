"""What the music is: songs and their albums, album artists, editions, release classes, gaps and statistics. Pure."""
