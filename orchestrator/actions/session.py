"""What a command works with: config, state, rclone, storages, catalogue, journal; opened at first need, closed together."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.config.model import Config, LoadedConfig, load
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.values import Limit, parse_bandwidth, parse_limit
from orchestrator.errors import UsageError
from orchestrator.location import Location, definitions, path_below, resolve
from orchestrator.paths import is_local
from orchestrator.report.log import logging_to
from orchestrator.report.reporter import Reporter, Summary
from orchestrator.state import state_directory

if TYPE_CHECKING:
    from orchestrator.apply.journal.journal import Journal
    from orchestrator.catalogue.store import Catalogue
    from orchestrator.rclone.binary import Binary
    from orchestrator.rclone.runtime import Rclone
    from orchestrator.storage.protocol import Storage
    from orchestrator.storage.rclone_backed.storage import RcloneStorage
    from orchestrator.tags.policy import Policy

CATALOGUE_FILE = "catalogue.sqlite3"
JOURNAL_FILE = "journal.sqlite3"
DEFAULT_TRANSFERS = 8
FIRST_CONTACT_S = 5.0
"""A remote that has not answered yet is not tried again later than this: rclone has tried for itself by then."""


class Session:
    """One command's run."""

    def __init__(self, command: str, options: CommonOptions, reporter: Reporter) -> None:
        self.command = command
        self.options = options
        self.reporter = reporter
        self.summary = Summary(command=command)
        self.stop = threading.Event()
        """Set by SIGINT and SIGTERM."""
        self.applying = False
        """Whether the executor is at work: it ends in good order by itself when `stop` is set."""
        self.closing = False
        self._opened = ExitStack()
        self._storages: dict[str, Storage] = {}

    def close(self) -> None:
        """Give everything back, the last opened first."""
        self._opened.close()

    # Settings: command line, then environment and file.

    @cached_property
    def loaded_config(self) -> LoadedConfig:
        """The config, and where it came from. Raises ConfigError."""
        return load(self.options.config)

    @property
    def config(self) -> Config:
        """The config. Raises ConfigError."""
        return self.loaded_config.config

    @property
    def transfers(self) -> int:
        """Transfers at the same time."""
        return self.options.transfers or self.config.transfers or DEFAULT_TRANSFERS

    @property
    def max_delete(self) -> Limit | None:
        """How many files may be removed. Raises UsageError."""
        chosen = self.options.max_delete if self.options.max_delete is not None else self.config.max_delete
        return parse_limit(chosen, self._named("max_delete"))

    @cached_property
    def state(self) -> Path:
        """The state directory."""
        return state_directory(self.options.state_dir or self.config.state_dir)

    @property
    def log_file(self) -> Path | None:
        """Where the log goes."""
        chosen = self.options.log_file or self.config.log_file
        return Path(chosen).expanduser().absolute() if chosen else None

    @property
    def rclone_config(self) -> Path | None:
        """The rclone config that was named; None: rclone's own place."""
        chosen = self.options.rclone_config or self.config.rclone_config
        if chosen is None:
            return None
        path = Path(chosen).expanduser().absolute()
        if not path.is_file():
            raise UsageError(f"{path}: no such rclone config file")
        return path

    def check_options(self) -> None:
        """Raise UsageError for a common option that cannot be read, before any work."""
        parse_limit(self.options.max_delete)
        parse_bandwidth(self.options.bandwidth)

    def start_log(self) -> None:
        """Begin the log, where one is wanted. What mends the config must run with a broken one, so it does not look there."""
        mends = self.command == "doctor" or self.command.startswith("config")
        named = self.options.log_file if mends else self.log_file
        file = Path(named).expanduser().absolute() if named else None
        self._opened.enter_context(logging_to(file, sys.stderr, verbose=self.options.verbose))

    def _named(self, key: str) -> str:
        """What a setting that may be wrong is called: the option, the variable, or file, line and key."""
        return f"--{key.replace('_', '-')}" if getattr(self.options, key) is not None else self.loaded_config.named(key)

    # What is opened.

    @cached_property
    def binary(self) -> Binary:
        """The rclone binary. Raises UsageError when there is none that will do."""
        from orchestrator.rclone.binary import find_rclone  # noqa: PLC0415 - not every command needs rclone

        return find_rclone(self.options.rclone or self.config.rclone, self._named("rclone"))

    @cached_property
    def rclone(self) -> Rclone:
        """The run's rclone, with the remotes of our config; starts at the first request."""
        from orchestrator.rclone.runtime import Rclone  # noqa: PLC0415 - not every command needs rclone

        runtime = Rclone(
            self.binary,
            config=self.rclone_config,
            bandwidth=parse_bandwidth(self.options.bandwidth or self.config.bandwidth, self._named("bandwidth")),
            transfers=self.transfers,
            log_file=self.log_file,
        )
        self._opened.callback(runtime.close)
        return runtime

    @cached_property
    def remotes(self) -> dict[str, str]:
        """The remotes that there are -> their types."""
        return self.rclone.remotes()

    @cached_property
    def catalogue(self) -> Catalogue:
        """What was seen."""
        from orchestrator.catalogue.store import Catalogue  # noqa: PLC0415 - not every command needs it

        return self._opened.enter_context(Catalogue(self.state / CATALOGUE_FILE))

    @cached_property
    def journal(self) -> Journal:
        """What was done."""
        from orchestrator.apply.journal.journal import Journal  # noqa: PLC0415 - not every command needs it

        return self._opened.enter_context(Journal(self.state / JOURNAL_FILE))

    def places(self, *texts: str) -> list[Location]:
        """The locations that these texts mean; their remotes are known to rclone afterwards. Raises UsageError."""
        needed = definitions(texts, self.config)
        if needed:
            for definition in needed.values():
                self.rclone.define_remote(definition.name, definition.type, definition.options)
        found = [resolve(text, self.config, lambda: self.remotes) for text in texts]
        for place in found:
            self._add_options(place)
        return found

    def identity_of(self, fs: str) -> str:
        """Where a canonical location lies in truth, whatever its remote is called: for `path_below`, not for showing."""
        if is_local(fs):
            return os.path.realpath(fs)
        with contextlib.suppress(UsageError):  # an old run's remote may be gone: then its name is all there is
            self.places(fs)
        return self.rclone.identity_of(fs)

    def path_below(self, inner: Location, outer: Location) -> str | None:
        """The path of one location in another, "" when they are the same place; None when it does not lie there."""
        return path_below(self.identity_of(inner.fs), self.identity_of(outer.fs))

    def storage(self, place: Location) -> Storage:
        """The storage of a location, which retries what may be repeated and keeps the provider's pace."""
        if place.fs not in self._storages:
            self._storages[place.fs] = self._open_storage(place)
        return self._storages[place.fs]

    def storages(self, *texts: str) -> dict[str, Storage]:
        """The storages of canonical locations, as plans and the journal name them."""
        wanted = list(dict.fromkeys(texts))
        return {text: self.storage(place) for text, place in zip(wanted, self.places(*wanted), strict=True)}

    def direct(self, place: Location) -> RcloneStorage:
        """The storage of a location without wrappers, for what only rclone knows."""
        from orchestrator.storage.rclone_backed.storage import RcloneStorage  # noqa: PLC0415 - not every command needs it

        return RcloneStorage(self.rclone, place.fs, profile=self._profile(place))

    def policy(self, place: Location, wished: str | None = None) -> Policy:
        """Whether reading tags there should save bytes or requests: as `wished`, else as the config or the profile says."""
        from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS  # noqa: PLC0415 - not every command reads tags

        settings = self.config.remotes.get(place.remote or "")
        chosen = wished or (settings.reading if settings is not None else None) or self.direct(place).profile.policy
        return FEW_REQUESTS if chosen == "few-requests" else FEW_BYTES

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only changing run of this state directory. Raises LockedError."""
        from orchestrator.apply.guard.lock import RunLock  # noqa: PLC0415 - not every command needs it

        with RunLock(self.state, command=self.command) as held:
            if held.recovered:
                self.reporter.warning(held.recovered)
            yield

    @contextlib.contextmanager
    def executing(self) -> Iterator[None]:
        """While the executor is at work, a signal lets it end in good order."""
        self.applying = True
        try:
            yield
        finally:
            self.applying = False

    # Consent.

    def need_consent(self) -> None:
        """Refuse a changing command that nobody can be asked about. Raises UsageError."""
        if self.options.yes or self.options.dry_run:
            return
        if self.options.json or not sys.stdin.isatty():
            raise UsageError(
                f"{self.command} changes files and there is no terminal to ask: add --yes (or look first with --dry-run)"
            )

    def agreed(self, question: str) -> bool:
        """Ask, unless --yes was given."""
        return bool(self.options.yes) or self.reporter.confirm(question)

    def _open_storage(self, place: Location) -> Storage:
        from orchestrator.storage.wrappers.rate_limit import (  # noqa: PLC0415 - not every command needs storages
            RateLimitedStorage,
        )
        from orchestrator.storage.wrappers.retry import RetryingStorage  # noqa: PLC0415

        plain = self.direct(place)
        per_second = plain.profile.requests_per_second
        opened: Storage = RetryingStorage(
            RateLimitedStorage(plain, per_second) if per_second else plain, first_contact_s=FIRST_CONTACT_S
        )
        self._opened.callback(opened.close)
        return opened

    def _profile(self, place: Location) -> str | None:
        from orchestrator.actions.config_check import check_profile  # noqa: PLC0415 - not every command needs storages

        settings = self.config.remotes.get(place.remote or "")
        check_profile(self.loaded_config, place.remote or "")
        return settings.profile if settings is not None else None

    def _add_options(self, place: Location) -> None:
        """Give rclone the options that our config adds to a remote of the user's."""
        settings = self.config.remotes.get(place.remote or "")
        if settings is not None and settings.type is None and settings.options and place.remote is not None:
            self.rclone.define_remote(place.remote, self.remotes[place.remote], settings.options)
