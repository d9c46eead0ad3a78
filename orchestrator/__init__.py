"""Organize a music library in place: Python decides, rclone carries out every transfer.

The data flows one way: list -> catalogue -> plan (pure) -> apply -> journal.
"""

__version__ = "0.1.0"
