"""Bytes of an audio file -> Reading, through ranged reads.

    head (and tail) -> container, by magic number behind any ID3v2 tag, else by extension
                    -> the container's module plans holes, fetches exact offsets, lets mutagen parse the sparse file
                    -> fields -> Track

Whatever a file holds, the result is a Reading; only storage errors are raised.
"""

from __future__ import annotations

import msgspec

from orchestrator.tags import formats
from orchestrator.tags.album_hints import AlbumHints
from orchestrator.tags.covers import covers_of
from orchestrator.tags.ends import look_at_end
from orchestrator.tags.foreign_tags import add_id3
from orchestrator.tags.id3 import plan_tag, stacked, tag_end
from orchestrator.tags.lazy_imports import loaded
from orchestrator.tags.parsed import Container, NotReadableError, Parsed
from orchestrator.tags.policy import FEW_BYTES, Policy
from orchestrator.tags.sparse import ReadLimitError, ReadRange, ReadRanges, ShortReadError, SparseFile
from orchestrator.tags.tag_texts import long_texts
from orchestrator.tags.tag_values import track_of
from orchestrator.tags.trace import Trace
from orchestrator.track import Reading, Status

_MAGIC = 300
"""Bytes that identify every container: an Ogg page header with its segment table is the longest."""

_EXPECT_ID3 = frozenset({"mpeg", "flac", "aac", "apetagged", "trueaudio", "unsupported"})
"""Modules that find an ID3v2 tag at the beginning themselves."""

_SMALL = 16 * 1024
"""If less than this is left of the file, it is requested together with the head."""


def read_track(
    path: str,
    size: int,
    read_range: ReadRange,
    policy: Policy = FEW_BYTES,
    trace: Trace | None = None,
    *,
    read_ranges: ReadRanges | None = None,
    album: AlbumHints | None = None,
) -> Reading:
    """Read the tags, stream facts and audio identity of one file of `size` bytes, requesting only the ranges needed.

    `read_range(offset, length)` is one request; its errors are raised, except ReadLimitError. `read_ranges`
    reads several ranges in the time of one; without it, `read_range` reads one after another. `trace` is given by who wants to
    know what was asked for and why. `album` knows what other files of the same folder and format needed, where the policy
    listens to that, and learns of this one.
    """
    if album is None or not policy.most_at_first:
        return _read(path, SparseFile(size, read_range, policy, trace, read_ranges))
    found = _read(path, SparseFile(size, read_range, policy, trace, read_ranges, noting=True), album)
    if found.status is not Status.UNREADABLE:
        return found
    # A hint from other files must not make this one fail: a long first range may have used up its budget.
    alone = _read(path, SparseFile(size, read_range, policy, trace, read_ranges))
    requests, bytes_read = found.requests + alone.requests, found.bytes_read + alone.bytes_read
    return msgspec.structs.replace(alone, requests=requests, bytes_read=bytes_read)


def _read(path: str, file: SparseFile, album: AlbumHints | None = None) -> Reading:
    container = formats.by_name(path)
    try:
        _fetch_first(file, container, album)
        container, start = _recognise(file, container)
        parsed = (
            _parse(file, container) if not start or container.module in _EXPECT_ID3 else _parse_behind(file, start, container)
        )
        track, covers = track_of(parsed), covers_of(parsed)
        if file.policy.end_check and parsed.suspect is None:
            look_at_end(file, parsed)
        if album is not None:
            album.note(file)
    except ImportError:
        raise  # it says nothing about the file
    except (
        Exception
    ) as error:  # mutagen raises far more than MutagenError on damaged files: IndexError, ValueError, AssertionError
        reason = _reason(error, file, container)
        return Reading(Status.UNREADABLE, reason=reason, requests=file.requests, bytes_read=file.bytes_read)
    return Reading(
        Status.TAGGED if track.has_tags else Status.UNTAGGED,
        track=track,
        # A file that lost some of its sound no longer matches its head.
        identity=parsed.identity if parsed.suspect is None else None,
        suspect=parsed.suspect,
        whole=parsed.whole,
        covers=covers,
        end=parsed.end,
        too_long=None if track.title and track.album and (track.artist or track.album_artist) else _too_long(file, parsed),
        requests=file.requests,
        bytes_read=file.bytes_read,
    )


