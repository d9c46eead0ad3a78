"""The seam to storage: the protocol, its implementations and its wrappers."""
