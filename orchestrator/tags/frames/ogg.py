"""The checksum of an Ogg page."""

from __future__ import annotations

from fastcrc.crc32 import cksum


def page_checksum(page: bytes) -> int:
    """The CRC-32 of a whole page, as its header states it if the page is intact."""
    return cksum(page[:22] + bytes(4) + page[26:]) ^ 0xFFFFFFFF  # the same polynomial; POSIX inverts the result
