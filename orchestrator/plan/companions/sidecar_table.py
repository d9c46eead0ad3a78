"""The rules of `sidecars:`, ready to be asked what a file moves with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import NamedTuple

from orchestrator.config.sidecars import GoesWith, SidecarRule
from orchestrator.paths import split_extension


class _Rule(NamedTuple):
    goes_with: GoesWith
    extensions: frozenset[str]
    names: re.Pattern[str] | None
    folders: re.Pattern[str] | None


class SidecarTable:
    """Compiled rules. Upper and lower case are the same."""

    def __init__(self, rules: Sequence[SidecarRule]) -> None:
        self._rules = [
            _Rule(
                rule.goes_with,
                frozenset(extension.removeprefix(".").casefold() for extension in rule.extensions),
                _pattern(rule.names),
                _pattern(rule.folders),
            )
            for rule in rules
        ]

    def goes_with(self, name: str, folder: str = "") -> GoesWith:
        """What a file of that name moves with. `folder` is the album's folder that it is in or below, "" for none."""
        stem, extension = split_extension(name.casefold())
        folder = folder.casefold()
        for rule in self._rules:
            if (
                (folder and rule.folders.match(folder) if rule.folders else not folder)
                and (not rule.extensions or extension in rule.extensions)
                and (rule.names is None or rule.names.match(stem))
            ):
                return rule.goes_with
        return "nothing"


def _pattern(names: Sequence[str]) -> re.Pattern[str] | None:
    """What matches one of these names, in which `*` stands for anything; None for no names."""
    return re.compile("|".join(translate(name.casefold()) for name in names)) if names else None
