"""The config file: its types are the one source for validation, `config init`, `config schema` and the environment's names.

Order of precedence: command line, environment (`MUSIC_ORCHESTRATOR_<KEY>`), file. The file is the one of `--config`, else of
`$MUSIC_ORCHESTRATOR_CONFIG`, else `music-orchestrator/config.yaml` in the platform's config directory; that one may be absent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from orchestrator.config import yaml_decoder
from orchestrator.config.fields import fields_of
from orchestrator.config.options.dedup import DedupStep
from orchestrator.config.options.organize import OrganizeStep
from orchestrator.config.options.scan import ScanStep
from orchestrator.config.options.shared import DedupAction, ReadingPolicy
from orchestrator.config.options.sync import SyncOptions
from orchestrator.config.sidecars import DEFAULT_SIDECARS, SidecarRule, rule_problem
from orchestrator.errors import ConfigError, UsageError
from orchestrator.location import check_form

ENVIRONMENT_PREFIX = "MUSIC_ORCHESTRATOR_"


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the config with a closed set of keys."""


class Schemes(Section, frozen=True):
    """Which remote of the rclone config a URL means."""

    s3: Annotated[str | None, Meta(description="The remote that s3://bucket/path means.", examples=["my-aws"])] = None
    gs: Annotated[str | None, Meta(description="The remote that gs://bucket/path means.", examples=["my-gcs"])] = None
    azure: Annotated[str | None, Meta(description="The remote that azure://container/path means.", examples=["my-azure"])] = None


class Cloud(Section, frozen=True):
    """One cloud place without an rclone config: makes a remote called `cloud`."""

    provider: Annotated[
        str | None, Meta(description="s3, gcs, azure, dropbox, gdrive, or any backend type of rclone.", examples=["s3"])
    ] = None
    bucket: Annotated[str | None, Meta(description="The bucket or container.", examples=["my-music"])] = None
    region: Annotated[str | None, Meta(description="The provider's region.", examples=["eu-west-1"])] = None
    remote_path: Annotated[str | None, Meta(description="The folder in the bucket.", examples=["/music"])] = None
    endpoint: Annotated[
        str | None, Meta(description="The server, for S3-compatible providers.", examples=["https://s3.example.org"])
    ] = None
    options: Annotated[
        dict[str, str],
        Meta(description="More options of the rclone backend, spelled as in rclone.conf.", extra={"secret": True}),
    ] = {}


class Remote(Section, frozen=True):
    """What we add to one remote of the rclone config (or a remote of its own, with `type`)."""

    type: Annotated[str | None, Meta(description="rclone's backend type, for a remote that rclone.conf does not have.")] = None
    options: Annotated[
        dict[str, str],
        Meta(
            description="Options of the rclone backend, spelled as in rclone.conf.",
            examples=[{"server_side_encryption": "AES256"}],
            extra={"secret": True},
        ),
    ] = {}
    profile: Annotated[
        str | None, Meta(description="The provider profile to use instead of the backend's own.", examples=["s3"])
    ] = None
    reading: Annotated[
        ReadingPolicy | None, Meta(description="What reading tags should save there, instead of what the profile says.")
    ] = None


class LayoutRule(Section, frozen=True):
    """One rule of the layout: the first whose `when` holds is used."""

    template: Annotated[
        str, Meta(description="A preset's name or a template.", examples=["Compilations/{{ album }}/{{ title }}"])
    ]
    when: Annotated[
        str | None, Meta(description="The condition, decided once an album; none: always.", examples=["compilation"])
    ] = None


class Dedup(Section, frozen=True):
    """How duplicates are treated."""

    action: Annotated[DedupAction, Meta(description="What organize does about duplicates.")] = "off"
    keep: Annotated[
        list[str], Meta(description="What decides which copy stays, first to last.", examples=[["lossless", "bitrate", "oldest"]])
    ] = []
    reference: Annotated[
        list[str], Meta(description="Locations whose files are never touched.", examples=[["/srv/originals"]])
    ] = []
    same_format_only: Annotated[bool, Meta(description="Keep lossy companions of lossless files.")] = False


