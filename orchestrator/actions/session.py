"""What a command works with: config, state, rclone, storages, catalogue, journal. Each is opened when first needed."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from orchestrator.actions.config_check import check_remote
from orchestrator.actions.problem_reports import ProblemReports
from orchestrator.actions.remote_definitions import RemoteDefinitions, rclone_for
from orchestrator.actions.session_settings import Settings
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.references import References
from orchestrator.deadline import Deadline
from orchestrator.errors import AuthError, LockedError, OrchestratorError, UsageError
from orchestrator.location import CLOUD_REMOTE, Location, overlap, path_below, path_below_all, resolve
from orchestrator.paths import is_local
from orchestrator.prices import Spent
from orchestrator.progress import Activity
from orchestrator.report.log_reporter import LogReporter
from orchestrator.report.reporter import Reporter, Summary
from orchestrator.retry_times import FIRST_WAIT_S, OUTAGE_S

if TYPE_CHECKING:
    from orchestrator.actions.paces import Paces
    from orchestrator.apply.guard.lock import RunLock
    from orchestrator.apply.journal.journal import Journal
    from orchestrator.catalogue.store import Catalogue
    from orchestrator.job_history.store import JobHistory
    from orchestrator.prices import Prices
    from orchestrator.rclone.binary import Binary
    from orchestrator.rclone.location_identity import Place
    from orchestrator.rclone.runtime import Rclone
    from orchestrator.storage.protocol import Storage
    from orchestrator.storage.rclone_backed.storage import RcloneStorage
    from orchestrator.tags.policy import Policy

EnteredT = TypeVar("EnteredT")

CATALOGUE_FILE = "catalogue.sqlite3"
JOURNAL_FILE = "journal.sqlite3"
LOOK_AT_LOCK_S = 0.5
"""How often a command that waits for the lock tries to take it: the kernel's own wait has no limit."""
FIRST_CONTACT_S = 5.0
"""A remote that has not answered yet is not retried after this: rclone itself has retried by then."""


