"""The patterns of --include and --exclude, and of the config's `include` and `exclude`.

A pattern with a `/` (except at its end) is matched from the root of the location, any other pattern at every level. A pattern
that matches a directory covers everything below it. `*` and `?` do not match `/`, `**` does. Case matters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.errors import UsageError


def compile_globs(globs: Sequence[str], *, ignore_case: bool = False) -> re.Pattern[str] | None:
    """What to search in a path for one of these patterns; None if there are none. Raises UsageError for an invalid one."""
    if not globs:
        return None
    return re.compile("|".join(map(_translated, globs)), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def fragment(body: str) -> str:
    """The middle of a pattern as a part of a regular expression. Raises UsageError for an invalid one."""
    parts: list[str] = []
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
    try:
        re.compile("".join(parts))
    except re.error as error:
        raise UsageError(f"invalid glob {body!r}: {error}") from error
    return "".join(parts)


def _translated(glob: str) -> str:
    """One glob as a regular expression, to search in a path."""
    body = glob.strip("/")
    if not body:
        raise UsageError(f"the glob {glob!r} is empty: write for example '*.flac' or 'Inbox/**'")
    anchored = glob.startswith("/") or "/" in body
    # A glob that ends in "/" means a directory; any other glob may match one, and then covers everything below it.
    return (r"\A" if anchored else r"(?:\A|/)") + fragment(body) + ("/" if glob.endswith("/") else r"(?:/|\Z)")
