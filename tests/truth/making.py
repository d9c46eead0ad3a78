"""Makes the files of the truth library: releases, and copies of their tracks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from orchestrator.track import Track
from tests.truth.files import Slot, TrueFile, TrueLibrary, tagged
from tests.truth.sounds import Sound

SONGS = (
    "Low Sun", "Harbour", "Été à la plage", "Nine Lives", "Paper Moon", "Wren", "Обратно", "Glass", "Tin Roof", "Slow Water",
    "Ash", "Long Way Down", "夜", "Coda",
)  # fmt: skip
"""Titles of an album."""
FORMATS = ("flac", "mp3-lame", "m4a", "flac", "ogg", "wv", "mp3", "opus", "flac", "wav")
"""Used in turn; FLAC is the most frequent, as in real libraries."""


def identifier(*parts: object) -> str:
    """A MusicBrainz id; equal parts give equal ids."""
    text = hashlib.sha256(repr(parts).encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def length_of(recording: str) -> float:
    """Seconds, 3 to 7.9, in steps of a tenth."""
    return 3 + hashlib.sha256(recording.encode()).digest()[1] % 50 / 10


class Maker:
    """Makes files for one case after another; `round_number` makes the cases of each round differ in names and formats."""

    def __init__(self, library: TrueLibrary, round_number: int) -> None:
        self.library = library
        self.round = round_number
        self.case = ""
        self.turn = round_number
        self._taken: set[str] = set()

    def next_format(self) -> str:
        """The format of the next release."""
        self.turn += 1
        return FORMATS[self.turn % len(FORMATS)]

    def name(self, artist: str) -> str:
        """An artist that is only in this round."""
        return f"{artist} {self.round}" if self.round else artist

    def sound(self, recording: str, audio_format: str, **options: Any) -> Sound:
        """A recording in a format. Its name contains the round, so that rounds share no recording."""
        name = f"{self.round}:{recording}"
        return Sound(name, options.pop("seconds", length_of(name)), audio_format, **options)

    def put(
        self,
        path: str,
        sound: Sound,
        tags: Track | None,
        slot: Slot | None,
        *,
        cover_bytes: int = 0,
        content: bytes | None = None,
    ) -> TrueFile:
        """One file; `content` replaces what sound and tags would make. Paths start with round and case."""
        whole_path = f"{self.round:02}/{self.case}/{path}.{sound.extension}"
        if whole_path.casefold() in self._taken:
            raise AssertionError(f"made twice, but for the case: {whole_path}")
        self._taken.add(whole_path.casefold())
        made = tagged(sound, tags, cover_bytes=cover_bytes) if content is None else content
        self.library.files[whole_path] = TrueFile(whole_path, self.case, sound, tags, slot, made)
        return self.library.files[whole_path]

    def release(
        self,
        folder: str,
        artist: str,
        album: str,
        titles: Sequence[str],
        *,
        key: object = "",
        recordings: Sequence[str] | None = None,
        audio_format: str | None = None,
        discs: Sequence[int] | None = None,
        ids: bool = True,
        tags: Callable[[int], dict[str, Any]] | dict[str, Any] | None = None,
        sound: dict[str, Any] | None = None,
    ) -> list[TrueFile]:
        """A release, complete and well tagged unless `tags` (for all, or by index) say otherwise.

        `key` tells it from other releases of that name. `recordings`: of each track, by default one for each title of the artist.
        `discs`: the disc of each track, by default all on the first. `ids`: MusicBrainz' ids are there.
        """
        artist, folder = self.name(artist), folder.strip()
        chosen = audio_format or self.next_format()
        names = recordings or [f"{artist}/{key}/{album}/{title}/{index}" for index, title in enumerate(titles)]
        on_disc = discs or [1] * len(titles)
        release = f"{self.round}:{artist}/{album}/{key}"
        files = []
        for index, (title, recording, disc) in enumerate(zip(titles, names, on_disc, strict=True)):
            number = on_disc[: index + 1].count(disc)
            track = Track(
                title=(title,),
                artist=(artist,),
                album_artist=(artist,),
                album=(album,),
                track=number,
                track_total=on_disc.count(disc),
                disc=disc,
                disc_total=max(on_disc),
                date="1994",
            )
            if ids:
                track = msgspec.structs.replace(
                    track,
                    musicbrainz_recording_id=identifier("recording", self.round, recording),
                    musicbrainz_release_id=identifier("release", release),
                    musicbrainz_track_id=identifier("track", release, disc, number),
                )
            more = tags(index) if callable(tags) else (tags or {})
            track = msgspec.structs.replace(track, **more)
            made = self.sound(recording, chosen, **(sound or {}))
            path = f"{folder}/{f'CD{disc}/' if max(on_disc) > 1 else ''}{number:02} {title.replace('/', '_')}"
            files.append(self.put(path, made, track, Slot(release, disc, number)))
        return files

    def copy(self, original: TrueFile, path: str) -> TrueFile:
        """The same bytes under another name."""
        return self.put(path, original.sound, original.tags, original.slot, content=original.content)

    def retagged(self, original: TrueFile, path: str, *, cover_bytes: int = 0, **changes: Any) -> TrueFile:
        """The same sound with other tags that still name the same track of the same release."""
        assert original.tags is not None
        return self.put(
            path, original.sound, msgspec.structs.replace(original.tags, **changes), original.slot, cover_bytes=cover_bytes
        )

    def stripped(self, original: TrueFile, path: str) -> TrueFile:
        """The same sound without tags."""
        return self.put(path, original.sound, None, None)

    def encoded(self, original: TrueFile, path: str, audio_format: str, **options: Any) -> TrueFile:
        """The same recording from another encoder. `tags`: what differs in them; `longer`: seconds of padding."""
        assert original.tags is not None
        track = msgspec.structs.replace(original.tags, **options.pop("tags", {}))
        seconds = original.sound.seconds + options.pop("longer", 0.0)
        sound = Sound(original.sound.recording, seconds, audio_format, **options)
        return self.put(path, sound, track, original.slot)
