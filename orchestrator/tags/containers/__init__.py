"""One module per container or family: which ranges it needs, and which mutagen class parses it."""
