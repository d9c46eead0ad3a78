"""A library of which it is known which files are duplicates, by how it was made: the measure of the duplicate planner."""
