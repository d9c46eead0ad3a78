"""What else every provider can do: files that never pass through this machine, and a killed run that is finished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.faulty import Library
from tests.forked import Death
from tests.places import visible
from tests.providers import everywhere


@pytest.mark.shows("cloud-only")
@pytest.mark.parametrize("kind", everywhere())
def test_files_move_between_two_folders_without_passing_through_this_machine(library: Callable[..., Library], kind: str) -> None:
    music = library(kind)
    album = "out/Band/Album (2001)"
    songs = {f"{album}/{number:02} Song {number}.mp3": music.track(f"in/{number}.mp3", number) for number in (1, 2, 3)}
    location = music.place.location
    ended = music("organize", f"{location}/in", f"{location}/out", "--move", "--cloud-only")
    assert (ended.summary["ops_done"], ended.summary["ops_failed"]) == (3, 0)
    assert {path: content for path, content in music.place.tree().items() if ".music-orchestrator" not in path} == songs
    again = music("organize", f"{location}/in", f"{location}/out", "--move", "--cloud-only")
    assert again.summary["ops_planned"] == 0


@pytest.mark.shows("resume after a kill", "undo")
@pytest.mark.parametrize("kind", everywhere())
def test_a_killed_run_is_finished(library: Callable[..., Library], kind: str) -> None:
    """The program and its rclone are killed at a third, at two thirds and at the last write of the journal."""
    music = library(kind)
    for number in range(1, 7):
        music.track(f"in/{number % 2}/{number}.mp3", number)
    before = music.tree()
    command = ("organize", music.place.location, "--transfers", "1")
    program = music.start(*command)
    program.end()
    writes, after = program.writes, music.tree()
    assert sorted(after.values()) == sorted(before.values())
    assert not after.keys() & before.keys()
    for write in (writes // 3, writes * 2 // 3, writes - 1):
        music("undo", "last")
        assert music.tree() == before
        killed = music.start(*command, death=Death(write, committed=True, victims="both")).end()
        assert killed.code < 0
        assert Counter(music.place.tree().values()) >= Counter(before.values()), f"lost, killed at write {write}"
        music("resume")
        assert music.tree() == after, f"killed at write {write}"
        assert Counter(visible(music.place.tree()).values()) == Counter(before.values())
