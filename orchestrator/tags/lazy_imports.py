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
