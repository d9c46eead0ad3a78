"""One module per command: it calls an action with the command's options, and returns the exit code."""
