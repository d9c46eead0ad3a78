"""Imports at first need: mutagen's classes, untyped as they are, and our own container modules."""

from __future__ import annotations

import threading
from functools import cache
from importlib import import_module
from typing import Any

# Modules that import each other, imported first by several threads in different orders, are at times seen half made: Python
# breaks the deadlock of their locks that way. Seen with mutagen.flac and mutagen.mp3, both above mutagen.id3.
_importing = threading.RLock()


@cache
def loaded(module: str, name: str) -> Any:
    """What `module` calls `name`. Safe to call from any thread."""
    with _importing:
        return getattr(import_module(module), name)


def parser(module: str, name: str) -> Any:
    """The class `name` of `mutagen.<module>`."""
    return loaded(f"mutagen.{module}", name)
