"""Folders whose spelling a plan changes: whether that takes a step more depends on whether the storage ignores case there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from orchestrator.paths import collision_key, join_path, name_of, parent_of, parents_of, split_path
from orchestrator.plan.model import Respelled


def respelled_directories(paths: Iterable[str], arriving: Iterable[str]) -> tuple[Respelled, ...]:
    """The directories of `paths` that files enter under another spelling. `arriving` are paths in the same location.

    A storage that shows both spellings distinguishes them: such directories are left out.
    """
    wanted: dict[str, str] = {}
    for directory in {parent_of(path) for path in arriving}:
        for parent in parents_of(f"{directory}/"):
            wanted.setdefault(collision_key(parent), parent)
    if not wanted:
        return ()
    seen: dict[str, str] = {}
    for directory, path in {parent_of(path): path for path in paths}.items():
        for parent in parents_of(f"{directory}/"):
            if parent in seen:
                break
            seen[parent] = path
    found = ((directory, path, wanted.get(collision_key(directory), directory)) for directory, path in seen.items())
    return tuple(
        Respelled(directory, path, looked_up + path[len(directory) :])
        for directory, path, spelling in sorted(found)
        if spelling != directory and spelling not in seen and (looked_up := _to_look_up(directory, spelling)) not in seen
    )


def only_in_form(respelled: Iterable[Respelled]) -> Iterator[Respelled]:
    """Those whose new spelling differs in nothing but its Unicode form."""
    for one in respelled:
        if unicodedata.normalize("NFC", one.path) == unicodedata.normalize("NFC", one.other_path):
            yield one


def _to_look_up(directory: str, spelling: str) -> str:
    """Another spelling of a directory's name: if it leads there, so does the new one.

    If only the case of letters changes, a third one: systems remember for seconds what a name that they have looked up led to,
    and the new one is to lead to a new directory.
    """
    parent, name = split_path(directory)
    new = name_of(spelling)
    only_case = len(name) == len(new) and name.lower() == new.lower()
    return join_path(parent, next((other for other in _swapped(name) if only_case and other != new), new))


def _swapped(name: str) -> Iterator[str]:
    """A name with the case of all its ASCII letters changed, and with that of the first one."""
    letters = [index for index, letter in enumerate(name) if letter.isascii() and letter.isalpha()]
    for chosen in (letters, letters[:1]) if letters else ():
        yield "".join(letter.swapcase() if index in chosen else letter for index, letter in enumerate(name))
