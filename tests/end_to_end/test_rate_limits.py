"""Servers that allow so many requests a second: everything is done, at nearly that rate, and they are not flooded.

    pytest tests/end_to_end/test_rate_limits.py --hypothesis-profile=nightly --timeout=0 -o log_cli=true -o log_cli_level=INFO

shows the table: the rates that were reached, and how many requests were refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audio import make_many
from tests.faulty import Library
from tests.library import LibraryFacts
from tests.nightly import NIGHTLY
from tests.servers.http import HttpProxy
from tests.servers.remotes import GcsRemote
from tests.servers.throttle import REFUSALS, Allowance, busiest_second

KINDS = ("s3_moto", "s3_serve", "gcs", "azure", "drive", "dropbox", "wsgidav")
SCANNED, ORGANIZED = {10: 100, 20: 150, 50: 300}, {10: 50, 20: 100, 50: 200}
"""Allowed requests a second -> so many files that a minute shows the rate that is reached. Below 10, one call may take more
requests than a second allows: Azure copies with 6."""
LEAST = 0.6
"""The share of the allowed rate that is used. Only nightly runs measure: others run on busy machines."""
MOST = 2.5
"""How many times the allowed rate at most comes within a second: a second's worth is saved up, and the rate has to be found."""
MOST_REFUSED = 32
"""So many reads may be under way when the first one is refused."""
_log = logging.getLogger(__name__)


def limited(library: Library, proxy: HttpProxy, kind: str, per_second: int, *command: str) -> int:
    """Run a command at a server that allows so many requests a second; returns how many files it read and moved."""
    proxy.reset()
    proxy.when(Allowance(per_second), REFUSALS[kind])
    ended = library(*command)
    requests = proxy.requests
    refused = sum(seen.status == REFUSALS[kind].status for seen in requests)
    accepted, took_s = len(requests) - refused, requests[-1].at - requests[0].at
    busiest = busiest_second(requests)
    _log.info(
        "%s, %d/s, %s: %.0f %% of the rate, %d of %d requests refused, at most %.1f times the rate within a second",
        *(kind, per_second, command[0], 100 * accepted / took_s / per_second, refused, len(requests), busiest / per_second),
    )
    proxy.reset()
    assert not ended.summary["ops_failed"]
    assert refused <= max(MOST_REFUSED, len(requests) // 8)
    if NIGHTLY:
        assert busiest <= MOST * per_second
        assert accepted / took_s >= LEAST * per_second
    return int(ended.summary["files_read"] + ended.summary["ops_done"])


@pytest.mark.timeout(0 if NIGHTLY else 120)
@pytest.mark.parametrize(
    ("kind", "per_second"),
    [
        pytest.param(kind, rate, marks=() if (kind, rate) == ("dropbox", 50) else pytest.mark.nightly)
        for kind in KINDS
        for rate in SCANNED
    ],
)
def test_a_server_that_allows_few_requests_is_used_at_its_rate(
    request: pytest.FixtureRequest,
    proxied: Callable[[str], tuple[Library, HttpProxy]],
    tmp_path: Path,
    kind: str,
    per_second: int,
) -> None:
    scanned, organized = (SCANNED[per_second], ORGANIZED[per_second]) if NIGHTLY else (70, 24)
    library, proxy = proxied(kind)
    server = request.getfixturevalue(kind)
    if isinstance(server, GcsRemote):
        server.download_through(proxy.port)
    make_many(tmp_path / "music", scanned, size=300_000)
    files = [path.relative_to(tmp_path / "music").as_posix() for path in sorted((tmp_path / "music").rglob("*.mp3"))]
    library.place.fill(LibraryFacts(tmp_path / "music", dict.fromkeys(files, "")))
    assert limited(library, proxy, kind, per_second, "scan", library.place.location) == scanned
    chosen = [
        word
        for folder in dict.fromkeys(file.rpartition("/")[0] for file in files[:organized])
        for word in ("--include", f"{folder}/**")
    ]
    assert limited(library, proxy, kind, per_second, "organize", library.place.location, *chosen) >= organized
