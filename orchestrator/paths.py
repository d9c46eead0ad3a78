"""Every rule about a path, once: parents, names, extensions, what is ours, what is debris, which two paths may meet.

A path is relative to the root of its location, with `/`, never leading or trailing; "" is the root itself. A location is in its
canonical form: `remote:path`, or an absolute path on a disk of this machine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.records import OWN_DIRECTORY

UNPORTABLE: Final = '<>:"|?*'
"""Characters that names cannot have on Windows."""


def is_local(fs: str) -> bool:
    """Whether a location is on a disk of this machine."""
    return fs.startswith("/")


def remote_of(fs: str) -> str:
    """The rclone remote of a location; "" for the local disk."""
    return "" if is_local(fs) else fs.partition(":")[0]


def location_prefix(fs: str) -> str:
    """What makes a path absolute when put before it, so that paths in nested locations of one remote can be compared."""
    return fs if fs.endswith(("/", ":")) else f"{fs}/"


def join_location(fs: str, path: str) -> str:
    """The absolute form of a path; the location itself for its root."""
    return location_prefix(fs) + path if path else fs


def split_path(path: str) -> tuple[str, str]:
    """The parent directory and the name: ("a/b", "c") of "a/b/c"."""
    parent, _, name = path.rpartition("/")
    return parent, name


def join_path(directory: str, name: str) -> str:
    """The reverse of `split_path`."""
    return f"{directory}/{name}" if directory else name


def parent_of(path: str) -> str:
    """The directory that a path lies in; "" for the root."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def parents_of(path: str, *, root: bool = False) -> Iterator[str]:
    """The directories above a path, deepest first; the root ("") only with `root`."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
    if root and path:
        yield ""


def directories_above(paths: Iterable[str]) -> set[str]:
    """Every directory above one of the paths, the root ("") included."""
    seen: set[str] = set()
    for path in paths:
        for directory in parents_of(path, root=True):
            if directory in seen:
                break
            seen.add(directory)
    return seen


def common_directory(directories: Iterable[str]) -> str:
    """The deepest directory that is, or contains, all of these."""
    parts = [directory.split("/") for directory in sorted(set(directories))]
    common: list[str] = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return "/".join(common)


def split_extension(name: str) -> tuple[str, str]:
    """Stem and extension without its dot: ("a.b", "mp3") of "a.b.mp3"; no extension where the stem would be empty."""
    stem, dot, extension = name.rpartition(".")
    return (stem, extension) if dot and stem.strip(". ") else (name, "")


def extension_of(path: str) -> str:
    """The lower-case extension that says what kind of file it is; unlike in `split_extension`, "..mp3" has one."""
    stem, dot, extension = name_of(path).rpartition(".")
    return extension.lower() if dot and stem else ""


def without_path(message: str, path: str | None) -> str:
    """A message about a file without the path that it begins with, however often."""
    while path and message.startswith(f"{path}: "):
        message = message.removeprefix(f"{path}: ")
    return message


def own_directory_of(path: str) -> str | None:
    """The highest OWN_DIRECTORY that a path is or lies in, at any depth; None for all other paths.

    One further down is that of a location inside this one: its quarantine is no music of ours.
    """
    if OWN_DIRECTORY not in path:
        return None
    before, found, _ = f"/{path}/".partition(f"/{OWN_DIRECTORY}/")
    return f"{before}/{OWN_DIRECTORY}"[1:] if found else None


def is_ours(path: str) -> bool:
    """Whether a path is an OWN_DIRECTORY or lies in one, at any depth."""
    return own_directory_of(path) is not None


_PARTIAL: Final = re.compile(r"\.[^/]{8}\.partial\Z")
"""rclone's name for a transfer under way: a checksum in hexadecimal, in older versions 8 random characters."""

_OWN_PARTIAL: Final = re.compile(r"(?P<whole>.+)\.[0-9a-f]{8}\.partial", re.DOTALL)
"""The same, as the version that we drive writes it."""

_RENAMING: Final = re.compile(r"-rclone-move-[^/.]{8}\Z")
"""rclone's name for a file between the halves of a rename that only changes case: 8 random characters, without an extension."""

_CLUTTER: Final = frozenset(
    {
        *(".ds_store", ".localized", "icon\r", ".apdisk"),  # macOS
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),  # Windows
        *(".directory", ".nomedia"),  # KDE, Android
    }
)


def is_rclone_debris(path: str) -> bool:
    """Whether a killed rclone left this file behind: an unfinished transfer, or half of a rename that only changes case."""
    return (path.endswith(".partial") and _PARTIAL.search(path) is not None) or is_half_renamed(path)


def is_half_renamed(path: str) -> bool:
    """Whether rclone gave this name to a file in the middle of a rename that only changes case: the file is complete."""
    return "-rclone-move-" in path and _RENAMING.search(path) is not None


def without_partial_suffix(name: str) -> str | None:
    """The name that the partial file of our rclone stands for, possibly shortened; None for any other name.

    Stricter than `is_rclone_debris`: what fits this may be deleted.
    """
    found = _OWN_PARTIAL.fullmatch(name)
    return found["whole"] if found else None


def is_clutter(path: str) -> bool:
    """Whether a desktop left this file behind."""
    name = name_of(path)
    return name.startswith("._") or name.lower() in _CLUTTER


_FULL_WIDTH: Final = str.maketrans(
    {
        **{chr(ord(character) + 0xFEE0): character for character in '\\<>:"|?*.~'},
        "\u2420": " ",
        "\u2421": "\x7f",
        **{chr(0x2400 + code): chr(code) for code in range(0x20)},
    }
)
"""What rclone writes where a provider forbids a character -> that character: both spellings can name one file."""

_TRAILING: Final = re.compile(r"[. ]+(?=/|$)")


def collision_key(path: str) -> str:
    """Equal for paths that may be one file somewhere: case, Unicode form, rclone's encoding and trailing dots are ignored."""
    if path.isascii():
        key = path.lower()
        if "./" not in key and " /" not in key and not key.endswith((".", " ")):
            return key
    else:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFD", path.translate(_FULL_WIDTH)).casefold())
    # A part made of dots and spaces only is kept: it must not become its own parent.
    return "/".join(_TRAILING.sub("", part) or part for part in key.split("/"))


def case_key(path: str) -> str:
    """Equal for paths that differ only in case or Unicode form: one file on a storage that ignores both."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


_PROBLEMS: Final = {
    "": "it has an empty part",
    ".": "it leaves its location",
    "..": "it leaves its location",
    # So rclone shows those two, where they are a part of the key of an object.
    "\uff0e": "a part of it stands for `.`",
    "\uff0e\uff0e": "a part of it stands for `..`",
}
_PROBLEM_PARTS: Final = frozenset(_PROBLEMS)


def path_problem(path: str) -> str | None:
    """Why a path does not name a file inside its location; None when it does."""
    if "\0" in path:
        return "it contains a NUL character"
    if not path or path.startswith("/"):
        return "it is not relative"
    parts = path.split("/")
    if not _PROBLEM_PARTS.isdisjoint(parts):
        return next(_PROBLEMS[part] for part in parts if part in _PROBLEMS)
    try:
        path.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    return None


def check_directory(given: str, where: str) -> str:
    """The directory below the target that the setting `where` names, without slashes at its ends. Raises UsageError."""
    text = given.strip("/")
    if given.startswith("/") or path_problem(text) or is_ours(text):
        raise UsageError(f"{where}: {given!r} must be a path below the target, without '..' and outside {OWN_DIRECTORY}")
    return text
