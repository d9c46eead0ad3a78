"""Kinds of audio that are recognised but cannot be read."""

from __future__ import annotations

from typing import NoReturn

from orchestrator.tags.parsed import NotReadableError
from orchestrator.tags.sparse import SparseFile


def matroska(_file: SparseFile) -> NoReturn:
    """MKA, MKV, WebM."""
    raise NotReadableError("tags in Matroska and WebM files cannot be read")


def rf64(_file: SparseFile) -> NoReturn:
    """WAV beyond 4 GiB."""
    raise NotReadableError("64-bit WAV files (RF64) cannot be read")


def shorten(_file: SparseFile) -> NoReturn:
    """SHN."""
    raise NotReadableError("Shorten files cannot be read")