class JobStep(Section, frozen=True):
    """One step of a job: one command with its options spelled as on the command line."""

    organize: Annotated[OrganizeStep | None, Meta(description="Organize a location.")] = None
    sync: Annotated[SyncOptions | None, Meta(description="Make two locations equal.")] = None
    dedup: Annotated[DedupStep | None, Meta(description="Find duplicates.")] = None
    scan: Annotated[ScanStep | None, Meta(description="Bring the catalogue up to date.")] = None


class Notify(Section, frozen=True):
    """Whom to tell when a job ends."""

    urls: Annotated[list[str], Meta(description="Where to send a message.", extra={"secret": True})] = []
    healthcheck: Annotated[
        str | None,
        Meta(description="A URL to call after each good run.", examples=["https://hc.example.org/uuid"], extra={"secret": True}),
    ] = None


class Config(Section, frozen=True):
    """The whole file. Every key may be left out."""

    locations: Annotated[
        dict[str, str], Meta(description="Names for what would be typed again and again.", examples=[{"library": "gdrive:Music"}])
    ] = {}
    schemes: Annotated[Schemes, Meta(description="Which remote a URL means.")] = Schemes()
    cloud: Annotated[Cloud | None, Meta(description="A cloud place without an rclone config: makes a remote called `cloud`.")] = (
        None
    )
    remotes: Annotated[dict[str, Remote], Meta(description="What we add to the remotes of the rclone config.")] = {}
    layout: Annotated[str | None, Meta(description="The layout where no rule of `layouts` holds.", examples=["default"])] = None
    names: Annotated[
        Literal["portable", "target"], Meta(description="Names that are legal everywhere, or just where the files go.")
    ] = "portable"
    layouts: Annotated[
        list[LayoutRule], Meta(description="Rules of the layout: the first match wins; the last needs no `when`.")
    ] = []
    sidecars: Annotated[
        list[SidecarRule],
        Meta(description="With what the files beside the music go: the first rule that fits decides; this is the whole table."),
    ] = msgspec.field(default_factory=lambda: [*DEFAULT_SIDECARS])
    leftovers: Annotated[
        str | None, Meta(description="The folder for what is left where music leaves; none: it stays.", examples=["Leftovers"])
    ] = None
    playlists: Annotated[
        list[str],
        Meta(description="Locations whose playlists are named when they lead to what moves.", examples=[["~/Playlists"]]),
    ] = []
    dedup: Annotated[Dedup, Meta(description="How duplicates are treated.")] = Dedup()
    jobs: Annotated[dict[str, list[JobStep]], Meta(description="What cron calls: each job is a list of steps.")] = {}
    notify: Annotated[Notify, Meta(description="Whom to tell when a job ends.")] = Notify()
    rclone: Annotated[str | None, Meta(description="The rclone binary.", examples=["/usr/local/bin/rclone"])] = None
    rclone_config: Annotated[
        str | None, Meta(description="The rclone config file.", examples=["~/.config/rclone/rclone.conf"])
    ] = None
    state_dir: Annotated[str | None, Meta(description="Where catalogue, journal and locks lie.")] = None
    log_file: Annotated[str | None, Meta(description="Where rclone's and our own log go.")] = None
    bandwidth: Annotated[str | None, Meta(description="The limit in rclone's syntax, timetables too.", examples=["10M"])] = None
    transfers: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None, Meta(description="Transfers at the same time (8).", examples=[8])
    ] = None
    max_delete: Annotated[
        int | str | None, Meta(description="Stop when more files than this would be removed.", examples=["10%"])
    ] = None


class LoadedConfig(Struct, frozen=True, kw_only=True):
    """The config in force, and where it came from."""

    config: Config
    path: Path
    """The file, whether or not it exists."""
    exists: bool
    sha256: str
    """Of the settings in force; part of a plan's header."""
    lines: yaml_decoder.Lines
    """Where each key of the file stands."""
    variables: dict[tuple[str, ...], str]
    """Path of a key -> the variable of the environment that overrides it."""

    def place(self, *key: str) -> str:
        """Where the value of a key comes from: file and line, or a variable of the environment."""
        return self.variables.get(key) or f"{self.path}:{self.lines.of(*key)}"

    def named(self, *key: str) -> str:
        """What to call the value of a key in a message: file, line and key, or a variable of the environment."""
        return self.variables.get(key) or f"{self.place(*key)}: {'.'.join(key)}"


