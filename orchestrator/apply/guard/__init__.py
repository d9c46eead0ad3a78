"""What keeps other runs away: the run lock, locks on directories, markers on remotes."""
