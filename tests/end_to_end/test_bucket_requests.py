"""How few requests it takes to organize a bucket in place, and what is seen all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.audio import make_many
from tests.costs import kinds_of
from tests.nightly import some_at_night
from tests.servers.http import Seen, Then
from tests.sync_sides import Side, Synced

FILES, FEW, PER_ALBUM, SIZE = 60, 12, 12, 2_000
A_FILE = {"s3_moto": 5.6, "s3_serve": 5.6, "gcs": 5.6, "azure": 6.6}
"""Requests: the copy, the deletion, and what rclone asks beside these."""


def filled(sync: Synced, files: int) -> tuple[Side, str]:
    """A bucket with a library whose tags are known."""
    here, there = sync.sides
    assert here.root is not None
    make_many(here.root, files, per_album=PER_ALBUM, size=SIZE)
    music = f"{there.location}/Music"
    sync.forks.run("sync", here.location, music, "--to-cloud", **sync.settings)
    sync.forks.run("scan", music, **sync.settings)
    there.reset()
    return there, music


@pytest.mark.parametrize("kind", some_at_night(tuple(A_FILE), night={"s3_serve", "gcs", "azure"}))
def test_organizing_in_place_takes_few_requests_a_file(synced: Callable[..., Synced], kind: str) -> None:
    sync = synced(("local", kind))
    sync.settings["hasty"] = False
    there, music = filled(sync, FILES)
    done = sync.forks.run("organize", music, **sync.settings).summary
    assert done["ops_done"] == FILES
    assert there.proxy is not None
    counted = kinds_of(there.server, there.proxy.requests)
    assert counted.total() / FILES <= A_FILE[kind], counted
    assert (counted["copy"], counted["delete"]) == (FILES, FILES + 1), "and our marker"

    there.reset()
    assert sync.forks.run("organize", music, **sync.settings).summary["ops_planned"] == 0
    assert +kinds_of(there.server, there.proxy.requests) == {"list": 1}, "nothing to do: the listing alone"


def _lists_files(seen: Seen) -> bool:
    return seen.method == "GET" and "prefix=" in seen.path and "music-orchestrator" not in seen.path


@pytest.mark.parametrize("kind", some_at_night(("s3_moto", "s3_serve"), night={"s3_serve"}))
def test_an_edit_between_the_copies_and_the_listing_is_seen(synced: Callable[..., Synced], kind: str) -> None:
    sync = synced(("local", kind))
    there, music = filled(sync, FEW)
    path = next(path for path in sorted(there.tree()) if path.endswith(".mp3"))
    edited = b"edited" * 400
    assert there.proxy is not None
    proxy, edits = there.proxy, []

    def edit() -> None:
        edits.append(path)
        there.put(path, edited, 1_700_000_000 * 10**9)

    def after_the_copies(seen: Seen) -> bool:
        return _lists_files(seen) and sum("x-amz-copy-source" in one.headers for one in proxy.requests) >= FEW

    proxy.when(after_the_copies, Then(edit), times=1)
    ended = sync.forks.run("organize", music, codes=(3,), **sync.settings)
    assert edits == [path]
    assert (ended.summary["ops_done"], ended.summary["ops_failed"]) == (FEW - 1, 1)
    assert "changed while it was copied, so it stays" in ended.errors[0]["message"]
    assert there.store.read(path) == edited
    assert sum(one.endswith(".mp3") for one in there.tree()) == FEW + 1
