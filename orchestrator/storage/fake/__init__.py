"""An in-memory storage for tests and scripts, whose calls can be made to fail."""
