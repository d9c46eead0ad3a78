"""--max-cost in a real run: what it has spent when it stops, what it has done, and what another command may still spend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.prices import REQUEST_KINDS
from orchestrator.profiles import price_lists
from tests.audio import make_many
from tests.costs import kinds_of
from tests.forked import Forks
from tests.places import digest
from tests.servers.http import HttpProxy, http_proxy
from tests.servers.remotes import RemoteServer

S3 = price_lists()["s3"]
FILES = 120
MARGIN = 20 * S3.list / 1000
"""Pages of listings come from separate processes, and are not counted."""


def test_a_run_that_costs_more_than_estimated_stops_before_the_limit_and_resume_goes_on(
    s3_serve: RemoteServer, forks: Forks, tmp_path: Path
) -> None:
    """The server does not refuse taken names, which was to be expected: each upload takes twice the requests."""
    music, settings = tmp_path / "music", {"state": tmp_path / "state", "environment": {"RCLONE_CONFIG": str(tmp_path / "conf")}}
    make_many(music, FILES, size=2000)
    contents = sorted(digest(file.read_bytes()) for file in music.rglob("*.mp3"))
    (tmp_path / "config.yaml").write_text("remotes: {aws: {prices: s3}}")

    def organize(*options: str, codes: tuple[int, ...], to: str = "costly") -> dict[str, Any]:
        location = s3_serve.fs(f"{tmp_path.name}/{to}", name="aws")
        command = ("organize", str(music), location, "--copy", "--config", str(tmp_path / "config.yaml"), *options)
        ended = forks.run(*command, codes=codes, **settings)
        return {**ended.summary, "errors": json.dumps(ended.errors)}

    with http_proxy(s3_serve.port) as proxy:
        (tmp_path / "conf").write_text(s3_serve.section("aws", port=proxy.port).replace("provider = Rclone", "provider = Other"))
        expected = organize("--dry-run", codes=(0,))["estimate"]["cost"]
        limit = 1.2 * expected
        proxy.reset()
        stopped = organize("--max-cost", f"{limit:.6f}", codes=(7,))
        assert 0.5 * limit < _spent(proxy) <= limit + MARGIN
        assert "stopped before a limit is exceeded: --max-cost" in stopped["errors"]
        assert 0 < stopped["ops_done"] < FILES
        assert s3_serve.directory is not None
        there = s3_serve.directory / tmp_path.name
        assert len([*there.rglob("*.mp3")]) == stopped["ops_done"], "nothing is half-way"

        # The next command finishes that run first, which leaves too little for its own plan.
        refused = organize("--max-cost", f"{1.3 * expected:.6f}", codes=(7,), to="costly/again")
        assert "that were used before more than --max-cost" in refused["errors"]
        assert refused["ops_done"] == FILES
        assert sorted(digest(file.read_bytes()) for file in there.rglob("*.mp3")) == contents
        organize("--max-cost", f"{4 * expected:.6f}", codes=(0,), to="costly/again")
    assert sorted(digest(file.read_bytes()) for file in there.rglob("*.mp3")) == sorted(contents * 2)


def _spent(proxy: HttpProxy) -> float:
    """Dollars for the requests that the server got."""
    found = kinds_of("s3_serve", proxy.requests)
    return S3.of_requests({kind: found[kind] for kind in REQUEST_KINDS})
