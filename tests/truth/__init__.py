"""A generated library with known duplicates, to measure the search for duplicates."""
