"""Which FLAC files are read at their end before a duplicate of theirs may be quarantined."""

from __future__ import annotations

import msgspec

from orchestrator.plan.planners.dedup.candidates import candidates_of
from orchestrator.plan.planners.dedup.ends_to_check import ends_to_check
from orchestrator.records import Item
from tests.plan.dedup.copies import MP3, on_album


def checked(*items: Item) -> set[str]:
    return {candidate.path for candidate in ends_to_check(candidates_of("/music", items))}


def whole(item: Item) -> Item:
    assert item.reading is not None
    return msgspec.structs.replace(item, reading=msgspec.structs.replace(item.reading, whole=True))


def test_of_one_sound_in_two_sizes_each_flac_is_checked_that_was_not_yet() -> None:
    small, large = on_album("a/1.flac", 1, sound="s", bitrate=800_000), on_album("b/1.flac", 1, sound="s")
    assert checked(small, large) == {"a/1.flac", "b/1.flac"}
    assert checked(whole(small), large) == {"b/1.flac"}
    assert checked(whole(small), whole(large)) == set()


def test_of_two_codecs_with_the_same_tags_only_the_flac_is_checked() -> None:
    assert checked(on_album("a/1.flac", 1), on_album("b/1.mp3", 1, **MP3)) == {"a/1.flac"}


def test_files_that_differ_in_nothing_and_files_that_are_alone_are_not_checked() -> None:
    assert checked(on_album("a/1.flac", 1, sound="s"), on_album("b/1.flac", 1, sound="s")) == set()
    assert checked(on_album("a/1.flac", 1, sound="s"), on_album("b/2.flac", 2, sound="t", bitrate=1)) == set()


def test_a_flac_under_another_name_is_not_checked() -> None:
    assert checked(on_album("a/1.oga", 1, sound="s"), on_album("b/1.flac", 1, sound="s", bitrate=1)) == {"b/1.flac"}
