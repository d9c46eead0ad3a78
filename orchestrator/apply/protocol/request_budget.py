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

KEEP_OLD = 4
"""A server's copy of an old content to our trash, and a look at it. Added to the limit of an operation that makes one."""

MAKE_WAY = LOOK + CHANGE
"""A look at an old content, and its move to our trash. Twice added to the limit of an operation whose copy waits for its name."""

PUT_BACK = 4
"""Looks at an old content in our trash and at its name, and its way back. Added to the limit as well."""

GIVE = 2
"""A staged copy gets its final name."""

DELETE = 2
"""A delete of the source, sent twice for the same reason."""
