"""Journal, executor, verification, resume, undo, locking. Only this room changes anything on a storage."""
