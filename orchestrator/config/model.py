"""The types of the config file, from which its validation, `config init`, the JSON schema, the docs and variables are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from orchestrator.config.jobs import JobText
from orchestrator.config.notify import Notify
from orchestrator.config.options.shared import (
    Bandwidth,
    DedupAction,
    LogFile,
    MaxDelete,
    Rclone,
    RcloneConfig,
    ReadingPolicy,
    SameFormatOnly,
    StateDirectory,
    Transfers,
)
from orchestrator.config.references import Reference
from orchestrator.config.sidecars import DEFAULT_SIDECARS, SidecarRule
from orchestrator.prices import Prices


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the config with a closed set of keys."""

    aliases: ClassVar[Mapping[str, str]] = {}
    """Other spellings of keys -> the keys."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Keys that one may expect here -> why they are refused, and what to write instead."""


class Schemes(Section, frozen=True):
    """Which remote of the rclone config a URL means."""

    s3: Annotated[str | None, Meta(description="The remote that s3://bucket/path means.", examples=["my-aws"])] = None
    gs: Annotated[str | None, Meta(description="The remote that gs://bucket/path means.", examples=["my-gcs"])] = None
    azure: Annotated[str | None, Meta(description="The remote that azure://container/path means.", examples=["my-azure"])] = None


Secrets = Annotated[
    dict[str, Reference],
    Meta(
        description="Options whose values come from elsewhere. A password is given as you would type it.",
        examples=[{"secret_access_key": {"file": "/run/secrets/s3"}}],
        extra={"secret": True},
    ),
]


class Cloud(Section, frozen=True):
    """One cloud location without an rclone config: makes a remote called `cloud`."""

    aliases = {"bucket_name": "bucket"}
    refused = {
        "credentials": "secrets do not belong in a config file: put them into a variable of the environment, and name it with "
        "`credentials_env: AWS_CREDENTIALS`; or name the provider's own file of credentials with `credentials_path`"
    }

    provider: Annotated[
        str | None, Meta(description="s3, gcs, azure, dropbox, gdrive, or any backend type of rclone.", examples=["s3"])
    ] = None
    bucket: Annotated[str | None, Meta(description="The bucket or container; also `bucket_name`.", examples=["my-music"])] = None
    region: Annotated[
        str | None, Meta(description="The provider's region (default: the provider's variables).", examples=["eu-west-1"])
    ] = None
    credentials_env: Annotated[
        str | None,
        Meta(
            description="The name of the variable with the credentials: ACCESS_KEY:SECRET or ACCESS_KEY:SECRET:TOKEN (S3), "
            "ACCOUNT:KEY (Azure), the path or the JSON of a service account (GCS), the JSON of a token (Dropbox, Google Drive).",
            examples=["AWS_CREDENTIALS"],
        ),
    ] = None
    credentials_path: Annotated[
        str | None,
        Meta(
            description="A file with the credentials: that of the AWS tools (S3), a service account (GCS, Google Drive), "
            "a service principal (Azure).",
        ),
    ] = None
    remote_path: Annotated[
        str | None, Meta(description="The folder in the bucket (default: all of it).", examples=["/music"])
    ] = None
    endpoint: Annotated[
        str | None, Meta(description="The server, for S3-compatible providers.", examples=["https://s3.example.org"])
    ] = None
    allow_http: Annotated[
        bool, Meta(description="Allow an endpoint on another host without TLS: others on the way can read and change the files.")
    ] = False
    chunk_size: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="The bytes in one part of a large upload (default: rclone's). It does not change which files are sent in "
            "parts, except on Azure and Dropbox.",
            examples=[8388608],
        ),
    ] = None
    max_concurrent_uploads: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        Meta(description="As --transfers in commands that use this cloud (default: `transfers`).", examples=[4]),
    ] = None
    retry_attempts: Annotated[
        Annotated[int, Meta(ge=1, le=12)] | None,
        Meta(
            description="How often a request is tried (default: 5). A change is tried twice at most in one run.",
            examples=[3],
        ),
    ] = None
    retry_delay: Annotated[
        Annotated[float, Meta(ge=0, le=30)] | None,
        Meta(description="The seconds before the second try (default: 0.5); later waits double, up to 30.", examples=[1.0]),
    ] = None
    bandwidth_limit: Annotated[
        Annotated[int, Meta(ge=1)] | str | None,
        Meta(
            description="As --bandwidth in commands that use this cloud. A number alone is in bytes per second.",
            examples=[10485760],
        ),
    ] = None
    sync_mode: Annotated[
        Literal["upload", "download", "bidirectional", "to-cloud", "to-local"] | None,
        Meta(
            description="The direction of `sync` with this cloud if none is given: upload or to-cloud, download or to-local "
            "(default: bidirectional).",
            examples=["upload"],
        ),
    ] = None
    delete_after_sync: Annotated[
        bool, Meta(description="As --delete-after in every `sync` with this cloud, which then must be one way.")
    ] = False
    options: Annotated[
        dict[str, str],
        Meta(description="More options of the rclone backend, spelled as in rclone.conf.", extra={"secret": True}),
    ] = {}
    secrets: Secrets = {}


