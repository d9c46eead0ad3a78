"""The rclone of one run: a resident daemon, started when first needed and restarted if it dies, and separate listings."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from orchestrator.config.plain_http import hosts_without_tls
from orchestrator.config.setting_syntax import slowest_rates
from orchestrator.errors import OrchestratorError, TransientError
from orchestrator.paths import is_local, parent_of
from orchestrator.rclone.activity import ActivityWatch
from orchestrator.rclone.answer_headers import Answer, answer_to_look
from orchestrator.rclone.backends import Backends
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.config_password import config_file_of
from orchestrator.rclone.daemon import Daemon
from orchestrator.rclone.environment import child_environment
from orchestrator.rclone.http_connection import Endpoint
from orchestrator.rclone.known_secrets import hide, hide_options
from orchestrator.rclone.links import configured, links_left_out, with_wrapped
from orchestrator.rclone.listing import ListRequest, list_files
from orchestrator.rclone.location_identity import Place, places_of
from orchestrator.rclone.rc_client import RcClient, is_on
from orchestrator.rclone.read_failures import ReadFailures, read_error_text
from orchestrator.rclone.supervisor import Supervised, Watched
from orchestrator.rclone.vfs_reads import VfsReads
from orchestrator.records import Entry

_MAX_DEATHS = 5
"""How often rclone may die before the run gives up."""

_CHECKERS = "64"
"""rclone keeps about twice as many idle connections to a server as it has checkers. With the default of 8, 64 readers at 40 ms
round trip reconnect for every third read: 320 reads/s instead of 510. No call of ours uses checkers for anything else."""

_REFUSED = ("429", "503")
_FORBIDDEN = "403"
"""The codes with which remotes refuse requests that are too many, and that of Drive, which also stands for other things."""


class Rclone:
    """Everything that a run does through rclone. A context manager; safe for any number of threads."""

    def __init__(
        self,
        binary: Binary,
        *,
        config: Path | None = None,
        bandwidth: str | None = None,
        transfers: int = 8,
        stop: threading.Event | None = None,
        follow_links: Collection[str] = (),
        allow_undecryptable: Collection[str] = (),
        withheld: Collection[str] = (),
        config_password: str | None = None,
    ) -> None:
        """`config`: rclone's config file, if not the usual one; `bandwidth`: in rclone's own syntax.

        Once `stop` is set, no further transfer of a batch is begun. `follow_links`: remotes whose links and shortcuts are not
        left out, and neither are those of the remotes that they wrap. `allow_undecryptable`: crypts that need not decrypt what
        they hold. `withheld`: variables that rclone does not inherit. `config_password`: of an encrypted config file, if not as
        the environment says.
        """
        self.binary = binary
        self.stop = stop or threading.Event()
        self.client = RcClient(self._running, self._on_broken_connection)
        self._vfs_reads: set[VfsReads] = set()
        self._processes: dict[Supervised, str] = {}
        """Those that list, or look why a file is unreadable -> their location."""
        self.listing_rates: dict[str, Callable[[], float]] = {}
        """Remote -> how many requests a second a listing may send now; listings have processes of their own."""
        self._read_failures = ReadFailures(
            lambda fs, path: read_error_text(binary, self._environment(), fs, path, self._in_registry(fs)),
            lambda: self._codes_received() or {},
        )
        self._config = config
        self._extra = _limits(bandwidth, transfers)
        self._inherited = {name: value for name, value in os.environ.items() if name not in withheld}
        if config_password is not None:  # rclone would ask a command that the environment names first
            self._inherited.pop("RCLONE_PASSWORD_COMMAND", None)
            self._inherited["RCLONE_CONFIG_PASS"] = config_password
        hide_options(child_environment(self._inherited))
        self.bytes_per_second = slowest_rates(bandwidth)
        """Up and down; None: no limit."""
        self._follow_links = frozenset(follow_links)
        self.allow_undecryptable = frozenset(name.lower() for name in allow_undecryptable)
        """In lower case."""
        self._remotes: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._daemon: Daemon | None = None
        self._deaths = 0
        self._closed = False
        self._forgot_at = -math.inf
        """When it last forgot all folders, by the monotonic clock."""
        self.activity = ActivityWatch(lambda: daemon.endpoint if (daemon := self._daemon) is not None else None)
        """What the daemon does now; listings have processes of their own."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def remotes(self) -> dict[str, str]:
        """All remotes -> their types: those of the user's rclone config and those defined here."""
        found: dict[str, str] = {}
        configured = self._sections()  # return nothing but the types
        for name in self.client.call("config/listremotes").get("remotes") or []:
            section = configured.get(name)
            kind = section.get("type") if isinstance(section, dict) else os.environ.get(f"RCLONE_CONFIG_{name.upper()}_TYPE")
            if kind:
                found[name] = kind
        lowered = {name.lower() for name in self._remotes}  # rclone shows remotes from the environment in lower case
        found = {name: kind for name, kind in found.items() if name.lower() not in lowered or name in configured}
        return found | {name: options["type"] for name, options in self._remotes.items()}

    def remote_type(self, fs: str) -> str:
        """The backend type of a location; "unknown" if the remote does not exist."""
        if is_local(fs):
            return "local"
        name = fs.partition(":")[0]
        if not name:  # ":s3:bucket", ":s3,provider=...:bucket"
            return fs[1:].partition(":")[0].partition(",")[0] or "unknown"
        remotes = self.remotes()
        if name not in remotes:  # remotes from the environment match in any case
            remotes = {known.lower(): kind for known, kind in remotes.items()}
        return remotes.get(name, remotes.get(name.lower(), "unknown"))

    def option(self, fs: str, option: str) -> str | None:
        """An option of the location's remote that is not secret, such as `provider`; None if it is not set."""
        name = fs.partition(":")[0]
        if not name or is_local(fs):
            return None
        section = self._sections().get(name)  # return nothing but this option
        inherited = os.environ.get(f"RCLONE_CONFIG_{name.upper()}_{option.upper()}")
        # In rclone's order. A section may hold nothing but a token that rclone has refreshed for a remote of ours.
        found = self._remotes.get(name, {}).get(option) or inherited or (section or {}).get(option)
        return str(found) if found else None

    def hosts_without_tls(self) -> dict[str, str]:
        """The remotes of the user's rclone config with plain http to another machine -> its host."""
        found: dict[str, str] = {}
        for name, section in self._sections().items():  # return nothing but hosts
            hosts = hosts_without_tls({option: value for option, value in section.items() if isinstance(value, str)})
            found |= dict.fromkeys([name], min(hosts.values())) if hosts else {}
        return found

    def config_file(self) -> Path:
        """The user's rclone config, which need not exist."""
        return self._config or config_file_of(self.binary, self._environment())

    def refreshed(self) -> set[str]:
        """The remotes of the user's rclone config with a token, which rclone refreshes and stores there again."""
        return {name for name, section in self._sections().items() if section.get("token")}  # return nothing but names

    def without_type(self) -> set[str]:
        """The sections of the user's rclone config that are no remotes, because they have no type."""
        # A section may hold nothing but a token that rclone has refreshed for a remote of ours.
        return {name for name, section in self._sections().items() if not section.get("type") and set(section) - {"token"}}

    def places_of(self, fs: str) -> tuple[Place, ...]:
        """Which servers and folders a location really is (see `location_identity`)."""
        configured = self._sections()  # use nothing but what identifies the server

        def options(name: str) -> dict[str, str]:
            section = configured.get(name)
            prefix = f"RCLONE_CONFIG_{name.upper()}_"
            given = {key.removeprefix(prefix).lower(): value for key, value in os.environ.items() if key.startswith(prefix)}
            return (section if isinstance(section, dict) else {}) | given | self._remotes.get(name, {})

        return places_of(fs, options, self._encrypted)

    def _encrypted(self, remote: str, directory: str) -> str | None:
        body = {"command": "encode", "fs": f"{remote}:", "arg": [f"{directory}/x"]}  # as a file, it might get an ending
        with suppress(OrchestratorError):
            return parent_of(self.client.call("backend/command", body)["result"][0])
        return None

    def wrapped_by(self, name: str) -> set[str]:
        """A remote and all that it leads to, in lower case."""
        return with_wrapped([name], self._known_remotes | self._remotes)

    def as_stored(self, type: str, secrets: Mapping[str, str]) -> dict[str, str]:  # noqa: A002 rclone's word
        """Options as rclone's config holds them: it wants passwords obscured."""
        backend = self.backends.find(type)
        passwords = backend.passwords if backend is not None else ()
        for text in secrets.values():
            hide(text)
        return {
            option: self.client.call("core/obscure", {"clear": text})["obscured"] if option in passwords else text
            for option, text in secrets.items()
        }

    def define_remote(self, name: str, type: str, options: Mapping[str, str]) -> None:  # noqa: A002 rclone's word
        """Add a remote that exists as long as this object and is never written to disk.

        Options are spelled as in rclone's config file. This restarts a running daemon, so define remotes first.
        """
        definition = {"type": type, **options}
        hide_options(options)
        with self._lock:
            if self._remotes.get(name) == definition:
                return
            self._remotes[name] = definition
            self._stop()

    def limit(self, *, bandwidth: str | None, transfers: int) -> None:
        """Change the limits. This restarts a running daemon, so do it before any work."""
        with self._lock:
            if self._extra != (limits := _limits(bandwidth, transfers)):
                self._extra = limits
                self.bytes_per_second = slowest_rates(bandwidth)
                self._stop()

    def list(self, request: ListRequest, left_out: Callable[[int], None] | None = None) -> Generator[Entry]:
        """Every file below a location (see `listing`)."""
        rate = self.listing_rates.get(request.fs.partition(":")[0])
        if rate is not None and not is_local(request.fs):
            request = msgspec.structs.replace(request, per_second=rate())
        return list_files(self.binary, self._environment(), request, left_out, self._in_registry(request.fs))

    @contextmanager
    def vfs_reads(self, fs: str, *, chunk_bytes: int, list_first: bool = False, only_heads: bool = False) -> Iterator[VfsReads]:
        """A server for reading parts of many files of one location (see `vfs_reads`)."""
        reads = VfsReads(self._running, self.client, fs, chunk_bytes=chunk_bytes, list_first=list_first, only_heads=only_heads)
        reads.may_be_refused = self._read_failures.may_be_refused
        self._read_failures.forget_refusals()
        self._vfs_reads.add(reads)
        try:
            yield reads
        finally:
            self._vfs_reads.discard(reads)
            reads.close()

    def why_unreadable(self, fs: str, path: str) -> OrchestratorError | None:
        """Why a file cannot be read (see `read_failures`); None when it can, or its remote was cut off."""
        if self.client.is_cut_off(fs):
            return None
        refused = self._read_failures.refused(path) if self._vfs_reads else None
        return refused or self._read_failures.why_unreadable(fs, path)

    def answer_to_look(self, fs: str, path: str) -> Answer:
        """What the server of a location says about a file of ours (see `answer_headers`)."""
        return answer_to_look(self.binary, self._environment(), fs, path)

    def requests_sent(self) -> Counter[str]:
        """HTTP method -> the requests that the daemon has sent since it started; listings have processes of their own."""
        with self._lock:
            if self._daemon is None:
                return Counter()
        return self.client.requests_sent()

    def answers(self) -> tuple[int, int, int, bool] | None:
        """How many requests remotes accepted, how many were too many for them, and how many may have been: of the daemon's.

        Last, whether it is being found out why a file is unreadable. None where no daemon runs.
        """
        codes = self._codes_received()
        if codes is None:
            return None
        refused = sum(codes.pop(code, 0) for code in _REFUSED)
        forbidden = codes.pop(_FORBIDDEN, 0)
        return codes.total(), refused, forbidden, self._read_failures.asking

    def forget_folders(self, *, keep_s: float) -> None:
        """Look up all folders again, unless it has forgotten them within the last `keep_s` seconds: see Storage."""
        now = time.monotonic()
        if now - self._forgot_at > keep_s:
            self.client.call("fscache/clear", repeatable=True)
            self._forgot_at = now

    def forget_pauses(self) -> None:
        """Let remotes be asked at once again: after refusals, rclone's pacers go on with up to 16 s between two requests.

        The reads through a VFS that are under way fail: rclone would repeat those that were refused, one every 2 s at first.
        """
        with suppress(OrchestratorError):
            self.client.call("fscache/clear", repeatable=True)
        for reads in [*self._vfs_reads]:
            reads.renew()

    def _codes_received(self) -> Counter[str] | None:
        """Status of the answer -> number, of all requests of the daemon; None where no daemon runs."""
        with self._lock:
            if self._daemon is None:
                return None
        try:
            return self.client.requests_sent("code")
        except OrchestratorError:
            return None

    def cut_off(self, remote: str) -> None:
        """End what is under way with a remote, and let further calls to it fail at once, until `reconnect`."""
        self.client.cut_off(remote)
        for reads in [*self._vfs_reads]:
            if is_on(reads.fs, remote):
                reads.break_off()
        for process, fs in [*self._processes.items()]:
            if is_on(fs, remote):
                process.stop()

    def reconnect(self, remote: str) -> None:
        """Let calls to a remote pass again."""
        self.client.reconnect(remote)

    @contextmanager
    def _registered(self, fs: str, process: Supervised) -> Iterator[None]:
        """While the process runs, its remote may be cut off."""
        self._processes[process] = fs
        try:
            yield
        finally:
            del self._processes[process]

    def _in_registry(self, fs: str) -> Watched:
        return partial(self._registered, fs)

    def cut(self) -> None:
        """End every running call at once, in the middle of its transfer. Later calls start another daemon."""
        with self._lock:
            self._stop()

    def close(self) -> None:
        """Stop the daemon. Running calls fail."""
        with self._lock:
            self._closed = True
            self._stop()
        self.client.close()
        self.activity.close()

    def _environment(self) -> dict[str, str]:
        links = links_left_out(self._follow_links, lambda: self._known_remotes | self._remotes)
        return child_environment(self._inherited, config=self._config, remotes=self._remotes, extra=self._extra | links)

    def _sections(self) -> dict[str, Any]:
        """The user's rclone config. Holds secrets."""
        found: dict[str, Any] = self.client.call("config/dump")
        for section in found.values():
            if isinstance(section, dict):
                hide_options(section)
        return found

    @cached_property
    def backends(self) -> Backends:
        """What this rclone says of its backends."""
        return Backends(
            self.client.call("config/providers")["providers"], self.client.call("options/info", {"blocks": "main"})["main"]
        )

    @cached_property
    def _known_remotes(self) -> dict[str, dict[str, str]]:
        return configured(self.binary, child_environment(self._inherited, config=self._config))

    def _running(self) -> Endpoint:
        """The endpoint of the running rclone; starts it if necessary."""
        with self._lock:
            if self._daemon is not None and not self._daemon.running:
                self._stop()
                self._deaths += 1
            if self._closed:
                raise TransientError("rclone has been stopped")
            if self._deaths > _MAX_DEATHS:
                raise TransientError(f"rclone died {self._deaths} times in this run; see the log")
            if self._daemon is None:
                environment = self._environment() | {"RCLONE_CHECKERS": _CHECKERS}
                self._daemon = Daemon(self.binary, environment)
            return self._daemon.endpoint

    def _on_broken_connection(self, endpoint: Endpoint) -> None:
        """If rclone has died, let the next call start another one."""
        with self._lock:
            if self._daemon is not None and self._daemon.endpoint == endpoint and self._daemon.has_died():
                self._stop()
                self._deaths += 1

    def _stop(self) -> None:
        if self._daemon is not None:
            self._daemon.close()
            self._daemon = None


def _limits(bandwidth: str | None, transfers: int) -> dict[str, str]:
    """The variables of rclone for these limits."""
    return {"RCLONE_TRANSFERS": str(transfers)} | ({} if bandwidth is None else {"RCLONE_BWLIMIT": bandwidth})
