"""Pairs of a good file and a damaged copy of it, in 16 formats: what `dedup` must not confuse."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from io import BytesIO
from pathlib import Path
from random import Random
from typing import NamedTuple

import mutagen.dsdiff
from msgspec.structs import replace

from orchestrator.track import Track
from tests import audio_streams as streams
from tests.audio import FORMATS, _id3, _saver
from tests.audio_frames import flac
from tests.program import Ended

SECONDS = 20
MORE = {"genre": ("Rock",), "composer": ("Somebody",), "label": "Label", "comment": "a better tagged copy"}
"""The tags that only the damaged copy has, in one half of the pairs."""


def noise(serial: int, size: int) -> bytes:
    """Bytes without zeros and without sync words."""
    return Random(serial).randbytes(size).replace(b"\0", b"\1").replace(b"\xff", b"\xfe")


def mp3_frames(serial: int, count: int = 200) -> bytes:
    """128 kbit/s, 44.1 kHz, stereo."""
    return b"".join(b"\xff\xfb\x90\x64" + bytes(32) + noise(1000 * serial + index, 381) for index in range(count))


def mp3_lame(serial: int) -> bytes:
    """The same behind LAME's Info frame."""
    sound, head = mp3_frames(serial), b"\xff\xfb\x90\x64" + bytes(32)
    tag = b"Info" + struct.pack(">III", 15, 200, 417 + len(sound)) + bytes(index * 256 // 100 for index in range(100))
    tag += struct.pack(">I", 50) + b"LAME3.100" + b"\x01\x64" + bytes(8) + b"\x00\x80" + b"\x24\x04\x50" + bytes(4)
    tag += struct.pack(">IH", 417 + len(sound), streams._crc16_mirrored(sound))
    return (head + tag + struct.pack(">H", streams._crc16_mirrored(head + tag))).ljust(417, b"\0") + sound


def wav(serial: int) -> bytes:
    """A CD for two seconds."""
    samples, form = noise(serial, 352_800), struct.pack("<HHIIHH", 1, 2, 44100, 176_400, 4, 16)
    body = b"WAVE" + b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def dff(serial: int) -> bytes:
    """DSD64, mono."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content

    properties = b"SND " + chunk(b"FS  ", struct.pack(">I", 2822400)) + chunk(b"CHNL", struct.pack(">H", 1) + b"C000")
    properties += chunk(b"CMPR", b"DSD \x0enot compressed\0")
    sound = chunk(b"DSD ", noise(serial, 352_800))
    return chunk(b"FRM8", b"DSD " + chunk(b"FVER", b"\x01\x05\0\0") + chunk(b"PROP", properties) + sound)


def dsf(serial: int) -> bytes:
    """DSD64, mono."""
    data = noise(serial, 40 * 4096)
    form = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 1, 1, 2822400, 1, len(data) * 8, 4096, 0)
    sound = b"data" + struct.pack("<Q", 12 + len(data)) + data
    return b"DSD " + struct.pack("<QQQ", 28, 28 + len(form) + len(sound), 0) + form + sound


class Kind(NamedTuple):
    """A format: its extension, its streams by serial, and how tags are written into one."""

    extension: str
    stream: Callable[[int], bytes]
    save: Callable[[BytesIO, Track, bytes], None]


def _of_format(name: str, stream: Callable[[int], bytes] | None = None) -> Kind:
    known = FORMATS[name]
    return Kind(known.extension, stream or (lambda serial: known.stream(SECONDS, serial)), known.save)


KINDS: dict[str, Kind] = {
    "FLAC": _of_format("flac", lambda serial: flac(40, serial)),
    "WavPack 5": _of_format("wv", lambda serial: streams.wavpack(SECONDS, serial, checksums=True)),
    "WavPack 4": _of_format("wv"),
    "Monkey's Audio": _of_format("ape"),
    "True Audio": _of_format("tta", lambda serial: streams.tta(20 * SECONDS, serial)),
    "ALAC": _of_format("alac"),
    "WAV": _of_format("wav", wav),
    "AIFF": _of_format("aiff"),
    "DSF": _of_format("dsf", dsf),
    "DSDIFF": Kind("dff", dff, _saver(mutagen.dsdiff.DSDIFF, _id3)),
    "MP3": _of_format("mp3", mp3_frames),
    "MP3 by LAME": _of_format("mp3", mp3_lame),
    "AAC": _of_format("m4a"),
    "Vorbis": _of_format("ogg"),
    "Opus": _of_format("opus"),
    "Musepack": _of_format("mpc"),
}

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "end zeroed: 40": lambda content: content[:-40] + bytes(40),
    "end zeroed: 5,000": lambda content: content[: -min(5_000, len(content) // 3)] + bytes(min(5_000, len(content) // 3)),
    "end zeroed: half": lambda content: content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
    "middle zeroed": lambda content: content[: (half := len(content) // 2)] + bytes(64) + content[half + 64 :],
    "cut by 1": lambda content: content[:-1],
    "cut by 50": lambda content: content[:-50],
    "cut by 1,000": lambda content: content[: -min(1_000, len(content) // 3)],
    "cut by 5,000": lambda content: content[: -min(5_000, len(content) // 3)],
    "junk behind: noise": lambda content: content + noise(7, 1000),
    "junk behind: zeros": lambda content: content + bytes(1000),
}


class Pair(NamedTuple):
    """A good file and its damaged copy. `more_tags`: the damaged one has more of them."""

    kind: str
    damage: str
    more_tags: bool
    extension: str
    good: bytes
    damaged: bytes


def _tagged(kind: Kind, stream: bytes, tags: Track) -> bytes:
    file = BytesIO(stream)
    kind.save(file, tags, b"")
    return file.getvalue()


def pairs(*, more_tags: bool) -> Iterator[Pair]:
    """Every format with every damage. The sound is damaged before the tags are written, where a tagger accepts that."""
    number = 0
    for name, kind in KINDS.items():
        for damage, damaging in DAMAGES.items():
            number += 1
            title = f"{number:03} {'more' if more_tags else 'same'}"
            tags = Track(
                title=(f"Song {title}",), artist=("Band",), album_artist=("Band",), album=(f"Album {title}",), track=1, disc=1
            )
            stream = kind.stream(2 * number + more_tags)
            said = replace(tags, **MORE) if more_tags else tags
            try:
                damaged = _tagged(kind, damaging(stream), said)
            except Exception:
                damaged = damaging(_tagged(kind, stream, said))
            yield Pair(name, damage, more_tags, kind.extension, _tagged(kind, stream, tags), damaged)


class Outcome(Enum):
    """What `dedup` does with a pair."""

    DAMAGED_GOES = "the damaged copy goes"
    BOTH_STAY = "both stay, and the report names the damaged copy or the pair"
    NOT_NAMED = "both stay, and nothing says why"
    GOOD_GOES = "the good copy goes"


def outcomes(dedup: Callable[[], Ended], library: Path, inbox: Path, made: Sequence[Pair]) -> dict[tuple[str, str], Outcome]:
    """(format, damage) -> what `dedup` does. The damaged copy is in the first location, older, and has the shorter path."""
    paths = []
    for at, pair in enumerate(made):
        damaged, good = f"{at:03}/1.{pair.extension}", f"new arrivals/{at:03}/a longer name.{pair.extension}"
        paths.append((good, damaged))
        _put(library / damaged, pair.damaged, age=9)
        _put(inbox / good, pair.good, age=0)
    ended = dedup()
    gone = {event["path"] for event in ended.events if event["type"] == "duplicate"}
    named = {event["path"] for event in ended.events if event["type"] in ("suspect", "error")}
    named |= {file["path"] for event in ended.events if event["type"] == "alike" for file in event["files"]}
    found = {}
    for pair, (good, damaged) in zip(made, paths, strict=True):
        if good in gone:
            outcome = Outcome.GOOD_GOES
        elif damaged in gone:
            outcome = Outcome.DAMAGED_GOES
        else:
            outcome = Outcome.BOTH_STAY if damaged in named else Outcome.NOT_NAMED
        found[pair.kind, pair.damage] = outcome
    return found


def _put(path: Path, content: bytes, *, age: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1_600_000_000 - age,) * 2)
