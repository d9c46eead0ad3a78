"""What stands for characters in names, as `replace:` in the config says: before names are made legal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from orchestrator.plan.music.tag_values import STAND_INS
from orchestrator.track import Track

_NOT_NAMES: Final = frozenset(
    {"track_text", "disc_text", "position", "date", "original_date", "movement_number", "movement_total", "comment"}
)
"""Texts of a track that are read as numbers and dates, or not used in names."""


class Replacements:
    """Replaces texts, the longest first. Separators in tags get a stand-in until then, because cleaned values have none."""

    def __init__(self, replace: Mapping[str, str]) -> None:
        """`replace`: text -> what stands for it, legal and without a replaced character."""
        self._stand_ins = {ord(separator): mark for separator, mark in STAND_INS.items() if separator in "".join(replace)}
        marks = dict.fromkeys(self._stand_ins.values(), "_")
        given = {text.translate(self._stand_ins): instead for text, instead in replace.items()}
        self._instead = {_normal(text): _normal(instead) for text, instead in (marks | given).items()}
        self._any = re.compile("|".join(map(re.escape, sorted(self._instead, key=len, reverse=True))))

    def concern(self, text: str) -> bool:
        """Whether something in the text is to be replaced."""
        return self._any.search(text) is not None

    def applied(self, text: str) -> str:
        """The text with everything replaced, also what only a replaced text has brought together."""
        while self.concern(text):
            text = _normal(self._any.sub(lambda found: self._instead[found.group()], text))
        return text

    def marked(self, track: Track) -> Track:
        """The track with stand-ins for the separators that are to be replaced."""
        return self._marked(track) if self._stand_ins else track

    def _marked(self, texts: Any) -> Any:
        changed = {}
        for name in texts.__struct_fields__:
            value = getattr(texts, name)
            if name in _NOT_NAMES or not value:
                continue
            if isinstance(value, str):
                new: Any = value.translate(self._stand_ins)
            elif isinstance(value, tuple):
                new = tuple(one.translate(self._stand_ins) for one in value)
            elif isinstance(value, msgspec.Struct):
                new = self._marked(value)
            else:
                continue
            if new != value:
                changed[name] = new
        return msgspec.structs.replace(texts, **changed) if changed else texts


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)
