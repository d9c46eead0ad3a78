"""Numbers and dates as people write them."""

# ruff: noqa: RUF001, E501 - people write these characters; a table

from __future__ import annotations

from io import BytesIO
from typing import Any

import mutagen.id3
import pytest

from orchestrator.tags.written_dates import date_of, year_of
from orchestrator.tags.written_numbers import disc_written, is_zero, pair_of, side_of, track_written
from tests.audio import track_bytes
from tests.tags.ranges import read

TRACKS: dict[str, tuple[int | None, int | None, int | None]] = {  # text -> number, total, disc
    **dict.fromkeys(
        (
            *("3", "03", "003", "3.", "3)", "(3)", "[03]", "#3", "No. 3", "No 3", "Nr. 3", "Nº 3", "№ 3", "N° 3", "Track 3"),
            *("track03", "TRACK #3", "Tr. 3", "Titel 3", "Piste 3", "Pista 3", "Traccia 3", "Трек 3", "３", "０３", "٣", "३"),
            *(
                "III",
                "iii",
                "III.",
                "Ⅲ",
                "Track III",
                "\ufeff3",
                "3\u200b",
                "\u200e3",
                "\xa03 ",
                " 3\n",
                "3\x00",
                "3/0",
                "03 - Title",
                "Track No. 3",
            ),
        ),
        (3, None, None),
    ),
    **dict.fromkeys(
        (
            *("3/12", "03/12", "3 / 12", "3 of 12", "Track 3 of 12", "3 von 12", "3 de 12", "3 sur 12", "3 out of 12", "#3/12"),
            *("3\\12", "3|12", "３／１２", "III/12", "(3/12)", "3 of 12 tracks"),
        ),
        (3, 12, None),
    ),
    **dict.fromkeys(
        ("CD1-05", "CD 1 - 05", "cd1 track 5", "Disc 1, Track 5", "d1t05", "Disc 1-5", "CD01.05", "Disc 1 of 2, Track 5"),
        (5, None, 1),
    ),
    "CD2-05/12": (5, 12, 2),
    "X": (10, None, None),
    "XXIX": (29, None, None),
    "XIV": (14, None, None),
    "1101": (1101, None, None),  # disc 11, track 1: a number that sorts as it should
    "101": (101, None, None),
    "/12": (None, 12, None),
    "0/12": (None, 12, None),
    **dict.fromkeys(
        (
            *("", " ", "0", "00", "-1", "?", "Bonus", "A1", "AA1", "1-05", "1.05", "1.0", "2004-05-06", "IIII", "MIX", "x", "CD"),
            *("4294967295", "99999999999999999999", "x" * 500),
        ),
        (None, None, None),
    ),
}
DISCS: dict[str, tuple[int | None, int | None]] = {
    **dict.fromkeys(
        (
            *(
                "2",
                "02",
                "CD2",
                "CD 2",
                "cd-2",
                "Disc 2",
                "Disk 02",
                "disc2",
                "Disque 2",
                "Vol. 2",
                "(2)",
                "[2]",
                "II",
                "ii",
                "CD II",
            ),
            *("B", "b", "(B)", "Side B", "Disc B", "Disc Two", "２", "Ⅱ", "\ufeff2", "Disc 2: Live", "2.0", "DVD 2", "LP 2"),
        ),
        (2, None),
    ),
    **dict.fromkeys(("2/3", "Disc 2 of 3", "CD2/3", "2 von 3"), (2, 3)),
    "A": (1, None),
    "C": (3, None),
    "IV": (4, None),
    **dict.fromkeys(("", "0", "Disc", "Bonus Disc", "-1", "?", "Discs", "Disco", "CDs", "CDR", "Parte"), (None, None)),
}
DATES = {
    **dict.fromkeys(
        (
            *("2013-11-25", "2013-11-25T00:00:00Z", "2013-11-25 10:22:11", "2013-11-25T10:22:11.000+02:00", "20131125", "2013/11/25"),
            *("2013.11.25", "25.11.2013", "25/11/2013", "11/25/2013", "25-11-2013", "25112013", "20131125103000", "25 November 2013"),
            *("Nov 25, 2013", "25th November 2013", "November 25 2013", "2013年11月25日", "２０１３年１１月２５日", "25 ноября 2013"),
            *("25 novembre 2013", "Mon, 25 Nov 2013 00:00:00 GMT", "2013-11-25/2014-01-01", "2013 Nov 25", "Tue Nov 25 10:30:00 2013", "12 tracks, 25 Nov 2013",
               "25. November 2013, 12 Titel"),
        ),
        "2013-11-25",
    ),
    **dict.fromkeys(("May 2004", "2004-05", "05/2004", "2004/5", "mayo 2004", "Mai 2004", "2004-05-00", "2004-05-32", "200405"), "2004-05"),
    **dict.fromkeys(("May 2004, 12 tracks", "12 tracks, May 2004", "May 12 tracks, 2004", "2004 May, 12"), "2004-05"),
    **dict.fromkeys(
        (
            *("2004", " 2004 ", "06/05/2004", "c2004", "c. 2004", "ca. 2004", "(P) 2004", "℗2004", "© 2004 Label", "2004-00-00"),
            *("20040000", "2004-2006", "2004/2005", "[2004]", "2004?", "2004; 2009", "2004 Remaster", "\ufeff2004", "２００４", "06052004"),
            *("2004-13", "Summer 2004", "released 2004 10 songs", "mardi 25 novembre 2004"),
        ),
        "2004",
    ),
    "6/6/2004": "2004-06-06",
    "c1985": "1985",
    "20111999": "1999-11-20",
    "20002004": "2000",
    "1985-86": "1985",
    **dict.fromkeys(
        (
            *("", "0", "0000", "0000-00-00", "0000-05-06", "19xx", "199?", "20--", "xxxx", "99", "06/05/04", "0999", "12345"),
            *("1385337600", "121012", "unknown", "May", "9e99"),
        ),
        "",
    ),
}  # fmt: skip


