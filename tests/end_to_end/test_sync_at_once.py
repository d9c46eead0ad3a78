"""Syncs that run at the same time: of one pair, and of two pairs with a location in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.program import Program
from tests.sync_cases import NEWER, Case, songs
from tests.sync_sides import Synced, contents_of


@pytest.mark.nightly
@pytest.mark.parametrize("one_state", [True, False])
def test_syncs_at_the_same_time_lose_nothing(synced: Callable[..., Synced], tmp_path: Path, one_state: bool) -> None:
    """One works, and the other is refused (8) or comes after it, also from another state directory, as of another user."""
    pair = synced(("local", "s3_moto"))
    case = Case("Music", pair.sides, pair.settings["state"], "")
    case.start(*songs(*range(1, 9)))
    third = tmp_path / "C"
    third.mkdir()
    a, b, c = *(side.location for side in pair.sides), str(third)
    first = Program(pair.settings["state"], pair.settings["environment"])
    second = first if one_state else Program(tmp_path / "another state", pair.settings["environment"])
    first("sync", a, b, "--yes")
    second("sync", b, c, "--yes")
    for turn in range(4):
        case.a.put("1.mp3", case.song("1.mp3", f"by A {turn}"), NEWER)
        case.a.rename("2.mp3", f"renamed {turn}.mp3")
        case.b.put(f"new {turn}.mp3", case.song(f"new {turn}.mp3"))
        case.a.put(f"new on A {turn}.mp3", case.song(f"new on A {turn}.mp3"))
        before = pair.everything()
        others = (a, b) if turn % 2 else (b, c)
        running = [(first, first.start("sync", a, b, "--yes")), (second, second.start("sync", *others, "--yes"))]
        codes = {program.end(process).code for program, process in running}
        assert codes <= {0, 3, 8}  # 3: a first sync of a pair reports other names
        assert 0 in codes
        after = pair.everything()
        assert not contents_of(before) - contents_of(after)
        for _ in range(2):
            first("sync", a, b, "--yes")
            second("sync", b, c, "--yes")
        assert first("sync", a, b, "--yes").summary["ops_planned"] == 0
        here, there = pair.trees()
        assert here == there
        case.a.rename(f"renamed {turn}.mp3", "2.mp3")
