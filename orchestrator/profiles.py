"""Everything we know about a provider that rclone does not tell us: one YAML file for each rclone backend type.

To add a provider, write `rclone_profiles/<backend type>.yaml`; the fields below document the keys. The code has no list of
providers: locations, scans, plans and rclone's environment all ask these records.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from orchestrator.errors import UsageError
from orchestrator.prices import Prices, Quotas

DEFAULT = "default"
"""The profile of all backends without a file of their own."""

DirectoryDelete = Literal["empty", "trash", "recursive"]


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of a profile with a closed set of keys."""


class Environment(Facts, frozen=True):
    """The environment variables of the provider's own tools."""

    inherit: tuple[str, ...] = ()
    """Variables that rclone inherits from us; `AWS_*` stands for all that begin with `AWS_`."""
    set: dict[str, str] = {}
    """Variables that rclone always gets, whatever the user has set."""
    remote: str | None = None
    """The name of the remote that these variables make for `scheme://`. Plans and the journal store it: never change it."""
    credentials: str | None = None
    """The variables that hold the credentials, for error messages."""
    options: dict[str, tuple[str, ...]] = {}
    """Option of that remote -> the variables that may hold its value; the first that is set wins."""


class CredentialsText(Facts, frozen=True):
    """How one text holds the credentials of a remote, as `cloud.credentials_env` names it."""

    shape: str
    """What the text looks like, for messages."""
    parts: tuple[str, ...] = ()
    """The options whose values are written with colons between them; empty if the text is JSON or a path."""
    optional: int = 0
    """How many of the last parts may be left out."""
    json: str | None = None
    """The option for a text that is JSON."""
    json_key: str | None = None
    """A key that this JSON has."""
    path: str | None = None
    """The option for a text that is a path."""


class PartSize(Facts, frozen=True):
    """The limits of the provider for one part of a large upload, in bytes, and why."""

    reason: str
    least: int = 1
    most: int | None = None
    power_of_two: bool = False


class Joined(Facts, frozen=True):
    """Credentials that come apart, and that rclone takes as one URL."""

    parts: tuple[str, ...]
    """What they come as, named like options; a `?` before a part does not count."""
    option: str
    """The option that takes the URL."""
    endpoint: str
    """The server, with the parts in {}, where no endpoint is given."""
    text: str
    """The URL, with the parts and the endpoint in {}."""


class NewRemote(Facts, frozen=True):
    """How we make a remote of this type that the rclone config does not have."""

    options: dict[str, str] = {}
    """Options that such a remote starts with."""
    with_endpoint: dict[str, str] = {}
    """Options that replace those when an endpoint is given."""
    credentials: tuple[tuple[str, ...], ...] = ()
    """Sets of options that hold complete credentials: with one of them, rclone must not look in the environment (`env_auth`)."""
    region_option: str = "region"
    """The option that holds the region."""
    credentials_text: CredentialsText | None = None
    """How one text holds the credentials; None if that is not known."""
    credentials_file: str | None = None
    """The option that takes a file with the credentials; None if the backend has none."""
    with_file: dict[str, str] = {}
    """Options that are set with such a file, so that it counts and not what the environment holds."""
    joined: Joined | None = None
    part_size: PartSize | None = None
    """The limits of its option `chunk_size`; None if nothing is known of them."""


class Identity(Facts, frozen=True):
    """What makes two remotes the same place. Without it, only the name of the remote counts."""

    options: tuple[str, ...]
    """The options that say which server and which account it is."""
    variables: dict[str, str] = {}
    """Option -> the environment variable that rclone reads where the option is missing."""
    defaults: dict[str, str] = {}
    """Option -> what rclone takes where neither is set."""
    worldwide: str | None = None
    """Endpoints that contain this text, or no endpoint: names of buckets are unique there, so the account does not matter."""


class ConditionalFacts(Facts, frozen=True):
    """Facts that hold only where an option of the remote has a certain value."""

    option: str
    values: tuple[str, ...] = msgspec.field(name="is")
    """The values, in any case; "" stands for an option that is not set."""
    free_hashes: tuple[str, ...] | None = None
    max_path_bytes: int | None = None
    directory_delete: DirectoryDelete | None = None
    moves_copies: bool | None = None
    refuses_taken_uploads: bool | None = None


