"""How long to wait before another try, in seconds."""

from __future__ import annotations

FIRST_WAIT_S = 0.5
"""The first wait after an error that may pass, other than a rate limit."""

RATE_LIMIT_WAIT_S, RATE_LIMIT_GROWTH = 1.0, 4.0
"""The first wait after a rate limit without a stated delay, and how many times longer each further one is: the limit may be one a
second, and then the pace is already right (see `orchestrator.storage.wrappers.pace`), or one a minute. rclone passes on the delay
that Dropbox states; S3 and WebDAV state theirs in a header, which rclone's error text does not contain."""

LONGEST_RETRY_AFTER_S = 900.0
"""A remote that asks for a longer wait counts as unreachable."""

OUTAGE_S = 90.0
"""How long a remote that does not answer any more is waited for, from its last answer on (see
`orchestrator.storage.wrappers.outage`): a server or a router has restarted by then."""
