"""Track numbers that only the whole album explains, and what they become in names."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.plan.music.positions import with_positions
from orchestrator.plan.music.statistics import collect
from orchestrator.records import Item
from orchestrator.tags.written_numbers import disc_written, track_written
from tests.plan.worlds import moved, plan, song

Number = tuple[int | None, int | None, int | None]
"""Disc, track, total."""


def album(texts: Sequence[str], **tags: object) -> list[Item]:
    """The files of an album whose track numbers are so written, as the reader reads them."""
    items = []
    for index, text in enumerate(texts):
        track, disc_text = track_written(text), str(tags.get("disc_text") or "")
        fields = {
            "title": f"t{index}",
            "album": "X",
            "album_artist": "Ann",
            "track": track.number,
            "track_total": track.total,
            "track_text": None if text in ("", str(track.number)) else text,
            "disc": disc_written(disc_text).number or track.disc,
        }
        items.append(song(f"in/{index:02}.mp3", **{**fields, **tags}))
    return items


def numbers(items: Sequence[Item]) -> list[Number]:
    tracks = [item.reading.track for item in with_positions(items) if item.reading and item.reading.track]
    return [(track.disc, track.track, track.track_total) for track in tracks]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1-01", "1-02", "2-01", "2-02"], [(1, 1, None), (1, 2, None), (2, 1, None), (2, 2, None)]),
        (["1.01", "1.02", "2.01"], [(1, 1, None), (1, 2, None), (2, 1, None)]),
        (["1.1", "1.2", "1.10"], [(1, 1, None), (1, 2, None), (1, 10, None)]),
        (["1-12", "2-12", "12-12"], [(None, 1, 12), (None, 2, 12), (None, 12, 12)]),
        (["1-2", "2-2"], [(None, 1, 2), (None, 2, 2)]),
        (["1.0", "2.0", "10.0"], [(None, 1, None), (None, 2, None), (None, 10, None)]),
        (["1-01", "2-01"], [(None, None, None)] * 2),  # one number a disc: not known
        (["5-1", "6-1"], [(None, None, None)] * 2),
        (["1-05"], [(None, None, None)]),
        (["1", "2", "3-4", "5"], [(None, 1, None), (None, 2, None), (None, None, None), (None, 5, None)]),  # a medley
        (["CD1-05", "CD2-01"], [(1, 5, None), (2, 1, None)]),
        (["0", "1", "2"], [(None, 0, None), (None, 1, None), (None, 2, None)]),
        (["1-00", "1-01", "1-02"], [(1, 0, None), (1, 1, None), (1, 2, None)]),
        (["0", "0", "1"], [(None, None, None), (None, None, None), (None, 1, None)]),
        (["0", "2", "3"], [(None, None, None), (None, 2, None), (None, 3, None)]),
        (["A1", "A2", "B1", "AA1"], [(None, 101, None), (None, 102, None), (None, 201, None), (None, 2701, None)]),
        (["A/4", "B1/4", "B2/4", "I"], [(None, 100, None), (None, 201, None), (None, 202, None), (None, 900, None)]),
        (["I", "II", "V"], [(None, 1, None), (None, 2, None), (None, 5, None)]),
    ],
)  # fmt: skip
def test_what_the_album_shows(texts: list[str], expected: list[Number]) -> None:
    items = album(texts)
    assert numbers(items) == expected
    assert numbers(with_positions(items)) == expected


def test_discs_of_tags_and_of_numbers_must_agree() -> None:
    assert numbers(album(["1-01", "1-02"], disc=1)) == [(1, 1, None), (1, 2, None)]
    assert numbers(album(["1-01", "1-02"], disc=2)) == [(2, None, None), (2, None, None)]
    assert numbers(album(["1-12", "2-12"], disc=2)) == [(2, 1, 12), (2, 2, 12)]


def test_albums_do_not_explain_each_other() -> None:
    assert numbers([*album(["1-01", "1-02"]), *album(["1", "2"], album="Y")])[:2] == [(1, 1, None), (1, 2, None)]
    assert numbers([*album(["1-01", "1-02"]), *album(["1", "2"], album_artist="Bob")])[:2] == [(1, 1, None), (1, 2, None)]
    assert numbers([*album(["1-01", "1-02"]), *album(["1", "2"])])[:2] == [(None, None, None)] * 2


def test_without_album_artist_a_sampler_is_one_album_and_two_artists_are_two() -> None:
    one_artist = {"album_artist": (), "artist": "Ann"}
    sampler = [*album(["1-01", "2-01"], **one_artist), *album(["1-02"], album_artist=(), artist="Bob")]
    assert numbers(sampler) == [(1, 1, None), (2, 1, None), (1, 2, None)]
    two = [*album(["1-01", "1-02"], **one_artist), *album(["1", "2"], album_artist=(), artist="Bob")]
    assert numbers(two) == [(1, 1, None), (1, 2, None), (None, 1, None), (None, 2, None)]
    totals = [*album(["1-12", "2-12"], **one_artist), *album(["1-10", "2-10"], album_artist=(), artist="Bob")]
    assert numbers(totals) == [(None, 1, 12), (None, 2, 12), (None, 1, 10), (None, 2, 10)]


def test_copies_of_a_hidden_track_are_one_title() -> None:
    both = [*album(["0", "1"]), *album(["0", "1"])]
    assert numbers(both) == [(None, 0, None), (None, 1, None)] * 2


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["A1", "A2", "B1", "AA1"], ["A1 t0", "A2 t1", "B1 t2", "AA1 t3"]),
        (["A1", "A10", "B2"], ["A01 t0", "A10 t1", "B02 t2"]),
        (["A", "AA"], ["A t0", "AA t1"]),
        (["0", "1"], ["00 t0", "01 t1"]),
        (["1-01", "1-02"], ["01 t0", "02 t1"]),
        (["1-12", "2-12"], ["01 t0", "02 t1"]),
        (["1-01", "1-02", "2-01"], ["Disc 1/01 t0", "Disc 1/02 t1", "Disc 2/01 t2"]),
        (["0", "0"], ["t0", "t1"]),
        (["1101", "1102"], ["1101 t0", "1102 t1"]),
    ],
)
def test_names_and_a_second_run(texts: list[str], names: list[str]) -> None:
    items = album(texts)
    made = moved(plan(with_positions(items)))
    assert [made[item.entry.path] for item in items] == [f"Ann/X/{name}.mp3" for name in names]
    there = [song(made[item.entry.path], **_fields(item)) for item in items]
    assert plan(with_positions(there)).operations == ()


def _fields(item: Item) -> dict[str, object]:
    assert item.reading is not None
    assert item.reading.track is not None
    track = item.reading.track
    return {name: getattr(track, name) for name in track.__struct_fields__}


def test_the_text_of_the_tag_is_a_field() -> None:
    items = album(["A1", "7", "03/12"], disc_text="Disc 1")
    made = moved(plan(with_positions(items), layout="{{ album }}/{{ track_text }} of {{ disc_text }} {{ title }}"))
    names = ["A1 of Disc 1 t0", "7 of Disc 1 t1", "03_12 of Disc 1 t2"]
    assert [made[item.entry.path] for item in items] == [f"X/{name}.mp3" for name in names]


def test_layouts_can_calculate_with_positions() -> None:
    items = album(["A1", "B2"])
    made = moved(
        plan(
            with_positions(items),
            layout="{{ track | pad }}{% if track > 150 %} late{% endif %}{% if track %} {{ track + 1 }}{% endif %}",
        )
    )
    assert [made[item.entry.path] for item in items] == ["A1 102.mp3", "B2 late 203.mp3"]


def test_nothing_is_missing_between_the_sides_of_a_record() -> None:
    assert collect(album(["A1", "A2", "B1"], track_total=9)).incomplete == ()
    assert collect(album(["1-01", "1-03"])).incomplete[0].missing == "2"
    assert collect(album(["0", "1", "3"])).incomplete[0].missing == "2"
    missing = collect(album(["A1", "1-01", ""])).missing_fields
    assert [one.files for one in missing if one.field == "track"] == [1]


def test_dates_in_names_are_cut_to_the_day() -> None:
    layout = "{{ date }} {{ original_date }} {{ year }}/{{ title }}"
    given = {
        "in/0.mp3": ("2013-11-25T00:00:00Z", "25.11.1980"),
        "in/1.mp3": ("0000", "May 1987"),
        "in/2.mp3": ("06/05/2004", None),
    }
    items = [
        song(path, title=path[3], artist="Ann", album=path, date=date, original_date=original)
        for path, (date, original) in given.items()
    ]
    assert moved(plan(items, layout=layout)) == {
        "in/0.mp3": "2013-11-25 1980-11-25 2013/0.mp3",
        "in/1.mp3": "1987-05 1987-05 1987/1.mp3",
        "in/2.mp3": "2004 2004/2.mp3",
    }
