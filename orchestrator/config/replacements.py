"""`replace:` in the config: what stands for characters that names cannot have."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from orchestrator.paths import UNPORTABLE

_ILLEGAL = re.compile(rf"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff/\\{UNPORTABLE}]")


def replacement_problem(replace: Mapping[str, str], text: str) -> str | None:
    """What is wrong with what stands for `text`; None for a valid replacement.

    A replacement that had a replaced character itself would be replaced again in the next run.
    """
    instead, keys = (unicodedata.normalize("NFC", one) for one in (replace[text], "".join(replace)))
    if not text.strip():
        return "write the characters to replace, with what stands for them: {':': ' -'}"
    if found := _ILLEGAL.search(instead):
        return f"{instead!r} cannot stand for {text!r}: {found.group()!r} is not allowed in names on every system"
    again = next((character for character in keys if not character.isspace() and character in instead), None)
    return f"{instead!r} cannot stand for {text!r}: it has {again!r}, which is replaced itself" if again else None