class PriceList(Prices, frozen=True):
    """The prices of a provider whose remotes can be known by their options."""

    when: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Option of the remote -> its values, in any case ("" stands for an option that is not set). Where these do not all hold, the
    list is only used if the config names it."""

    @property
    def plain(self) -> Prices:
        """The prices alone, as plans and the catalogue keep them."""
        return Prices(**{name: getattr(self, name) for name in Prices.__struct_fields__})


_CONDITIONAL = ("free_hashes", "max_path_bytes", "directory_delete", "moves_copies", "refuses_taken_uploads")


class Profile(Facts, frozen=True):
    """What we know about one backend type. The defaults are for backends that nobody has looked at."""

    type: str
    """rclone's backend type; "default" stands for all that have no file of their own."""

    # What a user types.

    aliases: tuple[str, ...] = ()
    """Other names for the type, such as in `cloud.provider`."""
    not_called: dict[str, str] = {}
    """Names that people write for the type in `cloud.provider`, which are not accepted -> what to write instead."""
    url_scheme: str | None = None
    """`s3` for `s3://bucket/path`. Without `environment.remote`, the URL means the only remote of this type."""
    top_level: Literal["folders", "buckets", "containers", "shares", "items"] = "folders"
    """What the root of a remote holds. Anything but folders must exist already: we never create it for an artist."""
    absolute_paths: bool = False
    """`remote:/path` and `remote:path` are two folders. Elsewhere the leading slash means nothing."""
    environment: Environment = Environment()
    new_remote: NewRemote = NewRemote()
    identity: Identity | None = None
    wraps: Literal["remote", "crypt", "union", "combine"] | None = None
    """Its files are really on other remotes. "remote": at the same path of the one that its option `remote` names. "crypt": the
    same, with encrypted names. "union": at the same path of several. "combine": each of several is a folder of its root."""
    adds_to_names: int = 0
    """How many bytes it makes a name longer, at most, on the remotes that it wraps."""

    # What a listing gives, and what it costs.

    free_hashes: tuple[str, ...] | None = None
    """Hash types that a listing gives without reading a file; None: all that rclone does not call slow."""
    free_mtime: bool | None = None
    """Whether a listing gives modification times without one request per object; None: what rclone says."""
    server_mtime: bool = False
    """A listing gives the upload time for free, while rclone's own modification time costs one request per object."""
    costly_hashes: bool = False
    """A listing with hashes costs one request for each object that has no stored hash (S3: multipart uploads)."""
    current_listings: bool = False
    """A listing shows every change that was made before it began, so it may stand for looks at files. False: perhaps not."""
    opening: Literal["first", "late", "slash", "in-combine"] = "first"
    """To open a folder, rclone asks whether it is a file. "late": what it says of the root, without a request, holds for all, so
    each is opened when it is needed. "slash": so, and listed with a slash at its end: not asked. "in-combine": in a `combine`."""
    link_option: str | None = None
    """The option that makes rclone leave out links and shortcuts (`true`); None: rclone does not tell them from files. In its
    variable, `RCLONE_<TYPE>_<OPTION>`, rclone must call the backend by its type."""
    past_versions: tuple[str, ...] = ("versions", "version_at")
    """The options that make rclone show old versions of files: such a remote shows what is not there, and cannot be changed."""

    # What changes cost and do.

    small_upload: str | None = None
    """The option (`name=value`) that makes rclone upload a small file in one request, if its path is plain."""
    delete_unseen: str | None = None
    """The option (`name=value`) that makes rclone delete a file without a lookup first: one request less where we have looked."""
    purges_files: bool = False
    """rclone's `purge` deletes whatever has the name, a file as well, in one request. Otherwise it looks for the file first."""
    directory_delete: DirectoryDelete = "recursive"
    """An unseen file in a directory that rclone removes stays ("empty"), is lost ("recursive") or in a trash there ("trash")."""
    names_by: Literal["rename", "link", "move", "probed-move", "id", "upload", "caught"] = "probed-move"
    """How a copy gets its final name without replacing another file (see `Naming` in orchestrator/storage/protocol.py).
    "rename": the kernel refuses a taken name, on a disk of this machine. "link": by a second link instead of the first; probed.
    "move": the server's rename refuses a taken name. "probed-move": perhaps it does, so probe it. "id": by a move by id, which
    replaces nothing. "upload": by an upload that refuses one; probed. "caught": by a look and a rename, as if a probe fails."""
    moves_copies: bool = True
    """A copy may wait under another name. False where moving it would fail or cost a fee: classes for archives."""
    refuses_taken_uploads: bool = True
    """Whether the probe of `names_by: upload` is expected to succeed, for estimates of what a plan costs."""
    replaces_in_place: Literal["never", "always", "below"] = "never"
    """An upload to a taken name replaces the content at once when it ends, and the file keeps its id: until then, and if the
    upload breaks off, the old content is there. "below": as it is on the remotes that this one leads to."""
    anonymous_without: tuple[str, ...] = ()
    """Options of which one must be set: otherwise rclone sends its requests without credentials. Empty: it refuses to."""
    access_hint: str = ""
    """What else may be the reason if a remote of this kind refuses access as a whole, and what to do then."""
    archived_tiers: tuple[str, ...] = ()
    """The storage classes, as listings show them, whose files cannot be read or copied before they are restored."""
    write_right: str = ""
    """The right that an account needs to store files, as the provider calls it; "" also where it may differ between folders."""
    delete_right: str = ""
    """The right that an account needs to delete files, as the provider calls it; "" if it has no name."""
    by_id: bool = False
    """rclone's backend moves and fetches files by their ids (`backend/command` moveid and copyid)."""
    by_directory: bool = False
    """The provider counts requests: move directories, and look at their files, as a whole where that takes fewer. Elsewhere it
    would cost more: each directory that rclone opens is a connection (SFTP), and a single rename is as cheap (WebDAV)."""
    looks_by_folder: bool = False
    """Look at several files of a directory as a whole, as with `by_directory`."""

    # How to read and pace.

    read: Literal["rclone", "heads", "vfs", "direct"] = "vfs"
    """How a scan reads parts of files. "rclone": each by its path, after a lookup. "vfs": list each directory once, then read
    without lookups. "heads": list everything once and read the beginnings of files without lookups, where that pays; the rest as
    with "rclone". "direct": from the disk, not through rclone."""
    policy: Literal["few-bytes", "few-requests"] = "few-requests"
    """Whether reading tags should save bytes or requests."""
    requests_per_second: float | None = None
    """The pace that the provider allows; None: no limit."""

    # What it costs.

    prices: dict[str, PriceList] = {}
    """Price lists by the names that `remotes: R: {prices: NAME}` may use, unique over all profiles. The first that applies to a
    remote counts; none: the money is unknown, as for a server of one's own."""
    quotas: Quotas | None = None
    """The limits of a provider with a flat rate, where nothing else costs money."""

    # Names and limits.

    names: str = "portable"
    """The rule set of `orchestrator.plan.layout.names` for the provider's own limits; used with `names: target` in the config."""
    max_component_bytes: int = 255
    max_path_bytes: int | None = None
    counts: Literal["bytes", "characters"] = "bytes"
    """What the provider's own limits of names and paths count; the two above are safe for both."""
    when: tuple[ConditionalFacts, ...] = ()
    """Facts that depend on an option of the remote; a later one wins."""

    @property
    def has_buckets(self) -> bool:
        """Whether the first name of a path is a bucket, a container, a share: no folder."""
        return self.top_level != "folders"

    def for_remote(self, option: Callable[[str], str | None]) -> Profile:
        """The facts for one remote; `option` gives the value of one of its options, None where it is not set."""
        found: dict[str, Any] = {}
        for condition in self.when:
            if (option(condition.option) or "").lower() in {value.lower() for value in condition.values}:
                found |= {name: fact for name in _CONDITIONAL if (fact := getattr(condition, name)) is not None}
        return msgspec.structs.replace(self, **found)

    def price_list(self, option: Callable[[str], str | None]) -> Prices | None:
        """The prices for one remote by its options, as in `for_remote`; None if no list of this provider applies."""
        for prices in self.prices.values():
            wanted = ((option(name) or "", values) for name, values in prices.when.items())
            if prices.when and all(value.lower() in {one.lower() for one in values} for value, values in wanted):
                return prices.plain
        return None

    def complete(self, options: Collection[str]) -> bool:
        """Whether options hold complete credentials."""
        return any({*options} >= {*credentials} for credentials in self.new_remote.credentials)

    def remote_options(
        self, given: Mapping[str, str], added: Mapping[str, str] = {}, later: Collection[str] = ()
    ) -> dict[str, str]:
        """The options of a remote that we make: what is known of its kind, what was given, and what the user adds to that.

        `later`: the options that are read from elsewhere when the remote is used.
        """
        options = {**self.new_remote.options}
        if "endpoint" in given:
            options |= self.new_remote.with_endpoint
        if self.complete({*given, *added, *later}):
            options.pop("env_auth", None)
        options |= {**given, **added}
        joined = self.new_remote.joined
        if joined is not None and options.keys() >= {*joined.parts}:
            parts = {part: options.pop(part).removeprefix("?") for part in joined.parts}
            endpoint = options.pop("endpoint", "").rstrip("/") or joined.endpoint.format(**parts)
            options[joined.option] = joined.text.format(endpoint=endpoint, **parts)
        return options

    def options_from(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The options of the remote that environment variables make."""
        return self.remote_options(self.variables_in(environment))

    def variables_in(self, environment: Mapping[str, str], *, credentials: bool = True) -> dict[str, str]:
        """The options that environment variables give, optionally without any that belong to credentials.

        Of several complete credentials, only the first counts, as with the provider's own tools.
        """
        given = {}
        for option, variables in self.environment.options.items():
            value = next((environment[name] for name in variables if environment.get(name)), None)
            if value is not None:
                given[option] = value
        sets = self.new_remote.credentials
        chosen = next((one for one in sets if {*one} <= given.keys()), ()) if credentials else ()
        unwanted = {option for one in sets for option in one} - {*chosen} if chosen or not credentials else set()
        return {option: value for option, value in given.items() if option not in unwanted}


def directory() -> Path:
    """Where the profiles are: inside the installed package, or at the root of a checkout."""
    installed = Path(__file__).with_name("rclone_profiles")
    return installed if installed.is_dir() else Path(__file__).parents[1] / "rclone_profiles"


def profile_names() -> list[str]:
    """The names of all profiles."""
    return sorted(file.stem for file in directory().glob("*.yaml"))


def load_profile(name: str) -> Profile:
    """The profile of a backend type, by any of its names; the default one where there is none.

    Raises UsageError for a file with a mistake, and when the profiles are not installed.
    """
    found = _read(directory(), name) or _by_alias(name) or _read(directory(), DEFAULT)
    if found is None:
        raise UsageError(f"{directory()}: the profiles are missing; install music-orchestrator again")
    return found


def all_profiles() -> list[Profile]:
    """All profiles. Raises UsageError for a file with a mistake."""
    place = directory()
    return [profile for name in profile_names() if (profile := _read(place, name)) is not None]


def backend_type(provider: str) -> str:
    """The backend type that a name of a provider means; what nobody knows is passed on to rclone."""
    found = _by_alias(provider.lower())
    return provider.lower() if found is None else found.type


def provider_meant_by(name: str) -> str | None:
    """What to write instead of a name that is not a provider's, but often taken for it; None for any other name."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    instead = {called: what for profile in all_profiles() for called, what in profile.not_called.items()}
    return instead.get(plain)


def price_lists() -> dict[str, Prices]:
    """All price lists by their names, in the order of their profiles."""
    return {name: prices.plain for profile in all_profiles() for name, prices in profile.prices.items()}


def profile_for_url(scheme: str) -> Profile | None:
    """The profile whose URLs begin with `scheme://`."""
    return next((profile for profile in all_profiles() if profile.url_scheme == scheme), None)


def profile_for_environment_remote(remote: str) -> Profile | None:
    """The profile whose environment variables make the remote of that name."""
    return next((profile for profile in all_profiles() if profile.environment.remote == remote), None)


def _by_alias(name: str) -> Profile | None:
    return next((profile for profile in all_profiles() if name in profile.aliases), None)


@cache
def _read(place: Path, name: str) -> Profile | None:
    if "/" in name or name.startswith("."):
        return None
    file = place / f"{name}.yaml"
    if not file.is_file():
        return None
    try:
        return msgspec.yaml.decode(file.read_bytes(), type=Profile)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the profile {name}.yaml is wrong: {error}") from error
