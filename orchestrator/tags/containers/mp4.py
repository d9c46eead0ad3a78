"""MP4: everything is in `moov`, before or after the sound; covers and most sample tables in it are skipped."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.tags.containers.mp4_atoms import Atom, atoms
from orchestrator.tags.containers.mp4_samples import Samples
from orchestrator.tags.containers.mp4_tags import Place, Tags
from orchestrator.tags.lazy_imports import parser
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end

_SKIPPED_TABLES = frozenset((b"stco", b"co64", b"stsc", b"ctts", b"free", b"skip"))
_CODECS = {"mp4a": "aac", "alac": "alac", "ac-3": "ac3", "Opus": "opus", "fLaC": "flac"}
_LOSSLESS = ("alac", "flac")


def read(file: SparseFile) -> Parsed:
    """Find `moov` by walking the top-level atoms, plan its holes, parse."""
    suspect, planned = None, False
    samples, tags = Samples(file), Tags(file)
    elsewhere = 0  # bytes of the file that are not sound
    for atom in atoms(file, 0, file.size, file.size, file.policy.large_head):
        if atom.name != b"mdat" and not planned:  # what follows `moov` is not always read
            elsewhere += min(atom.end, file.size) - atom.payload
        if atom.name == b"moov":
            _Moov(file, min(atom.end, file.size), samples, tags).plan(atom.payload, atom.end)
            planned = True
        elif atom.name == b"mdat" and atom.end > file.size:
            suspect = f"cut short: {file.size - atom.payload:,} of {atom.end - atom.payload:,} bytes of sound are there"
        elif atom.name == b"meta":
            atom.hide(file)
        if planned and not file.policy.end_check and _seal(file, atom.end):
            break
    if suspect and not planned:
        raise NotReadableError(suspect)
    file.seek(0)
    mp4 = parser("mp4", "MP4")(file)
    name = mp4.info.codec.split(".")[0]
    codec = _CODECS.get(name, name) or None
    identity = samples.identity(name)
    there = max(0, file.size - elsewhere)
    if samples.total > there and suspect is None:
        suspect = f"cut short: {there:,} of {samples.total:,} bytes of sound are there"
    lossless = codec in _LOSSLESS if codec else None
    parsed = Parsed("mp4", None, mp4.info, codec, lossless=lossless, identity=identity, suspect=suspect)
    parsed.others, parsed.covers = tags.sources(), tuple(tags.covers)
    if file.policy.end_check:
        parsed.sound, parsed.loose = _sound(file)
    return parsed


def _sound(file: SparseFile) -> tuple[tuple[int, int] | None, int]:
    """Where the last `mdat` begins and ends, and how many bytes behind the last atom are none."""
    sound, behind = None, 0
    for atom in atoms(file, 0, file.size, file.size, file.policy.large_head):
        if atom.end > file.size or not (atom.name.isascii() and atom.name.decode().isprintable()):
            break
        sound, behind = (atom.payload, atom.end) if atom.name == b"mdat" else sound, atom.end
    return sound, max(0, sound_end(file) - behind)


def _seal(file: SparseFile, position: int) -> bool:
    """If the atoms after `moov` were not read, show the parser one free atom instead: it needs none of them."""
    rest = file.size - position
    if rest < 16 or file.has(position, position + 1):
        return False
    file.plant(position, (1).to_bytes(4, "big") + b"free" + rest.to_bytes(8, "big"))
    return True


class _Moov:
    """One `moov` that ends at `end`: makes its holes, and notes where the tables of sample sizes and durations are, and the tags.

    The parser sees no tags: it would refuse the file for one that it does not understand.
    """

    def __init__(self, file: SparseFile, end: int, samples: Samples, tags: Tags) -> None:
        self._file = file
        self._end = end
        self._samples = samples
        self._tags = tags
        tags.until = end

    def plan(self, start: int, end: int, *, in_track: bool = False, in_udta: bool = False) -> None:
        """The atoms from `start` to `end`, and the atoms inside them."""
        for atom in self._atoms(start, min(end, self._end)):
            name = atom.name
            if name in (b"trak", b"mdia", b"minf", b"stbl"):
                self.plan(atom.payload, atom.end, in_track=True)
            elif name == b"udta":
                if not in_track:
                    self._tags.read_texts(atom)
                self.plan(atom.payload, atom.end, in_track=in_track, in_udta=True)
                atom.hide(self._file)
            elif name == b"meta":
                self._tags.read_meta(atom, Place.TRACK if in_track else Place.ITUNES if in_udta else Place.MOVIE)
                atom.hide(self._file)
            elif name in _SKIPPED_TABLES:
                self._file.make_hole(atom.payload, atom.end, f"the `{name.decode()}` table")
            else:
                self._samples.note(name, atom.payload, min(atom.end, self._file.size))

    def _atoms(self, start: int, end: int) -> Iterator[Atom]:
        return atoms(self._file, start, end, until=self._end)
