"""Messages on their way: each waits in the job history until it has arrived, so that the next run sends what this one cannot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from orchestrator.job_history.announced import Unsent
from orchestrator.job_history.store import JobHistory
from orchestrator.notify.message import Message

ReadT = TypeVar("ReadT")


class Remembered(Protocol):
    """The history, as far as it works."""

    def __call__(self, work: Callable[[JobHistory], ReadT], otherwise: ReadT) -> ReadT:
        """What `work` does with the history, or `otherwise` if that cannot be read or written."""


@dataclass
class Letter:
    """A message for one address."""

    message: Message
    number: int | None
    """Of its row in the history; None if that could not be written."""
    arrived: bool = False
    rejected: bool = False
    """Whether the service did not take it."""


class Outbox:
    """The messages of one call of `run`, by the key of their address in the config."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._letters: dict[str, list[Letter]] = {}

    def open(self, label: str) -> None:
        """Find what earlier runs could not send to an address."""
        waiting: Sequence[Unsent] = self._remembered(lambda history: history.announced.unsent(label), ())
        self._letters[label] = [Letter(_late(one), one.number) for one in waiting]

    def put(self, label: str, message: Message) -> None:
        """Send this as well, after those."""
        text, now = msgspec.json.encode(message).decode(), time.time()
        number = self._remembered(lambda history: history.announced.put(label, text, now), None)
        self._letters[label].append(Letter(message, number))

    def letters(self, label: str) -> list[Letter]:
        """What there is to send to an address, in order."""
        return self._letters[label]

    def close(self) -> None:
        """Forget what has arrived, and what was rejected by a service that has taken another message."""
        over = [one.number for letters in self._letters.values() for one in _over(letters) if one.number is not None]
        if over:
            self._remembered(lambda history: history.announced.sent(over), None)


def _over(letters: Sequence[Letter]) -> list[Letter]:
    works = any(one.arrived for one in letters)
    return [one for one in letters if one.arrived or (works and one.rejected)]


def _late(one: Unsent) -> Message:
    message = msgspec.json.decode(one.message, type=Message)
    written = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.at))
    return msgspec.structs.replace(message, title=f"{message.title} (of {written}, sent late)")
