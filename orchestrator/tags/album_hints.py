"""What the files of one album need: they carry the same cover, so what one needed predicts what the next will need.

It only decides the first request. Whatever is still missing is fetched as usual, so no reading depends on it.
"""

from __future__ import annotations

from orchestrator.tags.policy import KIB, Policy
from orchestrator.tags.sparse import SparseFile

_MARGIN = 32 * KIB
"""A margin of one eighth: texts differ in length, and M4A tables by 10 KiB a minute."""


class AlbumHints:
    """Files of one folder and one format, read one after another under one policy."""

    def __init__(self) -> None:
        self._head = self._tail = 0

    def first(self, policy: Policy, head: int, tail: int) -> tuple[int, int]:
        """How much of a file's head and tail to request first. `head` and `tail` are the policy's values for the format."""
        room = (policy.most_at_first - self._head - self._tail) // 2
        if not self._head or room < 0:
            return head, tail
        # Never shorter than the policy says, except for a head that leaves room for a picture.
        least = tail or (policy.short_tail if self._tail else 0)
        return max(_with_margin(self._head, room), min(head, policy.head)), max(_with_margin(self._tail, room), least)

    def note(self, file: SparseFile) -> None:
        """Remember what a file needed, if it is small enough for a first request."""
        head, tail = _needed(file)
        if head + tail <= file.policy.most_at_first:
            self._head = max(self._head, head)
            self._tail = max(self._tail, tail) if tail else 0  # a separate range: one file may need it and the next may not


def _with_margin(length: int, room: int) -> int:
    return length + min(length // 8 + _MARGIN, room) if length else 0


def _needed(file: SparseFile) -> tuple[int, int]:
    """The shortest head and tail that together cover everything the parser read."""
    touched = sorted(file.touched())
    starts = [start for start, _ in touched[1:]] + [file.size]
    ends, end = [], 0
    for _, stop in touched:
        end = max(end, stop)
        ends.append(end)
    return min(((end, file.size - start) for end, start in zip(ends, starts, strict=True)), key=sum, default=(0, 0))
