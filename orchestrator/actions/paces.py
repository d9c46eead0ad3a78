"""The paces of a session: one for each remote."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event, Thread

from orchestrator.rclone.runtime import Rclone
from orchestrator.retry_times import OUTAGE_S
from orchestrator.storage.protocol import Storage
from orchestrator.storage.rclone_backed.directory_listings import WORTH_A_LISTING
from orchestrator.storage.rclone_backed.line import RcloneLine
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.outage import AnsweringStorage, Contact
from orchestrator.storage.wrappers.pace import Answers, Pace
from orchestrator.storage.wrappers.rate_limit import RateLimitedStorage

_COUNT_S = 0.1
_JOIN_S = 1.0
"""How long `close` waits for a count: an rclone that does not answer is ended after that, and the count with it."""


class Paces:
    """See the module. A wait ends when `stop` is set. To be closed."""

    def __init__(
        self,
        rclone: Rclone,
        stop: Event,
        on_wait: Callable[[str, float], None] = lambda _reason, _seconds: None,
        outage_s: float = OUTAGE_S,
    ) -> None:
        """`on_wait` gets what to say of a wait for a remote, and its seconds; `outage_s` is for how long one is waited for."""
        self._rclone = rclone
        self._stop = stop
        self._on_wait = on_wait
        self._outage_s = outage_s
        self._of_remotes: dict[str, Pace] = {}
        self._contacts: dict[str, Contact] = {}
        self._closed = Event()
        self._counter: Thread | None = None

    def close(self) -> None:
        """Count no more."""
        self._closed.set()
        for contact in self._contacts.values():
            contact.close()
        if self._counter is not None:
            self._counter.join(_JOIN_S)

    def paced(self, storage: RcloneStorage, remote: str | None) -> Storage:
        """The storage at the pace of its remote, while that answers; a folder of this machine (None) as it is."""
        if remote is None:
            return storage
        answering = AnsweringStorage(storage, self._contact(storage, remote))
        if (pace := self._of_remotes.get(remote)) is None:
            pace = self._of_remotes[remote] = Pace(
                storage.profile.requests_per_second,
                answers=self._answers,
                on_pause=self._rclone.forget_pauses,
                sleep=self._stop.wait,
            )
            self._rclone.listing_rates[remote] = partial(getattr, pace, "per_second")
            if self._counter is None:
                self._counter = Thread(target=self._count, name="refusals", daemon=True)
                self._counter.start()
        profile = storage.profile
        by_folder = profile.by_directory or profile.looks_by_folder
        return RateLimitedStorage(
            answering,
            pace=pace,
            looks_of_a_listing=WORTH_A_LISTING if by_folder else None,
            until_it_answers=answering.contact.wait,
        )

    def until_it_answers(self, remote: str | None) -> None:
        """After an error of a remote: wait for it. Raises OutageError if it does not come back in time."""
        if remote is not None:
            self._contacts[remote].wait()

    def _contact(self, storage: RcloneStorage, remote: str) -> Contact:
        if remote not in self._contacts:
            line = RcloneLine(self._rclone, remote, storage.fs)
            self._contacts[remote] = Contact(
                remote,
                line,
                stop=self._stop,
                on_wait=self._on_wait,
                outage_s=self._outage_s,
                alone=lambda: len(self._contacts) == 1,
            )
        return self._contacts[remote]

    def _count(self) -> None:
        while not self._closed.wait(_COUNT_S):
            for contact in [*self._contacts.values()]:
                contact.check()
            for pace in [*self._of_remotes.values()]:
                pace.count()

    def _answers(self) -> Answers | None:
        if (answers := self._rclone.answers()) is None:
            return None
        found = Answers(*answers)
        return found if len(self._of_remotes) == 1 else Answers(found.accepted, 0)  # nothing says which remote refused them
