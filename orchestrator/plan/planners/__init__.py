"""The planners: organize, dedup, undo and quarantine. Each makes the same kind of Plan. Pure."""
