"""Reads the config file, applies the environment, and checks what types cannot say.

Order of precedence: command line, environment (`MUSIC_ORCHESTRATOR_<KEY>`), file. The file is the one of `--config`, otherwise of
`$MUSIC_ORCHESTRATOR_CONFIG`, otherwise `music-orchestrator/config.yaml` in the platform's config directory, which may be absent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from orchestrator.config import yaml_decoder
from orchestrator.config.environment import ENVIRONMENT_PREFIX, environment_names, with_environment
from orchestrator.config.location_text import check_form
from orchestrator.config.model import Config, JobStep
from orchestrator.config.remote_text import text_problem
from orchestrator.config.replacements import replacement_problem
from orchestrator.config.sidecars import rule_problem
from orchestrator.errors import ConfigError, UsageError
from orchestrator.globs import compile_globs


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

    def origin(self, *key: str) -> str:
        """Where the value of a key comes from: file and line, or a variable of the environment."""
        return self.variables.get(key) or f"{self.path}:{self.lines.of(*key)}"

    def label(self, *key: str) -> str:
        """The value of a key as messages call it: file, line and key, or a variable of the environment."""
        return self.variables.get(key) or f"{self.origin(*key)}: {'.'.join(key)}"


def default_path() -> Path:
    """The config file of this user on this platform."""
    import platformdirs  # noqa: PLC0415 - kept out of --help

    return Path(platformdirs.user_config_dir("music-orchestrator", appauthor=False)) / "config.yaml"


def config_path(option: str | Path | None, environment: Mapping[str, str]) -> tuple[Path, bool]:
    """The file to read, and whether it was named (then it must exist)."""
    named = option or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    return (Path(named).expanduser(), True) if named else (default_path(), False)


def load(option: str | Path | None = None, environment: Mapping[str, str] | None = None) -> LoadedConfig:
    """Read the file, apply the environment, and check the result. Raises ConfigError with file and line."""
    environment = os.environ if environment is None else environment
    path, named = config_path(option, environment)
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        if named:
            raise ConfigError(f"{path}: no such config file; `music-orchestrator config init` writes one") from error
        text = None
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the config file: {error.strerror}") from error
    return load_text(text, path, environment)


def load_text(text: bytes | None, path: Path, environment: Mapping[str, str]) -> LoadedConfig:
    """Apply the environment to the content of a file (None: there is no file). Raises ConfigError."""
    config, lines = (Config(), yaml_decoder.Lines()) if text is None else _parse(text, path)
    config = with_environment(config, environment)
    digest = sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()
    variables = {key: name for name, key in environment_names().items() if environment.get(name)}
    loaded = LoadedConfig(config=config, path=path, exists=text is not None, sha256=digest, lines=lines, variables=variables)
    _check_remotes(config, loaded.label)
    return loaded


def parse(text: bytes, path: Path) -> Config:
    """Read and check the content of a file by itself: neither rclone nor a remote is asked. Raises ConfigError."""
    config, lines = _parse(text, path)
    _check_remotes(config, lambda *key: f"{path}:{lines.of(*key)}: {'.'.join(key)}")
    return config


def _parse(text: bytes, path: Path) -> tuple[Config, yaml_decoder.Lines]:
    config, lines = yaml_decoder.decode(text, path, Config)
    _check(config, path, lines)
    return config, lines


def _check_remotes(config: Config, label: Callable[..., str]) -> None:
    found = text_problem(config)
    if found is not None:
        raise ConfigError(f"{label(*found[0])}: {found[1]}")
    if config.cloud is None:
        return
    from orchestrator.config.cloud import cloud_problem  # noqa: PLC0415 - it reads profiles, and most configs have no such section

    problem = cloud_problem(config.cloud)
    if problem is not None:
        raise ConfigError(f"{label('cloud', problem.key)}: {problem.reason}")


def _check(config: Config, path: Path, lines: yaml_decoder.Lines) -> None:
    """Check what types cannot express."""
    _check_locations(config, path, lines)
    for number, sidecar in enumerate(config.sidecars):
        problem = rule_problem(sidecar)
        if problem:
            raise ConfigError(f"{path}:{lines.of('sidecars', str(number))}: sidecars: {problem}")
    _check_globs(config, path, lines)
    for text in config.replace:
        if problem := replacement_problem(config.replace, text):
            raise ConfigError(f"{path}:{lines.of('replace', text)}: replace: {problem}")
    for job, steps in config.jobs.items():
        for number, step in enumerate(steps):
            commands = [name for name in JobStep.__struct_fields__ if getattr(step, name) is not None]
            if len(commands) != 1:
                line = lines.of("jobs", job, str(number))
                raise ConfigError(f"{path}:{line}: jobs.{job}: a step is one command ({', '.join(JobStep.__struct_fields__)})")
    for number, rule in enumerate(config.layouts[:-1]):
        if rule.when is None:
            line = lines.of("layouts", str(number))
            raise ConfigError(
                f"{path}:{line}: layouts: only the last rule may have no `when`; the rules after this one would never be used"
            )


def _check_globs(config: Config, path: Path, lines: yaml_decoder.Lines) -> None:
    for key, globs in (("include", config.include), ("exclude", config.exclude)):
        for number, glob in enumerate(globs):
            try:
                compile_globs([glob])
            except UsageError as error:
                raise ConfigError(f"{path}:{lines.of(key, str(number))}: {key}: {error.message}") from error


def _check_locations(config: Config, path: Path, lines: yaml_decoder.Lines) -> None:
    for name, text in config.locations.items():
        try:
            if text not in config.locations:
                check_form(text)
        except UsageError as error:
            raise ConfigError(f"{path}:{lines.of('locations', name)}: locations.{name}: {error.message}") from error
