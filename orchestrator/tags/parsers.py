"""mutagen's classes, imported at first need and untyped as they are."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any


@cache
def parser(module: str, name: str) -> Any:
    """The class `name` of `mutagen.<module>`."""
    return getattr(import_module(f"mutagen.{module}"), name)
