"""A messy music library made by code: the same seed gives the same bytes, and what is where is known.

Every audio file holds other sound than every other one, so that nothing can be lost unseen; files that are equal on purpose are
in `LibraryFacts.twins`.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

import msgspec
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random

from orchestrator.errors import TransientError
from orchestrator.storage.protocol import Storage
from orchestrator.track import Track
from tests.audio import FORMATS, make_many, make_track, many_tracks, picture, track_bytes
from tests.hostile import HOSTILE_NAMES, HOSTILE_TAGS, UNPORTABLE_NAMES

__all__ = ["LibraryFacts", "make_library", "make_many", "make_track", "many_tracks", "target", "track_bytes", "upload"]

Hostile = Literal["all", "portable", "none"]

FIRST_MTIME_S = 1_600_000_000

ARTISTS = (
    "The Lanterns",
    "Björk Ólafsdóttir",
    "Earth, Wind & Stone",
    "AC/BC",
    "Ночной Поезд",
    "椎名ミカ",
    "Sigur Vós",
    "Motörhat",
    "P!nt",
    "Simon & Garland",
    "Beck's Bolero",
    "Ελένη Κάπα",
    "Zoë Carrington",
    "The The",
    "10,000 Sailors",
    "Mø",
    "فيروزة",
    "N.W.Z.",
)
WORDS = (
    "River",
    "Glass",
    "Midnight",
    "Café",
    "Signal",
    "Orchard",
    "Paper",
    "Thunder",
    "Silence",
    "Naïve",
    "Harbour",
    "Velvet",
    "Comet",
    "Winter",
    "Señor",
    "Copper",
    "Garden",
    "Über",
    "Lantern",
    "Static",
    "Marble",
    "Echo",
    "Saffron",
    "Tundra",
    "夜",
    "Жук",
    "Ash",
)
GENRES = ("Rock", "Jazz", "Electronic", "Folk", "Classical")


@dataclass
class LibraryFacts:
    """What `make_library` made. Paths are relative to `root`, with `/`."""

    root: Path
    files: dict[str, str] = field(default_factory=dict)
    """Path -> sha256, of every file."""
    tracks: dict[str, Track] = field(default_factory=dict)
    """Audio that can be read and says what it is -> the tags that were written (no stream facts)."""
    untagged: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)
    """Path -> why: empty, cut inside the tags, no audio at all."""
    cut: set[str] = field(default_factory=set)
    """Tags are whole, the sound is not; these are in `tracks` too."""
    right: set[str] = field(default_factory=set)
    """Already where the default layout puts them."""
    twins: list[tuple[str, str]] = field(default_factory=list)
    """Equal bytes."""
    same_target: list[tuple[str, str]] = field(default_factory=list)
    """Equal tags and format, other sound: both want one name."""
    recordings: list[tuple[str, str]] = field(default_factory=list)
    """The same track as FLAC and as MP3."""
    swapped: list[tuple[str, ...]] = field(default_factory=list)
    """Each one carries the name that belongs to the next, the last one that of the first."""
    misspelled: set[str] = field(default_factory=set)
    """Right but for case or Unicode normalization."""
    case_twins: list[tuple[str, str]] = field(default_factory=list)
    """Names that differ in case only; other contents."""
    sidecars: dict[str, str] = field(default_factory=dict)
    """Path -> kind: cover, lyrics, cue, log, playlist, booklet, scan."""
    clutter: set[str] = field(default_factory=set)
    hostile: set[str] = field(default_factory=set)
    """Files with a hostile name or hostile tags."""

    @property
    def audio(self) -> set[str]:
        """Every file that its extension calls audio, AppleDouble files aside."""
        return {*self.tracks, *self.untagged, *self.unreadable}

    def contents(self) -> Counter[str]:
        """How many files there are of each sha256: what must never shrink."""
        return Counter(self.files.values())


def target(track: Track, extension: str) -> str:
    """Where the default layout puts a plain track of a single disc: for names that need no cleaning."""
    artist = (track.album_artist or track.artist)[0]
    return f"{artist}/{track.album[0]} ({(track.date or '')[:4]})/{track.track:02} {track.title[0]}.{extension}"


class _Maker:
    def __init__(self, root: Path, seed: int, hostile: Hostile) -> None:
        self.facts = LibraryFacts(root)
        self.hostile = hostile
        self.random = Random(seed)
        self.seed = seed
        self.serial = seed * 1_000_000
        self.formats = [*FORMATS]

    # Single files.

    def put(self, path: str, content: bytes) -> None:
        if path in self.facts.files:
            raise AssertionError(f"made twice: {path}")
        place = self.facts.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        moment = FIRST_MTIME_S + len(self.facts.files) * 60
        os.utime(place, (moment, moment))
        self.facts.files[path] = hashlib.sha256(content).hexdigest()

    def sound(self, audio_format: str, track: Track | None) -> bytes:
        self.serial += 1
        cover = 2000 if track is not None and self.serial % 5 == 0 else 0
        return track_bytes(audio_format, track, cover_bytes=cover, seconds=0.3 + self.serial % 7 / 5, serial=self.serial)

    def track(self, path: str, audio_format: str, track: Track) -> str:
        self.put(path, self.sound(audio_format, track))
        self.facts.tracks[path] = track
        return path

    def sidecar(self, path: str, kind: str, content: bytes) -> None:
        self.put(path, content)
        self.facts.sidecars[path] = kind

    def clutter(self, path: str, content: bytes) -> None:
        self.put(path, content)
        self.facts.clutter.add(path)

    def plain(self, number: int, **changes: object) -> Track:
        """Tags of one file that belongs to no album of the crowd."""
        track = Track(
            title=(f"Special {number}",),
            artist=("Odd One",),
            album_artist=("Odd One",),
            album=(f"Oddities {number}",),
            track=1,
            date="2001",
        )
        return msgspec.structs.replace(track, **changes)

    # Albums.

    def album(self, number: int, size: int) -> None:
        pick = self.random
        audio_format = self.formats[number % len(self.formats)]
        extension = FORMATS[audio_format].extension
        artist = ARTISTS[number % len(ARTISTS)]
        name = f"{pick.choice(WORDS)} {pick.choice(WORDS)} {number}"
        discs = 2 if number % 7 == 3 and size >= 2 else 1
        various = number % 9 == 4
        kind = "compilation" if various else "live" if number % 11 == 5 else "album"
        year = str(1960 + pick.randrange(65))
        tracks = []
        for index in range(size):
            disc, position = (index * discs // size + 1, index % -(-size // discs) + 1) if discs > 1 else (1, index + 1)
            performer = ARTISTS[(number + index) % len(ARTISTS)] if various else artist
            tracks.append(
                Track(
                    title=(f"{pick.choice(WORDS)} {pick.choice(WORDS)} {position}",),
                    artist=(performer,) if index % 5 else (f"{performer} feat. {pick.choice(ARTISTS)}",),
                    album_artist=() if various and number % 2 else ("Various Artists",) if various else (artist,),
                    album=(name,),
                    track=position,
                    track_total=-(-size // discs),
                    disc=disc if discs > 1 else None,
                    disc_total=discs if discs > 1 else None,
                    compilation=True if various else None,
                    release_type=(kind,) if number % 2 else (),
                    date=f"{year}-03-0{number % 9 + 1}" if number % 4 == 0 else year,
                    genre=(pick.choice(GENRES),),
                    musicbrainz_recording_id=_uuid("recording", number, index) if number % 3 == 0 else None,
                    musicbrainz_release_id=_uuid("release", number) if number % 3 == 0 else None,
                )
            )
        style = number % 6
        paths = [self._messy(style, number, index, track, extension, name) for index, track in enumerate(tracks)]
        clean = style == 0 and discs == 1 and not various and not set(artist + name) & set('/\\<>:"|?*')
        if clean:
            paths = [target(track, extension) for track in tracks]
            self.facts.right.update(paths)
        for path, track in zip(paths, tracks, strict=True):
            self.track(path, audio_format, track)
        self._company(number, paths, clean)

    def _messy(self, style: int, number: int, index: int, track: Track, extension: str, name: str) -> str:  # noqa: PLR0917
        disc = f"CD{track.disc}/" if track.disc else ""
        safe = name.replace("/", "-")
        artist = track.artist[0].replace("/", "-")
        upper = extension.upper() if number % 10 == 1 else extension
        return {
            0: f"Inbox/{safe}/{disc}{index + 1:03}.{upper}",
            1: f"Inbox/{artist.split(' feat.')[0]} - {safe}/{disc}{track.track:02} - {track.title[0]}.{upper}",
            2: f"downloads/{safe.lower().replace(' ', '_')}/{disc}Track{track.track:02}.{upper}",
            3: f"unsorted/{hashlib.sha256(f'{number}/{index}'.encode()).hexdigest()[:12]}.{upper}",
            4: f"Music/By Genre/{track.genre[0]}/{safe} [{track.date}]/{disc}{track.track}. {track.title[0]}.{upper}",
            5: f"old disk/backup 2009/My Music/{safe}/{disc}{track.title[0]}.{upper}",
        }[style]

    def _company(self, number: int, paths: list[str], clean: bool) -> None:
        """Sidecars and clutter of an album whose folder is its own."""
        folder = paths[0].rpartition("/")[0]
        if folder == "unsorted":
            return
        mark = b"%d of %d\n" % (number, self.seed)
        names = [path.rpartition("/")[2] for path in paths]
        self.sidecar(f"{folder}/cover.jpg", "cover", picture(600, number))
        if number % 3 == 0:
            stem = paths[0].rpartition(".")[0]
            self.sidecar(f"{stem}.lrc", "lyrics", b"[00:00.00]la la " + mark)
            self.sidecar(f"{folder}/booklet.pdf", "booklet", b"%PDF-1.4\n" + mark)
        if clean:
            return
        if number % 4 == 1:
            lines = "".join(f'FILE "{name}" WAVE\n  TRACK 01 AUDIO\n' for name in names[:1])
            self.sidecar(f"{folder}/album.cue", "cue", lines.encode() + b"REM " + mark)
            self.sidecar(f"{folder}/rip.log", "log", b"Exact copy, log " + mark)
            self.sidecar(f"{folder}/Scans/front.jpg", "scan", picture(700, number + 1_000_000))
        if number % 4 == 2:
            self.sidecar(f"{folder}/list.m3u8", "playlist", ("#EXTM3U\n" + "\n".join(names) + "\n#").encode() + mark)
        if number % 5 == 0:
            self.clutter(f"{folder}/.DS_Store", b"\0\0\0\1Bud1" + mark)
            self.clutter(f"{folder}/._{names[0]}", b"\0\5\x16\7\0\2\0\0Mac OS X" + mark)
            self.clutter(f"{folder}/Thumbs.db", b"\xd0\xcf\x11\xe0" + mark)

    # What seldom happens, and hurts when it does.

    def oddities(self) -> None:
        facts = self.facts
        for index, audio_format in enumerate(("mp3", "flac", "m4a", "ogg", "wav")):
            path = f"Inbox/no tags/recording {index + 1}.{FORMATS[audio_format].extension}"
            self.put(path, self.sound(audio_format, None))
            facts.untagged.add(path)
        self._broken()
        for index in range(4):
            track = self.plain(100 + index)
            path = self.track(f"Inbox/twins/original {index}.mp3", ("mp3", "mp3-lame")[index % 2], track)
            twin = f"Inbox/twins/copies/Copy of original {index}.mp3"
            self.put(twin, (facts.root / path).read_bytes())
            facts.tracks[twin] = track
            facts.twins.append((path, twin))
            same = [self.track(f"Inbox/rival {side}/song {index}.mp3", "mp3", self.plain(110 + index)) for side in "ab"]
            facts.same_target.append((same[0], same[1]))
            both = [self.track(f"Inbox/formats/{index}.{kind}", kind, self.plain(120 + index)) for kind in ("flac", "mp3")]
            facts.recordings.append((both[0], both[1]))
        self._swaps()
        for index, name in enumerate(("Song.mp3", "song.mp3", "SONG.mp3")):
            self.track(f"Inbox/case/{name}", "mp3", self.plain(130 + index))
        facts.case_twins += [("Inbox/case/Song.mp3", "Inbox/case/song.mp3"), ("Inbox/case/song.mp3", "Inbox/case/SONG.mp3")]
        for index, change in enumerate((str.lower, str.upper, _decomposed)):
            track = self.plain(140 + index, title=("Été à la Plage",))
            folder, _, name = target(track, "mp3").rpartition("/")
            facts.misspelled.add(self.track(f"{folder}/{change(name[:-4])}.mp3", "mp3", track))
        for index in range(4):  # no album: nothing but a title and an artist
            track = Track(title=(f"Loose {index}",), artist=(ARTISTS[index],))
            self.track(f"Inbox/loose/{index}.mp3", "mp3", track)
        if self.hostile != "none":
            self._hostile()

    def _broken(self) -> None:
        facts = self.facts
        whole = {
            kind: self.sound(kind, self.plain(90 + index))
            for index, kind in enumerate(("mp3", "flac", "m4a", "ogg", "opus", "wma"))
        }
        lie = bytearray(whole["mp3"])
        lie[6:10] = b"\x7f\x7f\x7f\x7f"  # the ID3 header says 256 MB
        broken = {
            "empty.mp3": (b"", "empty"),
            "empty.flac": (b"", "empty"),
            "cut in its header.flac": (whole["flac"][:30], "cut"),
            "cut in its header.m4a": (whole["m4a"][: len(whole["m4a"]) // 3], "cut"),
            "cut in its header.ogg": (whole["ogg"][:70], "cut"),
            "cut in its header.opus": (whole["opus"][:40], "cut"),
            "cut in its header.wma": (whole["wma"][:100], "cut"),
            "a page.mp3": (b"<html><title>404</title></html>\n" * 8, "not audio"),
            "size lie.mp3": (bytes(lie), "the tag says more than the file holds"),
            "zeros.m4a": (bytes(4096), "not audio"),
        }
        for name, (content, reason) in broken.items():
            self.put(f"Inbox/broken/{name}", content)
            facts.unreadable[f"Inbox/broken/{name}"] = reason
        track = self.plain(98)
        content = self.sound("flac", track)
        self.put("Inbox/broken/cut in its sound.flac", content[:-15])
        facts.tracks["Inbox/broken/cut in its sound.flac"] = track
        facts.cut.add("Inbox/broken/cut in its sound.flac")

    def _swaps(self) -> None:
        for size in (2, 3):
            tracks = [self.plain(150 + size, title=(f"Turn {index + 1}",), track=index + 1) for index in range(size)]
            names = [target(track, "mp3") for track in tracks]
            ring = [self.track(names[(index + 1) % size], "mp3", track) for index, track in enumerate(tracks)]
            # ring[i] holds track i under the name of track i + 1
            self.facts.swapped.append((*ring,))

    def _hostile(self) -> None:
        facts = self.facts
        for index, text in enumerate(HOSTILE_TAGS):
            kind = "flac" if index % 2 or "\0" in text else "mp3"
            track = self.plain(200 + index, title=(text,), artist=(text,), album_artist=(text,), album=(text,))
            facts.hostile.add(self.track(f"Inbox/hostile tags/{index:02}.{kind}", kind, track))
        names = HOSTILE_NAMES + (UNPORTABLE_NAMES if self.hostile == "all" else ())
        for index, name in enumerate(names):
            facts.hostile.add(self.track(f"Inbox/hostile names/{name}.mp3", "mp3", self.plain(300 + index)))
        for index, name in enumerate(("-rf", "$(touch PWNED)", "a]b[c", "#1?%20", "🎵 dir", "it's")):
            facts.hostile.add(self.track(f"Inbox/{name}/{index}.mp3", "mp3", self.plain(400 + index)))


def _uuid(*parts: object) -> str:
    text = hashlib.sha256(repr(parts).encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def make_library(
    root: Path, *, count: int = 1000, seed: int = 1, hostile: Hostile = "portable", oddities: bool = True
) -> LibraryFacts:
    """Make a library with `count` audio files (more when the oddities alone are more) and what lies around them.

    `hostile`: names that every test server keeps ("portable"), those that only a disk keeps too ("all"), or none, of names and
    tags. Without `oddities` there are only albums, their sidecars and clutter.
    """
    maker = _Maker(root, seed, hostile)
    root.mkdir(parents=True, exist_ok=True)
    if oddities:
        maker.oddities()
    number = 0
    while (missing := count - len(maker.facts.audio)) > 0:
        maker.album(number, min(missing, 5 + maker.random.randrange(10)))
        number += 1
    return maker.facts


def upload(
    library: LibraryFacts, storage: Storage, *, only: Callable[[str], bool] | None = None, paths: Iterable[str] | None = None
) -> list[str]:
    """Write the library's files to a storage, several at a time; gives the paths written.

    rclone's own servers put off one of two uploads that make a folder at the same time; nothing repeats a bare write but this.
    """
    chosen = [path for path in (library.files if paths is None else paths) if only is None or only(path)]

    @retry(retry=retry_if_exception_type(TransientError), stop=stop_after_attempt(5), wait=wait_random(0, 0.5), reraise=True)
    def send(path: str) -> None:
        storage.write(path, (library.root / path).read_bytes())

    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(send, chosen):
            pass
    return chosen
