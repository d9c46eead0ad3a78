"""One module a command: arguments in, an action called, its exit code out."""
