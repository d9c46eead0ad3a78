"""The comment by which `schedule` knows its own files again, and whether somebody has edited them since."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

_MARK = re.compile(r"Written by `music-orchestrator schedule`: (?P<fields>\{.*\}) (?P<digest>[0-9a-f]{64})")


class Mark(Struct, frozen=True):
    """What the comment says."""

    job: str
    at: tuple[str, ...]
    """What --at said; empty: the job says when it starts."""
    intact: bool
    """Nobody has edited the file."""


def marked(lines: Sequence[str], after: int, job: str, at: Sequence[str], comment: tuple[str, str] = ("# ", "")) -> str:
    """The text of a file, with the comment below its first lines (`after`: how many)."""
    fields = json.dumps({"job": job, "at": [*at]}).replace("--", "-\\u002d")  # XML forbids two dashes in a comment
    digest = _digest("\n".join(lines))
    mark = f"{comment[0]}Written by `music-orchestrator schedule`: {fields} {digest}{comment[1]}"
    return "\n".join([*lines[:after], mark, *lines[after:]]) + "\n"


def mark_of(text: str) -> Mark | None:
    """The mark of a file; None if the file is not ours."""
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines):
        if found := _MARK.search(line):
            try:
                fields = json.loads(found["fields"])
                job, at = str(fields["job"]), tuple(map(str, fields["at"]))
            except (ValueError, KeyError, TypeError):
                return None
            rest = "\n".join([*lines[:number], *lines[number + 1 :]])
            return Mark(job, at, intact=_digest(rest) == found["digest"])
    return None


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
