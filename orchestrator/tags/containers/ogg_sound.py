"""The identity of the sound in an Ogg stream, by its end."""

from __future__ import annotations

from orchestrator.tags.audio_identity import digest, distinctive, window
from orchestrator.tags.containers.ogg_comments import LONGEST_HEADER, Page, page_at
from orchestrator.tags.sparse import SparseFile
from orchestrator.track import AudioIdentity, Strength

_MOST_HEADER_PAGES = 16
_EDGE = 1024


def identify(file: SparseFile, codec: str, comments: Page, headers: int, last: Page) -> AudioIdentity | None:
    """A hint: samples, bytes, and the last KiB of the sound, without page headers.

    `comments` is the page on which the comments end, `headers` the number of packets between them and the sound, `last` the last
    page. Taggers rewrite the header pages and renumber all others, so page headers do not count. A program that splits the same
    packets into other pages changes the identity. None if the sound ends in silence.
    """
    first = _sound_start(file, comments, headers)
    if first is None or first > last.start:
        return None
    length = min(_EDGE, last.end - last.payload)
    content = window(file, last.end - length, length)
    if length < _EDGE and last.start > first:
        content = _content_before(file, first, last.start) + content
    if not distinctive(content):
        return None
    samples = int.from_bytes(last.position, "little")
    return AudioIdentity("ogg-pages", f"{codec}:{samples}:{last.end - first}:{digest(content)}", Strength.HINT)


def _sound_start(file: SparseFile, page: Page, headers: int) -> int | None:
    """Where the first page of sound begins: by the standard, after the page on which the last header ends."""
    serial, end, ended = page.serial, page.end, page.packets_ended - 1
    for _ in range(_MOST_HEADER_PAGES):
        if ended >= headers:
            return end
        following = page_at(file, end) if window(file, end, LONGEST_HEADER) else None
        if following is None:
            return None
        end = following.end
        ended += following.packets_ended if following.serial == serial else 0
    return None


def _content_before(file: SparseFile, first: int, end: int) -> bytes:
    """The last KiB of the content of the page that ends at `end`."""
    length = min(_EDGE + LONGEST_HEADER, end - first)
    before = window(file, end - length, length)
    at = before.rfind(b"OggS")
    while at >= 0:
        page = page_at(file, end - length + at)
        if page is not None and page.end == end:
            return before[at + len(page.header) :][-_EDGE:]
        at = before.rfind(b"OggS", 0, at)
    return before[-_EDGE:]
