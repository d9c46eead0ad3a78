"""What the target already has: equal size is no equality, and what stays in the source is counted or quarantined."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from orchestrator.plan.model import KeptCopy, Plan, Verb
from orchestrator.plan.music.same_content import Likeness, same_content
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Item
from orchestrator.report import plan_view
from orchestrator.track import SoundEnd, Status
from tests.plan.worlds import listing, plain, plan, song, untagged

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


def heard(item: Item, **facts: Any) -> Item:
    """The file without a hash, and with other facts of its sound."""
    return msgspec.structs.replace(bare(item), reading=msgspec.structs.replace(item.reading, **facts))


_SONG = song("x", "m", **ONE)
_ZEROS = SoundEnd(zeros=2000)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        (_SONG, _SONG, Likeness.SAME),
        (_SONG, song("x", "n", **ONE), Likeness.DAMAGED),
        (_SONG, song("x", "n", **{**ONE, "title": "Two"}), Likeness.OTHER),
        (_SONG, song("x", "longer", **ONE), Likeness.OTHER),
        (bare(_SONG), _SONG, Likeness.ALIKE),
        (with_hashes(_SONG, {"crc32": "1"}), with_hashes(_SONG, {"crc32": "1"}), Likeness.ALIKE),
        (with_hashes(_SONG, {"crc32": "1"}), with_hashes(_SONG, {"crc32": "2"}), Likeness.DAMAGED),
        (with_hashes(_SONG, {"md5": "1"}), with_hashes(_SONG, {"md5": "1", "sha1": "2"}), Likeness.SAME),
        (heard(_SONG), heard(_SONG, suspect="its last frame is cut"), Likeness.DAMAGED),
        (heard(_SONG), heard(_SONG, end=_ZEROS), Likeness.ALIKE),
        (heard(_SONG, end=SoundEnd()), heard(_SONG, end=_ZEROS), Likeness.DAMAGED),
        (heard(_SONG), heard(_SONG, status=Status.UNREADABLE, track=None), Likeness.OTHER),
        (bare(_SONG), bare(plain("x", "m")), Likeness.OTHER),
        (bare(plain("x", "m")), plain("x", "m"), Likeness.UNKNOWN),
        (bare(listing("x", b"m")), bare(listing("x", b"m")), Likeness.SAME),
        (bare(listing("x", b"m")), bare(listing("x", b"n")), Likeness.OTHER),
    ],
)
def test_only_a_hash_shows_that_music_is_the_same(one: Item, other: Item, likeness: Likeness) -> None:
    assert same_content(one, other) is same_content(other, one) is likeness


def test_music_that_was_not_compared_in_full_is_never_called_the_same() -> None:
    inbox, there = [song("in/1.mp3", "m", **ONE)], [bare(song(HOME, "m", **ONE))]
    copied, moved = to_target(inbox, there, moves=False), to_target(inbox, there)
    assert did(copied) == did(moved) == {}
    assert copied.undecided == (("in/1.mp3", HOME),)
    for made in (copied, moved):
        assert ("at_target" in made.header.counts, made.header.counts["alike_at_target"]) == (False, 1)
    reason = "same name, size, tags and sound; not compared in full (--checksum does)"
    assert plan_view.nothing_to_do(copied) == [f"no changes: probably at the target: 1 file: {reason}"]
    assert plan_view.nothing_to_do(moved)[0] == f"no changes: probably at the target: 1 file, kept in the source: {reason}"
    assert ("probably at the target", f"1: {reason}") in plan_view.facts(copied)
    (operation,) = to_target(inbox, [song(HOME, "n", **ONE)], moves=False).operations
    assert (operation.dst.path, "one of the two may be damaged" in operation.reason) == ("A/X/01 One (2).mp3", True)


def test_originals_in_place_that_were_not_compared_are_counted() -> None:
    """`--copy` in one location makes one copy of each content; that two files have one is not known without a hash."""
    one, other = bare(song("in/1.mp3", "m", **ONE)), bare(song("other/1.mp3", "m", **ONE))
    made = plan([one, other], copy=True)
    assert did(made) == {"in/1.mp3": (Verb.COPY, HOME)}
    assert (made.undecided, made.header.counts["alike_at_target"]) == ((("other/1.mp3", "in/1.mp3"),), 1)
    hashed = plan([song("in/1.mp3", "m", **ONE), song("other/1.mp3", "n", **ONE)], copy=True)
    assert did(hashed).keys() == {"in/1.mp3", "other/1.mp3"}


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
