"""An in-memory storage for tests and scripts, with faults to order."""
