"""What cron hears of: each problem once, until it is gone or has changed. `problems` lists what stands, `ignore` silences it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.faulty import Library
from tests.program import Program
from tests.servers.http import Drop, HttpProxy, Refuse, Seen

UNTAGGED = track_bytes("mp3", Track(), seconds=0.2, serial=90)
DAMAGED = b"no music at all" * 100


class Cron:
    """A machine whose cron calls `run` for a library."""

    def __init__(self, library: Library, home: Path, more: str = "") -> None:
        self.library = library
        self.where = library.place.location
        self._config = home / "config.yaml"
        library.environment["MUSIC_ORCHESTRATOR_CONFIG"] = str(self._config)
        self.write(more)

    def write(self, more: str = "", steps: str = "[{organize: {source: music}}]") -> None:
        self._config.write_text(f'locations: {{music: "{self.where}"}}\njobs: {{nightly: {steps}}}\n{more}\n')

    def __call__(self, *arguments: str) -> tuple[int, list[str]]:
        """The exit code, and the lines of the mail."""
        started = self.library.start(*(arguments or ("run", "-q")), options=())
        code, out, err = started.printed()
        return code, [*out.splitlines(), *err.splitlines()]

    def problems(self, *arguments: str) -> list[dict[str, Any]]:
        ended = self.library("problems", "list", *arguments, options=("--json",))
        return [event for event in ended.events if event["type"] == "problem"]


@pytest.fixture
def cron(library: Callable[..., Library], tmp_path: Path) -> Cron:
    return Cron(library("local"), tmp_path)


def test_a_file_that_stays_is_reported_once(cron: Cron) -> None:
    cron.library.track("Band/Album (2001)/01 Song 1.mp3", 1)
    cron.library.place.put("Band/untagged.mp3", UNTAGGED)
    line = f"error: {cron.where}/Band/untagged.mp3: no usable tags: needs two of artist, album, and title or track number"
    assert cron() == (3, [line])
    assert cron() == (0, [])
    assert cron("run", "--json")[0] == 0
    assert cron("run", "-q", "--strict") == (3, [line])
    by_hand = cron("organize", "music", "--yes")
    assert by_hand[0] == 3
    assert line in by_hand[1], "by hand, all are named"
    assert cron("organize", "music", "--yes", "-q") == (0, [])
    assert cron("plan", "music", "-q") == (0, [])
    assert cron("plan", "music", "-o", str(cron.library.home / "a.plan"))[0] == 0, "the plan was written"
    (problem,) = cron.problems("music")
    assert (problem["location"], problem["path"], problem["code"]) == (cron.where, "Band/untagged.mp3", "untagged")
    assert "--untagged DIR" in problem["remedy"]
    for around in (f"{cron.where}/Band", str(cron.library.home)):
        assert [one["since"] for one in cron.problems(around)] == [problem["since"]]
    assert cron.problems(f"{cron.where}/Other") == []


def test_what_is_reported_by_hand_is_no_news_to_cron(cron: Cron) -> None:
    cron.library.place.put("untagged.mp3", UNTAGGED)
    assert cron("organize", "music", "--yes")[0] == 3
    assert cron() == (0, [])


def test_another_reason_is_news_and_so_is_a_problem_that_comes_back(cron: Cron) -> None:
    put, remove = cron.library.place.put, cron.library.place.remove
    put("a.mp3", UNTAGGED)
    put("b.mp3", UNTAGGED)
    assert cron()[0] == 3
    put("a.mp3", DAMAGED)
    code, lines = cron()
    assert (code, len(lines)) == (3, 1)
    assert lines[0].startswith(f"error: {cron.where}/a.mp3: ")
    remove("a.mp3")
    assert cron() == (0, [])
    assert [one["path"] for one in cron.problems()] == ["b.mp3"], "what is gone is forgotten"
    put("a.mp3", DAMAGED)
    assert cron() == (3, lines)


def test_a_problem_is_reported_once_whichever_steps_find_it_and_forgotten_by_those_that_look_at_it(cron: Cron) -> None:
    cron.write(steps="[{scan: {location: music}}, {organize: {source: music, include: [in/**]}}, {organize: {source: music}}]")
    cron.library.place.put("in/bad.mp3", DAMAGED)
    cron.library.place.put("out.mp3", UNTAGGED)
    code, lines = cron()
    assert (code, sum("error" in line for line in lines)) == (3, 2)
    assert cron() == (0, [])
    assert cron("organize", "music", "--include", "in/**", "--yes", "-q") == (0, [])
    assert cron() == (0, []), "a command that did not look at the other file has not forgotten it"


def test_names_that_are_not_utf_8_are_one_problem_with_what_helps(cron: Cron) -> None:
    for name in (b"No\xebl.mp3", b"\xe9t\xe9.mp3"):
        (Path(os.fsdecode(os.fsencode(cron.where) + b"/" + name))).write_bytes(UNTAGGED)
    code, lines = cron()
    assert (code, len(lines)) == (3, 2)
    problems = cron.problems()
    assert [one["code"] for one in problems] == ["unsupported-name"] * 2
    assert len({one["reason"] for one in problems}) == 1, "so they are shown together"
    assert "`convmv`" in problems[0]["remedy"]
    for options, lines in (((), 1), (("-v",), 2)):
        code, out, _ = cron.library.start("problems", options=options).printed()
        assert (code, out.count("is not UTF-8")) == (0, lines), "one by one only with -v"
        assert ("(2 files)" in out) is (lines == 1)


def test_what_the_user_ignores_is_silent_for_good(cron: Cron) -> None:
    for name in ("a [1].mp3", "b.mp3", "Podcasts/c.mp3"):
        cron.library.place.put(name, UNTAGGED)
    cron.write("ignore: [Podcasts]")
    assert len(cron()[1]) == 2
    code, lines = cron("problems", "ignore", f"{cron.where}/a [1].mp3")
    assert (code, lines) == (0, [f"ignored from now on: {cron.where}/a [1].mp3 (1 problem there now)"])
    code, lines = cron("organize", "music", "--yes")
    assert (code, sum("error" in line for line in lines)) == (3, 1)
    assert cron("problems", "ignore", "b.*") == (0, ["ignored from now on: b.* (1 problem there now)"])
    code, lines = cron("organize", "music", "--yes")
    assert (code, sum("error" in line for line in lines)) == (0, 0)
    assert cron("run", "-q", "--strict") == (0, [])
    assert cron.problems() == []
    assert [one["path"] for one in cron.problems("--ignored")] == ["Podcasts/c.mp3", "a [1].mp3", "b.mp3"]
    assert cron("problems", "ignore", "--undo", "b.*") == (0, ["no longer ignored: b.* (1 problem there now)"])
    assert [one["path"] for one in cron.problems()] == ["b.mp3"]
    assert cron() == (0, []), "it was reported before"
    code, lines = cron("problems", "ignore", "--undo", "Podcasts")
    assert (code, lines) == (2, ["error: Podcasts stands in the config, under `ignore:`"])


def test_files_in_the_folder_for_untagged_ones_are_in_order(cron: Cron) -> None:
    cron.library.place.put("x/untagged.mp3", UNTAGGED)
    cron.write("untagged: Untagged")
    code, lines = cron()
    assert (code, len(lines)) == (0, 1)
    assert "1 change made" in lines[0]
    assert [*cron.library.tree()] == ["Untagged/x/untagged.mp3"]
    assert cron() == (0, [])
    assert cron.problems() == []


def test_of_many_new_problems_the_mail_names_some(cron: Cron) -> None:
    for number in range(53):
        cron.library.place.put(f"{number}.mp3", DAMAGED)
    cron.write(steps="[{scan: {location: music}}]")
    code, lines = cron()
    errors = [line for line in lines if line.startswith("error")]
    assert (code, len(errors)) == (3, 51)
    assert errors[-1].endswith(
        f"{cron.where}: 3 more problems of this kind: `music-orchestrator problems {cron.where}` lists all"
    )
    assert len(cron.problems()) == 53
    assert cron() == (0, [])


def test_without_its_record_everything_is_news_once_more(cron: Cron) -> None:
    cron.library.place.put("untagged.mp3", UNTAGGED)
    assert cron()[0] == 3
    record = cron.library.home / "state" / "problems.sqlite3"
    record.write_bytes(b"x" * 8192)
    code, lines = cron()
    assert code == 3
    assert any("warning: the record of problems is damaged" in line for line in lines)
    assert cron() == (0, [])


def test_what_fails_each_night_is_reported_once_and_an_outage_forgets_nothing(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    """A file that the server does not let us move, and one without tags; in between, the server is away."""
    library, proxy = proxied("webdav")
    cron = Cron(library, tmp_path)
    library.track("odd.mp3", 1)
    library.track("fine.mp3", 2)
    library.place.put("untagged.mp3", UNTAGGED)

    def moves_odd(seen: Seen) -> bool:
        return bool(seen.change) and "odd.mp3" in seen.path

    def every(_: Seen) -> bool:
        return True

    proxy.when(moves_odd, Refuse(403))
    code, lines = cron()
    errors = [line for line in lines if line.startswith("error")]
    assert (code, len(errors)) == (3, 2)
    assert all(line.startswith(f"error: {cron.where}/") for line in errors)
    assert cron() == (0, [])
    proxy.when(every, Drop())
    code, lines = cron()
    assert code == 5
    assert not any("mp3" in line for line in lines)
    proxy.end_faults()
    proxy.when(moves_odd, Refuse(403))
    code, (line,) = cron()
    assert (code, line.partition(",")[0]) == (0, "nightly is back to normal after 1 failed run")
    assert cron() == (0, [])
    proxy.end_faults()
    code, lines = cron()
    assert (code, len(lines)) == (0, 1)
    assert [one["path"] for one in cron.problems()] == ["untagged.mp3"]


def test_reported_duplicates_are_news_when_they_are_others(cron: Cron) -> None:
    cron.write(steps="[{dedup: {locations: [music]}}]")
    cron.library.track("a/one.mp3", 1)
    cron.library.track("b/one.mp3", 1)
    code, lines = cron()
    assert code == 0
    assert any("b/one.mp3" in line for line in lines)
    assert cron() == (0, [])
    assert [(one["code"], one["reason"].split(",")[0]) for one in cron.problems()] == [("duplicates", "1 duplicate")]
    cron.library.place.remove("b/one.mp3")
    cron.library.track("c/one.mp3", 1)
    assert any("c/one.mp3" in line for line in cron()[1])
    cron.library.place.remove("c/one.mp3")
    assert cron() == (0, [])
    assert cron.problems() == []


def test_a_record_that_cannot_be_used_stops_nothing(cron: Cron) -> None:
    cron.library.place.put("untagged.mp3", UNTAGGED)
    assert cron()[0] == 3
    record = cron.library.home / "state" / "problems.sqlite3"
    for file in record.parent.glob(f"{record.name}*"):
        file.unlink()
    record.mkdir()
    code, lines = cron()
    assert code == 3
    assert any("untagged.mp3" in line for line in lines)
    assert any(line.startswith("warning: ") and "record of problems" in line for line in lines)


AWAY = pytest.param(Drop(), 5, id="away", marks=pytest.mark.nightly)  # rclone tries for seconds


@pytest.mark.parametrize(("fault", "code"), [pytest.param(Refuse(401), 6, id="revoked"), AWAY])
def test_an_outage_is_one_mail_and_the_exit_code_says_it_each_time(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, fault: Refuse | Drop, code: int
) -> None:
    library, proxy = proxied("webdav")
    cron = Cron(library, tmp_path)
    here = tmp_path / "here"
    here.mkdir()
    (here / "a.mp3").write_bytes(UNTAGGED)
    cron.write(steps=f"[{{sync: {{a: {here}, b: music}}}}, {{scan: {{location: music}}}}]")

    def every(_: Seen) -> bool:
        return True

    proxy.when(every, fault)
    ended, lines = cron()
    assert (ended, [line.partition(": ")[0] for line in lines]) == (code, ["error", "warning"])
    assert lines[0].startswith(f"error: nightly, step 1 of 2 (sync {here} music): ")
    assert cron() == (code, []), "the same outage"
    assert cron("run", "-q", "--strict")[1] == lines
    assert [one["path"] for one in cron.problems()] == [f"nightly, step 1 of 2 (sync {here} music)"]
    later = Program(library.home / "state", library.environment, clock_s=3600)
    errors = [one["message"] for one in later("run", "-q", codes=(code,)).events if one["type"] == "error"]
    assert len(errors) == (2 if code == 5 else 1), "programs hear it each time: of what waits in the queue, and of the step"
    with contextlib.closing(sqlite3.connect(library.home / "state" / "problems.sqlite3")) as record, record:
        record.execute("UPDATE problem SET since = since - 8 * 86400")
        record.execute("UPDATE scope SET last = last - 2 * 86400")
    ended, reminder = cron()
    assert (ended, reminder[-2:]) == (code, lines), "after a week; also of what waits in the queue"
    proxy.end_faults()
    assert cron()[0] == 0
    assert cron.problems() == []
    proxy.when(every, fault)
    assert cron() == (code, lines), "another outage"


def test_a_job_that_is_no_longer_in_the_config_has_no_problems(cron: Cron) -> None:
    cron.write(steps="[{scan: {location: /no/such/folder}}]")
    assert cron()[0] == 2
    assert [one["path"] for one in cron.problems()] == ["nightly, step 1 of 1 (scan /no/such/folder)"]
    cron.library.environment["MUSIC_ORCHESTRATOR_CONFIG"] += ".none"
    Path(cron.library.environment["MUSIC_ORCHESTRATOR_CONFIG"]).write_text("jobs: {other: [{scan: {location: ./x}}]}\n")
    assert cron.problems() == []


def test_problems_of_a_location_that_nobody_knows_is_2_with_the_nearest_one(cron: Cron) -> None:
    assert cron("problems", "music") == (0, ["music was never scanned, so nothing is known of it", "no problems"])
    code, (line,) = cron("problems", f"{cron.where}x")
    assert (code, line) == (2, f"error: {cron.where}x was never scanned, and is not in the config: did you mean {cron.where}?")
    assert cron("problems", "musik")[0] == 2
    cron("scan", "music")
    assert cron("problems", "music") == (0, ["no problems"])
    assert cron("problems", f"{cron.where}/folder") == (0, ["no problems"]), "inside one that was scanned"
    code, (line,) = cron("problems", "/elsewhere")
    assert (code, line.endswith("`music-orchestrator scan /elsewhere` looks at it")) == (2, True)