class Remote(Section, frozen=True):
    """Settings for one remote of the rclone config or, with `type`, a remote of its own."""

    type: Annotated[str | None, Meta(description="rclone's backend type, for a remote that is not in rclone.conf.")] = None
    options: Annotated[
        dict[str, str],
        Meta(
            description="Options of the rclone backend, spelled as in rclone.conf.",
            examples=[{"server_side_encryption": "AES256"}],
            extra={"secret": True},
        ),
    ] = {}
    secrets: Secrets = {}
    profile: Annotated[
        str | None, Meta(description="The provider profile to use instead of the backend's own.", examples=["s3"])
    ] = None
    prices: Annotated[
        str | Prices | None,
        Meta(
            description="What the provider charges: the name of a price list, or a list of your own "
            "(default: the list of the provider that the remote names).",
            examples=["r2"],
        ),
    ] = None
    reading: Annotated[
        ReadingPolicy | None, Meta(description="Read tags with few bytes, or with few requests (default: as the profile says).")
    ] = None
    follow_links: Annotated[
        bool, Meta(description="Follow the links of an SFTP server, the shortcuts of Google Drive (default: leave them out).")
    ] = False
    allow_undecryptable: Annotated[
        bool, Meta(description="For a crypt: its folder may hold files that it cannot decrypt (default: they are reported).")
    ] = False


class LayoutRule(Section, frozen=True):
    """One rule of the layout: the first one whose `when` holds is used."""

    template: Annotated[
        str, Meta(description="A preset's name or a template.", examples=["Compilations/{{ album }}/{{ title }}"])
    ]
    when: Annotated[
        str | None, Meta(description="The condition, decided once per album (default: always).", examples=["compilation"])
    ] = None


class Dedup(Section, frozen=True):
    """What to do with duplicates."""

    action: Annotated[DedupAction, Meta(description="What organize does with duplicates.")] = "off"
    keep: Annotated[
        list[str],
        Meta(description="The criteria that decide which copy to keep, in order.", examples=[["lossless", "bitrate", "oldest"]]),
    ] = []
    reference: Annotated[
        list[str], Meta(description="Locations whose files are never quarantined.", examples=[["/srv/originals"]])
    ] = []
    same_format_only: SameFormatOnly = False


class Tags(Section, frozen=True):
    """How tags are read."""

    legacy_encoding: Annotated[
        str | None,
        Meta(
            description="The encoding of old tags that are not Latin-1; auto decides once per folder "
            "(default: such files are reported and stay).",
            examples=["auto", "cp1251"],
        ),
    ] = None


