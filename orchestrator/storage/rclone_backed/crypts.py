"""Notices a crypt that cannot decrypt what it holds: with a wrong password or setting, rclone leaves out every such name.

A full folder then seems to be empty, and a second library would be written beside the first one. An encrypted name is padded, and
with a wrong password the padding is wrong; but that is all rclone looks at, so that one wrong name of 256 passes by chance, as
noise. So the password is proved where every name is decrypted and one of them is text. Where some are left out, the names are not
encrypted (`filename_encryption = off`) or carry no padding (`obfuscate`), only reading a file proves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from orchestrator.errors import (
    AuthError,
    NotFoundError,
    NotWithThisKeyError,
    OrchestratorError,
    RateLimitError,
    RemoteError,
    TransientError,
    UndecryptableError,
)
from orchestrator.foreign_folders import is_foreign_name
from orchestrator.paths import is_clutter, join_location, join_path
from orchestrator.rclone.listing import ListRequest
from orchestrator.rclone.listing_log import VANISHED
from orchestrator.rclone.rc_client import UnexplainedReadError
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.wording import counted

_MOST_READ = 3
"""So many files have to be unreadable before the password counts as wrong: a single one may be damaged."""
_DEPTH = 8
"""How deep a file is looked for, a request each."""
_OFF = frozenset({"false", "off", "0", "no"})
_BASE32, _BASE64 = re.compile(r"(?=.*\d)[0-9a-v]+"), re.compile(r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w-]+", re.ASCII)


def says_nothing(path: str) -> bool:
    """Whether it means nothing that a name cannot be decrypted: hidden files, and what desktops and servers put everywhere.

    No crypt gives names that begin with a dot, unless it leaves names as they are.
    """
    return any(part.startswith(".") or is_clutter(part) or is_foreign_name(part) for part in path.split("/"))


def is_text(path: str) -> bool:
    """Whether a decrypted name is one that people give: with a wrong password, those that pass by chance are random bytes."""
    return "\ufffd" not in path and path.isprintable()  # rclone shows so what is no UTF-8


def looks_encrypted(name: str) -> bool:
    """Whether a name is as crypts write it: padded to blocks of 16 bytes, in base32 or base64."""
    for bits, pattern in ((5, _BASE32), (6, _BASE64)):
        blocks = len(name) * bits // 8 // 16
        if blocks and len(name) == -(-blocks * 16 * 8 // bits) and pattern.fullmatch(name):
            return True
    return False


class Crypts:
    """The crypts that one location leads through. They are checked once."""

    def __init__(self, rclone: Rclone, fs: str) -> None:
        """Sends no request yet."""
        self._rclone = rclone
        self._fs = fs
        self._checked = False
        self.left_out: list[str] = []
        """The encrypted paths that the last listing left out, but for those that mean nothing."""

    def leave_out(self, path: str) -> None:
        """A name could not be decrypted."""
        if not says_nothing(path):
            self.left_out.append(path)

    def checked(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """The whole listing of the location. At its end, raises what `check` raises."""
        text, folder, files = False, "", list[str]()
        try:
            for entry in entries:
                text = text or is_text(entry.path)
                if len(files) < _MOST_READ and entry.size:
                    folder = folder or entry.path.rpartition("/")[0].partition("/")[0]
                    files.append(entry.path)
                yield entry
        except (NotFoundError, TransientError) as error:
            if isinstance(error, NotFoundError) or VANISHED in error.message:  # as obfuscated names do with another password
                self.check()
            raise
        self.check(_Listed(text, bool(self.left_out), folder, files))

    def check(self, listed: _Listed | None = None) -> None:
        """Raise UndecryptableError for a crypt that can decrypt nothing of what it holds. `listed`: what is known already."""
        if self._checked:
            return
        places = self._rclone.places_of(self._fs)
        names = dict.fromkeys(name for place in places for name in place.crypts)
        for name in names:
            if name.lower() in self._rclone.allow_undecryptable:
                continue
            crypt = _Crypt(self._rclone, name)
            # What one of several remotes shows says nothing about the others.
            if listed is None or len(names) + len(places) > 2 or not crypt.proved_by(self._fs, listed):
                crypt.check()
        self._checked = True


class _Listed(NamedTuple):
    """What a listing of a location has shown."""

    text: bool
    """Whether a name is text."""
    left_out: bool
    """Whether names could not be decrypted."""
    folder: str
    """The first folder on the way to a file; "" if there is none."""
    files: Sequence[str]
    """Some files that are not empty."""


class _Seen(NamedTuple):
    """What is directly in a folder of a crypt."""

    files: list[str]
    folders: list[str]
    undecryptable: list[str]


class _Crypt:
    """One remote of the type crypt."""

    def __init__(self, rclone: Rclone, name: str) -> None:
        self._rclone = rclone
        self._name = name
        self._root = f"{name}:"
        mode = (rclone.option(self._root, "filename_encryption") or "standard").lower()
        folders = (rclone.option(self._root, "directory_name_encryption") or "true").lower()
        self._plain_folders = mode != "off" and folders in _OFF
        """Whether files have encrypted names, and folders have not."""
        self._names_prove = mode == "standard"

    def proved_by(self, fs: str, listed: _Listed) -> bool:
        """Whether a listing has shown that the password and the settings are right."""
        if self._plain_folders and looks_encrypted(listed.folder):
            return False
        if self._names_prove and not listed.left_out:
            return listed.text
        return self._can_read(fs, listed.files) is True

    def check(self) -> None:
        """Look for something that can be decrypted, from the root on. Raises UndecryptableError where nothing can."""
        folder, left_out = "", list[str]()
        for _ in range(_DEPTH):
            seen = self._look(join_location(self._root, folder))
            if seen is None:
                if folder:  # it was listed, but such a name only leads back to the folder with the right password
                    raise self._wrong([*left_out, folder])
                return
            further = self._further_down(folder, seen)
            left_out += seen.undecryptable
            if further is None:
                return
            folder = further

    def _further_down(self, folder: str, seen: _Seen) -> str | None:
        """Where to look next; None if that is not needed, or there is nothing more."""
        plain = [name for name in seen.folders if not (self._plain_folders and looks_encrypted(name))]
        encrypted = [name for name in seen.folders if name not in plain]
        if encrypted and not plain:  # whatever files there are: what is written now would not lie in these folders
            raise self._wrong(encrypted)
        names = seen.files if self._plain_folders else [*seen.files, *plain]
        if self._names_prove and not seen.undecryptable and any(map(is_text, names)):
            return None
        readable = self._can_read(join_location(self._root, folder), seen.files)
        if readable:
            return None
        unclear = [*seen.undecryptable, *encrypted, *(seen.files if readable is False else ())]
        if unclear and not plain:
            raise self._wrong(unclear)
        further = sorted((name for name in plain if name != OWN_DIRECTORY), key=is_text, reverse=True)
        return join_path(folder, further[0]) if further else None

    def _look(self, where: str) -> _Seen | None:
        """What is directly in a folder; None if there is no such folder, also as an empty prefix of keys."""
        seen, undecryptable = _Seen([], [], []), list[str]()
        request = ListRequest(
            fs=where, mtime=False, shallow=True, on_folder=seen.folders.append, on_undecryptable=undecryptable.append
        )
        try:
            seen.files.extend(entry.path for entry in self._rclone.list(request))
        except NotFoundError:
            return None
        seen.undecryptable.extend(path for path in undecryptable if not says_nothing(path))
        if seen.files or seen.folders or undecryptable:
            return seen
        features = self._rclone.client.call("operations/fsinfo", {"fs": self._root})["Features"]
        return seen if features.get("CanHaveEmptyDirectories") else None

    def _can_read(self, fs: str, files: Sequence[str]) -> bool | None:
        """Whether any of these files can be decrypted; None if they do not show it."""
        answers = set[bool | None]()
        for path in sorted(files, key=is_text, reverse=True)[:_MOST_READ]:
            answers.add(self._decrypts(fs, path))
            if True in answers:
                return True
        return False if answers == {False} else None

    def _decrypts(self, fs: str, path: str) -> bool | None:
        try:
            self._rclone.client.get_ranges(fs, path, [(0, 1)])
        except RemoteError as error:
            known: OrchestratorError = error
            if isinstance(error, UnexplainedReadError):
                known = self._rclone.why_unreadable(fs, path) or error
            if isinstance(known, TransientError | RateLimitError | AuthError):
                raise known from error
            return False if isinstance(known, NotFoundError | NotWithThisKeyError) else None
        return True

    def _wrong(self, names: Sequence[str]) -> UndecryptableError:
        below = self._rclone.places_of(self._root)[0]
        held = f" of {below.fs}" if below.named else ""
        these = f"{counted(len(names), 'name')}{held}, such as {names[0]}"
        allow = f"`remotes: {{{self._name}: {{allow_undecryptable: true}}}}`"
        return UndecryptableError(
            f"{self._root} can decrypt none of {these}: its password, `password2` or `filename_encryption` is not what they were "
            f"encrypted with. Correct it with `rclone config`; if they do not belong to {self._root}, give it another folder, or "
            f"set {allow}"
        )
