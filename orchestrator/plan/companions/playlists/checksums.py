"""Lists of checksums: where a line names its file.

`sum  name` and `ALGORITHM (name) = sum` as md5sum and its relatives write them, with `[shntool]` between the two in a .st5;
`name:sum` as metaflac writes it for a .ffp; `name sum` in a .sfv.
"""

from __future__ import annotations

import re
from typing import Final

KINDS: Final = ("ffp", "st5", "md5", "md5sum", "sfv", "sha1", "sha224", "sha256", "sha384", "sha512", "sha")
"""Their extensions. Live recordings often come with an `ffp.txt` or `show.md5.txt` instead."""
IN_TEXTS: Final = tuple(
    f"{kind}.txt"
    for kind in (
        *("ffp", "st5", "md5", "md5sum", "md5sums", "sfv", "sha1", "sha256", "sha256sums", "checksum", "checksums"),
        *("fingerprint", "fingerprints"),
    )
)
"""How the names of lists end that are text files by their extension."""

_SUM = r"(?:[0-9A-Fa-f]{128}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{56}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32})"
_FIRST = re.compile(rf"(?P<escaped>\\?){_SUM}[ \t]+(?:\[shntool\][ \t]+)?\*?")
_TAG = re.compile(r"(?P<escaped>\\?)[A-Za-z0-9-]{2,12} ?\(")
_TAGGED = re.compile(rf"\)[ \t]*=[ \t]*{_SUM}\Z")
_LAST = re.compile(rf"[ \t:](?:{_SUM}|[0-9A-Fa-f]{{8}})\Z")


def name_in(line: str) -> tuple[int, int, bool] | None:
    """Start and end of the name of the file in a line, and whether backslashes in it are doubled; None for any other line."""
    found = _FIRST.match(line)
    if found is not None:
        return found.end(), len(line), bool(found["escaped"])
    tag, end = _TAG.match(line), _TAGGED.search(line)
    if tag is not None and end is not None:
        return tag.end(), end.start(), bool(tag["escaped"])
    end = _LAST.search(line)
    return (0, len(line[: end.start()].rstrip(" \t:")), False) if end is not None else None


def unescaped(name: str) -> str:
    """A name whose backslashes are doubled, as it is."""
    return name.replace("\\\\", "\\")


def escaped(name: str) -> str:
    """A name with its backslashes doubled."""
    return name.replace("\\", "\\\\")
