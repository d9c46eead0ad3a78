"""The facts of the sound in an MP4: from the headers of its track, and for fragmented files from their index."""

from __future__ import annotations

from orchestrator.tags.containers.mp4_atoms import Atom, times
from orchestrator.tags.containers.mp4_entry import Entry, read_entry
from orchestrator.tags.parsed import StreamFacts
from orchestrator.tags.sparse import SparseFile

_SOUND = b"soun"
_UNKNOWN = (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
_LONGEST_ENTRY = 8 * 1024
_COUNT_AT, _FIRST_ENTRY = 4, 8
"""In `stsd`, after version and flags."""
_REFERENCE = 12
_ADDED_S = 0.25
"""Seconds that encoders may add before and after the sound, and that all programs count."""
_MOST_REFERENCES = 20_000
_MORE_FRAGMENTS = (b"moof", b"sidx", b"styp", b"mdat")


class SoundTrack:
    """Takes what matters of the atoms inside `moov`, in their order, of the first sound track."""

    def __init__(self, file: SparseFile) -> None:
        self._file = file
        self.entry: Entry | None = None
        self._movie = 0, 0
        """The time scale and the duration of the movie."""
        self._scale = 0
        self._media: tuple[int, int] | None = None
        """The time scale and the duration of the last track that began."""
        self._duration: int | None = None
        self._edited = self._played = 0
        """How long the last track plays by its edit list, and the sound track, in the time scale of the movie; 0: unknown."""
        self._is_sound = self._found = self._has_samples = False
        self.is_fragmented = False
        self._whole: int | None = None
        """The duration with all fragments, in the time scale of the movie."""

    def note(self, atom: bytes, payload: int, end: int) -> None:
        """Read one atom."""
        if atom == b"mvhd":
            self._movie = times(self._file, payload, end)
        elif atom in (b"tkhd", b"elst"):  # the first begins a track
            self._edited = _edited(self._file, payload, end) if atom == b"elst" else 0
        elif atom == b"mdhd":
            self._media = times(self._file, payload, end)
        elif atom == b"hdlr" and self._media is not None and not self._found:
            self._is_sound = self._file.peek(payload + 8, 4, "the kind of track") == _SOUND
            if self._is_sound:
                self._scale, self._duration = self._media[0], self._media[1]
                self._played, self._found = self._edited, True
        elif atom == b"stsd" and self._is_sound and self.entry is None:
            self._note_entry(payload, end)
        elif atom == b"stts" and self._is_sound:
            self._has_samples = any(self._file.peek(payload + 4, 4))
            self._is_sound = False
        elif atom == b"mehd":
            self.is_fragmented = True
            head = self._file.peek(payload, 12)
            self._whole = int.from_bytes(head[4:12] if head[:1] == b"\1" else head[4:8], "big")
        elif atom == b"trex":
            self.is_fragmented = True

    def _note_entry(self, payload: int, end: int) -> None:
        content = self._file.peek(payload, min(end - payload, _LONGEST_ENTRY), "the description of the sound")
        if any(content[_COUNT_AT:_FIRST_ENTRY]):
            self.entry = read_entry(content[_FIRST_ENTRY:])

    @property
    def needs_index(self) -> bool:
        """Whether only an index of its fragments can state its duration."""
        return self.is_fragmented and not self._whole_length()

    def facts(self, index: Atom | None) -> StreamFacts:
        """All that is known. `index`: the `sidx`, if there is one."""
        found = self.entry.facts if self.entry is not None else StreamFacts()
        if self.entry is not None and found.sample_rate is None and self.entry.core_rate:
            found.sample_rate = self._scale if self._scale == 2 * self.entry.core_rate else None
        found.length = self._length(index)
        return found

    def _length(self, index: Atom | None) -> float | None:
        if self.is_fragmented:
            found = self._whole_length() or (_indexed(self._file, index) if index is not None else None)
            if found is not None or self._has_samples:
                return found  # what the track states is the length of its part in `moov`
        whole = _seconds(self._duration, self._scale) if self._found else _seconds(self._movie[1], self._movie[0])
        played = _seconds(self._played, self._movie[0])
        return played if played and whole and played < whole - _ADDED_S else whole

    def _whole_length(self) -> float | None:
        return _seconds(self._whole, self._movie[0])


def _seconds(duration: int | None, scale: int) -> float | None:
    return duration / scale if duration and duration not in _UNKNOWN and scale else None


def _edited(file: SparseFile, payload: int, end: int) -> int:
    """How long an edit list plays of the sound."""
    content = file.peek(payload, min(end - payload, _LONGEST_ENTRY), "the edit list")
    width = 8 if content[:1] == b"\1" else 4
    size, total = 2 * width + 4, 0
    for at in range(_FIRST_ENTRY, min(len(content), _FIRST_ENTRY + size * int.from_bytes(content[4:8], "big")) - size + 1, size):
        start = int.from_bytes(content[at + width : at + 2 * width], "big", signed=True)
        if start >= 0:  # otherwise a pause
            total += int.from_bytes(content[at : at + width], "big")
    return total


def _indexed(file: SparseFile, index: Atom) -> float | None:
    """The duration of all fragments; None if the index is damaged, or of only some of them."""
    payload, end = index.payload, min(index.end, file.size)
    head = file.peek(payload, min(32, end - payload), "the index of the fragments")
    wide = head[:1] == b"\1"
    scale, first = int.from_bytes(head[8:12], "big"), int.from_bytes(head[20:28] if wide else head[16:20], "big")
    at = payload + (32 if wide else 24)
    count = int.from_bytes(file.peek(at - 2, 2), "big")
    if not scale or not 0 < count <= min(_MOST_REFERENCES, (end - at) // _REFERENCE):
        return None
    table = file.peek(at, count * _REFERENCE, "the index of the fragments")
    sizes = sum(int.from_bytes(table[start : start + 4], "big") & 0x7FFFFFFF for start in range(0, len(table), _REFERENCE))
    if file.peek(end + first + sizes + 4, 4, "what the index of the fragments leaves out") in _MORE_FRAGMENTS:
        return None
    return sum(int.from_bytes(table[start + 4 : start + 8], "big") for start in range(0, len(table), _REFERENCE)) / scale
