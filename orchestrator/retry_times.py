"""How long to wait after a rate limit, in seconds."""

from __future__ import annotations

RATE_LIMIT_WAIT_S = 4.0
"""The first wait after a rate limit without a stated delay. rclone passes on the delay that Dropbox states; S3 and WebDAV state
theirs in a header, which rclone's error text does not contain."""

LONGEST_RETRY_AFTER_S = 900.0
"""A remote that asks for a longer wait counts as unreachable."""
