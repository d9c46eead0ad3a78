r"""What absolute entries of other machines mean: `D:\Music\...`, `\\nas\music\...`, `/music/...` of a container.

Such an entry leads nowhere here, but ends as the path of a file in the library does. It means the file that has the longest end
in common with it, if there is only one and its other names leave no doubt. The entries of one list support each other: two that
agree show where a folder of that machine is in the library.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from orchestrator.paths import collision_key, join_path, split_extension
from orchestrator.plan.companions.playlists.entry_styles import EntryStyle, unquoted

_URL: Final = re.compile(r"(?:file|smb|cifs|afp|nfs):", re.IGNORECASE)
_TOPS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # A drive: `D:\`, `file:///D:/`, `\\?\D:\`.
        r"(?:file:/*(?:localhost/+)?|\\\\[?.]\\|/)?[A-Z](?::|\||%3A)[\\/]+()",
        # A share: `\\nas\music\`, `file://nas/music/`, `file://localhost//nas/music/`, `smb://nas/music/`.
        r"(?:\\\\[?.]\\UNC\\|file:(?://localhost//|//(?!localhost/)|/{4,5})|(?:smb|cifs|afp|nfs)://|[\\/]{2})[^\\/]+[\\/]+([^\\/]+)[\\/]+",
        # A path from the root. Its first folder may be where a disk, a share or a volume is mounted.
        r"(?:file:(?://(?:localhost)?)?)?[\\/]([^\\/]+)[\\/]+",
    )
)
"""What an entry of another machine begins with, up to where other folders can be. The group is the name of a share or mount."""
_NAME: Final = {"/": re.compile(r"[^/]+"), "\\": re.compile(r"[^\\/]+")}
_NUMBERING: Final = re.compile(
    r"(?<![^\W\d_])(?:album|artist|audio|cd|dis[ck]|dvd|part|side|tit(?:el|le)|track|unknown|vol)(?![^\W\d_])"
)
_TELLING: Final = re.compile(r"[^\W\d_]{2}|\d[\W_]+[^\W\d_]")
"""A word, or at least a letter after a number: `01 X`, but not `d1t01` or `A1`."""
_TWO: Final = 2
_THREE: Final = 3
_DEEPEST: Final = 100
"""Names of a path; systems that allow more have no music there."""
_COMPARED: Final = 8
"""Files whose paths may differ only in case or Unicode form; more are not told apart."""


class Ends:
    """The files of a location by the ends of their paths. Case and Unicode forms make no difference."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = paths
        self._groups: dict[str, dict[str, list[str]]] = {}
        """Key of an end -> the files that have it, by the key of the name before it."""

    def longest(self, names: Sequence[str]) -> tuple[int, Sequence[str]]:
        """How many of the last names the path of a file ends in, at most, and which files do."""
        end, depth = "", 0
        found: Sequence[str] = ()
        for name in reversed(names):
            key = collision_key(name)
            longer = self._group(end, found if depth else self._paths, depth).get(key)
            if longer is None:
                break
            end, found, depth = f"{key}/{end}", longer, depth + 1
        return depth, found

    def _group(self, end: str, paths: Iterable[str], depth: int) -> dict[str, list[str]]:
        group = self._groups.get(end)
        if group is None:
            group = self._groups[end] = {}
            for path in paths:
                parts = path.rsplit("/", depth + 1)
                if len(parts) > depth:
                    group.setdefault(collision_key(parts[-1 - depth]), []).append(path)
        return group


class Found(NamedTuple):
    """What an entry means."""

    path: str | None
    """The file; None if none is certain."""
    style: EntryStyle
    several: bool = False
    """Nothing tells which of several files it means."""


class _Entry(msgspec.Struct, frozen=True, gc=False):
    """One way to read an entry, and the files that have the longest end in common with it."""

    value: str
    top: str
    """What `value` begins with: a drive, a share, a mount."""
    mount: str
    names: tuple[str, ...]
    """The names after `top`."""
    starts: tuple[int, ...]
    """Where each of them starts in `value`."""
    style: EntryStyle
    depth: int = 0
    """How many names the common end has, `mount` included."""
    files: tuple[str, ...] = ()

    @property
    def file(self) -> str | None:
        """The only file."""
        return self.files[0] if len(self.files) == 1 else None

    @property
    def first(self) -> int:
        """Index of the first name of the common end."""
        return max(len(self.names) - self.depth, 0)

    @property
    def telling(self) -> int:
        """How many names of the common end say more than a number."""
        name = split_extension(self.names[-1])[0]
        return sum(map(_says_something, [self.mount, *self.names[:-1], name][-self.depth :]))

    @property
    def is_certain(self) -> bool:
        """Whether the end is enough, if no other entry makes it doubtful: two telling names, or the whole path of a file."""
        return self.file is not None and (self.telling >= _TWO or self.depth == self.file.count("/") + 1 >= _TWO)

    def root(self, index: int) -> str:
        """Key of the folder of that machine in which one of the names is."""
        return _key(self.value[: self.starts[index]])

    def path(self, index: int, inside: str) -> str:
        """The path of the entry, if `inside` is the directory of the library in which one of the names is."""
        return join_path(inside, "/".join(self.names[index:]))

    def found(self, path: str, index: int, inside: str) -> Found:
        """The entry means this file."""
        return Found(path, msgspec.structs.replace(self.style, beyond=self.value[: self.starts[index]], inside=inside))


