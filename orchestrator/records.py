"""The records that every room shares: listed files, the capabilities of a storage, references to files."""

from __future__ import annotations

import msgspec

from orchestrator.prices import Prices, Quotas
from orchestrator.track import Reading

OWN_DIRECTORY = ".music-orchestrator"
"""All our own files on a storage are in this directory at its root; `list` never shows what is in it, at any depth."""

WEAK_HASHES = frozenset({"crc32"})
"""Hashes that different files may have in common: a difference counts, equality does not."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One file as the storage lists it."""

    path: str
    size: int | None = None
    """Bytes; None where the remote does not know, such as for Google documents."""
    mtime_ns: int | None = None
    """Modification time, nanoseconds since 1970 in UTC; None where the remote has none or needs a request per file for it."""
    hashes: dict[str, str] = {}
    """rclone's name of the hash -> lower-case hex; only hashes that the remote gives without reading the file."""
    id: str | None = None
    """The remote's own id of the file: stays the same after a rename, differs for files with the same name."""


class EncryptedNames(msgspec.Struct, frozen=True):
    """How a crypt encrypts names: padded to blocks of 16 bytes, then written with fewer characters (rclone.org/crypt)."""

    mode: str = "standard"
    """rclone's `filename_encryption`: "standard", "obfuscate" or "off"."""
    encoding: str = "base32"
    """rclone's `filename_encoding`: "base32", "base64" or "base32768"."""
    folders: bool = True
    """The names of folders are encrypted as well (`directory_name_encryption`)."""
    suffix: str = ".bin"
    """What files get if their names are not encrypted; "" for nothing."""
    in_characters: bool = False
    """The provider counts characters, not bytes."""

    def length(self, name: str, *, folder: bool = False) -> int:
        """How long the name is on the remote below, in bytes or characters. Obfuscated names may be a bit shorter."""
        size = len(name) if self.in_characters and self.mode != "standard" else len(name.encode())
        if folder and (self.mode == "off" or not self.folders):
            return size
        match self.mode:
            case "off":
                return size + len(self.suffix)
            case "obfuscate":
                return size + 4 + name.count("!")
        padded = (len(name.encode()) // 16 + 1) * 16
        match self.encoding:
            case "base64":
                return -(-padded * 4 // 3)
            case "base32768":
                return -(-padded * 8 // 15) * (1 if self.in_characters else 3)
        return -(-padded * 8 // 5)

    def longest(self, limit: int) -> int:
        """How many bytes a name may have, so that no such name is longer than `limit` on the remote below."""
        return max((size for size in range(1, 256) if self.length("x" * size) <= limit), default=1)


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a storage can do, merged from rclone's `operations/fsinfo` and the provider's profile."""

    move: bool = False
    """Renames on the server. False: a rename is a copy and a delete."""
    copy: bool = False
    """Copies on the server, without bringing the content through this machine."""
    replaces_in_place: bool = False
    """An upload to a taken name replaces the content at once: until it ends, the old one is there, and the file keeps its id."""
    refuses_taken_names: bool = False
    """A rename to a taken name fails (disks of this machine, Dropbox). With `by_id` both files then have the name; elsewhere what
    lies there is moved to our trash."""
    refuses_taken_uploads: bool = False
    """An upload to a taken name is refused (most S3 servers): it needs no name of ours first."""
    directory_move: bool = False
    """Renames a directory with everything in it, in one request."""
    by_directory: bool = False
    """Requests are scarce on this remote: move or list whole directories where that saves requests."""
    flat_listing: bool = False
    """A listing of everything takes far fewer requests than it has directories."""
    current_listings: bool = False
    """A listing shows every change that was made before it began: it can stand for a look at each file (S3, GCS, Azure)."""
    case_insensitive: bool = False
    duplicate_names: bool = False
    """Several files can have one name (Google Drive)."""
    by_id: bool = False
    """Each of such files can be looked at, moved and downloaded by its id."""
    empty_directories: bool = True
    """Directories exist on their own. False: they are prefixes of keys (S3, GCS, Azure)."""
    hashes: tuple[str, ...] = ()
    """Hash types that a listing gives without reading files; empty where that is slow."""
    mtime: bool = True
    """A listing gives modification times without a request per file."""
    own_mtime: bool = True
    """Those times are the files' own. False: they say when a file was uploaded, and its own takes a request."""
    mtime_precision_ns: int | None = 1
    """None: the remote keeps no modification times."""
    quota: bool = False
    rmdir_is_recursive: bool = False
    """Removing a directory also deletes for good what was not listed in it: the server does not refuse to remove a directory that
    is not empty (WebDAV, Dropbox)."""
    local: bool = False
    """On a disk of this machine: written files need fsync."""
    names: str = "portable"
    """The rule set of `orchestrator.plan.layout.names` that fits the provider's limits."""
    max_component_bytes: int = 255
    max_path_bytes: int | None = None
    """Of the path as the provider stores it: see `stored_bytes`."""
    encrypted_names: EncryptedNames | None = None
    """How names are encrypted before they are sent; None if they are not."""
    remote_type: str = "unknown"
    """rclone's backend type ("s3", "local", "webdav")."""
    server_type: str = ""
    """The same of the server that gets the requests, where the remote leads to others (crypt, alias) that are of one type."""
    prices: Prices | None = None
    """The price list in force. None: unknown, unless `quotas` or `local` say that nothing has to be paid for."""
    quotas: Quotas | None = None
    """The limits of a provider with a flat rate."""
    upload_bytes_per_second: float | None = None
    """The bandwidth that this machine may use for it, as in the next one; None: no limit."""
    download_bytes_per_second: float | None = None

    def stored_bytes(self, path: str) -> int:
        """How many bytes (or characters, where the provider counts these) of its limit a path takes."""
        if self.encrypted_names is None:
            return len(path.encode())
        *folders, name = path.split("/")
        length = self.encrypted_names.length
        return sum(length(folder, folder=True) + 1 for folder in folders) + (length(name) if name else 0)


class Quota(msgspec.Struct, frozen=True):
    """Space on the remote in bytes; None where it does not report it."""

    total: int | None = None
    used: int | None = None
    free: int | None = None


class Ref(msgspec.Struct, frozen=True, gc=False):
    """One file: a location in canonical form and the path below it."""

    fs: str
    path: str
    id: str | msgspec.UnsetType = msgspec.UNSET
    """The remote's id of the file; set only where other files have the same name."""

    @property
    def object_id(self) -> str | None:
        """The id; None where the path is enough."""
        return self.id or None


class Item(msgspec.Struct, frozen=True, gc=False):
    """One listed file."""

    entry: Entry
    reading: Reading | None = None
    """None for files that are not audio, and for audio that was not read."""
    skipped_because: str | None = None
    """Why the file stays where it is, in words; its name stays taken."""
    content: bytes | None = None
    """The content of a playlist or cue sheet; None for other files, and for lists that were not read."""
    one_file: str | None = None
    """Items with the same value are one file under several names (hard links); None if unknown."""
    doubtful: str | None = None
    """Why its tags cannot be believed, in words: it stays where it is."""