def _too_long(file: SparseFile, parsed: Parsed) -> str | None:
    for name, length in long_texts(parsed.kind, parsed.tags):
        file.skip_text(name, length)
    return file.too_long


def first_ranges(size: int, policy: Policy, container: Container | None, album: AlbumHints | None = None) -> tuple[int, int]:
    """How much of the beginning and of the end of a file is requested first."""
    head = container.head(policy) if container is not None else policy.head
    tail = container.tail(policy) if container is not None and container.tail is not None else 0
    little = head + tail + _SMALL
    if album is not None:
        head, tail = album.first(policy, head, tail)
    tail = max(tail, policy.end_check)
    return (size, 0) if size <= max(little, head + tail + _SMALL) else (head, tail)


def _fetch_first(file: SparseFile, container: Container | None, album: AlbumHints | None) -> None:
    if file.size == 0:
        raise NotReadableError("the file is empty")
    head, tail = first_ranges(file.size, file.policy, container, album)
    if head == file.size:
        file.fetch(0, file.size, "the whole file: little would be left of it")
    elif tail:
        file.fetch_ends(head, tail)
    else:
        file.fetch(0, head, "the head")


def _recognise(file: SparseFile, named: Container | None) -> tuple[Container, int]:
    """The container by the bytes after any ID3v2 tags, or by the name if those say nothing; and where those tags end."""
    start = 0
    end = tag_end(file.peek(0, 10), 0)
    if end is not None:
        plan_tag(file, 0)
    while end is not None and end < file.size:
        start = end
        end = tag_end(file.peek(start, 10, "past the ID3v2 tag: is there another one"), start)
    head = file.peek(start, _MAGIC, "past the ID3v2 tag: the kind of file")
    magic = named if named is not None and named.matches(head) else formats.by_magic(head)
    container = magic or named
    if file.trace is not None and container is not None:
        file.trace.container = container.name
        file.trace.recognised_by = "its name" if magic is None else "its first bytes"
    if container is None:
        raise NotReadableError("not a kind of audio file that can be read")
    return container, start


def _parse_behind(file: SparseFile, start: int, container: Container) -> Parsed:
    """Parse a file of a kind that has no place for the ID3v2 tags at its beginning, which some taggers put before every file."""
    view = SparseFile(file.size - start, lambda offset, length: file.peek(start + offset, length), file.policy)
    parsed = _parse(view, container)
    if parsed.sound is not None:
        parsed.sound = parsed.sound[0] + start, parsed.sound[1] + start
    for tag in stacked(file, 0):
        add_id3(file, parsed, tag)
    if file.failure is not None:
        raise file.failure
    return parsed


def _parse(file: SparseFile, container: Container) -> Parsed:
    read = loaded(f"orchestrator.tags.containers.{container.module}", container.function)
    file.seek(0)
    parsed: Parsed = read(file)
    if file.failure is not None:
        raise file.failure  # the parser swallowed the error, so its result cannot be trusted
    return parsed


def _reason(error: Exception, file: SparseFile, container: Container | None) -> str:
    """Why the file could not be read, for people. Storage errors are raised again."""
    failure = file.failure if file.failure is not None else error
    if isinstance(failure, NotReadableError | ReadLimitError | ShortReadError):
        return str(failure)
    if file.failure is not None:
        raise file.failure
    name = container.name if container is not None else "audio"
    text = str(error).lower()
    kind = f"{type(error).__module__}.{type(error).__name__}"
    if kind == "mutagen.mp3.HeaderNotFoundError":
        return "no MPEG sound was found in it"
    if kind.startswith("mutagen.id3") or "id3" in text:
        return "its ID3 tag is damaged or cut short"
    if "not a" in text or "not found" in text or "expected" in text:
        return f"it is no {name} file, or its beginning is damaged"
    return f"its {name} header is damaged or cut short"
