"""Legal names: turns the text of a tag or template into one component of a path.

The steps, in order: normalize and remove invisible characters, replace what the config says, replace separators and forbidden
characters, trim the ends, avoid reserved names and those of folders of other programs, use the fallback if nothing is left, cut
to the limit; years and labels in brackets at the end stay. Every function is idempotent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from orchestrator.errors import UsageError
from orchestrator.foreign_folders import is_foreign_name
from orchestrator.paths import UNPORTABLE
from orchestrator.plan.layout.number_suffix import number_suffix
from orchestrator.plan.layout.replacements import Replacements
from orchestrator.plan.music.tag_values import clean_value
from orchestrator.records import Capabilities
from orchestrator.track import Track

MAX_EXTENSION = 32
"""Bytes. A longer "extension" counts as part of the stem and may be cut with it."""


class NameRules(msgspec.Struct, frozen=True):
    """What a name must not contain on some kind of storage. Control characters and separators are never allowed."""

    name: str
    forbidden: str = ""
    """Characters that are replaced by `_`."""
    dropped_first: str = ""
    """Characters that are removed from the start, with the spaces there."""
    windows: bool = True
    """Trailing dots and DOS device names are illegal."""
    reserved: frozenset[str] = frozenset()
    """Whole names, case-folded, that the provider reserves or ignores."""


_DROPBOX = frozenset({"desktop.ini", "thumbs.db", ".ds_store", "icon", ".dropbox", ".dropbox.attr", ".dropbox.cache"})

RULES: dict[str, NameRules] = {
    rules.name: rules
    for rules in (
        NameRules("portable", forbidden=UNPORTABLE, dropped_first="~", reserved=_DROPBOX),
        NameRules("remote"),
        NameRules("posix", windows=False),
        NameRules("windows", forbidden=UNPORTABLE),
        NameRules("onedrive", forbidden=UNPORTABLE, dropped_first="~"),
        NameRules("dropbox", reserved=_DROPBOX),
    )
}
"""The rule sets by name. "portable", the default, is legal everywhere; "remote" leaves `<>:"|?*` to rclone's encoding."""

_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789¹²³")}
)

_SUSPICIOUS = re.compile(r'[^ -~]|[<>:"|?*/\\]|^[ ~.\-]|[. ]$')


def rules_named(name: str) -> NameRules:
    """The rule set of that name. Raises UsageError for an unknown one."""
    try:
        return RULES[name]
    except KeyError:
        raise UsageError(f"unknown rule set for names {name!r}; choose one of {', '.join(sorted(RULES))}") from None


def names_for(rules: str, target: Capabilities, replace: Mapping[str, str]) -> Names:
    """The names of one target. `rules`: a rule set, or "target" for the one of its provider. Raises UsageError."""
    return Names(rules_named(target.names if rules == "target" else rules), target.max_component_bytes, replace)


_BRACKETS = re.compile(r"(?:\s*(?:\([^()]*\)|\[[^\[\]]*\]))+\Z")
"""What a name ends with in brackets: the year, or the label that tells an album from another one of its name."""

_RCLONE_QUOTE = "\u201b"
"""rclone writes this as two, and does not find a name that has one. It looks like the left quotation mark."""

_WIDE_DOT = "\uff0e"
"""rclone takes a name that consists of one or two of these for `.` or `..`."""


class Names:
    """Makes names legal for one rule set and one limit of bytes per component."""

    def __init__(self, rules: NameRules, max_bytes: int = 255, replace: Mapping[str, str] | None = None) -> None:
        """`replace`: text -> what stands for it in names, as the config says."""
        self._rules = rules
        self._replacements = Replacements(replace) if replace else None
        self._max_bytes = min(255, max_bytes)
        self._forbidden = re.compile("[" + re.escape(rules.forbidden) + "]") if rules.forbidden else None
        self._directories: dict[tuple[str, str], str] = {}

    def directory(self, raw: str, fallback: str = "_") -> str:
        """A directory name, or `fallback` (which must be legal) if nothing is left of it."""
        key = (raw, fallback)
        legal = self._directories.get(key)
        if legal is None:
            legal = self._directories[key] = self._whole(raw) or fallback
        return legal

    def stem(self, raw: str, extension: str, fallback: str = "_") -> str:
        """A file name without its extension, cut so that both fit the limit. `extension` is legal and has its dot."""
        if (
            len(raw) + len(extension) <= self._max_bytes
            and not _SUSPICIOUS.search(raw)
            and not self._reserved(raw)
            and not (self._replacements and self._replacements.concern(raw))
            and raw.strip(_WIDE_DOT)
            and (extension or not self._rules.reserved)
            and f"{raw}{extension}".lower() not in self._rules.reserved
        ):
            return raw
        stem = self._before_extension(raw) if extension else self._whole(raw)
        if f"{stem}{extension}".casefold() in self._rules.reserved:
            stem += "_"
        return self._cut(stem, self._max_bytes - len(extension.encode())) or fallback

    def track(self, track: Track) -> Track:
        """The track as names need it: see `Replacements.marked`."""
        return self._replacements.marked(track) if self._replacements else track

    def extension(self, raw: str) -> str:
        """An extension with its dot; "" if there is none."""
        text = self._characters(raw).strip(" .")
        text = "" if len(text.encode()) > MAX_EXTENSION else text
        return f".{text}" if text else ""

    def file(self, stem: str, extension: str, number: int = 1) -> str:
        """The full name for a legal stem; from `number` 2 on with " (2)", which is never cut."""
        if number == 1:
            return stem + extension
        suffix = number_suffix(number)
        room = self._max_bytes - len(extension.encode()) - len(suffix)
        return self._cut(stem, room) + suffix + extension

    def _whole(self, raw: str) -> str:
        text = self._around_devices(self._ends(self._characters(raw)))
        if text.casefold() in self._rules.reserved or is_foreign_name(text):
            text += "_"
        return self._ends(self._cut(text, self._max_bytes))

    def _before_extension(self, raw: str) -> str:
        text = self._start(self._characters(raw)).rstrip()
        return self._around_devices(text) if text.strip(". ") else ""

    def _characters(self, raw: str) -> str:
        text = clean_value(raw)
        if self._replacements:
            text = self._replacements.applied(text)
        text = text.replace(_RCLONE_QUOTE, "\u2018")
        return self._forbidden.sub("_", text) if self._forbidden else text

    def _start(self, text: str) -> str:
        while text and (text[0].isspace() or text[0] in self._rules.dropped_first):
            text = text[1:]
        return "_" + text[1:] if text[:1] in {"-", "."} and text.strip(". ") else text

    def _ends(self, text: str) -> str:
        text = self._start(text)
        while text and (text[-1].isspace() or (text[-1] == "." and (self._rules.windows or not text.strip(".")))):
            text = text[:-1]
        return text if text.strip(_WIDE_DOT) else ""

    def _reserved(self, text: str) -> bool:
        return self._rules.windows and len(text) < 4096 and text.partition(".")[0].rstrip().casefold() in _DEVICES

    def _around_devices(self, text: str) -> str:
        if not self._reserved(text):
            return text
        device, dot, rest = text.partition(".")
        return f"{device.rstrip()}_{dot}{rest}"

    @staticmethod
    def _cut(text: str, limit: int) -> str:
        if len(text) * 4 <= limit:
            return text
        encoded = text.encode()
        if len(encoded) <= limit:
            return text
        found = _BRACKETS.search(text, len(text) - limit // 4)
        end = found.group() if found else ""
        room = limit - len(end.encode())
        if room < limit // 2:
            end, room = "", limit
        return encoded[:room].decode("utf-8", "ignore").rstrip() + end
