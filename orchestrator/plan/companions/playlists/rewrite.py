"""A list after its files have moved: the same bytes except for the entries of moved files."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from orchestrator.errors import OrchestratorError
from orchestrator.paths import parent_of
from orchestrator.plan.companions.playlists.entry_styles import entry_for
from orchestrator.plan.companions.playlists.format import Format, Reference
from orchestrator.plan.companions.playlists.formats import format_of
from orchestrator.plan.companions.playlists.meaning import Library, Meaning, NoFile
from orchestrator.plan.companions.playlists.roots import Root
from orchestrator.plan.companions.playlists.text import decode

_ENOUGH = 1000
"""Entries that show in which encoding a list is."""
MAX_REFERENCES = 200_000
"""Entries of one list. Nobody listens to a longer one."""


class Relocation(msgspec.Struct, frozen=True):
    """Where files were, and where they will be."""

    library: Library
    root: Root
    """The root of the location where they will be; the library's own if they move inside it."""
    where: Callable[[str], str | None]
    """Path of a file in the library -> its path below `root`; None if it will not be there."""


class Rewritten(msgspec.Struct, frozen=True):
    """A list with updated entries."""

    content: bytes
    """Equal to the old content if nothing changes, or nothing can be changed."""
    entries: int = 0
    """How many entries it has, including those that name no file of the library."""
    changed: int = 0
    """How many of them change, or would have to."""
    by_end: int = 0
    """How many of those are of another machine: the end of their path shows which file they name."""
    lost: int = 0
    """How many name files that will not be in the location of the list."""
    followed: frozenset[str] = frozenset()
    """The files that the changed entries named before."""
    problem: str | None = None
    """Why the list was not updated, in words; None if it was, or nothing had to change."""


class _CannotNameError(OrchestratorError):
    """A list cannot name a file."""


def rewrite(path: str, content: bytes, new_path: str, relocation: Relocation) -> Rewritten:
    """The list at `path` of the library, updated for its `new_path`."""
    form, library = format_of(path), relocation.library
    decoded = _decoded(content, form, library, library.root.base(parent_of(path)))
    if decoded is None:
        return Rewritten(content, problem="its text encoding is unknown")
    text, codec = decoded
    refused = form.refuses(text)
    if refused is not None:
        return Rewritten(content, problem=refused)
    references = [*islice(form.references(text), MAX_REFERENCES + 1)]
    if len(references) > MAX_REFERENCES:
        return Rewritten(content, len(references), problem=f"it has more than {MAX_REFERENCES} entries")
    entries = _Entries(relocation, form, parent_of(path), parent_of(new_path))
    pieces: list[str] = []
    last = changed = 0
    problem = None
    for reference, meaning in zip(references, entries.meanings(references), strict=True):
        try:
            new = entries.new_text(reference, meaning) if isinstance(meaning, Meaning) else None
        except _CannotNameError as error:
            new, problem = "", error.message
        if new is not None:
            pieces += (text[last : reference.start], new)
            last = reference.end
            changed += 1
    if changed and problem is None:
        escapes = form.xml and not any(reference.bare for reference in references)
        try:
            made = "".join((*pieces, text[last:])).encode(codec, "xmlcharrefreplace" if escapes else "strict")
            return Rewritten(made, len(references), changed, entries.by_end, entries.lost, frozenset(entries.followed))
        except UnicodeEncodeError as error:
            problem = f"its encoding, {codec}, has no {error.object[error.start]!r}"
    return Rewritten(content, len(references), changed, entries.by_end, entries.lost, problem=problem)


def count(path: str, content: bytes, library: Library, base: tuple[str, ...] | None, among: Container[str]) -> int:
    """How many entries of a list name one of these files. `path` gives its format; `base` is as for `Library.meaning`."""
    return sum(1 for found in _meanings(path, content, library, base) if found in among)


def files_named(path: str, content: bytes, library: Library, base: tuple[str, ...] | None) -> frozenset[str]:
    """The files of the library that the entries of a list name; the arguments are those of `count`."""
    return frozenset(_meanings(path, content, library, base))


class EntriesWithoutFile(NamedTuple):
    """The entries of one list that name no file of the library. Web addresses, folders, and files outside it do not count."""

    entries: int
    """Those with a file included."""
    without_file: int
    several: int
    """How many of those without a file may name any of several files."""

    def reason(self) -> str:
        """The same in words."""
        several = f", or fit several files ({self.several})" if self.several else ""
        return f"{self.without_file} of {self.entries} entries name no file of the library{several}"


