"""Formats with stream facts at the front and APEv2 at the end: Monkey's Audio, WavPack, Musepack, OptimFROG, TAK."""

from __future__ import annotations

from typing import Any

from orchestrator.tags import apev2
from orchestrator.tags.leftovers import find_other_tags
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.track import AudioIdentity, Strength


def _parse(file: SparseFile, mutagen_class: Any, codec: str, *, lossless: bool) -> tuple[Parsed, int]:
    """The parsed file, and where the tag at its end begins (the file's end without one)."""
    footer = apev2.find_footer(file)
    end = file.size if footer is None else apev2.plan_tag(file, footer)
    file.seek(0)
    audio = mutagen_class(file)
    parsed = Parsed(kind="ape", tags=audio.tags, info=audio.info, codec=codec, lossless=lossless)
    if not audio.tags:
        find_other_tags(file, parsed, kinds=("id3v2", "id3v1"))
    if audio.info.length:
        parsed.bitrate = int(end * 8 / audio.info.length)
    return parsed, end


def read_monkeys(file: SparseFile) -> Parsed:
    """APE; from version 3.98 on the descriptor holds an md5 of the stream."""
    parsed, _ = _parse(file, parser("monkeysaudio", "MonkeysAudio"), "ape", lossless=True)
    head = file.peek(0, 52)
    if int.from_bytes(head[4:6], "little") >= 3980 and any(head[36:52]):
        parsed.identity = AudioIdentity("ape-md5", head[36:52].hex(), Strength.SURE)
    return parsed


def read_wavpack(file: SparseFile) -> Parsed:
    """WV; the last block may hold the md5 of the decoded sound, which equals FLAC's."""
    parsed, end = _parse(file, parser("wavpack", "WavPack"), "wavpack", lossless=True)
    flags = int.from_bytes(file.peek(24, 4), "little")
    parsed.lossless = not flags & 0x8  # hybrid mode
    samples = int.from_bytes(file.peek(12, 4), "little")
    md5 = _wavpack_md5(file, end)
    if md5 is not None and samples != 0xFFFFFFFF:
        parsed.identity = AudioIdentity("pcm-md5", f"{md5}:{samples}", Strength.SURE)
    return parsed


def _wavpack_md5(file: SparseFile, end: int) -> str | None:
    """The md5 sub-block (id 0x26, 16 bytes) of the last block, where it is in hand."""
    start = max(0, end - 64)
    if end <= start or not file.has(start, end):
        return None
    last = file.peek(start, end - start)
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