class Config(Section, frozen=True):
    """The whole file. Every key is optional."""

    aliases = {"cloud_storage": "cloud"}
    alone: ClassVar[tuple[str, str]] = ("provider", "cloud")
    """A file with this key at its top level is that section alone."""

    locations: Annotated[
        dict[str, str], Meta(description="Short names for locations that you type often.", examples=[{"library": "gdrive:Music"}])
    ] = {}
    schemes: Annotated[Schemes, Meta(description="Which remote a URL means.")] = Schemes()
    cloud: Annotated[
        Cloud | None, Meta(description="A cloud location without an rclone config: makes a remote called `cloud`.")
    ] = None
    remotes: Annotated[dict[str, Remote], Meta(description="Settings for the remotes of the rclone config.")] = {}
    layout: Annotated[
        str | None, Meta(description="The layout for albums that no rule of `layouts` matches.", examples=["default"])
    ] = None
    names: Annotated[
        Literal["portable", "target"],
        Meta(description="File names that are legal everywhere, or only where the files go (target)."),
    ] = "portable"
    replace: Annotated[
        dict[str, str],
        Meta(
            description="What stands for characters in names, instead of `_` for those that names cannot have.",
            examples=[{":": " -", "?": ""}],
        ),
    ] = {}
    layouts: Annotated[
        list[LayoutRule], Meta(description="Rules of the layout: the first match wins; the last one needs no `when`.")
    ] = []
    various_artists: Annotated[
        list[str],
        Meta(
            description="More names of album artists that mean several artists; the usual ones are known in many languages.",
            examples=[["Allerlei"]],
        ),
    ] = []
    sidecars: Annotated[
        list[SidecarRule],
        Meta(description="What the files beside the music move with: the first matching rule counts; this is the whole table."),
    ] = msgspec.field(default_factory=lambda: [*DEFAULT_SIDECARS])
    leftovers: Annotated[
        str | None,
        Meta(
            description="The folder for files left behind in emptied music folders (default: leave them).", examples=["Leftovers"]
        ),
    ] = None
    untagged: Annotated[
        str | None,
        Meta(description="The folder for untagged files (default: leave them in place).", examples=["Untagged"]),
    ] = None
    names_as_tags: Annotated[
        str | list[str],
        Meta(
            description="Where tags are missing, take them from names: auto, or patterns that are tried in order (default: off).",
            examples=[["{artist} - {album} ({year})/{track} - {title}", "auto"]],
        ),
    ] = []
    playlists: Annotated[
        list[str],
        Meta(
            description="Locations whose playlists are checked: those that point at files being moved are listed.",
            examples=[["~/Playlists"]],
        ),
    ] = []
    include: Annotated[
        list[str],
        Meta(
            description="Use only files that match one of these. A pattern that names a folder of another program only opens it.",
            examples=[["**/#recycle/**"]],
        ),
    ] = []
    exclude: Annotated[
        list[str],
        Meta(description="Skip files that match one of these, in every command.", examples=[["Podcasts", "**/Demos/*.wav"]]),
    ] = []
    ignore: Annotated[
        list[str],
        Meta(
            description="Never report or count the problems of files that match one of these, as after `problems ignore`.",
            examples=[["Podcasts", "**/*.wma"]],
        ),
    ] = []
    tags: Annotated[Tags, Meta(description="How tags are read.")] = Tags()
    dedup: Annotated[Dedup, Meta(description="What to do with duplicates.")] = Dedup()
    jobs: Annotated[dict[str, JobText], Meta(description="Jobs for `run`, which cron calls: each is a list of steps.")] = {}
    notify: Annotated[Notify, Meta(description="Where to report the end of each job.")] = Notify()
    prometheus: Annotated[
        str | None,
        Meta(
            description="The file for node_exporter's textfile collector: how each job last ended, as of the last `run`.",
            examples=["/var/lib/prometheus/node-exporter/music-orchestrator.prom"],
        ),
    ] = None
    rclone: Rclone = None
    rclone_config: RcloneConfig = None
    rclone_config_password: Annotated[
        Reference | None,
        Meta(
            description="Where the password of an encrypted rclone config comes from.",
            examples=[{"command": ["pass", "show", "rclone"]}],
            extra={"secret": True},
        ),
    ] = None
    state_dir: StateDirectory = None
    log_file: LogFile = None
    log_format: Annotated[
        Literal["text", "json"], Meta(description="Lines of the log file for people, or one JSON object a line.")
    ] = "text"
    bandwidth: Bandwidth = None
    transfers: Transfers = None
    max_delete: MaxDelete = None
