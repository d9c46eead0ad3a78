"""A review in a real terminal: what is decided there is carried out, written or saved, and nothing else."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.plan.plan_file import read_plan
from tests.end_to_end.test_dedup import put
from tests.faulty import Library
from tests.nightly import some_at_night
from tests.terminal import terminal


def three_pairs(music: Library) -> None:
    """Two copies of three songs without an album, in two folders."""
    for number in (1, 2, 3):
        for folder in ("Songs", "Phone"):
            put(music, f"{folder}/{number}.flac", number, album=(), album_artist=(), track=None, title=(f"Loner {number}",))


@pytest.fixture
def music(library: Callable[..., Library], tmp_path: Path) -> Library:
    found = library("local")
    (tmp_path / "config.yaml").write_text("# mine\n")
    found.environment["MUSIC_ORCHESTRATOR_CONFIG"] = str(tmp_path / "config.yaml")
    return found


def test_what_was_decided_is_carried_out_and_can_be_undone(music: Library) -> None:
    three_pairs(music)
    before = music.tree()
    with terminal(
        "dedup", music.place.location, "--review", state=music.home / "state", environment={**music.environment, "NO_COLOR": "1"}
    ) as person:
        person.until("0 of 3 decided, 3 files to quarantine")
        assert not re.search(rb"\x1b\[[0-9;]*\b(3[0-7]|38;|4[0-7]|48;)[0-9;]*m", person.output[person.output.rindex(b"1049h") :])
        person.resize(120, 35)
        person.press("2")
        person.until("1 of 3 decided")
        person.press("ja")
        person.until("2 of 3 decided, 2 files to quarantine")
        person.press("d1")
        person.until("Quarantine 2 duplicates?")
        person.press("y\n")
        assert person.end() == 0
    assert set(music.tree()) == set(before) - {"Phone/1.flac", "Songs/3.flac"}
    music("undo", "last", "--yes")
    assert music.tree() == before


@pytest.mark.parametrize("leave", some_at_night(("q", "\x03", "a\x03\x03", "d5", signal.SIGTERM), night={"q", "\x03", "d5"}))
def test_leaving_changes_nothing(music: Library, leave: str | signal.Signals) -> None:
    three_pairs(music)
    before = music.place.tree()
    with terminal("dedup", music.place.location, "--review", state=music.home / "state", environment=music.environment) as person:
        person.until("0 of 3 decided")
        if isinstance(leave, str):
            person.press(leave)
        else:
            os.kill(person.process.pid, leave)
        assert person.end() == (0 if isinstance(leave, str) else 130)
        assert b"nothing was changed" in person.output
    assert music.place.tree() == before


def test_decisions_are_written_as_a_plan_and_saved_as_rules(music: Library, tmp_path: Path) -> None:
    """A run that nobody watches then decides as the person did."""
    three_pairs(music)
    with terminal("dedup", music.place.location, "--review", state=music.home / "state", environment=music.environment) as person:
        person.until("0 of 3 decided")
        person.press("s")
        person.until("The same for many")
        person.press("2")
        person.until("keep the copies outside")
        person.press("2")
        person.until("3 of 3 decided")
        person.press("d3")
        person.until("Write this to")
        person.press("y\n")
        person.until("Enter goes back")
        person.press("\n")
        person.until("3 of 3 decided")
        person.press("d2")
        person.until("which new file?")
        person.press(f"{tmp_path}/my.plan\n")
        assert person.end() == 0
    chosen = {operation.src.path for operation in read_plan(tmp_path / "my.plan").operations}
    assert len({path.partition("/")[0] for path in chosen}) == 1
    assert (tmp_path / "config.yaml").read_text().startswith("# mine\ndedup:\n  keep: [")
    report = music("dedup", music.place.location, "--dedup", "quarantine", "--dry-run")
    assert {event["src"]["path"] for event in report.events if event["type"] == "operation"} == chosen
    music("apply", f"{tmp_path}/my.plan", "--yes")
    assert {path.partition("/")[0] for path in music.tree()} == {"Songs", "Phone"} - {next(iter(chosen)).partition("/")[0]}


def test_files_that_are_left_stay_and_the_rest_is_organized(music: Library) -> None:
    for number in (1, 2):
        put(music, f"in/{number}.flac", number)
    put(music, "old/3.flac", 3, album=("Other",))
    music.place.put("old/cover.jpg", b"cover")
    before = music.tree()
    with terminal(
        "organize", music.place.location, "--review", state=music.home / "state", environment=music.environment
    ) as person:
        person.until("0 of 2 decided, 4 files change")
        person.press("1ja")
        person.until("2 of 2 decided, 1 file changes, 3 kept")
        person.press("d3")
        person.until("Write this to")
        assert "/old/" in person.text
        person.press("n\n")
        person.until("Enter goes back")
        person.press("\n")
        person.until("2 of 2 decided")
        person.press("d1")
        person.until("Make this change?")
        person.press("y\n")
        assert person.end() == 0
    assert set(music.tree()) == {"in/1.flac", "Band/Album (2001)/02 Song 2.flac", "old/3.flac", "old/cover.jpg"}
    music("undo", "last", "--yes")
    assert music.tree() == before
    assert "--review" in music("organize", music.place.location, "--review", codes=(2,)).errors[0]["message"]


@pytest.mark.parametrize("more", [(), ("--dedup", "report")])
def test_without_a_terminal_there_is_no_review(music: Library, more: tuple[str, ...]) -> None:
    three_pairs(music)
    ended = music("dedup", music.place.location, "--review", *more, codes=(2,))
    assert "--review" in ended.errors[0]["message"]


def test_conflicts_of_a_sync_are_asked_one_by_one(music: Library, tmp_path: Path) -> None:
    sides = [tmp_path / "music", tmp_path / "other"]
    sides[1].mkdir()
    for name in ("one.txt", "three.txt", "two.txt"):
        (sides[0] / name).write_text("first")
    music("sync", *map(str, sides), "--yes")
    for side in sides:
        for name in ("one.txt", "three.txt", "two.txt"):
            (side / name).write_text(f"edited in {side.name}")
    with terminal(
        "sync", *map(str, sides), "--conflict", "ask", state=music.home / "state", environment=music.environment
    ) as person:
        person.until("0 of 3 decided, both: 3")
        person.press("2j1jw")
        person.until("3 of 3 decided, A: 1, B: 1, later: 1")
        person.press("d1")
        person.until("make these changes?")
        assert "different on both sides" in person.text
        assert "--conflict" not in person.text, "a person has just decided"
        person.press("y\n")
        assert person.end() == 3
    found = [{path.name: path.read_text() for path in side.glob("*.txt")} for side in sides]
    assert found[0] == {"one.txt": "edited in other", "three.txt": "edited in music", "two.txt": "edited in music"}
    assert found[1] == {"one.txt": "edited in other", "three.txt": "edited in music", "two.txt": "edited in other"}
    assert music("sync", *map(str, sides), "--conflict", "ask", codes=(2,)).errors
