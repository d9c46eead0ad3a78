"""A storage whose files are already being listed in the background, while the program lists another one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage

_AT_ONCE = 500


class ListedAhead(ForwardingStorage):
    """While it is `running`, the first `list` of the whole location gives what the background finds, or its error.

    Keeps one record a file.
    """

    def __init__(self, inner: Storage, hidden: HiddenFolders) -> None:
        super().__init__(inner)
        self._hidden = hidden
        self._found: queue.SimpleQueue[list[Entry] | BaseException | None] = queue.SimpleQueue()
        self._given_up = threading.Event()
        self._waiting = False
        """Whether what the background finds is still to be taken."""

    @contextmanager
    def running(self) -> Iterator[ListedAhead]:
        """List it in the background; given up at the end of the block."""
        self._waiting = True
        # A daemon, and not a pool: an interrupt must not wait for a server that does not answer.
        threading.Thread(target=self._fetch, name="listing", daemon=True).start()
        try:
            yield self
        finally:
            self._given_up.set()

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        """See Storage."""
        if not self._waiting or prefix or on_folder is not None or at_most is not None:
            return super().list(prefix, hidden, on_folder=on_folder, at_most=at_most)
        self._waiting = False
        return self._rest()

    def _rest(self) -> Iterator[Entry]:
        while (found := self._found.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield from found

    def _fetch(self) -> None:
        batch: list[Entry] = []
        try:
            for entry in self.inner.list(hidden=self._hidden):
                if self._given_up.is_set():
                    return
                batch.append(entry)
                if len(batch) == _AT_ONCE:
                    self._found.put(batch)
                    batch = []
            self._found.put(batch)
            self._found.put(None)
        except BaseException as error:
            self._found.put(batch)
            self._found.put(error)
