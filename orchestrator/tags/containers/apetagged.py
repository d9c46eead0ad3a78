"""Formats with stream facts at the front and APEv2 at the end: Monkey's Audio, WavPack, Musepack, OptimFROG, TAK."""

from __future__ import annotations

from typing import Any

from orchestrator.tags import apev2
from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.leftovers import find_other_tags
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.track import AudioIdentity, Strength

_HYBRID = 0x08


def _parse(file: SparseFile, mutagen_class: Any, codec: str, *, lossless: bool) -> tuple[Parsed, SparseFile, int]:
    """The parsed file, the file without any ID3v2 tag before it, and where the tag at its end begins (its end without one)."""
    stream = _behind_id3(file)
    footer = apev2.find_footer(stream)
    end = stream.size if footer is None else apev2.plan_tag(stream, footer)
    stream.seek(0)
    audio = mutagen_class(stream)
    parsed = Parsed(kind="ape", tags=audio.tags, info=audio.info, codec=codec, lossless=lossless)
    if not audio.tags:
        find_other_tags(file, parsed, kinds=("id3v2", "id3v1"))
    if audio.info.length:
        parsed.bitrate = int(end * 8 / audio.info.length)
    return parsed, stream, end


def _behind_id3(file: SparseFile) -> SparseFile:
    """The file as it is behind an ID3v2 tag: some taggers put one there, and mutagen's classes do not expect it."""
    start = plan_tag(file, 0)
    if start is None or start >= file.size:
        return file
    return SparseFile(file.size - start, lambda offset, length: file.peek(start + offset, length), file.policy)


def read_monkeys(file: SparseFile) -> Parsed:
    """APE; from version 3.98 on the descriptor holds an md5 of the stream."""
    parsed, stream, _ = _parse(file, parser("monkeysaudio", "MonkeysAudio"), "ape", lossless=True)
    head = stream.peek(0, 52)
    if int.from_bytes(head[4:6], "little") >= 3980 and any(head[36:52]):
        parsed.identity = AudioIdentity("ape-md5", head[36:52].hex(), Strength.SURE)
    return parsed


def read_wavpack(file: SparseFile) -> Parsed:
    """WV; the last block may hold the md5 of the decoded sound, which equals FLAC's."""
    parsed, stream, end = _parse(file, parser("wavpack", "WavPack"), "wavpack", lossless=True)
    head = stream.peek(0, 32)
    parsed.lossless = not head[24] & _HYBRID
    samples = int.from_bytes(head[12:16], "little")
    md5 = _wavpack_md5(stream, end)
    if md5 is not None and samples != 0xFFFFFFFF:
        parsed.identity = AudioIdentity("pcm-md5", f"{md5}:{samples}", Strength.SURE)
    return parsed


def _wavpack_md5(stream: SparseFile, end: int) -> str | None:
    """The md5 sub-block (id 0x26, 16 bytes) of the last block, where it is in hand."""
    start = max(0, end - 64)
    if end <= start or not stream.has(start, end):
        return None
    last = stream.peek(start, end - start)
    at = last.rfind(b"\x26\x08")
    md5 = last[at + 2 : at + 18] if at >= 0 else b""
    return md5.hex() if len(md5) == 16 and any(md5) else None


def read_musepack(file: SparseFile) -> Parsed:
    """MPC, stream versions 4 to 8."""
    return _parse(file, parser("musepack", "Musepack"), "musepack", lossless=False)[0]


def read_optimfrog(file: SparseFile) -> Parsed:
    """OFR, OFS."""
    return _parse(file, parser("optimfrog", "OptimFROG"), "optimfrog", lossless=True)[0]


def read_tak(file: SparseFile) -> Parsed:
    """TAK."""
    return _parse(file, parser("tak", "TAK"), "tak", lossless=True)[0]
