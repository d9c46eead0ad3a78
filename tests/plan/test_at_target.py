"""What the target already has: equal size is no equality, and what stays in the source is counted or quarantined."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from orchestrator.plan.model import KeptCopy, Plan, Verb
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Item
from orchestrator.report import plan_view
from tests.plan.worlds import plain, plan, song, untagged

ONE = {"title": "One", "artist": "A", "album": "X", "track": 1}
HOME = "A/X/01 One.mp3"


def bare(item: Item) -> Item:
    """The file without a hash, as on a disk."""
    return msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, hashes={}))


def with_hashes(item: Item, hashes: dict[str, str]) -> Item:
    return msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, size=9, hashes=hashes))


def to_target(inbox: list[Item], there: list[Item], *, moves: bool = True, **options: Any) -> Plan:
    return plan(inbox, source="/in", target="r:lib", there=there, copy=not moves, **options)


def did(made: Plan) -> dict[str, tuple[Verb, str]]:
    return {operation.src.path: (operation.verb, operation.dst.path) for operation in made.operations}


def test_a_cover_of_equal_size_is_only_the_same_if_a_hash_says_so() -> None:
    inbox, there = [song("in/1.mp3", "m", **ONE), plain("in/cover.jpg", "one")], [song(HOME, "m", **ONE)]
    equal, other = plain("A/X/cover.jpg", "one"), plain("A/X/cover.jpg", "two")
    assert did(to_target(inbox, [*there, equal])) == {}
    assert did(to_target(inbox, [*there, other])) == {"in/cover.jpg": (Verb.MOVE, "A/X/cover (2).jpg")}
    unknown = to_target(inbox, [*there, bare(equal)])
    assert did(unknown) == {}
    assert unknown.undecided == (("in/cover.jpg", "A/X/cover.jpg"),)
    assert [(one.path, one.code) for one in unknown.skipped] == [("in/cover.jpg", "conflict")]
    assert did(to_target(inbox, [*there, bare(plain("A/X/cover.jpg", "four"))]))  # another size: no need to read it


def test_every_name_that_the_cover_may_have_there_is_compared() -> None:
    """An earlier run may have given it a number."""
    inbox = [song("in/1.mp3", "m", **ONE), bare(plain("in/cover.jpg", "one"))]
    there = [song(HOME, "m", **ONE), plain("A/X/cover.jpg", "two"), plain("A/X/cover (2).jpg", "one")]
    made = to_target(inbox, there)
    assert made.undecided == (("in/cover.jpg", "A/X/cover.jpg"), ("in/cover.jpg", "A/X/cover (2).jpg"))
    assert did(to_target([inbox[0], plain("in/cover.jpg", "one")], there)) == {}, "once it has a hash"


@pytest.mark.parametrize("moves", [True, False])
def test_what_is_there_already_is_counted_and_never_called_nothing(moves: bool) -> None:
    inbox = [song("in/1.mp3", "m", **ONE), plain("in/cover.jpg", "one")]
    made = to_target(inbox, [song(HOME, "m", **ONE), plain("A/X/cover.jpg", "one")], moves=moves)
    assert (made.operations, made.header.counts["at_target"], made.header.counts["in_place"]) == ((), 2, 0)
    said = "; ".join(plan_view.nothing_to_do(made))
    if moves:
        assert said.startswith("nothing to move: already at the target: 2 files, kept in the source; --dedup quarantine ")
    else:
        assert said == "nothing to copy: already at the target: 2 files"
    assert ("already at the target", "2, kept in the source" if moves else "2") in plan_view.facts(made)


def test_a_moving_run_puts_away_what_is_there() -> None:
    inbox = [untagged("loose/x.mp3"), plain("in/cover.jpg", "one"), song("in/1.mp3", "m", **ONE)]
    there = [untagged("Rest/loose/x.mp3"), plain("A/X/cover.jpg", "one"), song(HOME, "m", **ONE)]
    options = {"untagged": "Rest"}
    inbox[0], there[0] = (with_hashes(one, {"md5": "u"}) for one in (inbox[0], there[0]))
    made = to_target(inbox, there, dedup=DedupSettings(), **options)
    assert {path: verb for path, (verb, _) in did(made).items()} == dict.fromkeys(
        ("loose/x.mp3", "in/cover.jpg", "in/1.mp3"), Verb.QUARANTINE
    )
    assert "at_target" not in made.header.counts
    assert to_target(inbox, there, **options).header.counts["at_target"] == 3
    assert not to_target(inbox, there, moves=False, dedup=DedupSettings(), **options).operations


def test_a_cover_is_quarantined_in_favour_of_the_one_at_the_target() -> None:
    """Its song is not: the target has another version of it, and the cover of both."""
    inbox = [song("in/2.mp3", "n", **{**ONE, "title": "Two", "track": 2}), plain("in/cover.jpg", "one")]
    there = [song(HOME, "m", **ONE), plain("A/X/cover.jpg", "one")]
    made = to_target(inbox, there, dedup=DedupSettings())
    (cover,) = (operation for operation in made.operations if operation.src.path == "in/cover.jpg")
    entry = there[1].entry
    assert cover.expect.kept == KeptCopy("r:lib", "A/X/cover.jpg", entry.size, entry.hashes, entry.mtime_ns, "T0")
    assert cover.reason == "already at the target: r:lib/A/X/cover.jpg"
    kept = to_target(inbox, there, dedup=DedupSettings(reference=("/in",)))
    assert "in/cover.jpg" not in did(kept), "nothing is quarantined under a reference"


def test_a_file_without_a_hash_is_quarantined_once_apply_has_compared_it() -> None:
    """Its size, tags and sound agree; the kept copy is named as having the same bytes, and no hash shows it yet."""
    inbox, there = [bare(song("in/1.mp3", "m", **ONE))], [bare(song(HOME, "m", **ONE))]
    inbox, there = (
        [msgspec.structs.replace(one, reading=msgspec.structs.replace(one.reading, identity=None))] for (one,) in (inbox, there)
    )
    (only,) = to_target(inbox, there, dedup=DedupSettings()).operations
    assert only.expect.kept
    assert (only.verb, only.expect.hash, only.expect.kept.hash, only.expect.kept.tier) == (Verb.QUARANTINE, {}, {}, "T0")