def test_track_numbers() -> None:
    assert {text: tuple(track_written(text)) for text in TRACKS} == TRACKS


def test_disc_numbers() -> None:
    assert {text: tuple(disc_written(text))[:2] for text in DISCS} == DISCS


def test_dates_are_as_exact_as_they_are_certain() -> None:
    assert {text: date_of(text) for text in DATES} == DATES
    assert {text: year_of(text) for text in DATES} == {text: date[:4] for text, date in DATES.items()}


def test_texts_that_the_album_explains() -> None:
    pairs = {"1-05": (1, "-", 5, True), "12-1": (12, "-", 1, False), "1.0": (1, ".", 0, False), "1 – 12": (1, "-", 12, False)}
    pairs |= dict.fromkeys(("[1-05]", "1-05.", "Track 1-05"), (1, "-", 5, True))
    assert {text: tuple(pair_of(text) or ()) for text in pairs} == pairs
    sides = {"A1": (None, "A", 1), "b02": (None, "B", 2), "AA": (None, "AA", 0), "Side A": (None, "A", 0), "2.C1/9": (2, "C", 1)}
    assert {text: tuple(side_of(text) or ()) for text in sides} == sides
    assert not any(side_of(text) for text in ("AB1", "A123", "Intro", "3", "", "x", "a"))
    assert [is_zero(text) for text in ("0", "00", "0/12", "Track 0", "1", "", "A0")] == [True] * 4 + [False] * 3


@pytest.mark.parametrize(
    ("frames", "date", "original"),
    [
        ({"TYER": "2013-11-25T00:00:00Z"}, "2013-11-25", ""),
        ({"TYER": "25/11/2013"}, "2013-11-25", ""),
        ({"TYER": " 2013 "}, "2013", ""),
        ({"TYER": "2013", "TDAT": "2511"}, "2013-11-25", ""),
        ({"TYER": "0000", "TORY": "1987"}, "1987", "1987"),
        ({"TDRC": "May 2004"}, "2004-05", ""),
        ({"TDRC": "06/05/2004"}, "2004", ""),
        ({"TDRC": "c1985", "TDOR": "25.11.1980"}, "1985", "1980-11-25"),
        ({"TDRC": "0000", "TYER": "1999"}, "1999", ""),
        ({"TDRC": "19xx", "TDOR": "1987"}, "1987", "1987"),
    ],
)
def test_a_date_in_id3_is_what_the_file_says(frames: dict[str, str], date: str, original: str) -> None:
    tags: Any = mutagen.id3.ID3()
    for name, text in frames.items():
        frame = type(name, (mutagen.id3.TextFrame,), {})  # mutagen's own classes rewrite what they do not understand
        tags.add(frame(encoding=3, text=[text]))
    file = BytesIO(track_bytes("mp3", None))
    tags.save(file, v1=0)
    track = read("x.mp3", file.getvalue()).track
    assert track is not None
    assert (date_of(track.date), date_of(track.original_date)) == (date, original)