def entries_without_file(path: str, content: bytes, library: Library, base: tuple[str, ...] | None) -> EntriesWithoutFile:
    """The entries of a list that name no file; the arguments are those of `count`."""
    found = _meanings_of(path, content, library, base)
    several = found.count(NoFile.SEVERAL)
    return EntriesWithoutFile(len(found), found.count(NoFile.NOWHERE) + several, several)


def _meanings(path: str, content: bytes, library: Library, base: tuple[str, ...] | None) -> Iterator[str]:
    return (one.path for one in _meanings_of(path, content, library, base) if isinstance(one, Meaning))


def _meanings_of(path: str, content: bytes, library: Library, base: tuple[str, ...] | None) -> list[Meaning | NoFile]:
    form, values = entries_of(path, content, library, base)
    return library.meanings(values, base, form)


def entries_of(path: str, content: bytes, library: Library, base: tuple[str, ...] | None) -> tuple[Format, list[str]]:
    """The format of a list, and its entries; none of one that is not read. The arguments are those of `count`."""
    form = format_of(path)
    decoded = _decoded(content, form, library, base)
    if decoded is None or form.refuses(decoded[0]) is not None:
        return form, []
    return form, [one.value for one in islice(form.references(decoded[0]), MAX_REFERENCES)]


def _decoded(content: bytes, form: Format, library: Library, base: tuple[str, ...] | None) -> tuple[str, str] | None:
    """The text of a list and its encoding: otherwise unknown, the one in which it names most files."""

    def names_in(text: str) -> int:
        values = (one.value for one in islice(form.references(text), _ENOUGH) if not one.value.isascii())
        return library.number_named(values, base, form)

    return decode(content, names_in)


class TakenApart(NamedTuple):
    """A list as its entries, and the text around them."""

    frame: tuple[str, ...]
    """The text before each entry, and that behind the last one; without quotation marks, which an entry may need elsewhere."""
    values: list[str]
    meanings: list[Meaning | NoFile]


def taken_apart(path: str, content: bytes, library: Library, base: tuple[str, ...] | None) -> TakenApart | None:
    """A list in parts, None if it is not read; the arguments are those of `count`."""
    form = format_of(path)
    decoded = _decoded(content, form, library, base)
    if decoded is None or form.refuses(decoded[0]) is not None:
        return None
    text = decoded[0]
    references = [*islice(form.references(text), MAX_REFERENCES)]
    ends = [0, *(one.end for one in references)]
    starts = [*(one.start for one in references), len(text)]
    frame = tuple(text[end:start].replace('"', "") for end, start in zip(ends, starts, strict=True))
    values = [one.value for one in references]
    return TakenApart(frame, values, library.meanings(values, base, form))


class _Entries:
    """The entries of one list that moves from one directory to another."""

    def __init__(self, relocation: Relocation, form: Format, old: str, new: str) -> None:
        self._library, self._root, self._where = relocation.library, relocation.root, relocation.where
        self._form = form
        self._old, self._new = old, new
        self._one_root = self._library.root is self._root
        self._there = Library(self._root, ())
        self._bases = self._library.root.base(old), self._root.base(new)
        self.lost = self.by_end = 0
        self.followed: set[str] = set()

    def meanings(self, references: Sequence[Reference]) -> list[Meaning | NoFile]:
        """What the entries mean before anything moves."""
        return self._library.meanings([one.value for one in references], self._bases[0], self._form)

    def new_text(self, reference: Reference, meaning: Meaning) -> str | None:
        """The text that replaces an entry; None if it stays. Raises _CannotNameError."""
        target = self._where(meaning.path)
        if target is None:
            self.lost += 1
            return None
        if self._still_names(reference, meaning, target):
            return None
        named = target if meaning.extension is None else target.rpartition(".")[0] + meaning.extension
        value = entry_for(named, meaning.style, self._new, (self._library.root, self._root), uris=self._form.uris)
        if value == reference.value:
            return None
        new = None if value is None else self._form.write(reference, value)
        if new is None:
            raise _CannotNameError(f"its format cannot name {target}")
        self.followed.add(meaning.path)
        self.by_end += meaning.style.beyond is not None
        return new

    def _still_names(self, reference: Reference, meaning: Meaning, target: str) -> bool:
        """Whether the entry, unchanged, still names the file from the new path of the list."""
        if target == meaning.path and self._one_root and (self._old == self._new or meaning.style.is_fixed):
            return True
        unchanged = Meaning(target, meaning.style)
        return meaning.extension is None and self._there.is_named(reference.value, self._bases[1], self._form, unchanged)
