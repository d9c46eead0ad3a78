"""The planner of `dedup`: which files are the same music, on what evidence, and which copy is kept. Pure."""
