"""The sparse file: real bytes, planned holes, and nothing else."""

from __future__ import annotations

import os

import msgspec
import pytest

from orchestrator.errors import TransientError
from orchestrator.tags.policy import FEW_BYTES
from orchestrator.tags.sparse import ContentView, ReadLimitError, ShortReadError, SparseFile
from tests.tags.ranges import Ranges

CONTENT = bytes(index * 7 % 251 for index in range(400_000))
SMALL = msgspec.structs.replace(FEW_BYTES, extra=1000, hole=100)


def sparse(ranges: Ranges) -> SparseFile:
    return SparseFile(len(ranges.content), ranges.read, SMALL)


def test_it_reads_like_the_real_file_wherever_a_parser_seeks() -> None:
    file = sparse(Ranges(CONTENT))
    assert file.read(10) == CONTENT[:10]
    assert file.seek(-10, os.SEEK_END) == len(CONTENT) - 10
    assert file.read() == CONTENT[-10:]
    assert file.read(5) == b""
    file.seek(200_000)
    file.seek(-500, os.SEEK_CUR)
    assert file.read(1000) == CONTENT[199_500:200_500]
    assert file.tell() == 200_500
    file.seek(len(CONTENT) + 50)
    assert file.read(3) == b""


def test_seeking_before_the_start_fails_as_in_a_real_file() -> None:
    with pytest.raises(OSError, match="Invalid"):
        sparse(Ranges(CONTENT)).seek(-len(CONTENT) - 1, os.SEEK_END)


def test_bytes_at_hand_are_not_requested_again() -> None:
    ranges = Ranges(CONTENT)
    file = sparse(ranges)
    file.fetch(0, 5000, "test")
    file.fetch(8000, 9000, "test")
    file.fetch(0, 10_000, "test")
    assert ranges.asked == [(0, 5000), (8000, 1000), (5000, 3000), (9000, 1000)]
    file.seek(4000)
    assert file.read(6000) == CONTENT[4000:10_000]
    assert len(ranges.asked) == 4


def test_a_hole_reads_as_zeros_and_costs_nothing() -> None:
    ranges = Ranges(CONTENT)
    file = sparse(ranges)
    file.fetch(0, 1000, "test")
    file.make_hole(500, 300_000, "test")
    file.fetch(300_000, 301_000, "test")
    file.seek(900)
    assert file.read(299_200) == CONTENT[900:1000] + bytes(299_000) + CONTENT[300_000:300_100]
    assert ranges.asked == [(0, 1000), (300_000, 1000)]


@pytest.mark.parametrize("fetched", [0, 1000, 60_000])
def test_a_view_is_fetched_and_sliced_as_the_bytes_are(fetched: int) -> None:
    read: list[Ranges] = [Ranges(CONTENT), Ranges(CONTENT)]
    whole, viewed = (sparse(ranges) for ranges in read)
    for file in (whole, viewed):
        file.fetch(0, fetched, "test")
        file.make_hole(20_000, 50_000, "test")
    viewed.view(10, 59_000)
    whole.seek(10)
    viewed.seek(10)
    expected, view = whole.read(58_990), viewed.read(58_990)
    assert read[0].asked == read[1].asked
    assert isinstance(view, ContentView)
    while expected:
        assert len(view) == len(expected)
        assert (view[:10], view[10:17_000]) == (expected[:10], expected[10:17_000])
        expected, view = expected[17_000:], view[17_000:]
    assert not view
    viewed.seek(10)
    assert viewed.read(100) == CONTENT[10:110]
    assert read[0].asked == read[1].asked


def test_a_hole_too_small_to_justify_two_requests_is_read() -> None:
    ranges = Ranges(CONTENT)
    file = sparse(ranges)
    file.make_hole(1000, 1050, "test")
    assert file.peek(990, 100) == CONTENT[990:1090]
    assert len(ranges.asked) == 1


def test_a_patched_byte_is_what_the_parser_sees() -> None:
    file = sparse(Ranges(CONTENT))
    file.fetch(0, 100, "test")
    file.patch(50, 255)
    assert file.peek(49, 3) == bytes((CONTENT[49], 255, CONTENT[51]))


def test_planted_bytes_show_up_in_a_hole() -> None:
    file = sparse(Ranges(CONTENT))
    file.make_hole(1000, 3000, "test")
    file.plant(2000, b"OggS")
    assert file.peek(1998, 8) == b"\0\0OggS\0\0"


def test_unforeseen_ranges_grow_so_that_requests_stay_few() -> None:
    ranges = Ranges(CONTENT)
    file = sparse(ranges)
    while file.read(100):
        pass
    lengths = [length for _, length in ranges.asked]
    assert lengths[:4] == [1000, 2000, 4000, 8000]
    assert len(lengths) < 10


def test_more_than_the_budget_is_never_read() -> None:
    ranges = Ranges(CONTENT)
    file = SparseFile(len(CONTENT), ranges.read, msgspec.structs.replace(SMALL, budget=10_000))
    with pytest.raises(ReadLimitError):
        file.read()
    while not file.failure:
        file.read(1000)
    assert sum(length for _, length in ranges.asked) <= 10_000


def test_a_piece_as_large_as_memory_is_refused_before_it_is_allocated() -> None:
    file = SparseFile(1 << 40, lambda _offset, length: bytes(length), SMALL)
    file.make_hole(100, 1 << 40, "test")
    with pytest.raises(ReadLimitError):
        file.read()


def test_a_failed_request_is_remembered_and_fails_again() -> None:
    def fail(_offset: int, _length: int) -> bytes:
        raise TransientError("connection lost")

    file = SparseFile(1000, fail, SMALL)
    for _ in range(2):
        with pytest.raises(TransientError):
            file.read(10)
    assert isinstance(file.failure, TransientError)
    assert file.requests == 1


def test_fewer_bytes_than_listed_are_an_error_not_an_end() -> None:
    file = SparseFile(2000, lambda _offset, length: bytes(length - 1), SMALL)
    with pytest.raises(ShortReadError, match="changed since the listing"):
        file.read(10)
