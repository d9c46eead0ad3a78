"""Numbers and dates as people write them, from files to names, and a second run that changes nothing."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import mutagen.flac

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.program import Program

ALBUMS = {  # album -> track number as written -> name
    "Sides": {"A1": "A1 t", "A2": "A2 t", "B1": "B1 t", "AA1": "AA1 t"},
    "Discs": {"1-01": "Disc 1/01 t", "1-02": "Disc 1/02 t", "2-01": "Disc 2/01 t"},
    "Named": {"CD1-01": "Disc 1/01 t", "CD2-07": "Disc 2/07 t"},
    "Totals": {"1-12": "01 t", "2-12": "02 t"},
    "Floats": {"1.0": "01 t", "2.0": "02 t"},
    "Hidden": {"0": "00 t", "1": "01 t"},
    "Zeros": {"00": "t"},
    "Words": {"Track 3": "03 t", "No. 4": "04 t", "5 of 12": "05 t", "VI": "06 t", "\uff17": "07 t", "\u200b8": "08 t"},
}


def test_numbers_and_dates_from_files_to_names(tmp_path: Path) -> None:
    music, program, expected = tmp_path / "music", Program(tmp_path / "state"), set()
    for album, numbers in ALBUMS.items():
        (music / "in" / album).mkdir(parents=True)
        for serial, (number, name) in enumerate(numbers.items()):
            tags = Track(title=("t",), artist=("Ann",), album_artist=("Ann",), album=(album,))
            content = BytesIO(track_bytes("flac", tags, serial=len(expected) + 1))
            flac: Any = mutagen.flac.FLAC(content)
            flac["tracknumber"], flac["date"] = number, ("25.11.2013", "2013-11-25T00:00:00Z", "Nov 2013")[serial % 3]
            content.seek(0)
            flac.save(content)
            (music / "in" / album / f"{serial}.flac").write_bytes(content.getvalue())
            expected.add(f"Ann/{album} (2013)/{name}.flac")
    program("organize", str(music), "--yes")
    assert {path.relative_to(music).as_posix() for path in music.rglob("*.flac")} == expected
    assert program("plan", str(music)).summary["ops_planned"] == 0