class Session(Settings):
    """What one command, or one Python program, works with."""

    def __init__(self, options: CommonOptions, reporter: Reporter) -> None:
        super().__init__(options)
        self.reporter = reporter
        self.problems = ProblemReports(self, lambda: self.reporter)
        self.summary = Summary()  # filled in by the actions
        self.stop = threading.Event()
        """Set it to make the session's work end soon and in good order; the CLI does on SIGINT and SIGTERM."""
        self.deadline: Deadline | None = None  # until when the command may begin something
        self._locked = False  # whether the lock is held
        self._applying = False
        self._begun: bool | None = None
        self._part: Session | None = None
        self.closing = False  # whether the session is being closed, which signals must not interrupt
        self.spent = Spent()  # by the runs of the command, for its limits
        self.own_directories: dict[str, Sequence[str]] = {}
        """Scanned location (in canonical form) -> the OWN_DIRECTORY of each location inside it."""
        self.foreign_folders: dict[str, int] = {}  # scanned location -> how many folders of other programs were reported there
        self.common_state_checked = False  # whether its database was found sound
        self._opened = ExitStack()
        self._storages: dict[str, Storage] = {}

    def close(self) -> None:
        """Close everything, the last opened first."""
        self._opened.close()

    def enter(self, context: AbstractContextManager[EnteredT]) -> EnteredT:
        """Enter a context that ends when the session is closed."""
        return self._opened.enter_context(context)

    @contextmanager
    def part(self, options: CommonOptions) -> Iterator[Session]:
        """A session for a part of this one's work, with other options. It reports, sums up and stops with this one."""
        self._part = part = Session(options, self.reporter)
        part.problems = self.problems
        part.summary, part.stop, part.deadline, part._locked = self.summary, self.stop, self.deadline, self._locked
        if (self.options.max_cost, self.options.max_transfer) != (None, None):
            part.spent = self.spent  # otherwise each part has limits of its own
        try:
            yield part
        finally:
            self._part, self._begun = None, self.begun
            part.close()

    @cached_property
    def binary(self) -> Binary:
        """The rclone binary. Raises UsageError when none is found that is new enough."""
        from orchestrator.rclone.binary import find_rclone  # noqa: PLC0415 - not every command needs rclone

        return find_rclone(self.options.rclone or self.config.rclone, self.named_setting("rclone"), self.rclone_version_file)

    @cached_property
    def rclone(self) -> Rclone:
        """The session's rclone, which also knows the remotes of our config. It starts at the first request."""
        return self._remote_definitions.rclone

    @cached_property
    def _remote_definitions(self) -> RemoteDefinitions:
        from orchestrator.rclone.secret_command import printed_by  # noqa: PLC0415 - not every command needs rclone

        references = References(os.environ, printed_by)
        runtime = rclone_for(
            self.config,
            self.binary,
            self.rclone_config,
            references,
            bandwidth=self.bandwidth,
            transfers=self.transfers,
            stop=self.stop,
        )
        self._opened.callback(runtime.close)
        return RemoteDefinitions(runtime, self.loaded_config, references)

    @property
    def running_rclone(self) -> Rclone | None:
        """The session's rclone, if it was needed so far."""
        return self._part.running_rclone if self._part is not None else self.__dict__.get("rclone")

    def activity(self) -> Activity | None:
        """What rclone does now; None if it was not needed so far. Raises OrchestratorError if it does not answer."""
        return None if (rclone := self.running_rclone) is None else rclone.activity.look()

    @property
    def applying(self) -> bool:
        """Whether a plan is being carried out: then `stop` alone ends the work in good order."""
        return self._applying or (self._part is not None and self._part.applying)

    @property
    def begun(self) -> bool | None:
        """Whether the command has begun to carry out a plan; None if it is none that makes plans."""
        return self._part.begun if self._part is not None and self._part.begun is not None else self._begun

    def will_plan(self) -> None:
        """The command is going to make a plan, and has changed nothing before."""
        self._begun = bool(self._begun)

    @cached_property
    def remotes(self) -> dict[str, str]:
        """Each configured remote and its type."""
        return self.rclone.remotes()

    @cached_property
    def catalogue(self) -> Catalogue:
        """What scans have seen."""
        from orchestrator.catalogue.store import Catalogue  # noqa: PLC0415 - not every command needs it

        return self._opened.enter_context(Catalogue(self.state / CATALOGUE_FILE))

    @cached_property
    def journal(self) -> Journal:
        """What runs have done."""
        from orchestrator.apply.journal.journal import Journal  # noqa: PLC0415 - not every command needs it

        return self._opened.enter_context(Journal(self.state / JOURNAL_FILE))

    @cached_property
    def job_history(self) -> JobHistory:
        """How the jobs of the config ended."""
        from orchestrator.job_history.store import HISTORY_FILE, JobHistory  # noqa: PLC0415 - not every command needs it

        history = self._opened.enter_context(JobHistory(self.state / HISTORY_FILE))
        if history.moved_aside is not None:
            self.reporter.warning(f"the history of jobs was damaged and begins again; what is left of it: {history.moved_aside}")
        return history

    def locations(self, *texts: str) -> list[Location]:
        """The locations that these texts mean, which the command is going to use: limits of the cloud apply if one is in it.

        Afterwards rclone knows their remotes. Raises UsageError, and AuthError for a cloud without its credentials.
        """
        found = self.named(*texts)
        if not self.in_cloud and any(map(self._reaches_cloud, found)):
            self.in_cloud = True
            if "rclone" in self.__dict__:
                self.rclone.limit(bandwidth=self.bandwidth, transfers=self.transfers)
        return found

    def _leave_cloud(self) -> None:
        """The limits of the cloud apply no more, until a location in it is named again."""
        if self.in_cloud:
            self.in_cloud = False
            self.rclone.limit(bandwidth=self.bandwidth, transfers=self.transfers)

    def _reaches_cloud(self, location: Location) -> bool:
        """Whether files there are in the cloud of the config, perhaps behind a crypt, alias, combine or union."""
        if self.config.cloud is None or location.local:
            return False
        return location.remote == CLOUD_REMOTE or any(
            place.fs.startswith(f"{CLOUD_REMOTE}:") for place in self.rclone.places_of(location.fs)
        )

    def named(self, *texts: str) -> list[Location]:
        """As `locations`, for comparisons only."""
        found = [resolve(text, self.config, lambda: self.remotes, file=lambda: self.rclone.config_file()) for text in texts]  # noqa: PLW0108 - a folder needs no rclone
        if remote := [one for one in found if not one.local]:
            self._remote_definitions.use(remote)
        return found

    def places_of(self, fs: str) -> tuple[Place, ...]:
        """Which servers and folders a canonical location really is, whatever its remote is called."""
        if is_local(fs):
            from orchestrator.rclone.location_identity import local_place  # noqa: PLC0415 - not every command needs it

            return (local_place(fs),)
        with contextlib.suppress(UsageError, AuthError):  # an old run's remote may be gone: then its name is all we have
            self.named(fs)
        return self.rclone.places_of(fs)

    def identities_of(self, fs: str) -> list[str]:
        """The identities of these places. For comparisons."""
        return [place.identity for place in self.places_of(fs)]

    def path_below(self, inner: Location, outer: Location) -> str | None:
        """The path of one location inside another: "" when both are the same, None when it is not inside.

        None also where the path has another name there, because one of them is encrypted.
        """
        below = path_below(inner.fs, outer.fs)
        if below is not None:
            return below
        places, around = self.places_of(inner.fs), self.places_of(outer.fs)
        below = path_below_all([place.identity for place in places], [place.identity for place in around])
        return None if below and any(place.encrypted for place in (*places, *around)) else below

    def shown_as(self, location: Location) -> tuple[str, Collection[str]]:
        """The kind of the remote that a location really is on, and the directories below which it shows its own files again.

        The second happens where a union unites a folder and one inside that.
        """
        if location.local:
            return "local", ()
        places = self.places_of(location.fs)
        below = {path_below(one.identity, other.identity) for one in places for other in places if one != other}
        return self.rclone.remote_type(places[0].fs), sorted(path for path in below if path)

    def overlap(self, one: Location, other: Location) -> bool:
        """Whether some folder belongs to both locations."""
        return overlap(self.identities_of(one.fs), self.identities_of(other.fs))

    def storage(self, location: Location) -> Storage:
        """The storage of a location, with retries and the provider's rate limit."""
        if location.fs not in self._storages:
            self._storages[location.fs] = self._open_storage(location)
        return self._storages[location.fs]

    def storages(self, *texts: str) -> dict[str, Storage]:
        """The storages of canonical locations, which is how plans and the journal name them."""
        wanted = list(dict.fromkeys(texts))
        return {text: self.storage(location) for text, location in zip(wanted, self.locations(*wanted), strict=True)}

    def forget_folders(self) -> None:
        """Before another command in this session: others may have renamed folders meanwhile. See Storage."""
        for storage in self._storages.values():
            with contextlib.suppress(OrchestratorError):  # the command will meet it, and report it
                storage.forget_folders()

    def rclone_storage(self, location: Location) -> RcloneStorage:
        """The storage of a location without wrappers, for what only rclone knows."""
        from orchestrator.storage.rclone_backed.storage import RcloneStorage  # noqa: PLC0415 - not every command needs it

        return RcloneStorage(self.rclone, location.fs, profile=self._profile(location), prices=self._prices)

    def reading_policy(self, location: Location, reading: str | None = None) -> Policy:
        """Whether reading tags there should save bytes or requests: as `reading` says, otherwise the config or the profile."""
        from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS  # noqa: PLC0415 - not every command reads tags

        settings = self.config.remotes.get(location.remote or "")
        chosen = reading or (settings.reading if settings is not None else None) or self.rclone_storage(location).profile.policy
        return FEW_REQUESTS if chosen == "few-requests" else FEW_BYTES

    @contextmanager
    def using(self, **options: Any) -> Iterator[None]:
        """Other common options during the block, such as those of a step of a job. Only those count that are read when needed."""
        before = self.options
        self.options = msgspec.structs.replace(before, **options)
        try:
            yield
        finally:
            self.options = before
            self._leave_cloud()

    @contextmanager
    def lock(self, command: str, wait_s: float = 0.0) -> Iterator[None]:
        """Be the only changing run of this state directory; waits so long for another one to end. Raises LockedError.

        Inside the block, further calls do nothing.
        """
        if self._locked:
            yield
            return
        with self._lock_in_time(command, wait_s) as held:
            self._locked = True
            try:
                if held.recovered:
                    self.reporter.warning(held.recovered)
                yield
            finally:
                self._locked = False

    def _lock_in_time(self, command: str, wait_s: float) -> RunLock:
        from orchestrator.apply.guard.lock import RunLock  # noqa: PLC0415 - not every command needs it

        lock, until, said = RunLock(self.state, command=command), time.monotonic() + wait_s, False
        while True:
            try:
                lock.acquire()
            except LockedError as error:
                if time.monotonic() >= until:
                    raise
                if not said:
                    self.reporter.note(f"waiting: {error.message.partition(': try again')[0]}")
                    self.reporter.stage("waiting for the other run")
                said = True
                self.stop.wait(min(LOOK_AT_LOCK_S, max(0.0, until - time.monotonic())))
            else:
                return lock

    @contextmanager
    def while_applying(self) -> Iterator[None]:
        """A plan is being carried out: a signal lets it end in good order."""
        self._applying = self._begun = True
        try:
            yield
        finally:
            self._applying = False

    def need_consent(self, command: str) -> None:
        """Refuse a command that asks first when nobody can be asked. Raises UsageError."""
        if not (self.options.yes or self.options.dry_run or self.reporter.can_ask):
            raise UsageError(f"{command} asks first, and there is no terminal: add --yes (or look first with --dry-run)")

    def _open_storage(self, location: Location) -> Storage:
        from orchestrator.storage.wrappers.retry import DEFAULT_ATTEMPTS, RetryingStorage  # noqa: PLC0415 - as below

        cloud = self.config.cloud if self._reaches_cloud(location) else None
        opened = RetryingStorage(
            self._paces.paced(self.rclone_storage(location), location.remote),
            attempts=(cloud.retry_attempts if cloud is not None else None) or DEFAULT_ATTEMPTS,
            first_wait_s=cloud.retry_delay if cloud is not None and cloud.retry_delay is not None else FIRST_WAIT_S,
            first_contact_s=FIRST_CONTACT_S,
            until_it_answers=partial(self._paces.until_it_answers, location.remote),
            on_wait=self.reporter.wait,
        )
        self._opened.callback(opened.close)
        return opened

    @cached_property
    def _paces(self) -> Paces:
        from orchestrator.actions.paces import Paces  # noqa: PLC0415 - not every command needs storages

        return self._opened.enter_context(closing(Paces(self.rclone, self.stop, self.reporter.wait, OUTAGE_S)))

    def _profile(self, location: Location) -> str | None:
        settings = self.config.remotes.get(location.remote or "")
        check_remote(self.loaded_config, location.remote or "")
        return settings.profile if settings is not None else None

    def _prices(self, remote: str) -> Prices | None:
        """The price list that the config gives the remote. Raises ConfigError for a name that no profile knows."""
        settings = self.config.remotes.get(remote)
        chosen = settings.prices if settings is not None else None
        if not isinstance(chosen, str):
            return chosen
        from orchestrator.profiles import price_lists  # noqa: PLC0415 - not every command needs it

        check_remote(self.loaded_config, remote)
        return price_lists()[chosen]


@contextmanager
def open_session(options: CommonOptions | None = None, reporter: Reporter | None = None) -> Iterator[Session]:
    """A session for use from Python; everything it opened is closed at the end.

    Nobody is asked: an action that changes files needs `yes` (or `dry_run`) in the options. Without a reporter of its own, what
    the actions report goes to the logger "orchestrator". Raises UsageError for an option that cannot be read.
    """
    session = Session(options or CommonOptions(), reporter or LogReporter())
    session.reporter.watch(session.activity)
    try:
        session.check_options()
        yield session
    finally:
        session.close()
