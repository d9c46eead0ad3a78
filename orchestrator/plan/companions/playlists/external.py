"""Playlists outside the organized library that point at its files. They are reported, never changed."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

import msgspec

from orchestrator.paths import join_location, location_prefix, parent_of, remote_of
from orchestrator.plan.companions.playlists.meaning import Library, positions
from orchestrator.plan.companions.playlists.rewrite import count, entries_of
from orchestrator.plan.companions.playlists.roots import Root
from orchestrator.plan.model import Skipped


class ExternalList(msgspec.Struct, frozen=True):
    """A playlist or cue sheet, wherever it is. One outside the library may point at files in it, and is never changed."""

    fs: str
    path: str
    content: bytes


def report_external_lists(
    lists: Iterable[ExternalList], fs: str, library: Library, leaving: Container[str], change: str = "move"
) -> Iterator[Skipped]:
    """The external lists that point at files of the library at `fs` which leave their paths.

    `change` says in the report what happens to those entries.
    """
    here = location_prefix(fs)
    for one in lists:
        full_path = join_location(one.fs, one.path)
        if full_path.startswith(here):
            continue
        same_remote = remote_of(one.fs) == remote_of(fs)
        base = Root(one.fs).base(parent_of(one.path)) if same_remote else None
        number = count(one.path, one.content, library, base, leaving)
        if number:
            yield Skipped(
                full_path, "playlist", f"{number} of its entries {change}; it is outside the library and is not changed"
            )


def named_on_this_machine(lists: Iterable[ExternalList]) -> Iterator[str]:
    """The absolute paths on the disks of this machine that entries may name, whether they exist or not."""
    for one in lists:
        root = Root(one.fs)
        base = root.base(parent_of(one.path)) if root.local else None
        form, values = entries_of(one.path, one.content, Library(root, ()), base)
        yield from (f"/{'/'.join(position)}" for value in values for position, _ in positions(value, base, form))
