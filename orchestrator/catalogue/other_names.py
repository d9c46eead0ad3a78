"""Which of the listed files are one file: shortcuts, folders that a remote shows in two places, unions that overlap.

Hard links on a disk are found where files of equal size are compared (`orchestrator.catalogue.content_hashes`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from orchestrator.records import Item

ANOTHER_NAME = "another name of "
"""How the reason begins for which a second name is skipped."""


def with_other_names_marked(items: Sequence[Item], kind: str, shown_below: Collection[str] = ()) -> list[Item]:
    """The items of one listing, with `one_file` where it can be known, and second names of a file skipped.

    `kind` is the kind of the remote, whose ids name one object each: rclone gives a shortcut of Google Drive the ids of its
    target and of its own. `shown_below` are the directories below which a location shows its own files once more.
    """
    marked = [_with_id(item, kind) for item in items]
    for directory in shown_below:
        marked = _shown_twice(marked, f"{directory}/", f"{kind} ")
    first: dict[str, str] = {}
    for index, item in enumerate(marked):
        # A shortcut is an object of its own, which can be moved; one object that is shown in two folders is not.
        if item.one_file is None or "\t" in (item.entry.id or ""):
            continue
        path = first.setdefault(item.one_file, item.entry.path)
        if path != item.entry.path and item.skipped_because is None:
            marked[index] = replace(item, skipped_because=ANOTHER_NAME + path)
    return marked


def second_names(items: Iterable[Item]) -> list[tuple[str, str]]:
    """(second name, first name) of each file of which a second name is skipped."""
    return [
        (item.entry.path, item.skipped_because.removeprefix(ANOTHER_NAME))
        for item in items
        if item.skipped_because is not None and item.skipped_because.startswith(ANOTHER_NAME)
    ]


def _with_id(item: Item, kind: str) -> Item:
    """`one_file` is equal for a file and its shortcuts, in whatever location of that kind."""
    target = (item.entry.id or "").partition("\t")[0]
    return replace(item, one_file=f"{kind} {target}") if target else item


def _shown_twice(items: list[Item], below: str, kind: str) -> list[Item]:
    outer = {item.entry.path: item for item in items}
    marked = []
    for item in items:
        twin = outer.get(item.entry.path.removeprefix(below)) if item.entry.path.startswith(below) else None
        if twin is None or twin.entry.size != item.entry.size:
            marked.append(item)
            continue
        one = twin.one_file or kind + twin.entry.path
        marked.append(replace(item, one_file=one))
        outer[twin.entry.path] = replace(twin, one_file=one)
    return [outer[item.entry.path] if item.one_file is None else item for item in marked]
