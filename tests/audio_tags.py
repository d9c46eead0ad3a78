"""Tags of every kind, byte by byte, with the picture before or after the texts; mutagen would sort them."""

from __future__ import annotations

import base64
import struct
from typing import NamedTuple

TEXTS: dict[str, str] = {
    "title": "Río Abajo (en vivo)",
    "artist": "Los Ríos & Friends",
    "albumartist": "Various Artists",
    "album": "Alb: um / two",
    "date": "1999",
    "track": "3/12",
    "disc": "2/3",
    "genre": "Rock",
    "composer": "Someone Else",
    "comment": "Ripped from the second pressing, track by track. " * 6,
    "recording": "0b6f6b2e-1111-4000-8000-000000000001",
    "release": "0b6f6b2e-2222-4000-8000-000000000002",
}
"""The tags of the files made here; `recording` and `release` are MusicBrainz ids."""


class Cover(NamedTuple):
    """A picture in the tags; without bytes there is none."""

    data: bytes = b""
    first: bool = False
    """Whether it comes before the texts."""


def _ordered(texts: list[bytes], cover: bytes, *, first: bool) -> bytes:
    return b"".join([cover, *texts] if first else [*texts, cover])


# ------------------------------------------------------------ ID3

_ID3 = {
    "title": ("TT2", "TIT2"), "artist": ("TP1", "TPE1"), "albumartist": ("TP2", "TPE2"), "album": ("TAL", "TALB"),
    "track": ("TRK", "TRCK"), "disc": ("TPA", "TPOS"), "genre": ("TCO", "TCON"), "composer": ("TCM", "TCOM"),
}  # fmt: skip


def _synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 127 for shift in (21, 14, 7, 0))


def _frame(version: int, name: str, data: bytes) -> bytes:
    if version == 2:
        return name.encode() + len(data).to_bytes(3, "big") + data
    size = _synchsafe(len(data)) if version == 4 else len(data).to_bytes(4, "big")
    return name.encode() + size + b"\0\0" + data


def _text(version: int, text: str) -> bytes:
    """A text with its encoding: UTF-8 in ID3v2.4, UTF-16 in older versions."""
    return b"\x03" + text.encode() if version == 4 else b"\x01" + text.encode("utf-16")


def id3(version: int, cover: Cover, *, padding: int = 1024, unsynchronised: bool = False) -> bytes:
    """An ID3v2 tag of version 2, 3 or 4, as taggers write it."""
    old = version == 2
    frames = [_frame(version, names[0 if old else 1], _text(version, TEXTS[field])) for field, names in _ID3.items()]
    date = {2: "TYE", 3: "TYER", 4: "TDRC"}[version]
    frames.append(_frame(version, date, _text(version, TEXTS["date"])))
    language = _text(version, "")[:1] + b"eng" + (_text(version, "")[1:] + b"\0\0" if version < 4 else b"\0")
    frames.append(_frame(version, "COM" if old else "COMM", language + _text(version, TEXTS["comment"])[1:]))
    if not old:
        frames.append(_frame(version, "UFID", b"http://musicbrainz.org\0" + TEXTS["recording"].encode()))
        description = _text(version, "MusicBrainz Album Id") + (b"\0" if version == 4 else b"\0\0")
        frames.append(_frame(version, "TXXX", description + _text(version, TEXTS["release"])[1:]))
    picture = b""
    if cover.data:
        picture = _frame(version, "PIC" if old else "APIC", b"\0" + (b"JPG" if old else b"image/jpeg\0") + b"\3\0" + cover.data)
    body = _ordered(frames, picture, first=cover.first) + bytes(padding)
    if unsynchronised:
        body = body.replace(b"\xff\x00", b"\xff\x00\x00")
        for byte in range(0xE0, 0x100):
            body = body.replace(b"\xff" + bytes([byte]), b"\xff\x00" + bytes([byte]))
    return b"ID3" + bytes([version, 0, 0x80 if unsynchronised else 0]) + _synchsafe(len(body)) + body


def id3v1() -> bytes:
    """The 128 bytes of ID3v1.1."""
    fields = b"".join(TEXTS[name].encode("latin-1")[:30].ljust(30, b"\0") for name in ("title", "artist", "album"))
    return b"TAG" + fields + TEXTS["date"].encode() + b"a comment".ljust(28, b"\0") + b"\0\x03\x11"


# ------------------------------------------------------------ Vorbis comments

_VORBIS = {
    **{name: name.upper() for name in ("title", "artist", "albumartist", "album", "date", "genre", "composer", "comment")},
    "recording": "MUSICBRAINZ_TRACKID", "release": "MUSICBRAINZ_ALBUMID",
}  # fmt: skip


def flac_picture(data: bytes) -> bytes:
    """The content of a PICTURE block."""
    head = struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">I", 0)
    return head + struct.pack(">IIIII", 1000, 1000, 24, 0, len(data)) + data


def vorbis_comments(cover: Cover = Cover()) -> bytes:  # noqa: B008 - immutable
    """Comments without a framing bit; a picture is stored as in Ogg files."""
    lines = [f"{key}={TEXTS[field]}" for field, key in _VORBIS.items()]
    for field in ("track", "disc"):
        number, _, total = TEXTS[field].partition("/")
        lines += [f"{field.upper()}NUMBER={number}", f"{field.upper()}TOTAL={total}"]
    texts = [_counted(line.encode()) for line in lines]
    picture = _counted(b"METADATA_BLOCK_PICTURE=" + base64.b64encode(flac_picture(cover.data))) if cover.data else b""
    count = len(lines) + bool(cover.data)
    return _counted(b"an encoder 1.3.7") + struct.pack("<I", count) + _ordered(texts, picture, first=cover.first)


