"""`sidecars:` in the config: rules for what moves along with the music."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

GoesWith = Literal["album", "track", "track or album", "nothing"]

IMAGES: Final = ["jpg", "jpeg", "png", "gif", "webp", "avif", "heic", "heif", "jxl", "bmp", "tif", "tiff"]
PAPERS: Final = [
    *("txt", "nfo", "diz", "md", "rtf", "doc", "docx", "odt", "pdf", "djvu", "epub", "mobi", "htm", "html", "mht", "json"),
    *("url", "webloc", "torrent"),
]
"""What people and programs write about an album."""
PROOFS: Final = ["log", "cue", "toc", "accurip", "ffp", "st5", "md5", "md5sum", "sfv", "sha1", "sha256", "sha512"]
"""How an album was ripped, and its checksums."""


class SidecarRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule for the files beside the music. A file must match all that it names; the first matching rule counts."""

    goes_with: Annotated[
        GoesWith,
        Meta(
            description="What the file moves with: its album (keeps its name), the track whose name it begins with (renamed with "
            "the track), that track if there is one and otherwise the album, or nothing (stays where it is).",
            examples=["album"],
        ),
    ]
    extensions: Annotated[
        list[str], Meta(description="One of these, without the dot; empty: any extension.", examples=[["pdf"]])
    ] = []
    names: Annotated[
        list[str],
        Meta(description="One of these names without the extension, `*` for anything; empty: any name.", examples=[["cover"]]),
    ] = []
    folders: Annotated[
        list[str],
        Meta(
            description="Anywhere below one of these folders of the album, `*` for anything; empty: only right beside the music.",
            examples=[["scans"]],
        ),
    ] = []


DEFAULT_SIDECARS: Final[tuple[SidecarRule, ...]] = (
    SidecarRule(goes_with="album", extensions=["m3u", "m3u8", "pls", "xspf", "wpl", "zpl", "asx"]),
    SidecarRule(goes_with="album", names=["cover", "folder", "front", "back", "albumart", "album"], extensions=IMAGES),
    SidecarRule(
        goes_with="album",
        folders=[
            *(
                "*scan*",
                "*art",
                "*artwork*",
                "*cover*",
                "*booklet*",
                "image*",
                "img",
                "pic*",
                "photo*",
                "foto*",
                "front",
                "back",
                "bk",
            ),
            *("inlay*", "insert*", "sleeve*", "label*", "poster*", "lyrics", "*notes", "info*", "doc*", "text*", "txt", "extra*"),
            *("proof*", "log*", "eac", "accuraterip", "checksum*", "md5", "spectr*"),
        ],
    ),
    SidecarRule(goes_with="track or album", extensions=[*IMAGES, *PAPERS, *PROOFS]),
    # Lyrics, and anything else that is named like a track.
    SidecarRule(goes_with="track"),
)


def rule_problem(rule: SidecarRule) -> str | None:
    """What is wrong with a rule that its types cannot express; None for a valid one."""
    for words in (rule.extensions, rule.names, rule.folders):
        for word in words:
            if not word.strip() or "/" in word:
                return f"{word!r} is not the name of a file or folder"
    if any("*" in extension for extension in rule.extensions):
        return "extensions cannot contain `*`; leave them out to match any extension"
    return None
