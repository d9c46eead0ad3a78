"""MP4: everything is in `moov`, before or after the sound; covers and most sample tables in it are skipped."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.tags.containers.mp4_atoms import Atom, atoms
from orchestrator.tags.containers.mp4_pictures import Pictures
from orchestrator.tags.containers.mp4_samples import Samples
from orchestrator.tags.containers.mp4_sound import SoundTrack
from orchestrator.tags.containers.mp4_tags import Place, Tags
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end

_SKIPPED_TABLES = frozenset((b"stco", b"co64", b"stsc", b"ctts", b"free", b"skip"))
_LEAST_ATOM, _LEAST_FINAL_ATOM = 8, 16
_DAMAGED = "its MP4 header is damaged or cut short"
_NO_MP4 = "it is no MP4 file, or its beginning is damaged"


def read(file: SparseFile) -> Parsed:
    """Find `moov` by walking the top-level atoms, and take what matters in it; a fragmented file may have an index behind it."""
    samples, tags, track, pictures = Samples(file), Tags(file), SoundTrack(file), Pictures(file)
    suspect, elsewhere, index = _walk(file, samples, tags, track, pictures)
    entry, facts = track.entry, track.facts(index)
    identity = samples.identity(entry.name if entry is not None else "")
    there = max(0, file.size - elsewhere)
    if samples.total > there and suspect is None:
        suspect = f"cut short: {there:,} of {samples.total:,} bytes of sound are there"
    if entry is not None and facts.bitrate is None and facts.length and not track.is_fragmented:
        sound = samples.sound or (None if pictures.move else there)
        facts.bitrate = round(8 * sound / facts.length) if sound else None
    codec, lossless = (entry.codec, entry.lossless) if entry is not None else (None, None)
    parsed = Parsed("mp4", None, facts, codec, lossless=lossless, video=pictures.move, identity=identity, suspect=suspect)
    parsed.others, parsed.covers = tags.sources(), tuple(tags.covers)
    if file.policy.end_check:
        parsed.sound, parsed.loose = _sound(file)
    return parsed


def _walk(
    file: SparseFile, samples: Samples, tags: Tags, track: SoundTrack, pictures: Pictures
) -> tuple[str | None, int, Atom | None]:
    """Why it seems to be cut; the bytes of it that are not sound, as far as they were seen; the index of its fragments."""
    suspect, planned, index, elsewhere = None, False, None, 0
    for atom in atoms(file, 0, file.size, file.size, file.policy.large_head):
        if atom.name != b"mdat" and not planned:  # what follows `moov` is not always read
            elsewhere += min(atom.end, file.size) - atom.payload
        if atom.name == b"moov" and not planned:
            _Moov(file, min(atom.end, file.size), tags, (samples, track, pictures)).plan(atom.payload, atom.end)
            planned = True
        elif atom.name == b"mdat" and atom.end > file.size:
            suspect = f"cut short: {file.size - atom.payload:,} of {atom.end - atom.payload:,} bytes of sound are there"
        elif atom.name == b"sidx" and index is None:
            index = atom
        searching = track.needs_index and index is None and atom.name != b"moof"
        if planned and not searching and not file.policy.end_check and _is_unread(file, atom.end):
            break
    if not planned:
        raise NotReadableError(suspect or _NO_MP4)
    return suspect, elsewhere, index


def _is_unread(file: SparseFile, position: int) -> bool:
    return file.size - position >= _LEAST_FINAL_ATOM and not file.has(position, position + 1)


def _sound(file: SparseFile) -> tuple[tuple[int, int] | None, int]:
    """Where the last `mdat` begins and ends, and how many bytes behind the last atom are none."""
    sound, behind = None, 0
    for atom in atoms(file, 0, file.size, file.size, file.policy.large_head):
        if atom.end > file.size or not (atom.name.isascii() and atom.name.decode().isprintable()):
            break
        sound, behind = (atom.payload, atom.end) if atom.name == b"mdat" else sound, atom.end
    return sound, max(0, sound_end(file) - behind)


class _Moov:
    """One `moov` that ends at `end`: skips what is not needed, and gives the rest to those who know what it means."""

    def __init__(self, file: SparseFile, end: int, tags: Tags, takers: tuple[Samples, SoundTrack, Pictures]) -> None:
        self._file = file
        self._end = end
        self._tags = tags
        self._takers = takers
        tags.until = end

    def plan(self, start: int, end: int, *, in_track: bool = False, in_udta: bool = False) -> None:
        """The atoms from `start` to `end`, and the atoms inside them. Raises NotReadableError if they do not fill it."""
        position = start
        for atom in self._atoms(start, min(end, self._end)):
            name, position = atom.name, atom.end if any(atom.name) else atom.start
            if name in (b"trak", b"edts", b"mdia", b"minf", b"stbl"):
                self.plan(atom.payload, atom.end, in_track=True)
            elif name == b"mvex":
                self.plan(atom.payload, atom.end)
            elif name == b"udta":
                if not in_track:
                    self._tags.read_texts(atom)
                self.plan(atom.payload, atom.end, in_track=in_track, in_udta=True)
            elif name == b"meta":
                self._tags.read_meta(atom, Place.TRACK if in_track else Place.ITUNES if in_udta else Place.MOVIE)
            elif name in _SKIPPED_TABLES:
                self._file.make_hole(atom.payload, atom.end, f"the `{name.decode()}` table")
            else:
                for taker in self._takers:
                    taker.note(name, atom.payload, min(atom.end, self._file.size))
        if end - position >= _LEAST_ATOM and not in_udta:
            raise NotReadableError(_DAMAGED)

    def _atoms(self, start: int, end: int) -> Iterator[Atom]:
        return atoms(self._file, start, end, until=self._end)
