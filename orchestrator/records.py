"""The records that every room shares: what a storage lists, what it can do, which file is meant."""

from __future__ import annotations

import msgspec

from orchestrator.track import Reading

OWN_DIRECTORY = ".music-orchestrator"
"""What is ours on a storage lies under this directory of the root; `list` never shows it."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One file as the storage lists it."""

    path: str
    size: int | None = None
    """Bytes; None where the remote does not know (documents made by Google, for example)."""
    mtime_ns: int | None = None
    """Modification time, nanoseconds since 1970 in UTC; None where the remote has none or charges for it."""
    hashes: dict[str, str] = {}
    """rclone's name of the hash -> lower-case hex, as far as the remote gives them without reading the file."""
    id: str | None = None
    """The remote's own id of the object: survives a rename, tells duplicates of one name apart."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a storage can do, merged from rclone's `operations/fsinfo` and the provider's profile."""

    move: bool = False
    """Renames on the server. False: a rename is a copy and a delete."""
    copy: bool = False
    """Copies on the server, without bringing the content through this machine."""
    directory_move: bool = False
    """Renames a directory with all that lies in it, in one request."""
    by_directory: bool = False
    """Requests are what this remote counts: what can be done or looked at for a whole directory is, where that saves some."""
    case_insensitive: bool = False
    duplicate_names: bool = False
    """Several files may carry one name (Google Drive)."""
    by_id: bool = False
    """Such files can be looked at, moved and fetched each by its id."""
    empty_directories: bool = True
    """Directories exist on their own. False: they are prefixes of keys (S3, GCS, Azure)."""
    hashes: tuple[str, ...] = ()
    """Hash types that a listing gives without reading files; empty where they are slow."""
    mtime: bool = True
    """A listing gives modification times without a request an object."""
    mtime_precision_ns: int | None = 1
    """None: the remote keeps no modification times."""
    quota: bool = False
    rmdir_is_recursive: bool = False
    """Removing a directory deletes for good what was not listed in it: no request is refused while something lies there (WebDAV,
    Dropbox)."""
    local: bool = False
    """On a disk of this machine: a write needs fsync before it counts."""
    names: str = "portable"
    """The rule set of `orchestrator.plan.layout.names` that this provider's own limits ask for."""
    max_component_bytes: int = 255
    max_path_bytes: int | None = None
    remote_type: str = "unknown"
    """rclone's backend type ("s3", "local", "webdav")."""


class Quota(msgspec.Struct, frozen=True):
    """Space on the remote in bytes; None where it does not say."""

    total: int | None = None
    used: int | None = None
    free: int | None = None


class Ref(msgspec.Struct, frozen=True, gc=False):
    """One file: a location in canonical form and the path below it."""

    fs: str
    path: str
    id: str | msgspec.UnsetType = msgspec.UNSET
    """The remote's id of the file, only where other files carry the same name: it is this one of them."""

    @property
    def object_id(self) -> str | None:
        """The id, None where the path is enough."""
        return self.id or None


class Item(msgspec.Struct, frozen=True, gc=False):
    """One listed file and, if it is audio, what reading it came to (None for every other file)."""

    entry: Entry
    reading: Reading | None = None
    skipped_because: str | None = None
    """Why the run's options leave the file where it is, in words; its name is taken all the same."""
    content: bytes | None = None
    """What a playlist or cue sheet holds; None for other files, and for lists that were not read."""
