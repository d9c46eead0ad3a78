"""Each command with an account that has the rights of docs/configuration.md and no others: everything else is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.audio import make_many
from tests.forked import Forks, Started, kill
from tests.nightly import some_at_night
from tests.places import bucket as boto
from tests.program import Ended
from tests.rights import allowed, documented, policy
from tests.servers.http import Hold, HttpProxy, Refuse, Seen
from tests.servers.remotes import BUCKET, GcsRemote, RemoteServer

KINDS = some_at_night(("s3_moto", "gcs", "azure"), night={"gcs", "azure"})
DENIED = Refuse(
    403,
    {"Content-Type": "application/xml"},
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
)


class Account:
    """The program with an account on a server, behind a proxy that refuses what the account may not do."""

    def __init__(self, kind: str, server: RemoteServer, proxy: HttpProxy, home: Path, forks: Forks) -> None:
        self._kind, self.proxy, self._home, self._forks = kind, proxy, home, forks
        config = home / "rclone.conf"
        config.write_text(server.section("remote", port=proxy.port))
        config.chmod(0o600)
        self._environment = {"RCLONE_CONFIG": str(config)}
        self.at = server.fs(home.name, name="remote")
        self.state = home / "state"

    def start(self, *words: str) -> Started:
        """Start the program."""
        return self._forks.start(*words, "--yes", state=self.state, environment=self._environment)

    def __call__(self, row: str, *words: str, codes: tuple[int, ...] = (0,)) -> Ended:
        """Run a command with the rights that the docs grant to `row`; none of its requests is refused."""
        needed, granted = allowed(self._kind, row)
        self.proxy.reset()
        self.proxy.when(lambda seen: not needed(seen) <= granted, Refuse(403))
        ended = self.run(*words, codes=codes)
        refused = [(seen.method, seen.path) for seen in self.proxy.requests if seen.status == 403]
        self.proxy.reset()
        assert refused == [], words
        return ended

    def run(self, *words: str, codes: tuple[int, ...] = (0,)) -> Ended:
        """Run a command as the proxy lets it."""
        return self._forks.run(*words, "--yes", codes=codes, state=self.state, environment=self._environment)


@pytest.fixture
def account(request: pytest.FixtureRequest, tmp_path: Path, forks: Forks) -> Iterator[Callable[[str], Account]]:
    """A function: kind of server -> an account there."""
    proxies = []

    def of(kind: str) -> Account:
        server: RemoteServer = request.getfixturevalue(kind)
        proxies.append(HttpProxy(server.port))
        if isinstance(server, GcsRemote):
            server.download_through(proxies[-1].port)
        return Account(kind, server, proxies[-1], tmp_path, forks)

    yield of
    for proxy in proxies:
        proxy.close()


@pytest.mark.parametrize("kind", KINDS)
def test_no_command_needs_more_rights_than_documented(account: Callable[[str], Account], tmp_path: Path, kind: str) -> None:
    cloud = account(kind)
    library = str(tmp_path / "library")
    make_many(tmp_path / "library", 2)
    assert cloud("organize", "organize", library, cloud.at).summary["ops_done"] == 2
    cloud.state = tmp_path / "other state"
    for command in ("scan", "stats"):
        cloud(command, command, cloud.at)
    cloud("plan", "plan", cloud.at, "-o", str(tmp_path / "a.plan"), "--layout", "{{ title }}")
    cloud("dedup without an action", "dedup", cloud.at)
    assert cloud("sync --dry-run", "sync", library, f"{cloud.at}/synced", "--dry-run").summary["ops_planned"] == 2
    assert cloud("a source that is copied", "organize", cloud.at, str(tmp_path / "copied")).summary["ops_done"] == 2
    assert cloud("apply", "apply", str(tmp_path / "a.plan")).summary["ops_done"] == 2
    assert cloud("undo", "undo", "last").summary["ops_done"] == 2
    assert cloud("sync", "sync", library, f"{cloud.at}/synced").summary["ops_done"] == 2
    assert cloud("dedup with an action", "dedup", cloud.at, "--dedup", "quarantine").summary["ops_done"] == 2
    assert sum(event["type"] == "quarantined" for event in cloud("quarantine list", "quarantine", "list", cloud.at).events) == 2
    assert cloud("quarantine", "quarantine", "restore", "last", cloud.at).summary["ops_done"] == 2
    assert cloud("dedup with an action", "dedup", cloud.at, "--dedup", "quarantine").summary["ops_done"] == 2
    assert cloud("quarantine", "quarantine", "empty", cloud.at).summary["ops_done"] == 2
    facts = cloud("remotes check", "remotes", "check", cloud.at).events[0]
    assert (facts["readable"], facts["writable"], facts["not_deletable"]) == (True, True, None)
    hold = Hold()
    cloud.proxy.when(lambda seen: bool(seen.change) and ".mp3" in seen.path, hold, times=1)
    killed = cloud.start("organize", cloud.at, "--layout", "{{ title }}")
    assert hold.held.wait(60)
    kill(killed.pid, "both")
    killed.end()
    hold.release.set()
    assert cloud("resume", "resume").summary["ops_done"] == 2


def test_the_policy_is_all_that_the_table_grants() -> None:
    assert policy() == documented("organize") | documented("scan")


def test_an_upload_in_parts_that_breaks_off_is_cleared_away_with_the_right_that_is_documented_for_it(
    account: Callable[[str], Account], tmp_path: Path, s3_moto: RemoteServer
) -> None:
    cloud = account("s3_moto")
    config = tmp_path / "rclone.conf"
    config.write_text(f"{config.read_text().rstrip()}\nupload_cutoff = 5Mi\nchunk_size = 5Mi\n")
    make_many(tmp_path / "library", 1, size=11 * 2**20)
    before = {path: path.read_bytes() for path in (tmp_path / "library").rglob("*.mp3")}

    def of_part(seen: Seen) -> bool:
        return seen.method == "PUT" and "partNumber=2" in seen.path

    cloud.proxy.when(of_part, DENIED)
    cloud.run("organize", str(tmp_path / "library"), cloud.at, "--move", codes=(3, 6))
    aborted = [seen for seen in cloud.proxy.requests if seen.method == "DELETE" and "uploadId" in seen.path]
    assert aborted
    assert not boto(s3_moto).list_multipart_uploads(Bucket=BUCKET).get("Uploads")
    assert {path: path.read_bytes() for path in (tmp_path / "library").rglob("*.mp3")} == before
    assert cloud("organize", "organize", str(tmp_path / "library"), cloud.at, "--move").summary["ops_done"] == 1


def test_where_nothing_may_be_deleted_a_copy_says_what_stays_and_keeps_nobody_out(
    account: Callable[[str], Account], tmp_path: Path, s3_moto: RemoteServer
) -> None:
    """It ended with 0, and the marker that stayed kept other machines out for ten minutes."""
    cloud = account("s3_moto")
    make_many(tmp_path / "library", 1)
    cloud.proxy.when(lambda seen: seen.method == "DELETE", DENIED)
    ended = cloud.run("organize", str(tmp_path / "library"), cloud.at, codes=(3,))
    assert (ended.summary["ops_done"], ended.summary["ops_failed"]) == (1, 0)
    (error,) = ended.errors
    assert error["path"] == ".music-orchestrator/run.json"
    assert "the account lacks that right (s3:DeleteObject)" in error["message"]
    marker = boto(s3_moto).get_object(Bucket=BUCKET, Key=f"{tmp_path.name}/.music-orchestrator/run.json")["Body"].read()
    assert json.loads(marker)["heartbeat"] == 0
    cloud.state = tmp_path / "another machine"
    make_many(tmp_path / "more", 2)
    assert cloud.run("organize", str(tmp_path / "more"), cloud.at, codes=(3,)).summary["ops_done"] == 1
    cloud.proxy.reset()
    make_many(tmp_path / "most", 3)
    cloud("organize", "organize", str(tmp_path / "most"), cloud.at)
    objects = boto(s3_moto).list_objects_v2(Bucket=BUCKET, Prefix=f"{tmp_path.name}/.music-orchestrator/")
    assert "Contents" not in objects, "once deleting is allowed, nothing stays"
