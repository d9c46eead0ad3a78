"""Names for a whole plan: which claim gets which name, and which directory is spelled how."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.paths import join_path
from orchestrator.plan.layout.collisions import Claim, Namespace
from orchestrator.plan.layout.names import Names, rules_named
from orchestrator.records import Item
from orchestrator.track import AudioIdentity, Reading, Status, Strength, Track
from tests.plan.worlds import plain

NAMES = Names(rules_named("portable"))


def claim(directory: str, stem: str, position: str = "", content: str | None = None, extension: str = ".mp3") -> Claim:
    """A file at `position` that wants a name."""
    position = position or f"from/{stem}{extension}"
    return Claim(plain(position, content), position, directory, stem, extension)


def namespace(*staying: str, occupants: tuple[Item, ...] = (), clutter: tuple[str, ...] = (), shared: bool = False) -> Namespace:
    return Namespace(NAMES, staying, occupants, clutter=clutter, shared=shared)


def assigned(names: Namespace, *claims: Claim) -> list[str]:
    names.assign(claims)
    return [one.path for one in claims]


def test_a_directory_keeps_the_spelling_of_its_first_use() -> None:
    names = namespace()
    assert [names.directory(wanted) for wanted in ("Björk", "BJÖRK", "Björk/Debut", "bjo\u0308rk/DEBUT")] == [
        "Björk",
        "Björk",
        "Björk/Debut",
        "Björk/Debut",
    ]


def test_a_directory_is_spelled_as_it_exists_or_as_most_want_it() -> None:
    names = namespace("abba/01.mp3")
    names.settle_directories(["ABBA", "ABBA", "Queen", "QUEEN", "QUEEN"])
    assert [names.directory(wanted) for wanted in ("ABBA", "Queen")] == ["abba", "QUEEN"]


def test_every_directory_below_counts_for_the_spelling_of_those_above() -> None:
    names = namespace()
    names.settle_directories(["Queen/A", "Queen/A", "QUEEN/B", "QUEEN/C", "QUEEN/D"])
    assert names.directory("Queen/A") == "QUEEN/A"


def test_a_directory_does_not_take_the_name_of_a_file() -> None:
    names = namespace("Artist/Live")
    assert names.directory("Artist/live") == "Artist/live (2)"


def test_a_file_does_not_take_the_name_of_a_directory() -> None:
    names = namespace("A/Song.mp3/x.txt")
    assert assigned(names, claim("A", "Song")) == ["A/Song (2).mp3"]


def test_the_names_of_clutter_are_taken_but_not_its_directories() -> None:
    names = namespace(clutter=("A/Song.mp3", "B/Song.mp3/.DS_Store"))
    assert assigned(names, claim("A", "Song"), claim("B", "Song", "from/2.mp3")) == ["A/Song (2).mp3", "B/Song.mp3"]


def test_a_file_keeps_the_name_or_the_numbered_variant_that_it_has() -> None:
    first, second, third = claim("A", "Song", "A/Song (3).mp3"), claim("A", "Song", "0.mp3"), claim("A", "Song", "A/Song.mp3")
    assert assigned(namespace(), first, second, third) == ["A/Song (2).mp3", "A/Song (3).mp3", "A/Song.mp3"]


def test_the_exact_spelling_of_the_name_comes_before_another_spelling_of_it() -> None:
    other, exact = claim("A", "Song", "A/SONG.mp3"), claim("A", "Song", "A/Song.mp3")
    assert assigned(namespace(), other, exact) == ["A/Song (2).mp3", "A/Song.mp3"]
    other, exact = claim("A", "Song", "A/SONG (2).mp3"), claim("A", "Song", "A/Song (2).mp3")
    assert assigned(namespace("A/Song.mp3"), other, exact) == ["A/Song (3).mp3", "A/Song (2).mp3"]


def test_an_equal_file_of_the_target_satisfies_one_claim() -> None:
    at_target = plain("A/Song.mp3", "same")
    first, second = claim("A", "Song", "1.mp3", "same"), claim("A", "Song", "2.mp3", "same")
    assert assigned(namespace(occupants=(at_target,)), first, second) == ["A/Song.mp3", "A/Song (2).mp3"]
    assert [one.present for one in (first, second)] == [True, False]


def test_a_shared_file_of_the_target_satisfies_every_equal_claim() -> None:
    at_target = plain("A/Song.mp3", "same")
    first, second, other = (claim("A", "Song", f"{n}.mp3", content) for n, content in enumerate(("same", "same", "other")))
    names = namespace(occupants=(at_target,), shared=True)
    assert assigned(names, first, second, other) == ["A/Song.mp3", "A/Song.mp3", "A/Song (2).mp3"]


def test_plain_names_are_matched_before_numbered_variants() -> None:
    """Each of two files has an equal one under its own name, and one under a variant of the other name: no second copies."""
    occupants = (plain("A/Song.mp3", "one"), plain("A/Song (2).mp3", "two"), plain("A/Song (2) (2).mp3", "one"))
    one, two = claim("A", "Song", "1.mp3", "one"), claim("A", "Song (2)", "2.mp3", "two")
    assert assigned(namespace(occupants=occupants), two, one) == ["A/Song (2).mp3", "A/Song.mp3"]
    assert (one.present, two.present) == (True, True)


def test_a_variant_with_equal_content_is_found() -> None:
    occupants = (plain("A/Song.mp3", "other"), plain("A/Song (2).mp3", "same"))
    wanted = claim("A", "Song", "1.mp3", "same")
    assert assigned(namespace(occupants=occupants), wanted) == ["A/Song (2).mp3"]
    assert (wanted.present, wanted.number) == (True, 2)


def test_free_means_free_of_files_and_of_directories() -> None:
    names = namespace("A/Song.mp3", "B/Song.mp3/x.txt")
    wanted = [claim("A", "Song"), claim("B", "Song"), claim("C", "Song")]
    assert [names.is_free(one) for one in wanted] == [False, False, True]
    assert join_path("C", "Song.mp3") == assigned(names, wanted[2])[0]


COPIES = [
    *(
        "Song (1)",
        "Song - Copy",
        "Copy of Song",
        "Song copy 2",
        "Song - Kopie (2)",
        "Kopie von Song",
        "Copie de Song",
        "Song - Copia",
    ),
    *("Song (another copy)", "Song (Ann's conflicted copy 2024-01-31)", "Song.sync-conflict-20240131-101500-ABC", "Song_2"),
]


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_never_takes_the_name_from_its_original(name: str) -> None:
    """By path alone, most of these come first."""
    claims = [claim("A", "01 Song", f"0/{name}.mp3", "copy"), claim("A", "01 Song", "1/Song.mp3", "original")]
    assert assigned(namespace(), *claims) == ["A/01 Song (2).mp3", "A/01 Song.mp3"]


def test_a_title_that_ends_like_a_copy_keeps_its_name() -> None:
    claims = [claim("A", "Take (1)", "A/Take (1).mp3", "a"), claim("A", "Take (1)", "0/x.mp3", "b")]
    assert assigned(namespace(), *claims) == ["A/Take (1).mp3", "A/Take (1) (2).mp3"]


def sounding(position: str, **reading: Any) -> Claim:
    """A song that wants the name `A/Song.flac`."""
    stream = Track(title=("Song",), codec="flac", lossless=True, bitrate=reading.pop("bitrate", 900_000))
    identity = None if "suspect" in reading else AudioIdentity("pcm-md5", "s", Strength.SURE)
    item = Item(plain(position).entry, Reading(Status.TAGGED, stream, identity, **reading))
    return Claim(item, position, "A", "Song", ".flac")


@pytest.mark.parametrize("cut", [{"suspect": "cut short"}, {"bitrate": 500_000}], ids=["known", "smaller"])
@pytest.mark.parametrize("position", ["0.flac", "A/Song.flac", "A/Song (2).flac"])
def test_a_cut_file_never_takes_the_name_from_a_whole_one(position: str, cut: dict[str, Any]) -> None:
    names = assigned(namespace(), sounding(position, **cut), sounding("B/song - Copy.flac"))
    assert names == ["A/Song (2).flac", "A/Song.flac"]
    # The second run changes nothing.
    assert assigned(namespace(), sounding(names[0], **cut), sounding(names[1])) == names
