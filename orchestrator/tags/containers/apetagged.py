"""Formats with stream facts at the front and APEv2 at the end: Monkey's Audio, WavPack, Musepack, OptimFROG, TAK."""

from __future__ import annotations

import struct
from typing import Any

from orchestrator.tags import apev2
from orchestrator.tags.audio_identity import of_edges, pcm
from orchestrator.tags.containers import wavpack
from orchestrator.tags.foreign_tags import find_other_tags
from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.lazy_imports import parser
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end
from orchestrator.track import AudioIdentity, Strength

_HYBRID = 0x08
_DESCRIPTOR = 52
_HARDLY_ANYTHING = 1000
"""Samples per byte: only silence and other constants need so few bytes."""


def _parse(file: SparseFile, mutagen_class: Any, codec: str, *, lossless: bool) -> tuple[Parsed, SparseFile, int]:
    """The parsed file, the file without a leading ID3v2 tag, and the offset where the sound ends and the tags begin.

    Without `mutagen_class` it is WavPack: mutagen's refuses unusual rates, and looks at every block of a file from a pipe.
    """
    stream = _behind_id3(file)
    footer = apev2.find_footer(stream)
    tags = None if footer is None else apev2.read_tag(stream, footer)
    end = sound_end(stream)
    info = wavpack.facts(stream, end) if mutagen_class is None else _without_tag(stream, footer, mutagen_class).info
    parsed = Parsed(kind="ape", tags=tags, info=info, codec=codec, lossless=lossless)
    if not tags:
        find_other_tags(file, parsed, kinds=("id3v2", "id3v1"))
    if info.length:
        parsed.bitrate = int(end * 8 / info.length)
    parsed.sound = file.size - stream.size, file.size - stream.size + end
    return parsed, stream, end


def _without_tag(stream: SparseFile, footer: int | None, mutagen_class: Any) -> Any:
    """The file as mutagen's class parses it without the tag, which we read ourselves."""
    if footer is not None:
        stream.patch(footer, 0)
    stream.seek(0)
    try:
        return mutagen_class(stream)
    finally:
        if footer is not None:
            stream.patch(footer, *apev2.MAGIC[:1])


def _behind_id3(file: SparseFile) -> SparseFile:
    """The file after its ID3v2 tag: some taggers put one there, and mutagen's classes do not expect it."""
    start = plan_tag(file, 0)
    if start is None or start >= file.size:
        return file
    return SparseFile(file.size - start, lambda offset, length: file.peek(start + offset, length), file.policy)


def read_monkeys(file: SparseFile) -> Parsed:
    """APE; since version 3.98 the descriptor holds an md5 of the stream and the lengths of its parts."""
    parsed, stream, end = _parse(file, parser("monkeysaudio", "MonkeysAudio"), "ape", lossless=True)
    head = stream.peek(0, _DESCRIPTOR)
    if int.from_bytes(head[4:6], "little") < 3980:
        parsed.identity = of_edges(stream, "ape", 0, end)
        return parsed
    *parts, high, trailer = struct.unpack_from("<7I", head, 8)
    frames = parts.pop() + (high << 32)
    stated = sum(parts) + frames + trailer
    if stated > end:
        parsed.suspect = f"cut short: {end:,} of {stated:,} bytes are there"
        return parsed
    start = file.size - stream.size
    parsed.sound, parsed.loose = (start + stated - trailer - frames, start + stated - trailer), end - stated
    if any(head[36:52]) and frames * _HARDLY_ANYTHING > parsed.info.length * parsed.info.sample_rate:
        parsed.identity = AudioIdentity("ape-md5", head[36:52].hex(), Strength.SURE)
    return parsed


def read_wavpack(file: SparseFile) -> Parsed:
    """WV; one of the last blocks may hold the md5 of the decoded sound, which equals FLAC's."""
    parsed, stream, end = _parse(file, None, "wavpack", lossless=True)
    head = stream.peek(0, 32)
    parsed.lossless = not head[24] & _HYBRID
    samples = int.from_bytes(head[12:16], "little")
    parsed.suspect = wavpack.missing_end(stream, end, samples)
    if file.policy.end_check and parsed.suspect is None:
        wavpack.check_last_block(stream, end, samples, parsed)
    checksum, facts = wavpack.md5(stream, end), parsed.info
    if checksum and parsed.lossless and facts.sample_rate:  # a lossy file stores the md5 of its lossless original
        silent = end * _HARDLY_ANYTHING < samples != wavpack.UNKNOWN
        channels = facts.channels or 0
        parsed.identity = pcm(checksum, samples, facts.sample_rate, channels, facts.bits_per_sample, may_be_silent=silent)
    else:
        parsed.identity = of_edges(stream, "wavpack", 0, end)
    return parsed


def read_musepack(file: SparseFile) -> Parsed:
    """MPC, stream versions 4 to 8. Its header is not part of the identity: gain tools write into it."""
    parsed, stream, end = _parse(file, parser("musepack", "Musepack"), "musepack", lossless=False)
    if stream.peek(0, 4) == b"MPCK":
        if not stream.peek(max(0, end - 3), 3).startswith(b"SE"):
            parsed.suspect = "cut short: the packet that ends its stream is missing"
        parsed.sound = file.size - stream.size, file.size - stream.size + end - 3
    parsed.identity = of_edges(stream, "musepack", 0, end, beginning=False)
    return parsed


def read_optimfrog(file: SparseFile) -> Parsed:
    """OFR."""
    return _with_edges(file, parser("optimfrog", "OptimFROG"), "optimfrog")


def read_dualstream(file: SparseFile) -> Parsed:
    """OFS: lossy without the correction file beside it."""
    parsed = read_optimfrog(file)
    parsed.lossless, parsed.info.bits_per_sample = False, None
    return parsed


def read_tak(file: SparseFile) -> Parsed:
    """TAK."""
    return _with_edges(file, parser("tak", "TAK"), "tak")


def _with_edges(file: SparseFile, mutagen_class: Any, codec: str) -> Parsed:
    parsed, stream, end = _parse(file, mutagen_class, codec, lossless=True)
    parsed.identity = of_edges(stream, codec, 0, end)
    return parsed
