"""Properties of crowded libraries: many loose copies around one album, whose tags, ids and sounds only partly agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.plan.planners.dedup.candidates import Candidate, candidates_of
from orchestrator.plan.planners.dedup.keep_order import KeepOrder
from orchestrator.plan.planners.dedup.reasons_to_keep import reason_to_keep
from orchestrator.plan.planners.dedup.records import Decision, Tier
from orchestrator.plan.planners.dedup.repeated_search import find_duplicates
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.dedup.tiers import Tiers
from orchestrator.records import Item
from tests.plan.dedup.copies import FLAC, MP3, TITLES, file, found, on_album, quarantined

IDS = {"musicbrainz_release_id": "release", "musicbrainz_recording_id": "recording"}
LESS_FLAC, LESS_MP3 = ({**kind, "bitrate": kind["bitrate"] * 4 // 5} for kind in (FLAC, MP3))
"""The same format with a fifth of the sound missing."""


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


@st.composite
def tracks(draw: st.DrawFn, number: int) -> Item:
    """A track of the album, by its tags."""
    return on_album(
        f"Album/{number}",
        number,
        sound=draw(some(f"s{number}", f"s{number}", f"s{number}", None)),
        content=draw(some(None, f"c{number}")),
        mtime=draw(some(2, 3)),
        **draw(some({}, {}, IDS)),
        **draw(some(FLAC, FLAC, FLAC, FLAC, LESS_FLAC, MP3, LESS_MP3)),
    )


@st.composite
def loose_files(draw: st.DrawFn, name: int) -> Item:
    """A file that may be a copy of track 1: its tags are missing, agree or contradict."""
    said = {
        "title": draw(some(None, None, TITLES[1], f"{TITLES[1]} (Live)")),
        "artist": "Beck",
        "album": draw(some(None, None, None, None, None, None, "Odelay", "Best")),
        "album_artist": draw(some(None, "Beck")),
        "track": draw(some(None, None, None, 1, 2)),
        "advisory": draw(some(None, None, None, None, None, "clean")),
        "duration_s": draw(some(201.0, 201.0, 202.5, None)),
        **draw(some({}, {}, IDS)),
        **draw(some(*[FLAC] * 8, LESS_FLAC, MP3, LESS_MP3)),
    }
    return file(
        f"Loose/{name}",
        # Files of the same bytes whose sound only some readings know: they are the same as each other, not as the same others.
        sound=draw(some("s1", "s1", None)),
        content=draw(some(None, "c1", "c2", "c2")),
        mtime=draw(some(1, 1, 2, 3)),
        **{field: value for field, value in said.items() if value is not None},
    )


@st.composite
def crowds(draw: st.DrawFn) -> list[Item]:
    """The album, with two or three of its three tracks, and loose files around its first."""
    album = [draw(tracks(number)) for number in (1, 2, *draw(some((3,), (3,), (3,), ())))]
    return [*album, *(draw(loose_files(name)) for name in range(draw(st.integers(3, 6))))]


settings = st.builds(
    DedupSettings,
    keep=some(("path:Loose/*", "oldest"), ("path:Loose/*",), ("path:Loose/*",), ("oldest",), ()),
    reference=some(*[()] * 6, ("/music/Loose/0",)),
    same_format_only=some(*[False] * 6, True),
)


def searched(items: Sequence[Item], chosen: DedupSettings) -> tuple[list[Candidate], Sequence[Decision]]:
    """The compared files, and the decisions about them."""
    candidates = candidates_of("/music", items)
    return candidates, find_duplicates(candidates, chosen).decisions


class Pairs:
    """Whether one file may be a duplicate of another, judged by these two alone."""

    def __init__(self, candidates: Sequence[Candidate], chosen: DedupSettings) -> None:
        self.labels = Tiers([one for one in candidates if one.eligible]).labels
        self.lossless_first = KeepOrder(chosen, frozenset()).lossless_first
        self.same_format_only = chosen.same_format_only

    def allowed(self, duplicate: Candidate, kept: Candidate, tier: Tier) -> bool:
        labels = self.labels[tier]
        if id(duplicate) not in labels or labels[id(duplicate)] != labels.get(id(kept)):
            return False
        options = {"same_format_only": self.same_format_only, "lossless_first": self.lossless_first}
        return reason_to_keep(duplicate, kept, tier, **options) is None


LOOSE_FIRST: dict[str, Any] = {"keep": ("path:Loose/*",)}


def the_album() -> list[Item]:
    return [on_album(f"Album/{number}", number, sound=f"s{number}") for number in (1, 2, 3)]


def test_the_duplicates_of_a_loose_file_follow_it_to_the_album_track() -> None:
    loose = [file(f"Loose/{name}", sound="s1", **FLAC) for name in "ab"]
    assert quarantined(found([*the_album(), *loose], **LOOSE_FIRST)) == {
        "Loose/a": "T1 Album/1 album",
        "Loose/b": "T1 Album/1 album",
    }


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param({"content": "bytes"}, id="same bytes, and its sound is not known"),
        pytest.param({"sound": "s1", "title": f"{TITLES[1]} (Live)", "artist": "Beck"}, id="another version than the track"),
    ],
)
def test_a_duplicate_that_is_not_the_same_as_the_album_track_stays_when_its_loose_file_leaves(copy: dict[str, Any]) -> None:
    """Of the two loose files, the one that is the same as the track would be a duplicate in the next run."""
    loose = file("Loose/a", content="bytes", sound="s1", **FLAC)
    copies = quarantined(found([*the_album(), loose, file("Loose/b", **copy, **FLAC)], **LOOSE_FIRST))
    assert copies == {"Loose/a": "T1 Album/1 album"}


@pytest.mark.parametrize("kind", [FLAC, MP3], ids=["lossless", "lossy"])
@pytest.mark.parametrize(
    "keep", [(), ("oldest",), ("shortest_path",), ("tags",), ("path:short*",), ("album_tracks",), ("in_place", "original_name")]
)
def test_a_file_that_lacks_a_fifth_of_the_same_sound_never_wins(kind: dict[str, Any], keep: tuple[str, ...]) -> None:
    """Even though it is older, has more tags and a shorter path."""
    less = {**kind, "bitrate": kind["bitrate"] * 4 // 5}
    short = on_album("short", 1, sound="s", mtime=1, genre=("Rock",), composer=("Beck Hansen",), **less)
    whole = on_album("whole/of a longer path (1)", 1, sound="s", mtime=2, **kind)
    assert "whole/of a longer path (1)" not in quarantined(found([short, whole], keep=keep))
    if not keep:
        assert quarantined(found([short, whole])) == {"short": "T1 whole/of a longer path (1) whole"}


@given(crowds(), settings)
def test_every_duplicate_is_directly_the_same_as_its_kept_copy(items: list[Item], chosen: DedupSettings) -> None:
    candidates, decisions = searched(items, chosen)
    pairs = Pairs(candidates, chosen)
    duplicates = {id(one.duplicate) for one in decisions}
    for one in decisions:
        assert pairs.allowed(one.duplicate, one.kept, one.tier), f"{one.duplicate.path} {one.tier} {one.kept.path}"
        assert id(one.kept) not in duplicates


@given(crowds(), settings)
def test_no_loose_file_is_kept_beside_the_album_track_of_its_sound(items: list[Item], chosen: DedupSettings) -> None:
    """Except for the sake of duplicates of its own that are not the same as the track."""
    candidates, decisions = searched(items, chosen)
    pairs = Pairs(candidates, chosen)
    order = KeepOrder(chosen, frozenset())
    duplicates = {id(one.duplicate) for one in decisions}
    kept = [one for one in candidates if id(one) not in duplicates]
    of_album = [one for one in kept if one.album_copy is not None and one.album_copy.complete and one.number]
    for loose in kept:
        if order.is_reference(loose) or (loose.album_copy is not None and loose.album_copy.complete):
            continue
        mine = [one.duplicate for one in decisions if one.kept is loose]
        for track in of_album:
            if any(pairs.allowed(loose, track, tier) for tier in (Tier.BYTES, Tier.AUDIO)):
                assert any(not any(pairs.allowed(one, track, tier) for tier in Tier if tier in pairs.labels) for one in mine)


@given(crowds(), settings)
def test_a_file_that_lacks_a_fifth_of_its_sound_is_never_kept_for_the_whole_one(items: list[Item], chosen: DedupSettings) -> None:
    for one in searched(items, chosen)[1]:
        short, whole = one.kept, one.duplicate
        same_sound = short.reading.identity is not None and short.reading.identity == whole.reading.identity
        if same_sound and short.track.codec == whole.track.codec:
            assert (short.track.bitrate or 0) > 0.8 * (whole.track.bitrate or 0), f"{whole.path} for {short.path}"
