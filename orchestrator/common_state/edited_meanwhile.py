"""Which files a user has edited while a run renamed them, where no hash was listed before: their times are others afterwards.

On S3, what was uploaded in parts has no hash until the server copies it to its new name. Then the hash itself shows an edit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from orchestrator.plan.model import CompletedOperation, Verb
from orchestrator.plan.planners.sync.records import SIDES, File, Link, other
from orchestrator.records import Entry, Ref


class _Renamed(NamedTuple):
    """A file that a run has renamed, and of which no hash is listed before and after."""

    ref: Ref
    before: Entry
    after: Entry
    hashes: dict[str, str]
    """Those of its content before, read or listed on either side."""

    @property
    def has_its_time(self) -> bool:
        """Whether the rename left its time as it was, as far as its server tells times."""
        return self.before.mtime_ns == self.after.mtime_ns or None in {self.before.mtime_ns, self.after.mtime_ns}

    def is_as_before(self, hashes: Mapping[str, str]) -> bool | None:
        """Whether these are hashes of its content before; None if none of them can be compared."""
        common = hashes.keys() & self.hashes.keys()
        return all(hashes[name] == self.hashes[name] for name in common) if common else None


def edited_meanwhile(
    links: Iterable[tuple[Link, tuple[Ref, Ref]]],
    arrived: Mapping[Ref, CompletedOperation],
    read: Callable[[Ref], dict[str, str]],
    keeps_times: Callable[[str], bool],
) -> frozenset[Ref]:
    """The files, at their new names, that are not known to be what was listed before their rename.

    A few servers give each renamed file a new time. Where one rename of the run left a time as it was, the server is none of
    them. Otherwise the smallest of the files is read once (`read`: its hash): if it is what it was, the server gives new times,
    and these say nothing of the others. `keeps_times`: False for locations that are known to give new times, where nothing is
    read.
    """
    renamed: dict[str, list[_Renamed]] = defaultdict(list)
    for link, places in links:
        for side in SIDES:
            before, one = link.files[side], arrived.get(places[side])
            if before is not None and one is not None and _may_be_edited(before, one):
                assert one.entry is not None  # noqa: S101 - only a file that is deleted for good has none
                hashes = {**_hashes(link.files[other(side)]), **before.hashes}
                renamed[places[side].fs].append(_Renamed(places[side], before.entry, one.entry, hashes))
    edited: set[Ref] = set()
    for fs, those in renamed.items():
        edited.update(file.ref for file in those if file.is_as_before(file.after.hashes) is False)
        files = [file for file in those if file.is_as_before(file.after.hashes) is None]
        doubtful = [file for file in files if not file.has_its_time]
        if not doubtful or not keeps_times(fs):
            continue
        if len(doubtful) < len(files) or not _is_what_it_was(
            min(doubtful, key=lambda file: (file.before.size or 0, file.ref.path)), read
        ):
            edited.update(file.ref for file in doubtful)
    return frozenset(edited)


def _may_be_edited(before: File, one: CompletedOperation) -> bool:
    within = one.operation.verb is Verb.MOVE and one.operation.src.fs == one.destination.fs
    return within and one.entry is not None and before.entry.hashes.keys().isdisjoint(one.entry.hashes)


def _hashes(file: File | None) -> dict[str, str]:
    return {} if file is None else file.hashes


def _is_what_it_was(file: _Renamed, read: Callable[[Ref], dict[str, str]]) -> bool:
    return bool(file.hashes and file.is_as_before(read(file.ref)))
