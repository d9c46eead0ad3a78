"""Real, tiny audio files with real tags, made by code: `make_track` for one, `make_many` for a crowd of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import mutagen.aiff
import mutagen.apev2
import mutagen.asf
import mutagen.dsf
import mutagen.flac
import mutagen.id3
import mutagen.monkeysaudio
import mutagen.mp4
import mutagen.musepack
import mutagen.oggopus
import mutagen.oggvorbis
import mutagen.trueaudio
import mutagen.wave
import mutagen.wavpack

from orchestrator.track import Track
from tests import audio_streams as streams

Words = dict[str, list[str]]


def picture(size: int, seed: int = 0) -> bytes:
    """Something that begins and ends as a JPEG and does not compress; 0 bytes for size 0."""
    if size <= 0:
        return b""
    return (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + Random(seed).randbytes(max(0, size - 13)) + b"\xff\xd9")[: max(size, 13)]


def _number(number: int | None, total: int | None) -> list[str]:
    if number is None:
        return []
    return [f"{number}/{total}" if total else str(number)]


def _words(track: Track) -> Words:
    """The fields as Vorbis comments name them: what the other tag systems are written from."""
    words: Words = {
        "title": [*track.title],
        "artist": [*track.artist],
        "albumartist": [*track.album_artist],
        "album": [*track.album],
        "genre": [*track.genre],
        "composer": [*track.composer],
        "releasetype": [*track.release_type],
        "isrc": [*track.isrc],
        "version": [*track.version],
        "remixer": [*track.remixer],
        "compilation": [] if track.compilation is None else [str(int(track.compilation))],
    }
    single = {
        "date": track.date,
        "originaldate": track.original_date,
        "discsubtitle": track.disc_subtitle,
        "subtitle": track.subtitle,
        "label": track.label,
        "catalognumber": track.catalogue_number,
        "comment": track.comment,
        "barcode": track.barcode,
        "edition": track.edition,
        "venue": track.venue,
        "itunesadvisory": {"explicit": "1", "clean": "2"}.get(track.advisory or ""),
        "musicbrainz_trackid": track.musicbrainz_recording_id,
        "musicbrainz_releasetrackid": track.musicbrainz_track_id,
        "musicbrainz_albumid": track.musicbrainz_release_id,
        "musicbrainz_releasegroupid": track.musicbrainz_release_group_id,
    }
    words.update({name: [value] for name, value in single.items() if value is not None})
    return {name: values for name, values in words.items() if values}


def _vorbis(tags: Any, track: Track, cover: bytes) -> None:
    for name, values in _words(track).items():
        tags[name] = values
    numbers = {
        "tracknumber": track.track,
        "tracktotal": track.track_total,
        "discnumber": track.disc,
        "disctotal": track.disc_total,
    }
    for name, value in numbers.items():
        if value is not None:
            tags[name] = [str(value)]
    if cover:
        block = mutagen.flac.Picture()
        block.type, block.mime, block.data = 3, "image/jpeg", cover
        tags["metadata_block_picture"] = [base64.b64encode(block.write()).decode()]


_ID3_FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "albumartist": "TPE2",
    "album": "TALB",
    "genre": "TCON",
    "composer": "TCOM",
    "isrc": "TSRC",
    "compilation": "TCMP",
    "date": "TDRC",
    "originaldate": "TDOR",
    "discsubtitle": "TSST",
    "subtitle": "TIT3",
    "remixer": "TPE4",
    "label": "TPUB",
}
_ID3_TEXTS = {
    "releasetype": "MusicBrainz Album Type", "catalognumber": "CATALOGNUMBER", "musicbrainz_albumid": "MusicBrainz Album Id",
    "musicbrainz_releasetrackid": "MusicBrainz Release Track Id", "musicbrainz_releasegroupid": "MusicBrainz Release Group Id",
    "barcode": "BARCODE", "edition": "EDITION", "venue": "VENUE", "itunesadvisory": "ITUNESADVISORY",
    "version": "VERSION",
}  # fmt: skip


def _id3(tags: mutagen.id3.ID3, track: Track, cover: bytes) -> None:
    words = _words(track)
    for name, frame in _ID3_FRAMES.items():
        if name in words:
            tags.add(getattr(mutagen.id3, frame)(encoding=3, text=words[name]))
    for name, description in _ID3_TEXTS.items():
        if name in words:
            tags.add(mutagen.id3.TXXX(encoding=3, desc=description, text=words[name]))
    if "musicbrainz_trackid" in words:
        tags.add(mutagen.id3.UFID(owner="http://musicbrainz.org", data=words["musicbrainz_trackid"][0].encode()))
    if "comment" in words:
        tags.add(mutagen.id3.COMM(encoding=3, lang="eng", desc="", text=words["comment"]))
    for frame, values in (("TRCK", _number(track.track, track.track_total)), ("TPOS", _number(track.disc, track.disc_total))):
        if values:
            tags.add(getattr(mutagen.id3, frame)(encoding=3, text=values))
    if cover:
        tags.add(mutagen.id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=cover))


_MP4_NAMES = {
    "title": "\xa9nam", "artist": "\xa9ART", "albumartist": "aART", "album": "\xa9alb", "genre": "\xa9gen", "composer": "\xa9wrt",
    "date": "\xa9day", "comment": "\xa9cmt",
}  # fmt: skip
_MP4_FREE = {
    "releasetype": "MusicBrainz Album Type", "label": "LABEL", "catalognumber": "CATALOGNUMBER", "isrc": "ISRC",
    "originaldate": "ORIGINALDATE", "discsubtitle": "DISCSUBTITLE", "musicbrainz_trackid": "MusicBrainz Track Id",
    "musicbrainz_albumid": "MusicBrainz Album Id", "musicbrainz_releasetrackid": "MusicBrainz Release Track Id",
    "musicbrainz_releasegroupid": "MusicBrainz Release Group Id", "barcode": "BARCODE", "itunesadvisory": "ITUNESADVISORY",
    "edition": "EDITION", "venue": "VENUE", "subtitle": "SUBTITLE", "version": "VERSION", "remixer": "REMIXER",
}  # fmt: skip


def _mp4(tags: Any, track: Track, cover: bytes) -> None:
    words = _words(track)
    for name, key in _MP4_NAMES.items():
        if name in words:
            tags[key] = words[name]
    for name, key in _MP4_FREE.items():
        if name in words:
            tags[f"----:com.apple.iTunes:{key}"] = [value.encode() for value in words[name]]
    if track.track is not None:
        tags["trkn"] = [(track.track, track.track_total or 0)]
    if track.disc is not None:
        tags["disk"] = [(track.disc, track.disc_total or 0)]
    if track.compilation is not None:
        tags["cpil"] = track.compilation
    if cover:
        tags["covr"] = [mutagen.mp4.MP4Cover(cover, mutagen.mp4.MP4Cover.FORMAT_JPEG)]


_APE_NAMES = {
    "title": "Title",
    "artist": "Artist",
    "albumartist": "Album Artist",
    "album": "Album",
    "genre": "Genre",
    "composer": "Composer",
    "compilation": "Compilation",
    "date": "Year",
    "originaldate": "Originaldate",
    "discsubtitle": "DiscSubtitle",
    "subtitle": "Subtitle",
    "version": "Version",
    "remixer": "MixArtist",
    "label": "Label",
    "catalognumber": "CatalogNumber",
    "isrc": "ISRC",
    "comment": "Comment",
    "releasetype": "MUSICBRAINZ_ALBUMTYPE",
    "musicbrainz_trackid": "MUSICBRAINZ_TRACKID",
    "musicbrainz_albumid": "MUSICBRAINZ_ALBUMID",
    "musicbrainz_releasetrackid": "MUSICBRAINZ_RELEASETRACKID",
    "musicbrainz_releasegroupid": "MUSICBRAINZ_RELEASEGROUPID",
    "barcode": "Barcode",
    "edition": "Edition",
    "venue": "Venue",
    "itunesadvisory": "ITUNESADVISORY",
}


def _apev2(tags: mutagen.apev2.APEv2, track: Track, cover: bytes) -> None:
    words = _words(track)
    for name, key in _APE_NAMES.items():
        if name in words:
            tags[key] = words[name]
    for key, values in (("Track", _number(track.track, track.track_total)), ("Disc", _number(track.disc, track.disc_total))):
        if values:
            tags[key] = values
    if cover:
        tags["Cover Art (Front)"] = mutagen.apev2.APEValue(b"cover.jpg\0" + cover, mutagen.apev2.BINARY)


_ASF_NAMES = {
    "title": "Title", "artist": "Author", "albumartist": "WM/AlbumArtist", "album": "WM/AlbumTitle", "genre": "WM/Genre",
    "composer": "WM/Composer", "date": "WM/Year", "originaldate": "WM/OriginalReleaseYear", "discsubtitle": "WM/SetSubTitle",
    "label": "WM/Publisher", "catalognumber": "WM/CatalogNo", "isrc": "WM/ISRC", "comment": "Description",
    "releasetype": "MusicBrainz/Album Type", "musicbrainz_trackid": "MusicBrainz/Track Id",
    "musicbrainz_albumid": "MusicBrainz/Album Id", "musicbrainz_releasetrackid": "MusicBrainz/Release Track Id",
    "musicbrainz_releasegroupid": "MusicBrainz/Release Group Id", "barcode": "WM/Barcode", "itunesadvisory": "ITUNESADVISORY",
    "edition": "EDITION", "venue": "VENUE", "subtitle": "WM/SubTitle", "version": "VERSION", "remixer": "WM/ModifiedBy",
}  # fmt: skip


def _asf(tags: Any, track: Track, cover: bytes) -> None:
    words = _words(track)
    for name, key in _ASF_NAMES.items():
        if name in words:
            tags[key] = words[name]
    numbers = {"WM/TrackNumber": _number(track.track, track.track_total), "WM/PartOfSet": _number(track.disc, track.disc_total)}
    for key, values in numbers.items():
        if values:
            tags[key] = values
    if track.compilation is not None:
        tags["WM/IsCompilation"] = [track.compilation]
    if cover:
        head = b"\x03" + len(cover).to_bytes(4, "little") + "image/jpeg\0\0".encode("utf-16-le")
        tags["WM/Picture"] = [mutagen.asf.ASFByteArrayAttribute(head + cover)]


def _save_id3_head(file: BytesIO, track: Track, cover: bytes) -> None:
    tags = mutagen.id3.ID3()
    _id3(tags, track, cover)
    if tags:
        tags.save(file, v1=0, padding=lambda _: 64)


def _save_apev2(file: BytesIO, track: Track, cover: bytes) -> None:
    tags = mutagen.apev2.APEv2()
    _apev2(tags, track, cover)
    if tags:
        tags.save(file)


def _save_flac(file: BytesIO, track: Track, cover: bytes) -> None:
    audio = mutagen.flac.FLAC(file)
    audio.add_tags()
    _vorbis(audio.tags, track, b"")
    if cover:
        block = mutagen.flac.Picture()
        block.type, block.mime, block.data = 3, "image/jpeg", cover
        audio.add_picture(block)
    file.seek(0)
    audio.save(file, padding=lambda _: 64)


def _saver(
    opener: Callable[[BytesIO], Any], write: Callable[[Any, Track, bytes], None]
) -> Callable[[BytesIO, Track, bytes], None]:
    def save(file: BytesIO, track: Track, cover: bytes) -> None:
        audio = opener(file)
        if audio.tags is None:
            audio.add_tags()
        write(audio.tags, track, cover)
        file.seek(0)
        audio.save(file)

    return save


class Format(NamedTuple):
    """How files of one format are made."""

    extension: str
    stream: Callable[[float, int], bytes]
    save: Callable[[BytesIO, Track, bytes], None]


FORMATS: dict[str, Format] = {
    "mp3": Format("mp3", streams.mp3, _save_id3_head),
    "mp3-lame": Format("mp3", streams.mp3_lame, _save_id3_head),
    "flac": Format("flac", streams.flac, _save_flac),
    "m4a": Format("m4a", streams.m4a, _saver(mutagen.mp4.MP4, _mp4)),
    "alac": Format("m4a", streams.alac, _saver(mutagen.mp4.MP4, _mp4)),
    "ogg": Format("ogg", streams.vorbis, _saver(mutagen.oggvorbis.OggVorbis, _vorbis)),
    "opus": Format("opus", streams.opus, _saver(mutagen.oggopus.OggOpus, _vorbis)),
    "wav": Format("wav", streams.wav, _saver(mutagen.wave.WAVE, _id3)),
    "aiff": Format("aiff", streams.aiff, _saver(mutagen.aiff.AIFF, _id3)),
    "wv": Format("wv", streams.wavpack, _save_apev2),
    "ape": Format("ape", streams.ape, _save_apev2),
    "mpc": Format("mpc", streams.musepack, _save_apev2),
    "dsf": Format("dsf", streams.dsf, _saver(mutagen.dsf.DSF, _id3)),
    "tta": Format("tta", streams.tta, _save_id3_head),
    "wma": Format("wma", streams.wma, _saver(mutagen.asf.ASF, _asf)),
}
"""Name -> how. "mp3-lame" makes MP3s whose sound can be told without reading it, "alac" .m4a files."""


def track_bytes(audio_format: str, tags: Track | None, *, cover_bytes: int = 0, seconds: float = 1.0, serial: int = 1) -> bytes:
    """The bytes of an audio file. Without `tags` it has none. Different serials: different sound."""
    kind = FORMATS[audio_format]
    stream = kind.stream(seconds, serial)
    if tags is None:
        return stream
    file = BytesIO(stream)
    kind.save(file, tags, picture(cover_bytes, serial))
    return file.getvalue()


def make_track(
    path: Path, audio_format: str, tags: Track | None, *, cover_bytes: int = 0, seconds: float = 1.0, serial: int = 1
) -> bytes:
    """Write an audio file, parents included, and give its bytes. See `track_bytes`."""
    content = track_bytes(audio_format, tags, cover_bytes=cover_bytes, seconds=seconds, serial=serial)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return content


def many_tracks(count: int, *, per_album: int = 10, size: int = 0) -> Iterator[tuple[str, bytes]]:
    """`count` small tagged MP3s as (path, bytes), made by patching one file: fit for 100,000. `size` is the least size in bytes.

    Album n is "Album 0000n" by "Artist 0000m"; every path is messy and no two files are equal.
    """
    marks = {"title": "Title 00000000", "artist": "Artist 00000000", "album": "Album 00000000"}
    track = Track(
        title=(marks["title"],),
        artist=(marks["artist"],),
        album_artist=(marks["artist"],),
        album=(marks["album"],),
        track=99,
        date="1900",
    )
    template = track_bytes("mp3", track, seconds=0.2)
    template += bytes(max(0, size - len(template)))
    patched = bytearray(template)

    def places(mark: str) -> list[int]:
        needle, found, start = mark.encode(), [], template.find(mark.encode())
        while start >= 0:
            found.append(start + len(needle) - 8)
            start = template.find(needle, start + 1)
        return found

    title, artist, album = places(marks["title"]), places(marks["artist"]), places(marks["album"])
    number = template.index(b"TRCK") + 11
    year = template.index(b"TDRC") + 11
    sound = template.index(b"\xff\xfb\x10\xc4") + 30
    for index in range(count):
        record = index // per_album
        values = ((title, index), (artist, record // 3), (album, record))
        for starts, value in values:
            for start in starts:
                patched[start : start + 8] = b"%08d" % value
        patched[number : number + 2] = b"%02d" % (index % per_album + 1)
        patched[year : year + 4] = b"%04d" % (1950 + record % 70)
        patched[sound : sound + 16] = b"%016d" % index
        yield f"unsorted/{record % 97:02}/rip {record:06} track{index % per_album + 1}.mp3", bytes(patched)


def make_many(root: Path, count: int, *, per_album: int = 10, size: int = 0) -> None:
    """Write `many_tracks` below `root`."""
    seen: set[Path] = set()
    for name, content in many_tracks(count, per_album=per_album, size=size):
        path = root / name
        if path.parent not in seen:
            path.parent.mkdir(parents=True, exist_ok=True)
            seen.add(path.parent)
        path.write_bytes(content)
