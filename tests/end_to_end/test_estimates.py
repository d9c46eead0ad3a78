"""What plans and scans say that they will cost, against the requests and bytes that the server counts.

    pytest tests/end_to_end/test_estimates.py -o log_cli=true -o log_cli_level=INFO

shows the table: estimated/counted for each command on each provider.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.prices import REQUEST_KINDS
from orchestrator.profiles import price_lists
from orchestrator.track import Track
from tests.audio import FORMATS, make_many
from tests.costs import kinds_of
from tests.nightly import NIGHTLY, some_at_night
from tests.program import Ended
from tests.servers.http import Seen
from tests.sync_sides import Synced

KINDS = ("s3_moto", "s3_serve", "gcs", "azure", "webdav", "drive", "dropbox")
CRYPTS = tuple(f"crypt on {kind}" for kind in KINDS)
BUCKETS = ("s3_moto", "s3_serve", "gcs", "azure")
PRICES = {"gcs": "gcs", "azure": "azure"}
"""Kind of server -> the list of prices; S3's for the others, also to weigh the requests where they cost nothing."""
TRACKS, PER_ALBUM, SIZE = 120 if NIGHTLY else 40, 10, 40_000
MESSY = "{{ artist }} {{ album }}/x {{ title }}"
OTHER_FOLDERS = "{{ album }} by {{ artist }}/x {{ title }}"
SHARE, FEW = 0.15, 20
"""An estimate may be off by this share, or by so many requests."""
_log = logging.getLogger(__name__)


_CHANGES_AND_READS = ("read", "write", "copy", "delete")


class Counting:
    """A library on a server, and what each plan for it says and takes."""

    def __init__(self, sync: Synced, home: Path) -> None:
        sync.settings["hasty"] = False
        self.sync, self.home = sync, home
        self.here, self.there = sync.sides
        self.prices = price_lists()[PRICES.get(self.there.server, "s3")]
        self.priced = self.there.server in BUCKETS
        self.wrong: list[str] = []
        self.seen: list[Seen] = []
        """The requests of the last command that was counted."""
        if self.priced:
            remote = self.there.location.partition(":")[0]
            (home / "config.yaml").write_text(f"remotes: {{{remote}: {{prices: {PRICES.get(self.there.server, 's3')}}}}}")

    def run(self, *command: str, codes: tuple[int, ...] = (0,), **settings: Any) -> Ended:
        """Run a command, and count its requests."""
        self.there.reset()
        config = ("--config", str(self.home / "config.yaml")) if self.priced else ()
        ended = self.sync.forks.run(*command, *config, codes=codes, **{**self.sync.settings, **settings})
        assert self.there.proxy is not None
        self.seen = list(self.there.proxy.requests)
        return ended

    def check(self, what: str, *command: str, apply: tuple[str, ...] = ()) -> dict[str, Any]:
        """Plan, apply, and compare; what is wrong is collected, so that one run shows all."""
        plan = self.home / f"{what}.jsonl"
        to_file = ("-o",) if command[0] == "plan" else ("--dry-run", "--plan")
        self.run(*command, *to_file, str(plan), codes=(0, 3))
        done = self.run("apply", str(plan), "--yes", *apply).summary
        assert done["ops_done"] == done["ops_planned"] > 0, what
        seen, estimate = self.seen, done["estimate"]
        if not apply:
            with plan.open() as file:
                assert estimate == json.loads(file.readline())["estimate"]
        counted = self.compare_all(what, estimate)
        self.seen, shown = seen, self.run("runs", "show", "last").events
        rows = {row["what"]: row for row in shown if row["type"] == "run-cost"}
        assert {kind: row["estimated"] for kind, row in rows.items() if kind in REQUEST_KINDS} == {
            kind: estimate[kind] for kind in rows if kind in REQUEST_KINDS
        }
        self.compare(
            f"{what}: `runs show` counts",
            {kind: row["counted"] for kind, row in rows.items()},
            counted,
            # A listing of a crypt on S3 looks at each file, and is no part of what a run counts.
            _CHANGES_AND_READS
            if self.there.kind == "crypt" and self.there.server.startswith("s3")
            else ("look", *_CHANGES_AND_READS),
        )
        self.seen = seen
        return dict(estimate)

    def scan(self, what: str, location: str) -> dict[str, Any]:
        """Scan with a catalogue of its own, and compare."""
        ended = self.run("scan", location, state=self.home / "another state")
        (found,) = (event for event in ended.events if event["type"] == "scan")
        assert found["estimate"] == ended.summary["estimate"]
        self.compare_all(what, found["estimate"])
        return found

    def compare_all(self, what: str, estimate: Mapping[str, Any]) -> Counter[str]:
        """Compare requests by kind, bytes and money with what the server got; returns its requests by kind."""
        counted = kinds_of(self.there.server, self.seen)
        self.compare(f"{what}: estimated", estimate, counted, ("requests", *REQUEST_KINDS))
        down = sum(seen.answer_bytes for seen in self.seen if kinds_of(self.there.server, [seen])["read"])
        if abs(estimate["bytes_down"] - down) > max(FEW * 1000, SHARE * down):
            self.wrong.append(f"{what}: estimated {estimate['bytes_down']} bytes received, not {down}")
        cost = self.prices.of_requests({kind: counted[kind] for kind in REQUEST_KINDS}) + self.prices.of_bytes(down)
        said = self.prices.of_requests({kind: estimate.get(kind) or 0 for kind in REQUEST_KINDS})
        said += self.prices.of_bytes(estimate["bytes_down"])
        if self.priced:
            assert estimate["cost"] == pytest.approx(said, abs=1e-6)
        if abs(said - cost) > max(SHARE * cost, FEW * cost / counted.total()):
            self.wrong.append(f"{what}: estimated {said:.6f} dollars, not {cost:.6f}")
        numbers = {"requests": counted.total(), **counted}
        cells = {kind: f"{estimate.get(kind) or 0}/{numbers[kind]}" for kind in ("requests", *REQUEST_KINDS) if numbers.get(kind)}
        _log.info("%s %s %s $%.6f/%.6f B%s/%s", self.there.kind, what, cells, said, cost, estimate["bytes_down"], down)
        return counted

    def compare(self, what: str, said: Mapping[str, Any], counted: Counter[str], kinds: tuple[str, ...]) -> None:
        """Compare numbers of requests with those that the server got."""
        for kind in kinds:
            number, there = said.get(kind) or 0, counted.total() if kind == "requests" else counted[kind]
            if abs(number - there) > max(FEW, SHARE * there):
                self.wrong.append(f"{what} {number} {kind}, not {there}")


