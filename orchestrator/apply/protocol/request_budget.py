"""How many requests one operation may cost in one start of a run, whatever goes wrong. After that it waits for `resume`.

Requests are counted as if all of them failed: rclone's S3 backend sends a request twice when the answer is a 5xx.
"""

from __future__ import annotations

REQUESTS_PER_OPERATION = 12
"""Approximate upper limit."""

LOOK = 2
"""A look at all ends, or at one end when it fails."""

CHANGE = 4
"""A move or a copy: rclone first looks at both ends itself, and its S3 backend also sends these twice."""

GIVE = 2
"""A staged copy gets its final name."""

DELETE = 2
"""A delete of the source, sent twice for the same reason."""
