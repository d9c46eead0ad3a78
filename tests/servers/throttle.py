"""Servers that allow so many requests a second, and how each of them refuses more.

    with http_proxy(server.port) as proxy:
        proxy.when(Allowance(20), REFUSALS["s3_moto"])

The bucket holds the requests of one second, and is refilled all the time.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable

from tests.servers import drive_server, dropbox_server
from tests.servers.http import Refuse, Seen

_XML = {"Content-Type": "application/xml"}
_JSON = {"Content-Type": "application/json; charset=UTF-8"}
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_BUSY = b"<?xml version='1.0'?><Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>"
_GOOGLE = {"domain": "usageLimits", "reason": "rateLimitExceeded", "message": "The project exceeded the rate limit."}
_GCS = json.dumps({"error": {"code": 429, "message": _GOOGLE["message"], "errors": [_GOOGLE]}}).encode()
REFUSALS: dict[str, Refuse] = {
    "s3_moto": Refuse(503, _XML, _SLOW_DOWN),
    "s3_serve": Refuse(503, _XML, _SLOW_DOWN),
    "gcs": Refuse(429, _JSON, _GCS),
    "azure": Refuse(503, {**_XML, "x-ms-error-code": "ServerBusy"}, _BUSY),
    "drive": drive_server.refusal("userRateLimitExceeded"),
    "dropbox": dropbox_server.refusal("too_many_requests", retry_after=1),
    "wsgidav": Refuse(429),
    "webdav": Refuse(429),
}
"""Kind of server -> what it answers to a request too many."""


class Allowance:
    """For `HttpProxy.when`: applies to each request that is too many."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self._clock = clock
        self._tokens = per_second
        self._updated_s = clock()

    def __call__(self, seen: Seen) -> bool:
        """Whether this request is refused."""
        now = self._clock()
        self._tokens = min(self.per_second, self._tokens + (now - self._updated_s) * self.per_second)
        self._updated_s = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False


def busiest_second(requests: Iterable[Seen]) -> int:
    """The most requests that came within one second."""
    most, recent = 0, deque[float]()
    for at in sorted(seen.at for seen in requests):
        recent.append(at)
        while recent[0] <= at - 1:
            recent.popleft()
        most = max(most, len(recent))
    return most