@pytest.mark.parametrize("kind", some_at_night((*KINDS, *CRYPTS), night={*KINDS, *CRYPTS} - {"s3_moto"}))
def test_a_plan_says_what_it_takes(synced: Callable[..., Synced], tmp_path: Path, kind: str) -> None:
    counting = Counting(synced(("local", kind)), tmp_path)
    here, there = counting.here, counting.there
    assert here.root is not None
    make_many(here.root, TRACKS, per_album=PER_ALBUM, size=SIZE)
    make_many(here.root / "again", TRACKS // 2, per_album=PER_ALBUM, size=SIZE)
    files_there = TRACKS + TRACKS // 2
    music = f"{there.location}/Music"
    copied = counting.check("copy", "plan", here.location, music, "--copy", "--layout", MESSY)
    assert copied["bytes_up"] == copied["bytes"] >= files_there * SIZE
    assert (copied["bytes_down"], copied["bytes_copied"]) == (0, 0)
    if there.server != "drive":  # that counts no bodies in pieces
        sent = sum(seen.body_bytes for seen in counting.seen if seen.method in ("PUT", "POST"))
        assert sent == pytest.approx(copied["bytes_up"], rel=SHARE)
    scanned = counting.scan("scan", music)
    assert scanned["files_read"] == files_there
    assert scanned["estimate"]["bytes_down"] == pytest.approx(scanned["bytes_read"], rel=SHARE)
    assert counting.scan("second scan", music)["estimate"]["bytes_down"] == 0
    folders = counting.check("folders", "plan", music, "--layout", OTHER_FOLDERS)
    files = counting.check("files", "plan", music)
    for moved in (folders, files):
        assert (moved["bytes_up"], moved["bytes_down"]) == (0, 0)
        assert (moved["bytes_copied"] > 0) == (there.server in BUCKETS), "in a bucket, a rename is a copy"

    make_many(tmp_path / "more", TRACKS + TRACKS // 2, per_album=PER_ALBUM, size=SIZE)
    read_again = counting.check("copy, all verified", "plan", str(tmp_path / "more"), music, "--copy", apply=("--verify", "full"))
    assert (read_again["bytes_down"] > 0) == (not there.hashed)
    counting.check("dedup", "dedup", music, "--dedup", "quarantine", *(() if there.hashed else ("--checksum",)))
    taken = counting.check("download", "plan", music, str(tmp_path / "taken"), "--copy")
    assert taken["bytes_down"] >= TRACKS * SIZE
    assert taken["bytes_up"] == 0
    counting.check("move away", "plan", music, str(tmp_path / "moved"), "--move", "--include", "*1*/**")
    counting.check("move there", "plan", str(tmp_path / "moved"), music, "--move")

    shutil.rmtree(here.root)
    make_many(here.root, TRACKS + 30, per_album=PER_ALBUM, size=SIZE)
    counting.check("first sync", "sync", here.location, music, "--to-cloud")
    files_here = sorted(here.root.rglob("*.mp3"))
    for number, file in enumerate(files_here[: TRACKS // 2]):
        if number % 2:
            file.unlink()
        else:
            with file.open("r+b") as stream:
                FORMATS["mp3"].save(stream, Track(title=(f"A better title {number}",), track=1), b"")
    counting.check("sync", "sync", here.location, music, "--max-delete", "50%")
    assert not counting.wrong, "\n".join(counting.wrong)


def test_where_no_hash_is_free_what_is_read_in_full_is_said_and_limited(synced: Callable[..., Synced], tmp_path: Path) -> None:
    """A bucket that encrypts with KMS: its ETags are no MD5."""
    counting = Counting(synced(("local", "s3_moto")), tmp_path)
    with (tmp_path / "rclone.conf").open("a") as config:
        config.write("server_side_encryption = aws:kms\n")
    assert counting.here.root is not None
    make_many(counting.here.root, 20, per_album=PER_ALBUM, size=SIZE)
    shutil.copytree(counting.here.root, counting.here.root / "again")
    music = f"{counting.there.location}/Music"
    counting.run("sync", counting.here.location, music, "--to-cloud")
    search = ("dedup", music, "--dedup", "quarantine", "--checksum")
    refused = counting.run(*search, "--yes", "--max-transfer", "1M", codes=(7,))
    assert "downloading 40 files (1.5 MiB) of equal size to compare them (--checksum) would bring" in refused.errors[0]["message"]
    assert sum(seen.answer_bytes for seen in counting.seen) < 1_000_000, "only tags were read"
    verified = counting.check("dedup, verified", *search, apply=("--verify", "full"))
    assert verified["bytes_down"] == verified["bytes"] == 3 * 20 * SIZE, "the kept copies, and each duplicate before and after"
    assert not counting.wrong, "\n".join(counting.wrong)
