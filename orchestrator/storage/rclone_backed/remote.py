"""What is known about the remote of a location: what rclone says about it, the provider's profile, and what follows from both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import msgspec

from orchestrator.errors import NotFoundError, OrchestratorError, PermanentError, TransientError, UsageError
from orchestrator.paths import is_local, location_prefix, parent_of
from orchestrator.prices import Prices, Quotas
from orchestrator.profiles import Profile, load_profile
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.capabilities import capabilities_of
from orchestrator.rclone.location_identity import Place
from orchestrator.rclone.rc_client import RcClient
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import Capabilities, EncryptedNames, Entry

_OFF = frozenset({"", "false", "off", "0", "no"})


PricesOf = Callable[[str], Prices | None]
"""Remote -> the price list that the config gives it; None if it gives none."""


def no_prices(_: str) -> Prices | None:
    """The config gives no price list to any remote."""
    return None


class Remote:
    """The remote of one location. Each fact is asked for once, when it is first needed."""

    def __init__(self, rclone: Rclone, fs: str, profile: str | None, prices: PricesOf = no_prices) -> None:
        """`profile` replaces the profile of the remote's type; `prices` replaces what the profile of each remote chooses."""
        self._rclone = rclone
        self._fs = fs
        self._profile_name = profile
        self._given_prices = prices
        self._is_folder = False
        """A listing has shown files in it."""

    @cached_property
    def info(self) -> dict[str, Any]:
        """Rclone's `operations/fsinfo`. Raises UsageError for an unknown remote."""
        self._check_shows_the_present()
        if self.profile.opening == "first":
            return self.opened
        return self._rclone.client.call("operations/fsinfo", {"fs": rc_bodies.split_root(self._fs)[0]})

    @cached_property
    def opened(self) -> dict[str, Any]:
        """The same, after rclone has opened the location itself. Raises UsageError for a file instead of a directory."""
        client = self._rclone.client
        try:
            if self.profile.server_mtime:  # once, not by the first eight looks at the same time
                self._open_with_server_mtime()
            opened = client.call("operations/fsinfo", {"fs": self._fs})
        except UsageError as error:
            # rclone gives the same error for a folder in a bucket when the server is down or refuses us: list its parent to see.
            # The parent as the root, because rclone hides that a bucket lies in another region below the root of all buckets.
            # With the slash, rclone does not ask whether the parent is a file, which gives the same error again.
            remote, colon, path = self._fs.partition(":")
            if colon and path.strip("/"):
                parent = parent_of(path.rstrip("/"))
                where = (f"{remote}:{parent}/", "") if parent else (f"{remote}:", path)
                listed = client.call("operations/list", rc_bodies.list_names(*where))["list"]
                name = path.rstrip("/").rpartition("/")[2].casefold()
                if not any(one["Name"].casefold() == name and not one["IsDir"] for one in listed if parent):
                    # A look at it fails where a right is missing: then that is the reason.
                    client.call("operations/stat", rc_bodies.stat(where[0], where[1] or name, mtime=False, hashes=()))
                    raise TransientError(f"{self._fs}: the server did not say whether this is a folder") from error
            raise
        if opened["Features"].get("BucketBased"):
            client.folders |= {self._fs, rc_bodies.with_server_mtime(self._fs)}
        return opened

    @property
    def client(self) -> RcClient:
        """Rclone, for calls about this location: it has opened it, once, as `opened` says."""
        self.open()
        return self._rclone.client

    @property
    def fs_of_looks(self) -> str:
        """The location for looks, and for what needs no other location.

        Where requests are scarce, in a `combine`, if rclone does not ask then whether it is a file.
        """
        if self.profile.opening == "in-combine" and self.profile.by_directory:
            return rc_bodies.as_folder(*rc_bodies.split_root(self._fs))
        return self._fs

    @property
    def client_for_looks(self) -> RcClient:
        """Rclone, for calls with `fs_of_looks`: once a listing has shown that it is a folder, nothing else asks."""
        return self._rclone.client if self._is_folder and self.fs_of_looks != self._fs else self.client

    def open(self) -> None:
        """Let rclone open the location, if it has not yet. Raises as `opened`."""
        self.opened  # noqa: B018 - for its effect

    def of_folder(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """The same entries, of a listing of the location. If there are none, or it fails, it may be a file: then UsageError."""
        try:
            first = next(entries, None)
        except (NotFoundError, PermanentError, UsageError):
            self.open()
            raise
        if first is None:
            self.open()
            return
        self._is_folder = True
        yield first
        yield from entries

    def _open_with_server_mtime(self) -> None:
        """Open it with the upload times as well. Errors call it what the user calls it."""
        opened = rc_bodies.with_server_mtime(self._fs)
        try:
            self._rclone.client.call("operations/fsinfo", {"fs": opened})
        except OrchestratorError as error:
            error.message = error.message.replace(opened, self._fs)
            raise

    def _check_shows_the_present(self) -> None:
        """Raise UsageError for a remote that shows old versions of files."""
        for option in self.profile.past_versions:
            if (self._rclone.option(self._fs, option) or "false").lower() not in _OFF:
                remote = self._fs.partition(":")[0]
                raise UsageError(
                    f"{self._fs}: the remote has `{option}` set, so it shows old versions of files and cannot be changed: "
                    f"remove it (`rclone config update {remote} {option}=`), or make another remote without it"
                )

    @cached_property
    def profile(self) -> Profile:
        """What is known about the provider, for this remote."""
        profile = load_profile(self._profile_name or self._rclone.remote_type(self._fs))
        return profile.for_remote(lambda option: self._rclone.option(self._fs, option))

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the remote can do, from rclone and the profile."""
        found = capabilities_of(self.profile, self._rclone.remote_type(self._fs), self.info)
        prices, quotas = self._charges()
        up, down = (None, None) if found.local else self._rclone.bytes_per_second
        return msgspec.structs.replace(
            found,
            replaces_in_place=found.copy and self._replaces_in_place(),
            server_type=self._server_type(),
            prices=prices,
            quotas=quotas,
            upload_bytes_per_second=up,
            download_bytes_per_second=down,
            **self._limits_below(),
        )

    def _limits_below(self) -> dict[str, Any]:
        """The limits of names for a remote that leads to others: those of these, for what it makes of the names."""
        if self.profile.wraps is None:
            return {}
        root = self._fs.partition(":")[0]
        places = {place.fs: self._profile_of(place.fs) for place in self._rclone.places_of(f"{root}:")}
        names = min(profile.max_component_bytes for profile in places.values()) - self.profile.adds_to_names
        paths = [profile.max_path_bytes - _bytes_of_root(fs, profile) for fs, profile in places.items() if profile.max_path_bytes]
        encrypted = None
        for crypt in self._crypts(root):
            in_characters = all(profile.counts == "characters" for profile in places.values())
            encrypted = self._encrypted_names(f"{crypt}:", in_characters=in_characters)
            names = encrypted.longest(names)
        return {"max_component_bytes": names, "max_path_bytes": min(paths, default=None), "encrypted_names": encrypted}

    def _crypts(self, root: str) -> Sequence[str]:
        """The crypts that all places of the remote lie behind, the innermost first."""
        found = {place.crypts for place in self._rclone.places_of(f"{root}:")}
        return found.pop()[::-1] if len(found) == 1 else ()

    def _encrypted_names(self, crypt: str, *, in_characters: bool) -> EncryptedNames:
        given = {name: self._rclone.option(crypt, name) for name in ("filename_encryption", "filename_encoding", "suffix")}
        folders = (self._rclone.option(crypt, "directory_name_encryption") or "true").lower() not in _OFF
        suffix = {None: ".bin", "none": ""}.get(given["suffix"], given["suffix"] or "")
        mode, encoding = (given["filename_encryption"] or "standard").lower(), (given["filename_encoding"] or "base32").lower()
        return EncryptedNames(mode, encoding, folders, suffix, in_characters)

    def _profile_of(self, fs: str) -> Profile:
        return load_profile(self._rclone.remote_type(fs)).for_remote(partial(self._rclone.option, fs))

    def _charges(self) -> tuple[Prices | None, Quotas | None]:
        """The prices and limits in force. A remote that leads to others has its own list, or theirs if they agree."""
        if is_local(self._fs):
            return None, None
        given = self._given_prices(self._fs.partition(":")[0])
        if given is not None:
            return given, None
        charges = [self._charges_of(place) for place in self._rclone.places_of(self._fs)]
        return charges[0] if all(one == charges[0] for one in charges) else (None, None)

    def _charges_of(self, place: Place) -> tuple[Prices | None, Quotas | None]:
        """The prices and limits of one folder: those of the remotes on the way to it, the outermost first, or of its provider."""
        if is_local(place.fs):
            return None, Quotas()
        for name in (*place.crypts, place.fs.partition(":")[0]):
            given = self._given_prices(name)
            if given is not None:
                return given, None
        profile = load_profile(self._rclone.remote_type(place.fs))
        return profile.price_list(partial(self._rclone.option, place.fs)), profile.quotas

    def _server_type(self) -> str:
        """The type of the remotes that this one leads to, if they are of one type; "" for one that leads to none."""
        if self.profile.wraps is None:
            return ""
        types = {self._rclone.remote_type(place.fs) for place in self._rclone.places_of(self._fs)}
        return types.pop() if len(types) == 1 else ""

    def _replaces_in_place(self) -> bool:
        """Whether uploads replace a content at once; a remote that leads to others does what all of these do."""
        if self.profile.replaces_in_place != "below":
            return self.profile.replaces_in_place == "always"
        types = {self._rclone.remote_type(place.fs) for place in self._rclone.places_of(self._fs)}
        return all(load_profile(one).replaces_in_place == "always" for one in types)


def _bytes_of_root(fs: str, profile: Profile) -> int:
    """How much of the limit of a path the folder takes that a remote leads to; a bucket does not count."""
    root = location_prefix(fs) if is_local(fs) else location_prefix(fs).partition(":")[2]
    return len((root.partition("/")[2] if profile.has_buckets else root).encode())
