"""The version of the readings. A module of its own, so that the catalogue can import it without the parsers."""

from __future__ import annotations

READER_VERSION = 15
"""Raise it when the same file gives another Reading than before: every catalogued file is then read again, once."""
