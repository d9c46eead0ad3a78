"""Whether an MP4 has moving pictures: a cover and the pictures of chapters can be tracks of pictures, too."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.tags.containers.mp4_atoms import atoms, times
from orchestrator.tags.containers.mp4_entry import decoder, inside
from orchestrator.tags.sparse import SparseFile

_PICTURES, _CHAPTERS, _MPEG4 = b"vide", b"chap", b"mp4v"
_SINGLE = frozenset({b"jpeg", b"mjpa", b"mjpb", b"png ", b"gif ", b"tiff", b"raw "})
_SINGLE_OBJECTS = frozenset({0x6C, 0x6D})
"""JPEG and PNG, as ffmpeg writes them into an MP4."""
_FEWEST_A_SECOND = 1
"""Fewer single pictures are slides, as of chapters whose reference a program has dropped; more are the video of a camera."""
_ENTRY, _ENTRY_HEADER = 8, 86
"""Where the entry begins in `stsd`, and where its atoms begin in it."""
_LONGEST_ENTRY, _LONGEST_REFERENCE = 512, 64
_COUNT_AT = 8
"""In `stsz`, after version and common size."""


@dataclass(slots=True)
class _Track:
    """What is known of one track."""

    number: int
    is_pictures: bool = False
    is_single: bool = False
    """Whether its codec is one of single pictures."""
    pictures: int = 0
    scale: int = 0
    duration: int = 0

    @property
    def moves(self) -> bool:
        """Whether its pictures follow each other as in a film."""
        return self.pictures > 1 and (not self.is_single or self.pictures * self.scale >= _FEWEST_A_SECOND * self.duration)


@dataclass(slots=True)
class Pictures:
    """Takes what matters of the atoms inside `moov`, in their order."""

    file: SparseFile
    _tracks: list[_Track] = field(default_factory=list)
    _of_chapters: set[int] = field(default_factory=set)
    """The numbers of the tracks that hold chapters."""
    _is_fragmented: bool = False

    def note(self, atom: bytes, payload: int, end: int) -> None:
        """Look at one atom."""
        if atom == b"tkhd":
            wide = self.file.peek(payload, 1) == b"\1"
            number = self.file.peek(payload + (20 if wide else 12), 4, "the number of the track")
            self._tracks.append(_Track(int.from_bytes(number, "big")))
        elif atom == b"trex":
            self._is_fragmented = True
        elif self._tracks:
            self._note_in_track(self._tracks[-1], atom, payload, end)

    @property
    def move(self) -> bool:
        """Whether any of them is a film. The pictures of a fragmented file are not counted."""
        tracks = [track for track in self._tracks if track.number not in self._of_chapters]
        if self._is_fragmented:
            return any(track.is_pictures and not track.is_single for track in tracks)
        return any(track.moves for track in tracks)

    def _note_in_track(self, track: _Track, atom: bytes, payload: int, end: int) -> None:
        if atom == b"tref":
            for reference in atoms(self.file, payload, end, end):
                if reference.name == _CHAPTERS:
                    length = min(reference.end - reference.payload, _LONGEST_REFERENCE)
                    numbers = self.file.peek(reference.payload, length, "the tracks of chapters")
                    self._of_chapters.update(int.from_bytes(numbers[at : at + 4], "big") for at in range(0, len(numbers), 4))
        elif atom == b"mdhd":
            track.scale, track.duration = times(self.file, payload, end)
        elif atom == b"hdlr" and not track.is_pictures:
            track.is_pictures = self.file.peek(payload + 8, 4, "the kind of track") == _PICTURES
        elif atom == b"stsd" and track.is_pictures:
            track.is_single = _is_single(self.file.peek(payload, min(end - payload, _LONGEST_ENTRY), "the kind of pictures"))
        elif atom == b"stsz" and track.is_pictures:
            track.pictures = int.from_bytes(self.file.peek(payload + _COUNT_AT, 4, "the number of pictures"), "big")


def _is_single(description: bytes) -> bool:
    entry = description[_ENTRY:]
    if entry[4:8] != _MPEG4:
        return entry[4:8] in _SINGLE
    try:
        return any(decoder(content)[0] in _SINGLE_OBJECTS for atom, content in inside(entry, _ENTRY_HEADER) if atom == b"esds")
    except IndexError:
        return False  # damaged
