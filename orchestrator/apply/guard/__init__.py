"""What must hold before a run starts, and what keeps other runs out while it works."""
