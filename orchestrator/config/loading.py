"""Reads the config file, applies the environment, and checks what types cannot say.

Order of precedence: command line, environment (`MUSIC_ORCHESTRATOR_<KEY>`), file. The file is the one of `--config`, otherwise of
`$MUSIC_ORCHESTRATOR_CONFIG`, otherwise `music-orchestrator/config.yaml` in the platform's config directory, which may be absent.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from orchestrator.config import yaml_decoder
from orchestrator.config.environment import ENVIRONMENT_PREFIX, environment_names, with_environment
from orchestrator.config.jobs import JobStep, placed_steps
from orchestrator.config.location_text import check_form
from orchestrator.config.model import Config
from orchestrator.config.problems import Key, Problem, may_cause, part_of, refuse, without_consequences
from orchestrator.config.remote_text import text_problems
from orchestrator.config.replacements import replacement_problem
from orchestrator.config.sidecars import rule_problem
from orchestrator.errors import ConfigError, UsageError
from orchestrator.globs import compile_globs
from orchestrator.user_paths import read_user_file, user_path


class LoadedConfig(Struct, frozen=True, kw_only=True):
    """The config in force, and where it came from."""

    config: Config
    path: Path
    """The file, whether or not it exists."""
    exists: bool
    sha256: str
    """Of all settings in force. A plan's header records it."""
    lines: yaml_decoder.Lines
    """The line of each key in the file."""
    variables: dict[tuple[str, ...], str]
    """Key, part by part -> the variable of the environment that overrides it."""
    unread: frozenset[Key] = frozenset()
    """The keys that were left out because they cannot be read."""

    @property
    def incomplete(self) -> frozenset[Key]:
        """The parts of the file (see `part_of`) with such a key."""
        return frozenset(map(part_of, self.unread))

    def problem(self, key: Key, reason: str, shown: str | None = None) -> Problem:
        """A problem of a key, which the message calls `shown`."""
        return Problem(key, self.label(*key) if shown is None else f"{self.origin(*key)}: {shown}", reason)

    def judged(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems without those that a key which cannot be read may have: it is missing, and others depend on it."""
        return without_consequences(one for one in problems if not any(may_cause(key, one.key) for key in self.unread))

    def unread_names(self, section: str) -> set[str]:
        """The names in a section whose values cannot be read."""
        return {key[1] for key in self.unread if key[0] == section and len(key) > 1}

    def origin(self, *key: str) -> str:
        """Where the value of a key comes from: file and line, or a variable of the environment."""
        return self.variables.get(key) or f"{self.path}:{self.lines.of(*key)}"

    def label(self, *key: str) -> str:
        """The value of a key as messages call it: file, line and key, or a variable of the environment."""
        return self.variables.get(key) or f"{self.origin(*key)}: {'.'.join(key)}"


WRITTEN_BY = "`music-orchestrator config init` writes one"


def default_path() -> Path:
    """The config file of this user on this platform."""
    import platformdirs  # noqa: PLC0415 - kept out of --help

    return Path(platformdirs.user_config_dir("music-orchestrator", appauthor=False)) / "config.yaml"


def config_path(option: str | Path | None, environment: Mapping[str, str]) -> tuple[Path, bool]:
    """The file to read, and whether it was named (then it must exist)."""
    named = option or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    return (user_path(named), True) if named else (default_path(), False)


def load(option: str | Path | None = None, environment: Mapping[str, str] | None = None) -> LoadedConfig:
    """Read the file, apply the environment, and check the result. Raises ConfigError with file and line."""
    environment = os.environ if environment is None else environment
    path, named = config_path(option, environment)
    try:
        text = read_user_file(path)
    except FileNotFoundError as error:
        if named:
            raise ConfigError(f"{path}: no such config file; {WRITTEN_BY}") from error
        text = None
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot read the config file: {error.strerror}; let this user read it, or name another with --config"
        ) from error
    return load_text(text, path, environment)


def load_text(text: bytes | None, path: Path, environment: Mapping[str, str]) -> LoadedConfig:
    """Apply the environment to the content of a file (None: there is no file). Raises ConfigError."""
    loaded, problems = examine(text, path, environment)
    refuse(problems)
    return loaded


def examine(text: bytes | None, path: Path, environment: Mapping[str, str]) -> tuple[LoadedConfig, list[Problem]]:
    """The same, with all that is wrong in the file by itself: neither rclone nor a remote is asked. Wrong keys are left out.

    Raises ConfigError for a file that cannot be read at all, and for a wrong variable of the environment.
    """
    config, lines, problems = (Config(), yaml_decoder.Lines(), []) if text is None else yaml_decoder.decode(text, path, Config)
    config = with_environment(config, environment)
    digest = sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()
    variables = {key: name for name, key in environment_names().items() if environment.get(name)}
    loaded = LoadedConfig(
        config=config,
        path=path,
        exists=text is not None,
        sha256=digest,
        lines=lines,
        variables=variables,
        unread=frozenset(one.key for one in problems),
    )
    return loaded, [*problems, *loaded.judged(_problems(loaded))]


def parse(text: bytes, path: Path) -> Config:
    """Read and check the content of a file by itself: neither rclone nor a remote is asked. Raises ConfigError."""
    return load_text(text, path, {}).config


def _problems(loaded: LoadedConfig) -> Iterator[Problem]:
    """What types cannot express."""
    config = loaded.config
    yield from _of_locations(loaded)
    yield from _of_globs(loaded)
    yield from _of_jobs(loaded)
    yield from _of_remotes(loaded)
    for number, sidecar in enumerate(config.sidecars):
        if reason := rule_problem(sidecar):
            yield loaded.problem(("sidecars", str(number)), f": {reason}", "sidecars")
    for text in config.replace:
        if reason := replacement_problem(config.replace, text):
            yield loaded.problem(("replace", text), f": {reason}", "replace")
    for number, rule in enumerate(config.layouts[:-1]):
        if rule.when is None:
            reason = ": only the last rule may have no `when`; the rules after this one would never be used"
            yield loaded.problem(("layouts", str(number)), reason, "layouts")


def _of_jobs(loaded: LoadedConfig) -> Iterator[Problem]:
    for job, key, step in placed_steps(loaded.config.jobs):
        if len(step.commands) != 1:
            all_of_them = ", ".join(JobStep.__struct_fields__)
            yield loaded.problem(key, f": a step is one command ({all_of_them})", f"jobs.{job}")


def _of_remotes(loaded: LoadedConfig) -> Iterator[Problem]:
    config = loaded.config
    for key, reason in text_problems(config):
        yield loaded.problem(key, f": {reason}")
    if config.cloud is None:
        return
    from orchestrator.config.cloud import cloud_problems  # noqa: PLC0415 - it reads profiles, and most configs have no such section

    for of_cloud in cloud_problems(config.cloud):
        yield loaded.problem(("cloud", of_cloud.key), f": {of_cloud.reason}")


def _of_globs(loaded: LoadedConfig) -> Iterator[Problem]:
    for key in ("include", "exclude", "ignore"):
        globs: list[str] = getattr(loaded.config, key)
        for number, glob in enumerate(globs):
            try:
                compile_globs([glob])
            except UsageError as error:
                yield loaded.problem((key, str(number)), f": {error.message}", key)


def _of_locations(loaded: LoadedConfig) -> Iterator[Problem]:
    locations = loaded.config.locations
    for name, text in locations.items():
        try:
            if text not in locations:
                check_form(text)
        except UsageError as error:
            yield loaded.problem(("locations", name), f": {error.message}")
