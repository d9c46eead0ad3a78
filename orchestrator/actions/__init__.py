"""What each command does, without click and without printing: used by the CLI, by jobs and from Python."""
