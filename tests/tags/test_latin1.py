"""Texts in places where only Latin-1 may be."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import mutagen.id3

from tests.audio import track_bytes
from tests.tags.ranges import read


def latin1_mp3(**frames: str) -> bytes:
    """An MP3 whose frames claim to be Latin-1."""
    tags: Any = mutagen.id3.ID3()
    for name, text in frames.items():
        tags.add(getattr(mutagen.id3, name)(encoding=0, text=[text]))
    file = BytesIO(track_bytes("mp3", None))
    tags.save(file, v1=0)
    return file.getvalue()


def with_id3v1(title: bytes, artist: bytes) -> bytes:
    return track_bytes("mp3", None) + b"TAG" + title.ljust(30, b"\0") + artist.ljust(30, b"\0") + bytes(65)


def test_utf8_in_latin1_is_utf8_and_everything_else_keeps_its_bytes() -> None:
    for text, expected in {"Größe": "Größe", "Café": "Café", "Âåðíèñü": "Âåðíèñü", "サンプル": "サンプル"}.items():
        as_utf8 = text.encode().decode("latin-1")
        for stored in {as_utf8, text} if max(text) <= "\xff" else {as_utf8}:
            track = read("x.mp3", latin1_mp3(TIT2=stored, TPE1=stored)).track
            assert track is not None
            assert (track.title, track.artist) == ((expected,), (expected,))


def test_id3v1_may_cut_a_letter_of_utf8() -> None:
    cut = ("a" * 27 + "öü").encode()[:30]
    track = read("x.mp3", with_id3v1(cut, "Bjørk".encode())).track
    assert track is not None
    assert (track.title, track.artist) == (("a" * 27 + "ö",), ("Bjørk",))
    track = read("x.mp3", with_id3v1("Café".encode("latin-1"), "サンプル".encode("shift_jis"))).track
    assert track is not None
    assert (track.title, track.artist) == (("Café",), ("サンプル".encode("shift_jis").decode("latin-1"),))


def test_the_year_frame_of_an_older_version_counts_before_the_year_of_id3v1() -> None:
    tags: Any = mutagen.id3.ID3()
    for name, text in {"TIT2": "T", "TPE1": "A", "TYER": "2004", "TRCK": "3"}.items():
        tags.add(getattr(mutagen.id3, name)(encoding=0, text=[text]))
    file = BytesIO(track_bytes("mp3", None))
    tags.save(file, v1=0)
    end = b"TAG" + b"".join(text.ljust(30, b"\0") for text in (b"T", b"A", b"Al")) + b"1999" + bytes(31)
    track = read("x.mp3", file.getvalue() + end).track
    assert track is not None
    assert (track.album, track.date) == (("Al",), "2004")
