"""Links from the documents to other sites: which ones there are, and which lead nowhere."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from urllib.parse import urldefrag, urlsplit

from tests.documents import without_code

_INLINE = re.compile(r"\]\(([a-z]+:[^)\s]*)\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]: (\S+)$", re.MULTILINE)
GONE = frozenset({404, 410})
"""All other answers say nothing about the link: sites refuse programs (403, 429), or have a bad day (5xx)."""
_NO_HEAD = frozenset({405, 501})
_TIMEOUT_S = 10.0
_PAUSE_S = 1.0
"""Between two requests to one host."""
_AGENT = "music-orchestrator-docs-check (once a night)"


def external_links(text: str) -> set[str]:
    """The addresses of other sites that a document links to, without examples in code."""
    prose = without_code(text)
    return {*_INLINE.findall(prose), *_REFERENCE.findall(prose)}


def problem(url: str) -> str | None:
    """What is wrong with the address itself."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return "not https"
    if not parts.hostname or not re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.hostname) or parts.username:
        return "no host"
    return None if re.fullmatch(r"[!-~]+", url) else "characters that have to be escaped"


def dead(urls: Iterable[str], *, until_s: float, pause_s: float = _PAUSE_S) -> list[str]:
    """Those that lead nowhere: each page is asked for once, one after the other; after `until_s`, no more are.

    A site that does not answer is not dead: there may be no network.
    """
    end, asked_at, found = time.monotonic() + until_s, dict[str, float](), []
    for url in sorted({urldefrag(url).url for url in urls}):
        host = urlsplit(url).netloc
        if (rest := asked_at.get(host, -pause_s) + pause_s - time.monotonic()) > 0:
            time.sleep(rest)
        if time.monotonic() > end:
            break
        status = _status(url, "HEAD")
        if status in _NO_HEAD | GONE:  # some answer HEAD wrongly
            status = _status(url, "GET")
        asked_at[host] = time.monotonic()
        if status in GONE:
            found.append(f"{url}: {status}")
    return found


def _status(url: str, method: str) -> int | None:
    """The status of the answer after redirects; None if there is none."""
    request = urllib.request.Request(url, method=method, headers={"User-Agent": _AGENT})  # noqa: S310 - see `problem`
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return None
