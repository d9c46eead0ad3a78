"""The proof, by reading a whole file, that its sound is as its encoder wrote it: what `dedup --delete` asks for.

Only checksums that need no decoder count. A new format is one module in `orchestrator/tags/proofs/` and one line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from orchestrator.tags.id3 import tag_end
from orchestrator.tags.lazy_imports import loaded
from orchestrator.tags.proofs.stream import DamagedError, NotProvableError, Stream

_BY_MAGIC = ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"MAC ", "ape"), (b"wvpk", "wavpack"))
_MPEG = "mpeg"


class ProofResult(StrEnum):
    """What the whole content says."""

    PROVED = "proved"
    DAMAGED = "damaged"
    UNPROVABLE = "unprovable"
    """It holds no checksums that cover all of the sound, which says nothing about it."""


class Proof(msgspec.Struct, frozen=True):
    """The result of reading one file in full."""

    result: ProofResult
    why: str = ""
    """How the damage shows, or what is missing, in words."""


def prove(blocks: Iterable[bytes]) -> Proof:
    """Read a file in full, in blocks of any size, and check its sound by its own checksums, in constant memory.

    Tags, pictures and padding are not checked. Errors of `blocks` are raised.
    """
    stream = Stream(blocks)
    try:
        while (end := tag_end(stream.peek(10), 0)) is not None:
            for _ in stream.pieces(end):
                pass
        magic = stream.peek(4)
        module = next((module for mark, module in _BY_MAGIC if magic == mark), None)
        if module is None:
            module = _MPEG if magic[:1] == b"\xff" else None
        if module is None:
            return Proof(ProofResult.UNPROVABLE, "files of this kind hold no checksums over their sound")
        loaded(f"orchestrator.tags.proofs.{module}", "prove")(stream)
    except DamagedError as error:
        return Proof(ProofResult.DAMAGED, str(error))
    except NotProvableError as error:
        return Proof(ProofResult.UNPROVABLE, str(error))
    return Proof(ProofResult.PROVED)