def find_by_ends(values: Iterable[str], ends: Ends, find: Callable[[str], str | None], *, uris: bool) -> dict[str, Found]:
    """What those entries of one list mean that may be of another machine.

    `find` gives the file of the library with a path, `uris` is as for `Format`.
    """
    entries = [entry for value in dict.fromkeys(values) if (entry := _longest(value, ends, uris=uris)) is not None]
    roots = _roots(entries, find)
    tops = {entry.top for entry in entries if any(entry.root(index) in roots for index in range(len(entry.names)))}
    return {entry.value: _meaning(entry, roots, find, is_root_known=entry.top in tops) for entry in entries}


def _meaning(
    entry: _Entry, roots: Mapping[str, Collection[str]], find: Callable[[str], str | None], *, is_root_known: bool
) -> Found:
    for index in range(len(entry.names)):
        there = [(path, inside) for inside in roots.get(entry.root(index), ()) if (path := find(entry.path(index, inside)))]
        if there:
            path, inside = there[0]
            return entry.found(path, index, inside) if len(there) == 1 else Found(None, entry.style, several=True)
    if entry.file is not None and (entry.telling >= _THREE if is_root_known else entry.is_certain):
        return entry.found(entry.file, entry.first, _inside(entry, entry.file))
    return Found(None, entry.style, several=len(entry.files) > 1)


def _roots(entries: Sequence[_Entry], find: Callable[[str], str | None]) -> dict[str, set[str]]:
    """Key of a folder of that machine -> where it is in the library.

    Two certain entries show it; so do two others, if every entry from that folder leads to a file there.
    """
    votes: dict[tuple[str, str], dict[str, _Entry]] = defaultdict(dict)
    for entry in entries:
        if entry.file is not None:
            votes[entry.root(entry.first), _inside(entry, entry.file)][entry.file] = entry
    folders = {root for root, _ in votes}
    below: dict[str, list[tuple[_Entry, int]]] = defaultdict(list)
    for entry in entries:
        for index in range(len(entry.names)):
            if (root := entry.root(index)) in folders:
                below[root].append((entry, index))
    roots: dict[str, set[str]] = defaultdict(set)
    for (root, inside), voters in votes.items():
        certain = sum(voter.is_certain for voter in voters.values())
        all_there = len(voters) >= _TWO and all(find(entry.path(index, inside)) for entry, index in below[root])
        if certain >= _TWO or all_there:
            roots[root].add(inside)
    return dict(roots)


def _inside(entry: _Entry, file: str) -> str:
    """The directory of the library in which the common end begins."""
    return "/".join(file.split("/")[: entry.first - len(entry.names)])


def _longest(value: str, ends: Ends, *, uris: bool) -> _Entry | None:
    """The entry, read as the file with the longest end has it; None if it is not absolute."""
    best: _Entry | None = None
    for entry in _readings(value, uris=uris):
        names = [entry.mount, *entry.names] if entry.mount else entry.names
        depth, files = ends.longest(names)
        if best is None or depth > best.depth:
            if 1 < len(files) <= _COMPARED:
                exact = [file for file in files if file.split("/")[-depth:] == [*names[-depth:]]]
                files = exact if len(exact) == 1 else files
            best = msgspec.structs.replace(entry, depth=depth, files=tuple(files[:_TWO]))
    return best


def _readings(value: str, *, uris: bool) -> Iterator[_Entry]:
    top = next(filter(None, (pattern.match(value) for pattern in _TOPS)), None)
    if top is None:
        return
    plain = EntryStyle(absolute=True)
    quoted = [msgspec.structs.replace(style, absolute=True) for _, style in unquoted(value)]
    is_uri = uris or _URL.match(value)
    styles = [*(quoted if is_uri else ()), plain, *(quoted if "%" in value and not is_uri else ())]
    # In a path from the root, a backslash may be a part of a name.
    slashes = ("/", "\\")[: 1 + ("\\" in value)] if top.re is _TOPS[-1] and "\\" not in top[0] else ("\\",)
    for style in styles:
        for slash in slashes:
            entry = _split(value, top, _NAME[slash], style)
            if entry is not None:
                yield entry


def _split(value: str, top: re.Match[str], name: re.Pattern[str], style: EntryStyle) -> _Entry | None:
    names: list[str] = []
    starts: list[int] = []
    for part in name.finditer(value, top.end()):
        if part[0] == "..":
            if not names:
                return None
            names.pop()
            starts.pop()
        elif part[0] != ".":
            names.append(_decoded(part[0], style))
            starts.append(part.start())
    if not 0 < len(names) <= _DEEPEST:
        return None
    style = msgspec.structs.replace(style, slash=value[starts[-1] - 1])
    return _Entry(value, _key(top[0]), _decoded(top[1], style), tuple(names), tuple(starts), style)


def _decoded(text: str, style: EntryStyle) -> str:
    return text if style.quoted is None else unquote_to_bytes(text).decode(style.quoted)


@lru_cache(maxsize=4096)
def _key(beginning: str) -> str:
    return collision_key(beginning.replace("\\", "/"))


def _says_something(name: str) -> bool:
    return _TELLING.search(_NUMBERING.sub(" ", name.casefold())) is not None
