"""Send a message through apprise, which knows a hundred services. It is an extra, imported when there is something to send."""

from __future__ import annotations

import importlib.util
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.errors import PermanentError, UsageError
from orchestrator.notify.message import Message

_OF_THE_MESSAGE = frozenset({"400", "413", "422"})
"""Answers of services to a message that they do not take: invalid, or too long. Others are about the address, or may pass."""
_STATUS = re.compile(r"\berror=(\d{3})\b")
"""How apprise writes the status of an answer, for nearly all of its services."""

MISSING = "messages need apprise: pip install 'music-orchestrator[notify]'"


class RejectedError(PermanentError):
    """A service does not take this message. It may take another one."""


def installed() -> bool:
    """Whether apprise can be imported."""
    return importlib.util.find_spec("apprise") is not None


def send(url: str, message: Message) -> None:
    """Send it. Raises UsageError for an address that apprise does not take, PermanentError for what could not be sent.

    Raises RejectedError if that may be for what the message says.
    """
    import apprise  # noqa: PLC0415 - an extra, and slow to import

    with _listening() as heard:
        kinds = {"success": apprise.NotifyType.SUCCESS, "news": apprise.NotifyType.INFO, "failure": apprise.NotifyType.FAILURE}
        # Of an Apprise object with all addresses, threads of a pool would send it, and keep the program from ending.
        service = apprise.Apprise.instantiate(url)
        if not service:
            raise UsageError("apprise does not know this address")
        if not service.notify(body=message.body, title=message.title, notify_type=kinds[message.event], body_format="text"):
            status = _STATUS.search(heard.last)
            error = RejectedError if status and status[1] in _OF_THE_MESSAGE else PermanentError
            raise error(heard.last or "it could not be sent")


def is_known(url: str) -> bool:
    """Whether apprise takes this address. Nothing is sent."""
    import apprise  # noqa: PLC0415 - an extra, and slow to import

    with _listening():
        return bool(apprise.Apprise.instantiate(url))


@contextmanager
def _listening() -> Iterator[_Heard]:
    """What apprise warns of during the block. Nothing else prints it."""
    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.propagate = False  # otherwise Python prints its warnings to stderr
    logger.addHandler(heard)
    try:
        yield heard
    finally:
        logger.removeHandler(heard)


class _Heard(logging.Handler):
    """The last warning of apprise in this thread: why it did not work."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.last = record.getMessage()
