"""The version of what reading a file gives. A module of its own: the catalogue asks for it without loading the parsers."""

from __future__ import annotations

READER_VERSION = 7
"""Raise it when the same file would give another Reading than before: every catalogued file is then read again, once."""
