"""`config init`, `show`, `get`, `set`, `unset`, `validate` and `schema`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestrator.config.options.common import CONFIGURED, OUTPUT
from orchestrator.config.options.declare import Options, argument, option

Key = Annotated[str, argument("A key, with dots between its parts, such as cloud.provider.")]


class ConfigInitOptions(Options, frozen=True):
    """`config init`."""

    common: ClassVar[tuple[str, ...]] = (*CONFIGURED, "dry_run")

    force: Annotated[bool, option("Replace an existing file.")] = False


class ConfigShowOptions(Options, frozen=True):
    """`config show`."""

    common: ClassVar[tuple[str, ...]] = CONFIGURED


class ConfigGetOptions(Options, frozen=True):
    """`config get`."""

    common: ClassVar[tuple[str, ...]] = CONFIGURED

    key: Key


class ConfigSetOptions(Options, frozen=True):
    """`config set`."""

    common: ClassVar[tuple[str, ...]] = (*CONFIGURED, "dry_run")

    key: Key
    value: Annotated[str, argument("A word, a number, or YAML such as [a, b].")]


class ConfigUnsetOptions(Options, frozen=True):
    """`config unset`."""

    common: ClassVar[tuple[str, ...]] = (*CONFIGURED, "dry_run")

    key: Key


class ConfigValidateOptions(Options, frozen=True):
    """`config validate`."""

    common: ClassVar[tuple[str, ...]] = CONFIGURED

    file: Annotated[str | None, argument("The file to check (default: the one in use).", completes="file")] = None


class ConfigSchemaOptions(Options, frozen=True):
    """`config schema`."""

    common: ClassVar[tuple[str, ...]] = OUTPUT
