"""What the music is called: templates, presets, legal names, collisions. Pure."""
