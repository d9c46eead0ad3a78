"""What `stats` counts: every file once, by its tags."""

from __future__ import annotations

from random import Random

import msgspec

from orchestrator.plan.music.statistics import UNKNOWN, GroupTotals, Statistics, collect
from orchestrator.records import Entry, Item
from orchestrator.track import Cover, Reading, Status, Track


def song(
    path: str, *, size: int = 100, suspect: str | None = None, covers: tuple[Cover, ...] | None = (), **tags: object
) -> Item:
    track = msgspec.convert({"duration_s": 60.0, "codec": "flac", "lossless": True, **tags}, Track)
    return Item(Entry(path, size, None), Reading(Status.TAGGED, track, suspect=suspect, covers=covers))


def album(
    name: str, *, artist: str = "Band", date: str = "1994", numbers: tuple[int, ...] = (1, 2), **tags: object
) -> list[Item]:
    return [
        song(f"{name}/{number}.flac", title=[f"T{number}"], artist=[artist], album=[name], track=number, date=date, **tags)
        for number in numbers
    ]


def by_name(groups: tuple[GroupTotals, ...]) -> dict[str, GroupTotals]:
    return {group.name: group for group in groups}


def test_every_file_counts_once() -> None:
    items = [
        *album("One"),
        song("loose.flac", title=["Loose"], artist=["Other"], date="2003-05-01"),
        song("bare.mp3", codec="mp3", lossless=False, bitrate=192_000),
        Item(Entry("bad.mp3", 5, None), Reading(Status.UNREADABLE, reason="cut short")),
        Item(Entry("later.mp3", 7, None), None),
        Item(Entry("cover.jpg", 11, None), None),
    ]
    found = collect(items)
    assert (found.music.files, found.music.bytes, found.other_files.files, found.other_files.bytes) == (6, 412, 1, 11)
    assert (found.albums, found.artists, found.untagged, found.unread) == (1, 2, 1, 1)
    assert {name: tally.files for name, tally in found.formats} == {"flac": 3, "mp3": 1, "unread": 1, "unreadable": 1}
    assert {name: tally.files for name, tally in found.qualities} == {"lossless": 3, "192 kbit/s or more": 1}
    assert sum(tally.files for _, tally in found.formats) == found.music.files
    assert [(one.path, one.status, one.reason) for one in found.damaged] == [("bad.mp3", "unreadable", "cut short")]
    assert {name: (part.albums, part.tally.files) for name, part in by_name(found.by_artist).items()} == {
        "Band": (1, 2),
        "Other": (0, 1),
    }
    assert {name: part.tally.files for name, part in by_name(found.by_decade).items()} == {"1990s": 2, "2000s": 1}


def test_a_reissue_belongs_to_the_decade_of_the_music() -> None:
    found = collect(album("Old", date="2011", original_date="1971-03-01") + album("Undated", date="", artist="Nobody"))
    assert {name: part.albums for name, part in by_name(found.by_decade).items()} == {"1970s": 1, UNKNOWN: 1}


def test_missing_tags_and_covers() -> None:
    cover = (Cover(3, "image/jpeg", 1000),)
    items = [
        *album("One", covers=cover, genre=["Rock"]),
        *album("Two", date=""),
        song("x.ogg", covers=None, title=["X"], artist=["Y"]),
    ]
    found = collect(items)
    lacks = {lack.field: (lack.files, lack.of) for lack in found.missing_fields}
    assert (lacks["title"], lacks["album"], lacks["date"], lacks["genre"]) == ((0, 5), (1, 5), (3, 5), (3, 5))
    assert lacks["cover"] == (2, 4)
    assert by_name(found.by_artist)["Band"].lacking == 2


def test_incomplete_albums_and_damage_are_counted_for_artist_and_decade() -> None:
    items = [*album("Holes", numbers=(1, 2, 5), track_total=5), *album("Whole", track_total=2, suspect="cut short")]
    found = collect(items)
    (lacking,) = found.incomplete
    assert (lacking.albumartist, lacking.album, lacking.year, lacking.missing, lacking.folder) == (
        "Band",
        "Holes",
        1994,
        "3-4",
        "Holes",
    )
    for part in (by_name(found.by_artist)["Band"], by_name(found.by_decade)["1990s"]):
        assert (part.albums, part.incomplete, part.suspect) == (2, 1, 2)


def test_duplicates_are_counted_in_their_own_location() -> None:
    items = album("One") + album("Two", artist="Other", date="2001")
    found = collect(items, {"One/2.flac": "T1"})
    assert found.duplicates is not None
    assert [(tier, tally.files, tally.bytes) for tier, tally in found.duplicates] == [("T1", 1, 100)]
    assert {name: part.wasted for name, part in by_name(found.by_artist).items()} == {"Band": 100, "Other": 0}
    assert collect(items).duplicates is None


def test_names_are_those_of_the_tags() -> None:
    found = collect(album("Let/It", artist="AC/DC", numbers=(1, 3)) + album("More", artist="ac/dc"))
    assert [part.name for part in found.by_artist] == ["AC/DC"]
    assert found.incomplete[0].album == "Let/It"


def test_the_order_of_the_files_makes_no_difference() -> None:
    items = [
        *album("One", numbers=(1, 4)),
        *album("Two", artist="Other", date="2001"),
        song("x.flac", title=["X"], artist=["BAND"]),
    ]
    first: Statistics = collect(items)
    for seed in range(5):
        shuffled = items[:]
        Random(seed).shuffle(shuffled)
        again = collect(shuffled)
        assert {part.name.casefold(): part.tally for part in again.by_artist} == {
            part.name.casefold(): part.tally for part in first.by_artist
        }
        assert (again.by_decade, again.incomplete, again.formats) == (first.by_decade, first.incomplete, first.formats)


def test_what_is_no_music_counts_by_its_kind_and_not_among_albums() -> None:
    items = [
        *album("Music"),
        *album("Book", artist="Author", numbers=(1, 5), genre=["Hörbuch"]),
        *album("Show", artist="Host", numbers=(7,), genre=["Podcast"]),
        song("film.mp4", video=True),
        song("New Recording 2.m4a", title=["Idea"]),
    ]
    found = collect(items)
    assert {kind: (tally.files, tally.bytes) for kind, tally in found.kinds} == {
        "podcast": (1, 100),
        "audiobook": (2, 200),
        "video": (1, 100),
        "memo": (1, 100),
    }
    assert (found.music.files, found.albums, found.artists, found.untagged) == (7, 1, 1, 0)
    assert not found.incomplete
    assert list(by_name(found.by_artist)) == ["Band"]
    assert collect(album("Music")).kinds == ()
