"""Whole directories: moved in one request, and removed once a run has emptied them."""
