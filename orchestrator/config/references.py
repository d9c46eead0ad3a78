"""Reads secrets from where the config says they are. They are stored nowhere, and no message repeats one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from orchestrator.errors import AuthError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"(?:[/~.][^\n{}=]{0,200}|[\w. -]{1,80}(?:/[^\n{}=]{0,200}|\.\w{1,8}))")
"""What looks like a path, and not like a secret in its place: it is absolute, has a folder, or has an ending."""
LONGEST = 64 * 1024
"""Bytes. rclone gets secrets as variables of its environment, and Linux refuses those above 128 KiB."""
_OF_SEVERAL_LINES = ("{", "-----BEGIN")
"""How JSON and keys in PEM begin."""

Run = Callable[[Sequence[str]], bytes]
"""Runs a program and gives what it prints; raises AuthError with a reason that repeats none of it."""


class Reference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a secret comes from. Exactly one key is set."""

    instead: ClassVar[str] = (
        "a secret does not belong in a config file: write where it is instead, such as {env: NAS_PASSWORD}, "
        "{file: /run/secrets/nas}, {credential: nas} or {command: [pass, show, nas]}"
    )
    """What to write instead of a plain value, which must not be repeated."""

    env: Annotated[str | None, Meta(description="The variable of the environment that holds it.", examples=["NAS_PASSWORD"])] = (
        None
    )
    file: Annotated[str | None, Meta(description="The file that holds it.", examples=["/run/secrets/nas"])] = None
    credential: Annotated[
        str | None, Meta(description="The name of a systemd credential, as in `LoadCredential=nas:/etc/nas`.", examples=["nas"])
    ] = None
    command: Annotated[
        list[str] | None,
        Meta(description="The program that prints it, and its arguments; no shell.", examples=[["pass", "show", "nas"]]),
    ] = None


def is_variable(text: str) -> bool:
    """Whether a text can be the name of a variable of the environment."""
    return _VARIABLE.fullmatch(text) is not None


def reference_problem(reference: Reference) -> str | None:
    """Why a reference cannot be used, whatever it leads to. Repeats no value: a secret may have been written there."""
    given = [key for key in reference.__struct_fields__ if getattr(reference, key) is not None]
    if len(given) != 1:
        return f"give one of {', '.join(reference.__struct_fields__)}"
    if reference.env is not None and not is_variable(reference.env):
        return "`env` is the name of a variable, such as NAS_PASSWORD; the secret is its value"
    if reference.credential is not None and (not reference.credential or "/" in reference.credential):
        return "`credential` is the name of a systemd credential, without a path"
    if reference.command is not None and not (reference.command and reference.command[0]):
        return "`command` is a list: the program, then its arguments"
    return None


class References:
    """Reads each secret when it is first needed, and only once."""

    def __init__(self, environment: Mapping[str, str], run: Run) -> None:
        self._environment = environment
        self._run = run
        self._read: dict[str, str] = {}

    def text(self, reference: Reference, name: str) -> str:
        """The secret; `name` is the key that refers to it. Raises AuthError.

        JSON and keys in PEM are read whole. Of anything else only the first line counts: password managers write what they know
        besides a password below it.
        """
        if name not in self._read:
            self._read[name] = _secret(self._bytes(reference, name), name)
        return self._read[name]

    def _bytes(self, reference: Reference, name: str) -> bytes:
        if reference.env is not None:
            return variable(self._environment, reference.env, f"{name}: {reference.env}").encode("utf-8", "surrogateescape")
        if reference.command is not None:
            try:
                return self._run(reference.command)
            except AuthError as error:
                raise AuthError(f"{name}: {error.message}") from None
        text = reference.file or ""
        if reference.credential is not None:
            directory = self._environment.get("CREDENTIALS_DIRECTORY")
            if not directory:
                raise AuthError(
                    f"{name}: $CREDENTIALS_DIRECTORY is not set: start the program by a systemd unit with "
                    f"`LoadCredential={reference.credential}:/path`"
                )
            text = f"{directory}/{reference.credential}"
        try:
            with file_of_credentials(text, name, self._environment).open("rb") as stream:
                return stream.read(LONGEST + 1)
        except OSError as error:
            raise AuthError(f"{name}: the file cannot be read: {error.strerror}") from None


def variable(environment: Mapping[str, str], name: str, label: str, holds: str = "the secret") -> str:
    """The value of a variable, without white space around it. Raises AuthError if it is not set."""
    text = environment.get(name, "").strip()
    if not text:
        raise AuthError(f"{label} is not set: put {holds} into this variable")
    return text


def file_of_credentials(text: str, name: str, environment: Mapping[str, str]) -> Path:
    """An absolute path, after a look whether the file exists. Raises AuthError."""
    if reason := why_no_file(text, environment):
        raise AuthError(f"{name}: {reason}")
    return _path(text, environment)


def why_no_file(text: str, environment: Mapping[str, str]) -> str | None:
    """Why a path leads to no file of credentials; None if it does."""
    path = _path(text, environment)
    try:
        if path.is_file():
            return None
    except (OSError, ValueError):  # such as a name that is too long
        pass
    if not _PATH.fullmatch(text):  # rather a secret than a path
        return "there is no such file of credentials: write its path"
    why = "is a folder, not a file of credentials" if path.is_dir() else "there is no such file of credentials"
    return f"{text}: {why}{'' if text.startswith(('/', '~')) else f', in {path.parent}'}"


def _path(text: str, environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME") or str(Path.home())
    return Path(home + text[1:] if text == "~" or text.startswith("~/") else text).absolute()


def _secret(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise AuthError(f"{name}: what it leads to is not UTF-8 text") from None
    if not text.lstrip().startswith(_OF_SEVERAL_LINES):
        text = text.partition("\n")[0].rstrip("\r")
    if not text:
        raise AuthError(f"{name}: what it leads to is empty")
    if "\0" in text or len(content) > LONGEST:
        raise AuthError(f"{name}: what it leads to is no secret: it contains NUL, or has more than {LONGEST // 1024} KiB")
    return text
