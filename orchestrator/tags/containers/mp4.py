"""MP4: everything is in `moov`, before or after the sound; covers and most sample tables in it are skipped."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.tags.containers.mp4_samples import Samples
from orchestrator.tags.covers import LOOKS_AT
from orchestrator.tags.lazy_imports import parser
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end

_MOST_ATOMS = 1000
_META_HEADER = 4
_REST = 4
"""If at most this many times the policy's `extra` is left of `moov` or the file, it is fetched at once: covers are rare there."""
_SKIPPED_TABLES = frozenset((b"stco", b"co64", b"stsc", b"ctts", b"free", b"skip"))
_CODECS = {"mp4a": "aac", "alac": "alac", "ac-3": "ac3", "Opus": "opus", "fLaC": "flac"}
_LOSSLESS = ("alac", "flac")


def read(file: SparseFile) -> Parsed:
    """Find `moov` by walking the top-level atoms, plan its holes, parse."""
    suspect, planned = None, False
    samples = Samples(file)
    elsewhere = 0  # bytes of the file that are not sound
    for atom, payload, end in _atoms(file, 0, file.size, file.size, file.policy.large_head):
        if atom != b"mdat" and not planned:  # what follows `moov` is not always read
            elsewhere += min(end, file.size) - payload
        if atom == b"moov":
            _Moov(file, min(end, file.size), samples).plan(payload, end)
            planned = True
        elif atom == b"mdat" and end > file.size:
            suspect = f"cut short: {file.size - payload:,} of {end - payload:,} bytes of sound are there"
        if planned and not file.policy.end_check and _seal(file, end):
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
    parsed = Parsed("mp4", mp4.tags, mp4.info, codec, lossless=lossless, identity=identity, suspect=suspect)
    if file.policy.end_check:
        parsed.sound, parsed.loose = _sound(file)
    return parsed


def _sound(file: SparseFile) -> tuple[tuple[int, int] | None, int]:
    """Where the last `mdat` begins and ends, and how many bytes behind the last atom are none."""
    sound, behind = None, 0
    for atom, payload, end in _atoms(file, 0, file.size, file.size, file.policy.large_head):
        if end > file.size or not (atom.isascii() and atom.decode().isprintable()):
            break
        sound, behind = (payload, end) if atom == b"mdat" else sound, end
    return sound, max(0, sound_end(file) - behind)


def _seal(file: SparseFile, position: int) -> bool:
    """If the atoms after `moov` were not read, show the parser one free atom instead: it needs none of them."""
    rest = file.size - position
    if rest < 16 or file.has(position, position + 1):
        return False
    file.plant(position, (1).to_bytes(4, "big") + b"free" + rest.to_bytes(8, "big"))
    return True


def _atoms(file: SparseFile, position: int, end: int, until: int, piece: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """(name, payload offset, end) of consecutive atoms; stops at the first impossible one.

    If an atom's header was not read, everything up to `until` is fetched with it if that is little, otherwise `piece` bytes.
    """
    previous = b""
    for _ in range(_MOST_ATOMS):
        if position + 8 > end:
            return
        if not file.has(position, min(position + 16, end)):
            stop = until if until - position <= _REST * file.policy.extra else position + piece
            file.fetch(position, stop, f"what lies behind `{previous.decode('latin-1')}`, at its exact offset")
        header = file.peek(position, min(16, end - position), "the next atom")
        size, payload = int.from_bytes(header[:4], "big"), position + 8
        if size == 1:
            size, payload = int.from_bytes(header[8:16], "big"), position + 16
        elif size == 0:
            size = end - position
        if size < payload - position:
            return
        previous = header[4:8]
        yield previous, payload, position + size
        position += size


class _Moov:
    """One `moov` that ends at `end`: makes its holes, and notes where the tables of sample sizes and durations are."""

    def __init__(self, file: SparseFile, end: int, samples: Samples) -> None:
        self._file = file
        self._end = end
        self._samples = samples

    def plan(self, start: int, end: int) -> None:
        """The atoms from `start` to `end`, and the atoms inside them."""
        for name, payload, atom_end in self._atoms(start, min(end, self._end)):
            if name in (b"trak", b"mdia", b"minf", b"stbl", b"udta"):
                self.plan(payload, atom_end)
            elif name == b"meta":
                self.plan(payload + _META_HEADER, atom_end)
            elif name == b"ilst":
                for item, item_payload, item_end in self._atoms(payload, atom_end):
                    if item == b"covr":
                        self._plan_covers(item_payload, item_end)
            elif name in _SKIPPED_TABLES:
                self._file.make_hole(payload, atom_end, f"the `{name.decode()}` table")
            else:
                self._samples.note(name, payload, min(atom_end, self._file.size))

    def _plan_covers(self, start: int, end: int) -> None:
        for _, payload, data_end in self._atoms(start, end):
            # Kept: version, flags, locale, and the beginning of the picture.
            self._file.make_hole(payload + 8 + LOOKS_AT, data_end, "a cover")

    def _atoms(self, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        return _atoms(self._file, start, end, until=self._end)
