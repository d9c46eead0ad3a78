"""Files that look like duplicates but are versions or editions, distinguished only by a tag of their own."""

from __future__ import annotations

from typing import Any

from tests.truth.making import SONGS, Maker, identifier


def named_once(make: Maker) -> None:
    """Two tracks of one name: only one has a tag that names a version or edition."""
    for album, said in (
        ("Remaster", {"edition": "2009 Remaster"}),
        ("Deluxe", {"edition": "Deluxe Edition"}),
        ("Concert", {"release_type": ("album", "live")}),
        ("Short Play", {"release_type": ("ep",)}),
        ("Hall", {"venue": "Red Rocks"}),
        ("Reissue", {"original_date": "1973"}),
        ("Version", {"version": ("Live at Wembley",)}),
        ("Club", {"version": ("Club Mix",)}),
        ("Subtitle", {"subtitle": "Piano"}),
        ("Disc", {"disc_subtitle": "The Basement Tapes"}),
        ("Remixer", {"remixer": ("DJ Somebody",)}),
    ):
        for key, tags in (("silent", {}), ("said", said)):
            make.release(f"{album} {key}", "One Side", album, SONGS[:3], key=key, ids=False, tags=tags, sound={"seconds": 5.0})
    wrong_ids: tuple[dict[str, Any], ...] = ({}, {"version": ("Live",)}, {"subtitle": "Demo"}, {"remixer": ("DJ Somebody",)})
    for index, tags in enumerate(wrong_ids):
        _with_ids_of_another(make, "Silent", index, tags)
    standard = [f"one side/{song}" for song in SONGS[:4]]  # the same sound on two releases, of which one says which
    for key, tags in (("standard", {}), ("deluxe", {"edition": "Deluxe Edition"})):
        make.release(
            f"Shared {key}", "One Side", "Shared", SONGS[:4], key=key, recordings=standard, audio_format="flac", ids=False,
            tags={"track_total": None, **tags},
        )  # fmt: skip


def told_apart(make: Maker) -> None:
    """Two tracks of one name: both have a tag that names their version or edition."""
    for album, one, other in (
        ("Parts", {"subtitle": "Part One"}, {"subtitle": "Part Two"}),
        ("Boxes", {"disc_subtitle": "The Album"}, {"disc_subtitle": "The Basement Tapes"}),
        ("Years", {"original_date": "1970"}, {"original_date": "1990"}),
        ("Versions", {"version": ("One",)}, {"version": ("Two",)}),
        ("Remixers", {"remixer": ("DJ One",)}, {"remixer": ("DJ Two",)}),
        ("Titles", {"title": ("Suite", "Allegro")}, {"title": ("Suite", "Adagio")}),
        ("Albums", {"album": ("Albums", "Live")}, {"album": ("Albums", "Studio")}),
    ):
        for index, tags in enumerate((one, other)):
            make.release(
                f"{album} {index}", "Both Sides", album, SONGS[:1], key=index, ids=False, tags=tags, sound={"seconds": 5.0}
            )
    for field, values in (
        ("subtitle", ("Part One", "Part Two")),
        ("venue", ("Budokan", "Paradiso")),
        ("release_type", (("album",), ("album", "live"))),
        ("edition", ("2009 remaster", "original mix")),
        ("version", (("One",), ("Two",))),
    ):
        for index, value in enumerate(values):
            _with_ids_of_another(make, f"{field} both", index, {field: value})


def _with_ids_of_another(make: Maker, name: str, index: int, tags: dict[str, Any]) -> None:
    """A track with the ids of another one."""
    ids = {
        "musicbrainz_recording_id": identifier(name, make.round),
        "musicbrainz_release_id": identifier(name, "release", make.round),
        "musicbrainz_track_id": None,
    }
    make.release(f"{name} ids {index}", "Wrongly Known", name, SONGS[:1], key=index, tags={**ids, **tags}, sound={"seconds": 5.0})
