"""MP3s that begin with plain frames, against what mutagen makes of them."""

from __future__ import annotations

from itertools import product

import pytest

from orchestrator.tags.containers import mpeg
from orchestrator.tags.frames.mpeg import mpeg_size, plain_frames
from tests.tags.ranges import POLICIES, read

_TAG = b"ID3\4\0\0\0\0\0\x20TIT2\0\0\0\4\0\0\3abc".ljust(42, b"\0")


def _stream(
    version: int, layer: int, bitrate: int, rate: int, mode: int, *, marks: tuple[tuple[int, int, bytes], ...] = ()
) -> bytes:
    """Six frames; `marks`: (number of the frame, offset in it, bytes)."""
    header = bytes((0xFF, 0xE0 | version << 3 | layer << 1 | 1, bitrate << 4 | rate << 2, mode << 6))
    frames = [bytearray(header.ljust(mpeg_size(header), b"\x55")) for _ in range(6)]
    for number, offset, mark in marks:
        frames[number][offset : offset + len(mark)] = mark
    return b"".join(frames)


def _compare(content: bytes, *, plain: bool) -> None:
    assert (plain_frames(content) is not None) == plain
    for policy in POLICIES.values():
        found = read("x.mp3", _TAG + content, policy)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(mpeg, "plain_frames", lambda _: None)
            assert read("x.mp3", _TAG + content, policy) == found


def test_every_version_rate_and_mode() -> None:
    for version, bitrate, rate, mode in product((0, 2, 3), (1, 9, 14), (0, 1, 2), (0, 1, 3)):
        _compare(_stream(version, 1, bitrate, rate, mode), plain=True)


@pytest.mark.parametrize("layer", [2, 3])
def test_other_layers_are_left_to_mutagen(layer: int) -> None:
    _compare(_stream(3, layer, 9, 0, 0), plain=False)


@pytest.mark.parametrize("mark", [b"Xing", b"Info", b"VBRI"])
@pytest.mark.parametrize("frame", [0, 3])
def test_counts_are_left_to_mutagen(mark: bytes, frame: int) -> None:
    for version, mode in product((0, 2, 3), (0, 3)):
        offset = 36 if mark == b"VBRI" or (version == 3 and mode != 3) else 21 if version == 3 or mode != 3 else 13
        _compare(_stream(version, 1, 9, 0, mode, marks=((frame, offset, mark + b"\0\0\0\1\0\0\1\0"),)), plain=False)


def test_what_breaks_off_is_left_to_mutagen() -> None:
    stream = _stream(3, 1, 9, 0, 0)
    _compare(stream[: 3 * len(stream) // 6 + 3], plain=False)
    _compare(b"\0" + stream, plain=False)
