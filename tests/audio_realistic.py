"""The realistic set: files of all formats, 3 to 10 minutes long, with pictures of up to 8 MB before and after their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from tests import audio_long as long
from tests import audio_tags as tags
from tests.audio import picture
from tests.audio_tags import Cover
from tests.virtual_file import Piece, VirtualFile

_LARGE = ("wav", "aiff", "dsf", "dff")
"""Formats with 10 to 42 MB a minute: three minutes are enough."""
COVERS = (0, 300_000, 1_000_000, 8_000_000)
"""Sizes of the pictures in bytes."""


class Kind(NamedTuple):
    """One way to make a file of a format."""

    format: str
    """The name that the benchmarks print."""
    variant: str
    extension: str
    make: Callable[[float, int, Cover], list[Piece]]
    tags: str
    """The kind of tag that holds the texts: "id3", "id3v1", "vorbis", "ape", "mp4", "asf"."""


class Sample(NamedTuple):
    """One file of the set. `song` returns the content of other songs of its album, by number: they share its cover."""

    kind: Kind
    cover_bytes: int
    cover_first: bool
    song: Callable[[int], VirtualFile]

    def make(self) -> VirtualFile:
        """The content of the file."""
        return self.song(0)

    @property
    def name(self) -> str:
        """The name of the file, which describes it."""
        place = f"{self.cover_bytes // 1000}K {'before' if self.cover_first else 'behind'}" if self.cover_bytes else "no"
        return f"{self.kind.format}, {self.kind.variant}, {place} cover.{self.kind.extension}"


def _mp3(
    version: int, header: str, *, variable: bool, v1: bool = False, unsynchronised: bool = False
) -> Callable[..., list[Piece]]:
    def make(seconds: float, serial: int, cover: Cover) -> list[Piece]:
        front = tags.id3(version, cover, unsynchronised=unsynchronised)
        return [front, *long.mp3(seconds, serial, variable=variable, header=header), tags.id3v1() if v1 else b""]

    return make


def _mp3_ape(seconds: float, serial: int, cover: Cover) -> list[Piece]:
    return [*long.mp3(seconds, serial), tags.apev2(cover)]


def _mp3_v1(seconds: float, serial: int, _cover: Cover) -> list[Piece]:
    return [*long.mp3(seconds, serial, header=""), tags.id3v1()]


def _flac(seconds: float, serial: int, cover: Cover) -> list[Piece]:
    blocks = [(4, tags.vorbis_comments())]
    if cover.data:
        blocks.insert(0 if cover.first else 1, (6, tags.flac_picture(cover.data)))
    return long.flac(seconds, serial, [*blocks, (1, bytes(8192))])


def _mp4(codec: str, *, moov_first: bool) -> Callable[..., list[Piece]]:
    return lambda seconds, serial, cover: long.mp4(seconds, serial, tags.mp4(cover), codec=codec, moov_first=moov_first)


def _ogg(stream: Callable[..., list[Piece]], *, short_pages: bool) -> Callable[..., list[Piece]]:
    return lambda seconds, serial, cover: stream(seconds, serial, tags.vorbis_comments(cover), short_pages=short_pages)


def _id3_inside(stream: Callable[..., list[Piece]]) -> Callable[..., list[Piece]]:
    return lambda seconds, serial, cover: stream(seconds, serial, tags.id3(3, cover))


def _ape_behind(stream: Callable[..., list[Piece]], **options: object) -> Callable[..., list[Piece]]:
    return lambda seconds, serial, cover: [*stream(seconds, serial, **options), tags.apev2(cover)]


KINDS: tuple[Kind, ...] = (
    Kind("MP3", "CBR LAME ID3v2.4", "mp3", _mp3(4, "lame", variable=False), "id3"),
    Kind("MP3", "CBR ID3v2.3 and v1", "mp3", _mp3(3, "", variable=False, v1=True), "id3"),
    Kind("MP3", "VBR LAME ID3v2.3", "mp3", _mp3(3, "lame", variable=True), "id3"),
    Kind("MP3", "VBR Xing ID3v2.2", "mp3", _mp3(2, "xing", variable=True), "id3"),
    Kind("MP3", "VBR VBRI ID3v2.3 and v1", "mp3", _mp3(3, "vbri", variable=True, v1=True), "id3"),
    Kind("MP3", "VBR no header ID3v2.4", "mp3", _mp3(4, "", variable=True), "id3"),
    Kind("MP3 without ID3v2", "ID3v1", "mp3", _mp3_v1, "id3v1"),
    Kind("MP3 without ID3v2", "APEv2", "mp3", _mp3_ape, "ape"),
    Kind("FLAC", "16/44", "flac", _flac, "vorbis"),
    Kind("M4A, moov first", "AAC", "m4a", _mp4("aac", moov_first=True), "mp4"),
    Kind("M4A, moov first", "ALAC", "m4a", _mp4("alac", moov_first=True), "mp4"),
    Kind("M4A, moov last", "AAC", "m4a", _mp4("aac", moov_first=False), "mp4"),
    Kind("M4A, moov last", "ALAC", "m4a", _mp4("alac", moov_first=False), "mp4"),
    Kind("Ogg Vorbis", "full pages", "ogg", _ogg(long.vorbis, short_pages=False), "vorbis"),
    Kind("Ogg Vorbis", "short pages", "ogg", _ogg(long.vorbis, short_pages=True), "vorbis"),
    Kind("Opus", "full pages", "opus", _ogg(long.opus, short_pages=False), "vorbis"),
    Kind("Opus", "short pages", "opus", _ogg(long.opus, short_pages=True), "vorbis"),
    Kind("Speex", "wide band", "spx", lambda s, n, cover: long.speex(s, n, tags.vorbis_comments(cover)), "vorbis"),
    Kind("WAV", "16/44", "wav", _id3_inside(long.wav), "id3"),
    Kind("AIFF", "16/44", "aiff", _id3_inside(long.aiff), "id3"),
    Kind("DSF", "DSD64", "dsf", _id3_inside(long.dsf), "id3"),
    Kind("DSDIFF", "DSD64", "dff", _id3_inside(long.dsdiff), "id3"),
    Kind("WMA", "192 kbit/s", "wma", lambda s, n, cover: long.wma(s, n, tags.asf(cover)), "asf"),
    Kind("Monkey's Audio", "3.99", "ape", _ape_behind(long.ape), "ape"),
    Kind("WavPack", "with md5", "wv", _ape_behind(long.wavpack), "ape"),
    Kind("WavPack", "without md5", "wv", _ape_behind(long.wavpack, with_md5=False), "ape"),
    Kind("Musepack", "version 8", "mpc", _ape_behind(long.musepack), "ape"),
    Kind("Musepack", "version 7", "mpc", _ape_behind(long.musepack, version=7), "ape"),
    Kind("TTA", "ID3v2.3", "tta", lambda s, n, cover: [tags.id3(3, cover), *long.tta(s, n)], "id3"),
    Kind("TTA", "APEv2", "tta", _ape_behind(long.tta), "ape"),
)


def _songs(kind: Kind, seconds: float, serial: int, cover_bytes: int, *, first: bool) -> Callable[[int], VirtualFile]:
    @cache
    def cover() -> Cover:
        return Cover(picture(cover_bytes, serial), first)

    def song(number: int) -> VirtualFile:
        length = seconds if kind.extension in _LARGE else seconds + number * 97 % 240
        return VirtualFile(kind.make(length, serial + 1000 * number, cover()))

    return song


def samples(covers: tuple[int, ...] = COVERS) -> Iterator[Sample]:
    """The set: each kind with each cover at both positions."""
    serial = 0
    for kind in KINDS:
        for cover_bytes in covers if kind.tags != "id3v1" else (0,):
            for first in (False, True) if cover_bytes else (False,):
                serial += 1
                seconds = 180.0 + serial * 97 % (1 if kind.extension in _LARGE else 420)
                yield Sample(kind, cover_bytes, first, _songs(kind, seconds, serial, cover_bytes, first=first))
