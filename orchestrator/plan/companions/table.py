"""The table that says with what a file beside the music goes. `sidecars:` in the config is one; the default is below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from orchestrator.paths import split_extension

GoesWith = Literal["album", "track", "track or album", "nothing"]

IMAGES: Final = ["jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff"]


class SidecarRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule for the files beside the music: all that it names must fit; the first rule that fits decides."""

    goes_with: Annotated[
        GoesWith,
        Meta(
            description="The album (name kept), the track whose name its own begins with (renamed with it), the track if there "
            "is one and else the album, or nothing: then it stays.",
            examples=["album"],
        ),
    ]
    extensions: Annotated[list[str], Meta(description="One of these, without the dot; none: any.", examples=[["pdf"]])] = []
    names: Annotated[
        list[str], Meta(description="One of these without the extension, `*` for anything; none: any.", examples=[["cover"]])
    ] = []
    folders: Annotated[
        list[str],
        Meta(description="Anywhere below one of these folders of the album; none: right beside the music.", examples=[["scans"]]),
    ] = []


DEFAULT: Final[tuple[SidecarRule, ...]] = (
    SidecarRule(goes_with="album", extensions=["m3u", "m3u8", "pls", "xspf"]),
    SidecarRule(goes_with="album", names=["cover", "folder", "front", "back", "albumart", "album"], extensions=IMAGES),
    SidecarRule(
        goes_with="album", folders=["scans", "scan", "artwork", "art", "covers", "cover", "booklet", "booklets", "lyrics"]
    ),
    SidecarRule(goes_with="track or album", extensions=[*IMAGES, "log", "nfo", "pdf", "cue", "accurip", "md5", "sfv", "ffp"]),
    SidecarRule(goes_with="track"),
)


def rule_problem(rule: SidecarRule) -> str | None:
    """What is wrong with a rule that its types cannot say; None for a sound one."""
    for words in (rule.extensions, rule.names, rule.folders):
        for word in words:
            if not word.strip() or "/" in word:
                return f"{word!r} is no name of a file or folder"
    if any("*" in extension for extension in rule.extensions):
        return "extensions are matched as they are, without `*`; leave them out for any"
    return None


class _Rule(NamedTuple):
    goes_with: GoesWith
    extensions: frozenset[str]
    names: re.Pattern[str] | None
    folders: frozenset[str]


class SidecarTable:
    """Rules, ready to be asked. Case makes no difference."""

    def __init__(self, rules: Sequence[SidecarRule]) -> None:
        self._rules = [
            _Rule(
                rule.goes_with,
                frozenset(extension.removeprefix(".").casefold() for extension in rule.extensions),
                re.compile("|".join(translate(name.casefold()) for name in rule.names)) if rule.names else None,
                frozenset(folder.casefold() for folder in rule.folders),
            )
            for rule in rules
        ]

    def goes_with(self, name: str, folder: str = "") -> GoesWith:
        """With what a file of that name goes; `folder`: the one of the album's that it lies below, "" for none."""
        stem, extension = split_extension(name.casefold())
        folder = folder.casefold()
        for rule in self._rules:
            if (
                (folder in rule.folders if rule.folders else not folder)
                and (not rule.extensions or extension in rule.extensions)
                and (rule.names is None or rule.names.match(stem))
            ):
                return rule.goes_with
        return "nothing"
