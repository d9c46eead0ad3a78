"""The folders of an entry, for decisions about all that is in one."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.paths import parents_of


def folders_of(path: str, *, root: bool) -> Iterator[str]:
    """The folders of a file, the first one first; with `root`, also the whole location, "", which comes last."""
    found = [*parents_of(path)]
    yield from found
    if root or not found:
        yield ""


def is_below(path: str, folder: str) -> bool:
    """Whether a file is in a folder, or in one inside it."""
    return not folder or path.startswith(f"{folder}/")
