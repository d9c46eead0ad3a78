"""The problems that were reported and still stand, so that only news has to be told."""
