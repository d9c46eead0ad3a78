"""Remembers how jobs ended, so that `status` can say it, and the next run what was killed."""
