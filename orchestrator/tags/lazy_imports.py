"""Imports on first use: mutagen's (untyped) classes, and our own container modules."""

from __future__ import annotations

import threading
from functools import cache
from importlib import import_module
from typing import Any

# If several threads first import modules that import each other in different orders, a thread can see a half-initialised module:
# Python breaks the deadlock of their locks that way. Seen with mutagen.flac and mutagen.mp3, which both import mutagen.id3.
_importing = threading.RLock()


@cache
def loaded(module: str, name: str) -> Any:
    """The attribute `name` of `module`. Safe to call from any thread."""
    with _importing:
        return getattr(import_module(module), name)


def parser(module: str, name: str) -> Any:
    """The class `name` of `mutagen.<module>`."""
    return loaded(f"mutagen.{module}", name)


@cache
def slices_id3() -> bool:
    """Whether mutagen reads the frames of an ID3v2 tag by slices of its content; as far as its code was looked at."""
    version: tuple[int, ...] = loaded("mutagen", "version")
    return (1, 47) <= version[:2] <= (1, 48)


@cache
def id3_options() -> dict[str, Any]:
    """Arguments for mutagen's classes that read ID3v2: dates stay texts, as they are in the file.

    mutagen takes dates apart, and drops what is not in the form of the standard ("25/11/2013", "May 2004").
    """
    text_frame, own = loaded("mutagen.id3", "TextFrame"), ("TDRC", "TDOR", "TDRL", "TDEN", "TDTG")
    dates = {name: type(name, (text_frame,), {}) for name in own}
    return {"translate": False, "known_frames": loaded("mutagen.id3", "Frames") | loaded("mutagen.id3", "Frames_2_2") | dates}


@cache
def id3_class() -> Any:
    """The class for an ID3v2 tag that `orchestrator.tags.id3` has planned; None for mutagen's own."""
    return loaded("orchestrator.tags.planned_id3", "PlannedID3") if slices_id3() else None
