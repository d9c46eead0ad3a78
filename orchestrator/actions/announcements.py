"""Announce the beginning and the end of jobs where `notify` says: call health checks, and send messages."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from urllib.parse import urlsplit

import msgspec

from orchestrator.actions.outbox import Letter, Outbox, Remembered
from orchestrator.actions.session import Session
from orchestrator.config.jobs import Job
from orchestrator.config.notify import Notify, healthcheck_problem, url_problem
from orchestrator.config.references import Reference, References
from orchestrator.errors import ExitCode, UsageError, worst
from orchestrator.job_history.store import GOES_ON
from orchestrator.notify.delivery import Delivery
from orchestrator.notify.message import Ending, message_of
from orchestrator.rclone.known_secrets import hide

_TOKEN = 8
"""A part of an address that is so long may be its secret."""


class _HealthCheck:
    """One address to call, for all jobs that name it: the first one starts it, and it fails if one of them fails."""

    def __init__(self, label: str, url: str | Reference) -> None:
        self.label = label
        self.url = url
        self.codes: list[ExitCode] = []
        self.started: Delivery | None = None


class Announcements:
    """Those of one call of `run`. They are on their way in the background: nothing waits for them before the end."""

    def __init__(self, session: Session, jobs: Mapping[str, Job]) -> None:
        self._session = session
        self._jobs = jobs
        self._references: References | None = None
        self._checks: dict[bytes, _HealthCheck] = {}
        for name in jobs:
            where, notify = self._notify(name)
            if notify.healthcheck is not None:
                check = _HealthCheck(f"{where}.healthcheck", notify.healthcheck)
                self._checks.setdefault(msgspec.json.encode(notify.healthcheck), check)

    def of_failures(self, name: str) -> bool:
        """Whether there are messages about failures of this job."""
        notify = self._notify(name)[1]
        return bool(notify.urls) and "failure" in notify.on

    @property
    def with_messages(self) -> bool:
        """Whether messages may be sent, which say what was changed."""
        return any(self._notify(name)[1].urls for name in self._jobs)

    def begin(self, name: str) -> None:
        """Announce that a job begins."""
        check = self._check_of(name)
        if check is not None and check.started is None:
            check.started = self._call(check, None)

    def end(self, endings: Sequence[Ending], remembered: Remembered, *, together: bool) -> dict[str, str | None]:
        """Announce how jobs ended, all at the same time, and wait for that as long as it may take.

        `together`: they were refused for one reason, and share a message. Returns what was tried, by the key of the config: what
        went wrong, or None. A message that cannot be sent waits in the history for the next run.
        """
        for ending in endings:
            check = self._check_of(ending.run.job)
            if check is not None:
                check.codes.append(ExitCode(ending.run.exit_code or 0))
        sent = [check.started for check in self._checks.values() if check.started is not None]
        sent += [self._call(check, worst(check.codes)) for check in self._checks.values() if check.codes]
        problems: dict[str, str | None] = {}
        outbox = Outbox(remembered)
        addresses = self._put(endings, outbox, together=together)
        if addresses:
            from orchestrator.notify.apprise_messages import MISSING, installed  # noqa: PLC0415 - many configs have no addresses

            missing = None if installed() else MISSING
            problems |= {label.rpartition(".")[0]: missing for label in addresses}
            if missing is None:
                sent += [
                    self._post(label, url, outbox.letters(label)) for label, url in addresses.items() if outbox.letters(label)
                ]
        for delivery in sent:
            problems[delivery.label] = delivery.problem() or problems.get(delivery.label)
        outbox.close()
        return problems

    def _notify(self, name: str) -> tuple[str, Notify]:
        """Where the end of a job is to be reported, and the key that says so."""
        own = self._jobs[name].notify
        return (f"jobs.{name}.notify", own) if own is not None else ("notify", self._session.config.notify)

    def _secret(self, url: str | Reference, label: str) -> str:
        """The address itself. Nothing that is printed from now on repeats it. Raises AuthError."""
        if isinstance(url, Reference):
            url = self._secrets().text(url, label)
        hide(url)
        parts = urlsplit(url)
        values = [one.partition("=")[2] for one in parts.query.split("&")]
        for secret in (parts.username or "", parts.password or "", *parts.path.split("/"), *values):
            if len(secret) >= _TOKEN:
                hide(secret)
        return url

    def _secrets(self) -> References:
        if self._references is None:
            from orchestrator.rclone.secret_command import printed_by  # noqa: PLC0415 - most configs have no references

            self._references = References(os.environ, printed_by)
        return self._references

    def _check_of(self, name: str) -> _HealthCheck | None:
        url = self._notify(name)[1].healthcheck
        return None if url is None else self._checks[msgspec.json.encode(url)]

    def _call(self, check: _HealthCheck, code: ExitCode | None) -> Delivery:
        """Call it in the background: at the start, or with the code at the end."""
        from orchestrator.notify import health_check  # noqa: PLC0415 - most configs have none

        moment: health_check.Moment = "start" if code is None else "success" if code in GOES_ON else "failure"
        before = check.started

        def send(until: float) -> None:
            if reason := healthcheck_problem(check.url):
                raise UsageError(reason)
            url = health_check.address(self._secret(check.url, check.label), moment, int(code or 0))
            if before is not None:
                before.problem()  # calls must arrive in order
            if url is not None:
                health_check.call(url, until)

        return Delivery(check.label, send)

    def _put(self, endings: Sequence[Ending], outbox: Outbox, *, together: bool) -> dict[str, str | Reference]:
        """Put the messages about these jobs into the outbox. The addresses of all jobs, by their keys in the config."""
        urls = {where: notify.urls for where, notify in map(self._notify, self._jobs)}
        labels = {where: [f"{where}.urls.{number}" for number in range(len(found))] for where, found in urls.items()}
        for label in chain(*labels.values()):
            outbox.open(label)
        for where, notify, shared in self._by_message(endings, together=together):
            news = [ending for ending in shared if ending.wanted(notify.on)]
            if news and notify.urls:
                message = message_of(news, socket.gethostname())
                for label in labels[where]:
                    outbox.put(label, message)
        return dict(zip(chain(*labels.values()), chain(*urls.values()), strict=True))

    def _post(self, label: str, url: str | Reference, letters: Sequence[Letter]) -> Delivery:
        """Send these messages to an address in the background, in order.

        The first that cannot be sent ends that. One that the service rejects does not: it would hold back all later ones.
        """
        from orchestrator.notify.apprise_messages import RejectedError  # noqa: PLC0415 - most runs have no messages
        from orchestrator.notify.apprise_messages import send as send_message  # noqa: PLC0415 - most runs have no messages

        def send(until: float) -> None:
            if reason := url_problem(url):
                raise UsageError(reason)
            address = self._secret(url, label)
            problem: RejectedError | None = None
            for letter in letters:
                if time.monotonic() >= until:
                    break
                try:
                    send_message(address, letter.message)
                    letter.arrived = True
                except RejectedError as error:
                    letter.rejected = True
                    problem = error
            if problem is not None:
                given_up = any(letter.arrived for letter in letters)
                what = "a message was given up" if given_up else "no message was taken, all of them wait"
                raise RejectedError(f"{what}: {problem.message}")

        return Delivery(label, send)

    def _by_message(self, endings: Sequence[Ending], *, together: bool) -> Iterator[tuple[str, Notify, Sequence[Ending]]]:
        if not together:
            for ending in endings:
                yield *self._notify(ending.run.job), [ending]
            return
        groups: dict[str, list[Ending]] = {}
        for ending in endings:
            groups.setdefault(self._notify(ending.run.job)[0], []).append(ending)
        for where, shared in groups.items():
            yield where, self._notify(shared[0].run.job)[1], shared
