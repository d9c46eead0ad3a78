"""What plans say that they will cost, against the requests and bytes that the server counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.prices import REQUEST_KINDS
from orchestrator.profiles import price_lists
from tests.audio import make_many
from tests.costs import kinds_of
from tests.nightly import some_at_night
from tests.program import Ended
from tests.servers.http import Seen
from tests.sync_sides import Synced

KINDS = ("s3_moto", "s3_serve", "gcs", "azure", "webdav", "drive", "dropbox")
S3 = price_lists()["s3"]
TRACKS, PER_ALBUM, SIZE = 120, 10, 40_000
MESSY = "{{ artist }} {{ album }}/x {{ title }}"
BUCKETS = ("s3_moto", "s3_serve", "gcs", "azure")
OTHER_FOLDERS = "{{ album }} by {{ artist }}/x {{ title }}"
SHARE, FEW = 0.15, 20
"""An estimate may be off by this share, or by so many requests."""


class Counting:
    """A library on a server, and what each plan for it says and takes."""

    def __init__(self, sync: Synced, home: Path) -> None:
        sync.settings["hasty"] = False
        self.sync, self.home = sync, home
        self.here, self.there = sync.sides
        self.wrong: list[str] = []
        self.seen: list[Seen] = []
        """The requests of the last plan that was applied."""

    def run(self, *command: str, codes: tuple[int, ...] = (0,), **settings: Any) -> Ended:
        """Run a command, and count its requests."""
        self.there.reset()
        return self.sync.forks.run(*command, codes=codes, **{**self.sync.settings, **settings})

    def check(self, what: str, *command: str) -> dict[str, Any]:
        """Plan, apply, and compare; what is wrong is collected, so that one run shows all."""
        plan = self.home / f"{what}.jsonl"
        to_file = ("-o",) if command[0] == "plan" else ("--dry-run", "--plan")
        self.run(*command, *to_file, str(plan), codes=(0, 3))
        with plan.open() as file:
            estimate: dict[str, Any] = json.loads(file.readline())["estimate"]
        done = self.run("apply", str(plan), "--yes").summary
        assert done["ops_done"] == done["ops_planned"] > 0, what
        assert self.there.proxy is not None
        self.seen = list(self.there.proxy.requests)
        counted = kinds_of(self.there.kind, self.seen)
        self.compare(f"{what}: estimated", estimate, counted, ("requests", *REQUEST_KINDS))
        estimated_cost, cost = (
            S3.of_requests({kind: one.get(kind) or 0 for kind in REQUEST_KINDS}) for one in (estimate, counted)
        )
        if abs(estimated_cost - cost) > max(FEW * S3.write / 1000, SHARE * cost):
            self.wrong.append(f"{what}: estimated {estimated_cost} dollars at the prices of S3, not {cost}")
        shown = {row["what"]: row["counted"] for row in self.run("runs", "show", "last").events if row["type"] == "run-cost"}
        self.compare(f"{what}: `runs show` counts", shown, counted, ("look", "read", "write", "copy", "delete"))
        return estimate

    def compare(self, what: str, said: dict[str, Any], counted: Counter[str], kinds: tuple[str, ...]) -> None:
        """Compare numbers of requests with those that the server got from the last plan."""
        for kind in kinds:
            number, there = said.get(kind) or 0, counted.total() if kind == "requests" else counted[kind]
            if abs(number - there) > max(FEW, SHARE * there):
                self.wrong.append(f"{what} {number} {kind}, not {there}")


@pytest.mark.parametrize("kind", some_at_night(KINDS, night={*KINDS} - {"s3_moto"}))
def test_a_plan_says_what_it_takes(synced: Callable[..., Synced], tmp_path: Path, kind: str) -> None:
    counting = Counting(synced(("local", kind)), tmp_path)
    here, there = counting.here, counting.there
    assert here.root is not None
    make_many(here.root, TRACKS, per_album=PER_ALBUM, size=SIZE)
    music = f"{there.location}/Music"
    copied = counting.check("copy", "plan", here.location, music, "--copy", "--layout", MESSY)
    assert copied["bytes_up"] == copied["bytes"] >= TRACKS * SIZE
    assert (copied["bytes_down"], copied["bytes_copied"]) == (0, 0)
    if kind != "drive":  # that counts no bodies in pieces
        sent = sum(seen.body_bytes for seen in counting.seen if seen.method in ("PUT", "POST"))
        assert sent == pytest.approx(copied["bytes_up"], rel=SHARE)
    folders = counting.check("folders", "plan", music, "--layout", OTHER_FOLDERS)
    files = counting.check("files", "plan", music)
    for moved in (folders, files):
        assert (moved["bytes_up"], moved["bytes_down"]) == (0, 0)
        assert (moved["bytes_copied"] > 0) == (kind in BUCKETS), "in a bucket, a rename is a copy"
    make_many(tmp_path / "again", 30, per_album=PER_ALBUM, size=SIZE)
    for file in sorted((tmp_path / "again").rglob("*.mp3")):
        there.put(f"Music/again/{file.parent.name}/{file.name}", file.read_bytes(), 1_700_000_000 * 10**9)
    if here.hashed and there.hashed:  # without hashes, it reads both files of each pair
        counting.check("dedup", "dedup", music, "--dedup", "quarantine")
    taken = counting.check("download", "plan", music, str(tmp_path / "taken"), "--copy")
    assert taken["bytes_down"] >= TRACKS * SIZE
    assert taken["bytes_up"] == 0
    make_many(here.root, TRACKS + 30, per_album=PER_ALBUM, size=SIZE)
    counting.check("sync", "sync", here.location, there.location, "--to-cloud")
    assert not counting.wrong, "\n".join(counting.wrong)
