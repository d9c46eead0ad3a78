"""How a location on a remote gives names (see `orchestrator.storage.protocol.Naming`): finding out, and giving."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from orchestrator.errors import (
    AuthError,
    DestinationExistsError,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    RateLimitError,
    RemoteError,
    TransientError,
    UnsupportedError,
)
from orchestrator.paths import name_of, parent_of
from orchestrator.profiles import Profile
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.rc_client import RcClient
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import CallResult, DeleteCall, GiveCall, MoveCall, Naming, StatCall, Storage
from orchestrator.storage.rclone_backed.rc_batches import Request, send_all
from orchestrator.storage.rclone_backed.rc_calls import RcCalls

_PROBES = (f"{OWN_DIRECTORY}/naming-probe-1", f"{OWN_DIRECTORY}/naming-probe-2")
"""Two programs may probe at the same time: then one may see the other's files, and take the server for less than it is."""

_Step: TypeAlias = Callable[[Sequence[GiveCall]], Sequence[CallResult]]


class Names:
    """For one location. May be used from several threads."""

    def __init__(self, storage: Storage, client: RcClient, profile: Profile, calls: RcCalls) -> None:
        self._storage = storage
        self._client = client
        self._profile = profile
        self._calls = calls
        self._lock = threading.Lock()
        self._naming: Naming | None = None

    @property
    def naming(self) -> Naming:
        """Found out once. Raises TransientError, RateLimitError and AuthError."""
        with self._lock:
            if self._naming is None:
                self._naming = self._found_out()
                self._calls.refused_uploads = self._naming is Naming.UPLOAD
            return self._naming

    def give(self, calls: Sequence[GiveCall], concurrency: int) -> list[CallResult]:
        """The results in the order of the calls."""
        if not self._calls.has_backup_dir:
            return [UnsupportedError(f"{self._calls.fs}: can neither move nor copy", path=call.staged) for call in calls]
        naming = self.naming
        if naming is Naming.EXCLUSIVE and self._profile.names_by == "link":
            return self._link_then_delete(calls, concurrency)
        if naming is Naming.EXCLUSIVE and self._profile.names_by != "rename":
            return self._move_unless_refused(calls, concurrency)
        if naming is Naming.TWINS:
            return self._look_then(calls, self._look_into_directories, partial(self._move_by_id, concurrency=concurrency))
        return self._look_then_move(calls, concurrency)

    # Finding out.

    def _found_out(self) -> Naming:
        can, by = self._calls.capabilities, self._profile.names_by
        if not self._calls.has_backup_dir:
            return Naming.REPLACES
        if by == "upload" and self._probe(self._upload_is_refused):
            return Naming.UPLOAD
        if not self._profile.moves_copies or not (can.move or self._probe(self._may_delete)):
            return Naming.REPLACES
        if by == "id" and can.by_id:
            return Naming.TWINS
        exclusive = (
            (by == "rename" and can.local)
            or (by == "move" and can.move)
            or (by == "probed-move" and can.move and not can.duplicate_names and self._probe(self._move_is_refused))
            or (by == "link" and self._probe(self._link_is_refused))
        )
        return Naming.EXCLUSIVE if exclusive else Naming.CAUGHT

    def _probe(self, does: Callable[[str, str], bool]) -> bool:
        """Whether the server does what is asked of it with two files of ours; not if it refuses the probe itself."""
        try:
            try:
                return does(*_PROBES)
            finally:
                self._storage.batch([DeleteCall(probe, seen=True) for probe in _PROBES])
        except (TransientError, RateLimitError, AuthError):
            raise
        except RemoteError:
            return False

    def _may_delete(self, one: str, _: str) -> bool:
        self._storage.write(one, b"probe")
        (refusal,) = self._storage.batch([DeleteCall(one)])
        return _decided(refusal) is None

    def _upload_is_refused(self, one: str, _: str) -> bool:
        self._storage.write(one, b"probe")
        with tempfile.TemporaryDirectory(prefix="music-orchestrator-") as directory:
            (Path(directory) / "probe").write_bytes(b"again")
            body = rc_bodies.refused_upload(directory, "probe", self._calls.fs, one)
            return isinstance(self._sent("operations/copyfile", body), DestinationExistsError)

    def _move_is_refused(self, one: str, other: str) -> bool:
        self._storage.write(one, b"probe")
        self._storage.write(other, b"other")
        move = rc_bodies.unseen_move(self._calls.fs, one, self._calls.fs, other)
        return isinstance(self._sent("operations/movefile", move), DestinationExistsError)

    def _link_is_refused(self, one: str, other: str) -> bool:
        """A server without links makes rclone copy instead, which replaces: so it accepts the second link as well."""
        self._storage.write(one, b"probe")
        (left,) = self._storage.batch([DeleteCall(other)])  # by a probe that was killed
        if not isinstance(_decided(left), NotFoundError | None):
            return False
        link = rc_bodies.link(self._calls.fs, one, other)
        return self._sent("operations/copyfile", link) is None and self._sent("operations/copyfile", link) is not None

    def _sent(self, method: str, body: rc_bodies.Body) -> OrchestratorError | None:
        (answer,) = send_all(self._client, [(method, body)], 1)
        return _decided(answer if isinstance(answer, OrchestratorError) else None)

    # Giving.

    def _look_then(self, calls: Sequence[GiveCall], look: _Step, move: _Step) -> list[CallResult]:
        """Give the names that a look finds free. Two calls for one name would not see each other: the second one goes later."""
        results = [*look(calls)]
        free: dict[str, int] = {}
        for number, (call, result) in enumerate(zip(calls, results, strict=True)):
            if result is None:
                free.setdefault(call.dst, number)
        later = [number for number, result in enumerate(results) if result is None and number not in free.values()]
        for numbers, send in (([*free.values()], move), (later, lambda again: self._look_then(again, look, move))):
            chosen = [calls[number] for number in numbers]
            for number, result in zip(numbers, send(chosen) if chosen else (), strict=True):
                results[number] = result
        return results

    def _look_then_move(self, calls: Sequence[GiveCall], concurrency: int) -> list[CallResult]:
        def look(calls: Sequence[GiveCall]) -> list[CallResult]:
            looks = self._storage.batch([StatCall(call.dst) for call in calls], concurrency=concurrency)
            return [_taken(call) if isinstance(look, Entry) else look for call, look in zip(calls, looks, strict=True)]

        def move(calls: Sequence[GiveCall]) -> list[CallResult]:
            return self._requests([self._calls.request(call) for call in calls], concurrency)

        return self._look_then(calls, look, move)

    def _look_into_directories(self, calls: Sequence[GiveCall]) -> list[CallResult]:
        """A move by id would put a file even beside a directory of the same name, where rclone cannot reach it."""
        there: dict[str, Sequence[str] | OrchestratorError] = {}
        for parent in dict.fromkeys(parent_of(call.dst) for call in calls):
            try:
                there[parent] = self._storage.entries(parent) or ()
            except OrchestratorError as error:
                there[parent] = error

        def result(call: GiveCall) -> CallResult:
            names = there[parent_of(call.dst)]
            if isinstance(names, OrchestratorError):
                return names
            name = name_of(call.dst)
            if f"{name}/" in names:
                return PermanentError(f"{call.dst}: is a directory not a file", path=call.dst)
            return _taken(call) if name in names else None

        return [result(call) for call in calls]

    def _move_by_id(self, calls: Sequence[GiveCall], *, concurrency: int) -> Sequence[CallResult]:
        staged = self._storage.batch([StatCall(call.staged) for call in calls], concurrency=concurrency)
        moves = [
            MoveCall(call.staged, call.dst, call.trash, id=look.id)
            for call, look in zip(calls, staged, strict=True)
            if isinstance(look, Entry)
        ]
        moved = iter(self._storage.batch(moves, concurrency=concurrency))
        return [
            next(moved) if isinstance(look, Entry) else look or NotFoundError(f"{call.staged}: not found", path=call.staged)
            for call, look in zip(calls, staged, strict=True)
        ]

    def _move_unless_refused(self, calls: Sequence[GiveCall], concurrency: int) -> list[CallResult]:
        fs = self._calls.fs
        moves = [("operations/movefile", rc_bodies.unseen_move(fs, call.staged, fs, call.dst)) for call in calls]
        results = self._requests(moves, concurrency)
        return [
            _taken(call) if isinstance(result, DestinationExistsError) else result
            for call, result in zip(calls, results, strict=True)
        ]

    def _link_then_delete(self, calls: Sequence[GiveCall], concurrency: int) -> list[CallResult]:
        links = [("operations/copyfile", rc_bodies.link(self._calls.fs, call.staged, call.dst)) for call in calls]
        results = self._requests(links, concurrency)
        linked = [number for number, result in enumerate(results) if result is None]
        deleted = self._storage.batch([DeleteCall(calls[number].staged) for number in linked], concurrency=concurrency)
        for number, result in zip(linked, deleted, strict=True):
            results[number] = None if isinstance(result, NotFoundError) else result
        # A taken name is a bare "Failure", as is a place without links: a mounted exFAT disk, for example.
        failed = [number for number, result in enumerate(results) if type(result) is PermanentError]
        again = [calls[number] for number in failed if number not in linked]
        looked = self._look_then_move(again, concurrency) if again else ()
        for number, result in zip([number for number in failed if number not in linked], looked, strict=True):
            results[number] = result
        return results

    def _requests(self, requests: Sequence[Request], concurrency: int) -> list[CallResult]:
        answers = send_all(self._client, requests, concurrency)
        return [answer if isinstance(answer, OrchestratorError) else None for answer in answers]


def _taken(call: GiveCall) -> DestinationExistsError:
    return DestinationExistsError(f"{call.dst}: already exists", path=call.dst)


def _decided(answer: CallResult) -> OrchestratorError | None:
    """The refusal of a probe, None for a success. Raises what says nothing about the server."""
    if isinstance(answer, TransientError | RateLimitError | AuthError):
        raise answer
    return answer if isinstance(answer, OrchestratorError) else None