def default_path() -> Path:
    """The config file of this user on this platform."""
    import platformdirs  # noqa: PLC0415 - kept out of --help

    return Path(platformdirs.user_config_dir("music-orchestrator", appauthor=False)) / "config.yaml"


def config_path(option: str | Path | None, environment: Mapping[str, str]) -> tuple[Path, bool]:
    """The file to read, and whether somebody named it (and so it must exist)."""
    named = option or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    return (Path(named).expanduser(), True) if named else (default_path(), False)


def load(option: str | Path | None = None, environment: Mapping[str, str] | None = None) -> LoadedConfig:
    """Read the file, lay the environment over it, check it. Raises ConfigError with file and line."""
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
    return loaded(text, path, environment)


def loaded(text: bytes | None, path: Path, environment: Mapping[str, str]) -> LoadedConfig:
    """What a file's content says (None: there is no file), the environment over it. Raises ConfigError."""
    config, lines = (Config(), yaml_decoder.Lines()) if text is None else _parse(text, path)
    config = with_environment(config, environment)
    digest = sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()
    variables = {key: name for name, key in environment_names().items() if environment.get(name)}
    return LoadedConfig(config=config, path=path, exists=text is not None, sha256=digest, lines=lines, variables=variables)


def parse(text: bytes, path: Path) -> Config:
    """The config that a file's content says, checked in itself (no rclone, no remote). Raises ConfigError."""
    return _parse(text, path)[0]


def _parse(text: bytes, path: Path) -> tuple[Config, yaml_decoder.Lines]:
    config, lines = yaml_decoder.decode(text, path, Config)
    _check(config, path, lines)
    return config, lines


def with_environment(config: Config, environment: Mapping[str, str]) -> Config:
    """The config with `MUSIC_ORCHESTRATOR_<KEY>` and `MUSIC_ORCHESTRATOR_<SECTION>_<KEY>` laid over it."""
    for name, path in environment_names().items():
        value = environment.get(name)
        if value:
            config = _replaced(config, path, value, name)
    return config


def environment_names() -> dict[str, tuple[str, ...]]:
    """Environment variable -> path of the key that it overrides. Keys that hold one text or number have one."""
    names = {}
    for path in _scalar_paths(Config, ()):
        names[ENVIRONMENT_PREFIX + "_".join(path).upper()] = path
    return names


def schema() -> dict[str, Any]:
    """The JSON schema of the file."""
    document = msgspec.json.schema(Config)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "music-orchestrator config", **document}


def _scalar_paths(section: type[Struct], prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for field in fields_of(section):
        if field.section is not None and field.closed and not prefix:
            yield from _scalar_paths(field.section, (field.name,))
        elif field.scalar:
            yield (*prefix, field.name)


def _replaced(config: Config, path: tuple[str, ...], value: str, name: str) -> Config:
    if not yaml_decoder.is_text(value):
        raise ConfigError(f"{name}: not UTF-8 text")
    document = msgspec.to_builtins(config)
    *sections, key = path
    place = document
    for section in sections:
        if place[section] is None:
            place[section] = {}
        place = place[section]
    place[key] = yaml_decoder.scalar(value)
    try:
        return msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        first = error
    place[key] = value  # `2024` where a text is wanted
    try:
        return msgspec.convert(document, Config)
    except msgspec.ValidationError:
        reason = yaml_decoder.plain_reason(first).removesuffix(", got text")
        raise ConfigError(f"{name}: {reason}, got `{value}`") from first


def _check(config: Config, path: Path, lines: yaml_decoder.Lines) -> None:
    """What types cannot say."""
    _check_locations(config, path, lines)
    for number, sidecar in enumerate(config.sidecars):
        problem = rule_problem(sidecar)
        if problem:
            raise ConfigError(f"{path}:{lines.of('sidecars', str(number))}: sidecars: {problem}")
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


def _check_locations(config: Config, path: Path, lines: yaml_decoder.Lines) -> None:
    for name, text in config.locations.items():
        try:
            if text not in config.locations:
                check_form(text)
        except UsageError as error:
            raise ConfigError(f"{path}:{lines.of('locations', name)}: locations.{name}: {error.message}") from error
