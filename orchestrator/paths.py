"""Every rule about a path, once: parents, names, what is ours, what is debris, which two paths may meet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.records import OWN_DIRECTORY


def remote_of(fs: str) -> str:
    """The rclone remote of a location in canonical form; "" for the local disk."""
    return "" if fs.startswith("/") else fs.partition(":")[0]


def parents(path: str) -> Iterator[str]:
    """The directories above a path, deepest first, the root left out."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def is_ours(path: str) -> bool:
    """Whether a path lies under OWN_DIRECTORY."""
    return path == OWN_DIRECTORY or path.startswith(OWN_DIRECTORY + "/")


_RCLONE_DEBRIS = re.compile(r"\.[0-9a-f]{8}\.partial\Z|-rclone-move-[0-9A-Za-z]{8}\Z")
"""Names that rclone gives to a transfer under way, and to the first half of a rename that changes case only."""

_CLUTTER: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def is_rclone_debris(path: str) -> bool:
    """Whether a killed rclone left this file behind: an unfinished transfer, or half of a rename that changes case only."""
    return _RCLONE_DEBRIS.search(path) is not None


def is_clutter(path: str) -> bool:
    """Whether a desktop left this file behind."""
    name = path.rpartition("/")[2]
    return name.startswith("._") or name.lower() in _CLUTTER


def split_extension(name: str) -> tuple[str, str]:
    """Stem and extension without its dot: ("a.b", "mp3") of "a.b.mp3"; no extension where the stem would be empty."""
    stem, dot, extension = name.rpartition(".")
    return (stem, extension) if dot and stem.strip(". ") else (name, "")


# What rclone writes where a provider forbids a character: a name and its full-width twin can become one.
_TWINS = str.maketrans(
    {
        **{chr(ord(character) + 0xFEE0): character for character in '\\<>:"|?*.~'},
        "\u2420": " ",
        "\u2421": "\x7f",
        **{chr(0x2400 + code): chr(code) for code in range(0x20)},
    }
)


_ENDS = re.compile(r"[. ]+(?=/|$)")


def collision_key(path: str) -> str:
    """Two paths with one key may be one file somewhere: case, Unicode form, rclone's encoding and trailing dots do not count."""
    if path.isascii():
        folded = path.lower()
        if "./" not in folded and " /" not in folded and not folded.endswith((".", " ")):
            return folded
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", path.translate(_TWINS)).casefold())
    # A component of dots and spaces alone is kept: it must not become its own parent.
    return "/".join(_ENDS.sub("", part) or part for part in folded.split("/"))


def path_problem(path: str) -> str | None:
    """Why a path does not name a file inside its location; None when it does."""
    if "\0" in path:
        return "it holds a NUL"
    if not path or path.startswith("/"):
        return "it is not relative"
    parts = path.split("/")
    if ".." in parts or "." in parts:
        return "it leaves its location"
    if "" in parts:
        return "it has an empty part"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    return None


def check_directory(given: str, where: str) -> str:
    """The directory below the target that the setting `where` names, without slashes at its ends. Raises UsageError."""
    text = given.strip("/")
    if given.startswith("/") or path_problem(text):
        raise UsageError(f"{where}: {given!r} must be a path below the target, without '..'")
    return text
