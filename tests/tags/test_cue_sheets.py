"""Cue sheets inside of files are seen: such a file is the image of an album."""

from __future__ import annotations

from io import BytesIO

import mutagen.apev2
import mutagen.flac
import mutagen.id3

from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS
from orchestrator.track import Track
from tests.audio import track_bytes
from tests.tags.ranges import read

SHEET = 'FILE "x.flac" WAVE\r\n' + "".join(f"  TRACK {n:02} AUDIO\r\n    INDEX 01 {n:02}:00:00\r\n" for n in range(1, 90))


def flac(*, comment: bool, block: bool) -> bytes:
    file = BytesIO(track_bytes("flac", Track(album=("X",))))
    audio = mutagen.flac.FLAC(file)
    if comment:
        audio["CueSheet"] = [SHEET]
    if block:
        sheet = mutagen.flac.CueSheet(None)
        sheet.tracks.append(mutagen.flac.CueSheetTrack(1, 0))
        audio.metadata_blocks.insert(1, sheet)
    file.seek(0)
    audio.save(file)
    return file.getvalue()


def ape() -> bytes:
    file = BytesIO(track_bytes("wv", Track(album=("X",))))
    tags = mutagen.apev2.APEv2(file)
    tags["Cuesheet"] = SHEET
    tags.save(file)
    return file.getvalue()


def mp3() -> bytes:
    file = BytesIO(track_bytes("mp3", Track(album=("X",))))
    tags = mutagen.id3.ID3(file)
    tags.add(mutagen.id3.TXXX(desc="CUESHEET", text=[SHEET]))
    file.seek(0)
    tags.save(file)
    return file.getvalue()


def test_files_with_a_cue_sheet() -> None:
    files = {
        "comment.flac": flac(comment=True, block=False),
        "block.flac": flac(comment=False, block=True),
        "x.wv": ape(),
        "x.mp3": mp3(),
    }
    for name, content in files.items():
        for policy in (FEW_BYTES, FEW_REQUESTS):
            found = read(name, content, policy).track
            assert (found.album, found.cue_sheet) == (("X",), True), name
    assert not read("x.flac", flac(comment=False, block=False)).track.cue_sheet
