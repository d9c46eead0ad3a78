"""Which files a run may touch: --include, --exclude and --settle."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from orchestrator.errors import UsageError
from orchestrator.records import Entry

EXCLUDED, NOT_INCLUDED = "excluded", "not included"
OUTSIDE = frozenset({EXCLUDED, NOT_INCLUDED})
"""Why a file is left alone that the globs leave out."""


class Selection(msgspec.Struct, frozen=True):
    """What the options of a run leave in. An excluded or unsettled file stays where it is; its name stays taken.

    A glob with a `/` (other than at its end) is matched from the root of the location, any other one at every level. A glob that
    matches a directory covers what lies below it. `*` and `?` do not match `/`, `**` does; case counts.
    """

    include: tuple[str, ...] = ()
    """Only what matches one of these; () is everything."""
    exclude: tuple[str, ...] = ()
    """Never what matches one of these; stronger than `include`."""
    settle_ns: int = 0
    """Leave files alone that changed less than this ago."""
    now_ns: int = 0
    """When the run began, nanoseconds since 1970, UTC."""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.include or self.exclude or self.settle_ns)

    def compiled(self) -> Chooser:
        """The same, ready to be asked about many files. Raises UsageError for a glob that cannot be."""
        return Chooser(self)


class Chooser:
    """Answers for one Selection."""

    def __init__(self, selection: Selection) -> None:
        self._include = _pattern(selection.include)
        self._exclude = _pattern(selection.exclude)
        self._youngest_ns = selection.now_ns - selection.settle_ns if selection.settle_ns > 0 else None

    def why_not(self, entry: Entry, since_ns: int) -> str | None:
        """Why the file is left alone, in words; None when it is in.

        `since_ns` is when the catalogue first met this content: on a remote without modification times nothing else tells that a
        file has come to rest.
        """
        if self._exclude is not None and self._exclude.search(entry.path):
            return EXCLUDED
        if self._include is not None and not self._include.search(entry.path):
            return NOT_INCLUDED
        if self._youngest_ns is not None:
            changed_ns = since_ns if entry.mtime_ns is None else entry.mtime_ns
            if changed_ns > self._youngest_ns:
                return "changed too recently (--settle)"
        return None


def _pattern(globs: Sequence[str]) -> re.Pattern[str] | None:
    if not globs:
        return None
    return re.compile("|".join(_translated(glob) for glob in globs), re.DOTALL)


def _translated(glob: str) -> str:
    """One glob as a regular expression to be searched in a path."""
    body = glob.strip("/")
    if not body:
        raise UsageError(f"the glob {glob!r} names nothing: write for example '*.flac' or 'Inbox/**'")
    anchored = glob.startswith("/") or "/" in body
    parts: list[str] = [r"\A" if anchored else r"(?:\A|/)"]
    at = 0
    while at < len(body):
        if body.startswith("**/", at):
            parts.append("(?:.*/)?")
            at += 3
        elif body.startswith("**", at):
            parts.append(".*")
            at += 2
        elif body[at] == "*":
            parts.append("[^/]*")
            at += 1
        elif body[at] == "?":
            parts.append("[^/]")
            at += 1
        elif body[at] == "[" and (end := body.find("]", at + 2)) != -1:
            inside = body[at + 1 : end]
            negated = inside.startswith("!")
            members = re.escape(inside[1:] if negated else inside).replace(r"\-", "-")
            parts.append(f"[{'^/' if negated else ''}{members}]")
            at = end + 1
        else:
            parts.append(re.escape(body[at]))
            at += 1
    # A pattern that ends in "/" means a directory; any other may be one: it then covers all below it.
    parts.append("/" if glob.endswith("/") else r"(?:/|\Z)")
    try:
        re.compile("".join(parts))
    except re.error as error:
        raise UsageError(f"cannot read the glob {glob!r}: {error}") from error
    return "".join(parts)
