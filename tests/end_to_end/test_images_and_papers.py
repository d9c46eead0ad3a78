"""Images of albums, papers and checksums, and what lies beside untagged music: all of it arrives, and `undo` restores all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.nightly import some_at_night
from tests.places import places, visible
from tests.program import Program

SHEET = 'PERFORMER "Ann"\r\nTITLE "Räume"\r\nREM DATE 1990\r\n'
TRACKS = "  TRACK 01 AUDIO\r\n    INDEX 01 00:00:00\r\n  TRACK 02 AUDIO\r\n    INDEX 01 00:00:10\r\n"
MD5, CRC = "0123456789abcdef0123456789abcdef", "89ABCDEF"


def sound(audio_format: str, serial: int, **tags: object) -> bytes:
    said = (
        Track(artist=("Ann",), **{name: (value,) if isinstance(value, str) else value for name, value in tags.items()})
        if tags
        else None
    )
    return track_bytes(audio_format, said, seconds=0.2, serial=serial)


def cue(file: str) -> bytes:
    return f'{SHEET}FILE "{file}" WAVE\r\n{TRACKS}'.encode()


def sums(first: str, second: str) -> dict[str, bytes]:
    """Name -> list of checksums of two files."""
    return {
        "show.md5": f"; für alle\r\n{MD5} *{first}.flac\r\n{MD5} *{second}.flac\r\n".encode("cp1252"),
        "show.sfv": f"{first}.flac {CRC}\n{second}.flac {CRC}\n".encode(),
        "show.st5": f"{MD5}  [shntool]  {first}.flac\n{MD5}  [shntool]  {second}.flac\n".encode(),
        "show ffp.txt": f"{first}.flac:{MD5}\r\n{second}.flac:{MD5}".encode(),
        "show.sha256": f"{MD5 * 2}  ./{first}.flac\n{MD5 * 2}  {second}.wav\n".encode(),
    }


ONE, TWO = (sound("flac", n, title=f"S{n}", album="Blau", track=n) for n in (1, 2))
IMAGES = [sound("flac", n, album="Rot") for n in (3, 4)]
BARE, STRAY = sound("wav", 5), sound("wav", 6)
BEFORE = {
    "in/rip/CDImage.wav": BARE,
    "in/rip/CDImage.cue": cue("CDImage.wav"),
    "in/rip/CDImage.log": b"log",
    "in/rip/info.txt": b"info",
    "in/rip/Photos/1.heic": b"photo",
    "in/rip/setup.exe": b"no paper",
    **{f"in/box/CD{n}.flac": content for n, content in enumerate(IMAGES, 1)},
    **{f"in/box/CD{n}.cue": cue(f"CD{n}.wav") for n in (1, 2)},
    "in/show/d1t01.flac": ONE,
    "in/show/d1t02.flac": TWO,
    **{f"in/show/{name}": content for name, content in sums("d1t01", "d1t02").items()},
    "in/letter.doc": b"letter",
    "in/loose/stray.wav": STRAY,
    "in/loose/stray.lrc": b"la",
    "in/loose/cover.jpg": b"cover",
}
AFTER = {
    "Ann/Räume (1990)/CDImage.wav": BARE,
    "Ann/Räume (1990)/CDImage.cue": cue("CDImage.wav"),
    "Ann/Räume (1990)/CDImage.log": b"log",
    "Ann/Räume (1990)/info.txt": b"info",
    "Ann/Räume (1990)/Photos/1.heic": b"photo",
    "in/rip/setup.exe": b"no paper",
    **{f"Ann/Rot/CD{n}.flac": content for n, content in enumerate(IMAGES, 1)},
    **{f"Ann/Rot/CD{n}.cue": cue(f"CD{n}.wav") for n in (1, 2)},
    "Ann/Blau/01 S1.flac": ONE,
    "Ann/Blau/02 S2.flac": TWO,
    **{f"Ann/Blau/{name}": content for name, content in sums("01 S1", "02 S2").items()},
    "in/letter.doc": b"letter",
    "_rest/in/loose/stray.wav": STRAY,
    "_rest/in/loose/stray.lrc": b"la",
    "_rest/in/loose/cover.jpg": b"cover",
}


def digests(contents: dict[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}


@pytest.mark.parametrize("kind", some_at_night(("local", "s3_serve", "drive"), night={"drive"}))
def test_all_that_belongs_to_an_album_moves_with_it(kind: str, rclone_binary: Path, rclone_config: Path, tmp_path: Path) -> None:
    home = tmp_path / "served"
    home.mkdir()
    program = Program(tmp_path / "state")
    with places(kind, home, rclone_binary, rclone_config, {"music": None}) as made:
        place = made["music"]
        for path, content in BEFORE.items():
            place.put(path, content)
        done = program("organize", place.location, "--untagged", "_rest", "--yes")
        assert visible(place.tree()) == digests(AFTER)
        counts = next(event for event in done.events if event["type"] == "plan")["counts"]
        expected = {"title_from_name": 3, "tags_from_cue_sheet": 1, "folders_left": 2}
        assert {name: counts.get(name) for name in (*expected, "without_number")} == expected | {"without_number": None}
        assert program("organize", place.location, "--untagged", "_rest", "--yes").summary["ops_planned"] == 0
        program("undo", done.run, "--yes")
        assert visible(place.tree()) == digests(BEFORE)
