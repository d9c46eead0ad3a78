"""Call the address of a health check: healthchecks.io and its like notice when a call does not come."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import orchestrator
from orchestrator.errors import PermanentError, TransientError, UsageError

Moment = Literal["start", "success", "failure"]

_ONE_TRY_S = 5.0
_AGAIN_AFTER_S = 0.5
_AGAIN = frozenset({408, 425, 429})
"""These answers, and all from 500, may be different the next time."""


def address(url: str, moment: Moment, code: int) -> str | None:
    """The address to call; None: this service wants no call at this moment.

    As healthchecks.io has it: URL/start, URL, URL/CODE. Otherwise `{status}` (start, success, failure), `{code}` and `{up}` (up,
    down; nothing at the start) in it say where that stands.
    """
    if "{up}" in url and moment == "start":
        return None
    values = {"{status}": moment, "{code}": str(code), "{up}": "down" if moment == "failure" else "up"}
    if any(name in url for name in values):
        for name, value in values.items():
            url = url.replace(name, value)
        return url
    end = {"start": "/start", "success": "", "failure": f"/{code}"}[moment]
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + end)) if end else url


def call(url: str, until: float) -> None:
    """Call an address with GET, twice if the first try finds nobody. Raises TransientError, PermanentError, UsageError."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise UsageError("not an address that begins with https:// or http://")
    try:
        _try(url, until)
    except TransientError:
        if until - time.monotonic() <= _AGAIN_AFTER_S:
            raise
        time.sleep(_AGAIN_AFTER_S)
        _try(url, until)


def _try(url: str, until: float) -> None:
    opener = urllib.request.OpenerDirector()  # one that knows no file: and ftp:, where a redirect could lead
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", f"music-orchestrator/{orchestrator.__version__}")]
    timeout = max(0.1, min(_ONE_TRY_S, until - time.monotonic()))
    try:
        answer = opener.open(url, timeout=timeout)
        if answer is None:
            raise PermanentError("it leads to an address that is neither http nor https")
        answer.close()
    except urllib.error.HTTPError as error:
        error.close()
        failure = TransientError if error.code in _AGAIN or error.code >= 500 else PermanentError
        raise failure(f"the server answered {error.code}") from None
    except urllib.error.URLError as error:
        raise _failure(error.reason) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _failure(error) from None


def _failure(reason: object) -> TransientError | PermanentError:
    """The error for a call that got no answer. Its text has no address in it."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return PermanentError(f"the certificate of the server is not valid: {reason.verify_message}")
    if isinstance(reason, TimeoutError):
        return TransientError(f"no answer within {_ONE_TRY_S:.0f} s")
    if isinstance(reason, OSError):
        return TransientError(reason.strerror or type(reason).__name__)
    if isinstance(reason, str):
        return PermanentError(reason)
    return TransientError(type(reason).__name__)
