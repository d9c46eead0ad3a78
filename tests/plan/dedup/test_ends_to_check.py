"""Which files are read at their end before a duplicate of theirs may be quarantined, and what their ends decide."""

from __future__ import annotations

import msgspec
import pytest

from orchestrator.plan.planners.dedup.ends_to_check import ends_to_check
from orchestrator.records import Item
from orchestrator.track import SoundEnd
from tests.plan.dedup.copies import FLAC, MP3, file, found, on_album, quarantined, whys

GOOD = SoundEnd()
ZEROS = SoundEnd(zeros=5_000, doubt="its sound ends in 5,000 zero bytes")
FADED = SoundEnd(zeros=5_000)
JUNK = SoundEnd(loose=1_000)
WAV = {"codec": "pcm", "lossless": True, "bitrate": 1_411_200, "sample_rate": 44_100, "bit_depth": 16, "channels": 2}


def checked(*items: Item, **options: object) -> set[str]:
    return {candidate.path for candidate in ends_to_check(found([*items], **options))}


def ending(item: Item, end: SoundEnd | None, *, whole: bool = False) -> Item:
    assert item.reading is not None
    return msgspec.structs.replace(item, reading=msgspec.structs.replace(item.reading, end=end, whole=whole))


def test_the_kept_copy_is_checked_once_whatever_its_format() -> None:
    one, other = on_album("a/1.flac", 1, sound="s"), on_album("b/101.flac", 1, sound="s")
    assert checked(one, other) == {"a/1.flac"}
    assert checked(ending(one, GOOD), other) == set()
    assert checked(on_album("a/1.wav", 1, **WAV), on_album("b/1.mp3", 1, **MP3)) == {"a/1.wav"}
    assert checked(on_album("a/1.mp3", 1, **MP3), on_album("b/101.mp3", 1, **MP3)) == {"a/1.mp3"}


def test_equal_bytes_and_files_that_are_alone_are_not_checked() -> None:
    assert checked(file("a.flac", content="x", sound="s", **FLAC), file("bb.flac", content="x", sound="s", **FLAC)) == set()
    assert checked(on_album("a/1.flac", 1, sound="s"), on_album("b/2.flac", 2, sound="t")) == set()


def test_a_smaller_file_of_the_same_sound_is_checked_too_because_it_may_be_better_compressed() -> None:
    small, large = on_album("a/1.flac", 1, sound="s", bitrate=800_000), on_album("b/1.flac", 1, sound="s")
    assert checked(small, large) == {"a/1.flac", "b/1.flac"}
    assert checked(small, large, keep=("shortest_path",)) == {"a/1.flac", "b/1.flac"}
    assert quarantined(found([ending(small, GOOD, whole=True), ending(large, GOOD, whole=True)])) == {
        "b/1.flac": "T1 a/1.flac shortest_path"
    }


def test_if_the_end_of_the_kept_copy_looks_odd_the_other_one_is_checked_too() -> None:
    for end in (ZEROS, JUNK, FADED):
        kept, other = ending(on_album("a/1.wav", 1, **WAV), end), on_album("b/101.wav", 1, **WAV)
        assert checked(kept, other) == {"b/101.wav"}


@pytest.mark.parametrize("end", [ZEROS, FADED, JUNK])
def test_of_two_copies_in_one_form_the_one_with_the_better_end_stays(end: SoundEnd) -> None:
    odd, good = ending(on_album("a/1.wav", 1, genre="Rock", **WAV), end), ending(on_album("b/101.wav", 1, **WAV), GOOD)
    assert quarantined(found([odd, good])) == {"a/1.wav": "T3 b/101.wav whole"}
    assert not quarantined(found([odd, good], keep=("shortest_path",)))


def test_what_cannot_be_told_keeps_both() -> None:
    odd = ending(on_album("a/1.wav", 1, **{**WAV, "bit_depth": 24}), ZEROS)
    good = ending(on_album("b/1.flac", 1), GOOD, whole=True)
    answer = found([odd, good])
    assert not quarantined(answer)
    ((_, why),) = whys(answer)
    assert why == "the other file may have lost its end: its sound ends in 5,000 zero bytes"
    assert quarantined(found([ending(odd, FADED), good])) == {"b/1.flac": "T3 a/1.wav bit_depth"}
    assert quarantined(found([odd, ending(good, ZEROS)])) == {"b/1.flac": "T3 a/1.wav bit_depth"}


def test_equal_size_and_tags_with_other_bytes_keep_both_even_if_their_sound_has_no_identity() -> None:
    tracks = [on_album(f"{name}/1.wav", 1, content=name, size=1000, **WAV) for name in "ab"]
    assert not quarantined(found(tracks))
    assert quarantined(found([tracks[0], on_album("b/1.wav", 1, content="a", size=1000, **WAV)]))