def _counted(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


# ------------------------------------------------------------ APEv2

_APE = {
    **{name: name.title() for name in ("title", "artist", "album", "track", "disc", "genre", "composer", "comment")},
    "albumartist": "Album Artist", "date": "Year", "recording": "MUSICBRAINZ_TRACKID", "release": "MUSICBRAINZ_ALBUMID",
}  # fmt: skip


def apev2(cover: Cover) -> bytes:
    """An APEv2 tag with header and footer."""
    texts = [_ape_item(key, TEXTS[field].encode(), 0) for field, key in _APE.items()]
    picture = _ape_item("Cover Art (Front)", b"cover.jpg\0" + cover.data, 2) if cover.data else b""
    body = _ordered(texts, picture, first=cover.first)
    count = len(texts) + bool(picture)

    def end(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2000, len(body) + 32, count, flags) + bytes(8)

    return end(0xA0000000) + body + end(0x80000000)


def _ape_item(key: str, value: bytes, flags: int) -> bytes:
    return struct.pack("<II", len(value), flags) + key.encode() + b"\0" + value


# ------------------------------------------------------------ MP4

_MP4 = {
    "title": "\xa9nam", "artist": "\xa9ART", "albumartist": "aART", "album": "\xa9alb", "date": "\xa9day", "genre": "\xa9gen",
    "composer": "\xa9wrt", "comment": "\xa9cmt",
}  # fmt: skip
_MP4_FREE = {"recording": "MusicBrainz Track Id", "release": "MusicBrainz Album Id"}


def atom(name: bytes, *parts: bytes) -> bytes:
    """An MP4 box."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def full_atom(name: bytes, *parts: bytes) -> bytes:
    """An MP4 box with version 0 and no flags."""
    return atom(name, bytes(4), *parts)


def _data(kind: int, value: bytes) -> bytes:
    return atom(b"data", struct.pack(">II", kind, 0), value)


def mp4(cover: Cover) -> bytes:
    """`udta` with everything that iTunes tags need, and its padding."""
    items = [atom(key.encode("latin-1"), _data(1, TEXTS[field].encode())) for field, key in _MP4.items()]
    for field, name in (("track", b"trkn"), ("disc", b"disk")):
        number, _, total = TEXTS[field].partition("/")
        items.append(atom(name, _data(0, struct.pack(">HHHH", 0, int(number), int(total), 0))))
    for field, key in _MP4_FREE.items():
        names = full_atom(b"mean", b"com.apple.iTunes"), full_atom(b"name", key.encode())
        items.append(atom(b"----", *names, _data(1, TEXTS[field].encode())))
    picture = atom(b"covr", _data(13, cover.data)) if cover.data else b""
    handler = full_atom(b"hdlr", bytes(4), b"mdirappl", bytes(9))
    items_atom = atom(b"ilst", _ordered(items, picture, first=cover.first))
    return atom(b"udta", full_atom(b"meta", handler, items_atom, atom(b"free", bytes(2048))))


# ------------------------------------------------------------ ASF

_ASF = {
    "albumartist": "WM/AlbumArtist", "album": "WM/AlbumTitle", "date": "WM/Year", "genre": "WM/Genre", "composer": "WM/Composer",
    "track": "WM/TrackNumber", "disc": "WM/PartOfSet", "recording": "MusicBrainz/Track Id", "release": "MusicBrainz/Album Id",
}  # fmt: skip


def guid(text: str) -> bytes:
    """A GUID as ASF stores it."""
    parts = text.split("-")
    return struct.pack("<IHH", *(int(part, 16) for part in parts[:3])) + bytes.fromhex(parts[3] + parts[4])


def asf_object(name: str, *parts: bytes) -> bytes:
    """An ASF object."""
    payload = b"".join(parts)
    return guid(name) + struct.pack("<Q", 24 + len(payload)) + payload


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def asf(cover: Cover) -> list[bytes]:
    """The header objects that hold the tags: descriptions, and a header extension with the picture."""
    five = [_wide(TEXTS["title"]), _wide(TEXTS["artist"]), _wide(""), _wide(TEXTS["comment"]), _wide("")]
    lengths = struct.pack("<5H", *map(len, five))
    attributes = []
    for field, key in _ASF.items():
        name, value = _wide(key), _wide(TEXTS[field])
        attributes.append(struct.pack("<H", len(name)) + name + struct.pack("<HH", 0, len(value)) + value)
    picture = b""
    if cover.data:
        name, head = _wide("WM/Picture"), b"\x03" + struct.pack("<I", len(cover.data)) + _wide("image/jpeg") + _wide("")
        value = head + cover.data
        entry = struct.pack("<HHHHI", 0, 0, len(name), 1, len(value)) + name + value
        picture = asf_object("44231C94-9498-49D1-A141-1D134E457054", struct.pack("<H", 1), entry)
    padding = asf_object("1806D474-CADF-4509-A4BA-9AABCB96AAE8", bytes(2048))
    extension_data = picture + padding
    extension = asf_object(
        "5FBF03B5-A92E-11CF-8EE3-00C00C205365",
        guid("ABD3D211-A9BA-11CF-8EE6-00C00C205365"),
        struct.pack("<HI", 6, len(extension_data)),
        extension_data,
    )
    texts = [
        asf_object("75B22633-668E-11CF-A6D9-00AA0062CE6C", lengths, *five),
        asf_object("D2D0A440-E307-11D2-97F0-00A0C95EA850", struct.pack("<H", len(attributes)), *attributes),
    ]
    return [extension, *texts] if cover.first else [*texts, extension]
