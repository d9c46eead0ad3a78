"""Fault case 31: one request of a run always fails. The run ends after few requests, whatever the error is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.guard.surroundings import MARKER
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import RunState
from orchestrator.apply.protocol.request_budget import REQUESTS_PER_OPERATION
from orchestrator.apply.results import RunResult
from orchestrator.apply.settings import Settings
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import (
    AuthError,
    CorruptTransferError,
    DestinationExistsError,
    ExitCode,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    QuotaError,
    RateLimitError,
    TransientError,
    UnsupportedError,
    UsageError,
)
from orchestrator.plan.model import Operation, Verb
from orchestrator.storage.fake.faults import RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import NOW, WITHOUT_WAITS, contents, duplicate, library, move, operation, plan, quick, rewrite, run_again

Matches = Callable[[RecordedCall], bool]

ERRORS: dict[str, OrchestratorError] = {
    "transient": TransientError("connection reset"),
    "rate limit": RateLimitError("slow down"),
    "rate limit for hours": RateLimitError("slow down", retry_after=7200),
    "auth": AuthError("key revoked"),
    "quota": QuotaError("no space left"),
    "not found": NotFoundError("not found"),
    "exists": DestinationExistsError("file exists"),
    "corrupt": CorruptTransferError("hashes differ"),
    "permission": PermanentError("permission denied"),
    "name too long": PermanentError("file name too long"),
    "unsupported": UnsupportedError("501 Not Implemented"),
    "usage": UsageError("is a file not a directory"),
}
FOR_GOOD = {"permission", "name too long", "unsupported", "exists", "usage"}
"""The errors that concern one file and will not pass."""

SOURCE, DESTINATION = "in/a.mp3", "out/a.mp3"


class Case(msgspec.Struct):
    """A plan of four operations, and the request for the first of them that always fails."""

    storages: tuple[MemoryStorage, ...]
    operations: list[Operation]
    failing: MemoryStorage
    matches: Matches


def filled(kind: str, fs: str = "one:library") -> MemoryStorage:
    storage = MemoryStorage.like(kind, fs, by_directory=False)
    for name in "abcd":
        storage.put(f"in/{name}.mp3", f"content of {name}".encode())
        storage.put(f"kept/{name}.mp3", f"content of {name}".encode())
    return storage


def of(verb: str, path: str) -> Matches:
    return lambda call: call.verb == verb and path in {call.path, call.dst}


def after_change(storage: MemoryStorage, verb: str, path: str) -> Matches:
    return lambda call: call.verb == verb and call.path == path and any(change.verb != "write" for change in storage.log)


def moves(storage: MemoryStorage) -> list[Operation]:
    return [move(storage, f"in/{name}.mp3", f"out/{name}.mp3") for name in "abcd"]


def transfers(source: MemoryStorage, target: MemoryStorage, verb: Verb = Verb.MOVE) -> list[Operation]:
    return [operation(verb, source, f"in/{name}.mp3", target, f"out/{name}.mp3") for name in "abcd"]


def look(path: str) -> Callable[[], Case]:
    def make() -> Case:
        storage = filled("webdav")
        return Case((storage,), moves(storage), storage, of("stat", path))

    return make


def look_at_kept_copy() -> Case:
    storage = filled("sftp")
    made = [duplicate(storage, f"in/{name}.mp3", storage, f"kept/{name}.mp3") for name in "abcd"]
    return Case((storage,), made, storage, of("stat", "kept/a.mp3"))


def look_at_kept_copy_afterwards() -> Case:
    storage, other = filled("sftp"), filled("s3", "two:library")
    made = [duplicate(storage, f"in/{name}.mp3", other, f"kept/{name}.mp3") for name in "abcd"]
    return Case((storage, other), made, other, lambda call: bool(storage.log) and of("stat", "kept/a.mp3")(call))


def send_move() -> Case:
    storage = filled("sftp")
    return Case((storage,), moves(storage), storage, of("move", SOURCE))


def send_copy() -> Case:
    source, target = filled("s3"), filled("webdav", "two:library")
    return Case((source, target), transfers(source, target), target, of("copy", SOURCE))


def read_source() -> Case:
    source, target = filled("s3"), filled("webdav", "two:library")
    return Case((source, target), transfers(source, target), source, of("read", SOURCE))


def delete_source() -> Case:
    source, target = filled("s3"), filled("webdav", "two:library")
    return Case((source, target), transfers(source, target), source, of("delete", SOURCE))


def write_list() -> Case:
    storage = filled("webdav")
    storage.put("list.m3u", b"a.mp3\n")
    made = [*rewrite(storage, "list.m3u", "list.m3u", b"b.mp3\n"), *moves(storage)]
    return Case((storage,), made, storage, lambda call: call.verb == "write" and call.path != MARKER)


def verify() -> Case:
    storage = filled("webdav")
    return Case((storage,), moves(storage), storage, after_change(storage, "stat", DESTINATION))


def verify_copy() -> Case:
    source, target = filled("s3"), filled("webdav", "two:library")
    made = transfers(source, target, Verb.COPY)
    return Case((source, target), made, target, after_change(target, "stat", DESTINATION))


def final_look() -> Case:
    storage = filled("webdav")
    seen: list[int] = []

    def matches(call: RecordedCall) -> bool:
        if call.verb == "stat" and call.path == DESTINATION and storage.log:
            seen.append(call.number)
        return len(seen) > 1 and call.number == seen[-1]

    return Case((storage,), moves(storage), storage, matches)


def every_listing() -> Case:
    storage = filled("drive")
    return Case((storage,), moves(storage), storage, lambda call: call.verb == "list")


def remove_folder() -> Case:
    storage = filled("sftp")
    return Case((storage,), moves(storage), storage, of("remove_directory", "in"))


def move_folder_away() -> Case:
    storage = filled("dropbox")
    return Case((storage,), moves(storage), storage, of("move_directory", "in"))


def look_into_folder() -> Case:
    storage = filled("webdav")
    return Case((storage,), moves(storage), storage, of("entries", "in"))


def move_album() -> Case:
    storage = MemoryStorage.like("dropbox", "one:library")
    for name in "abcd":
        storage.put(f"in/{name}.mp3", f"content of {name}".encode())
    return Case((storage,), moves(storage), storage, of("move_directory", "in"))


CASES: dict[str, Callable[[], Case]] = {
    "look at the source": look(SOURCE),
    "look at the destination": look(DESTINATION),
    "look at the kept copy": look_at_kept_copy,
    "look at the kept copy afterwards": look_at_kept_copy_afterwards,
    "move": send_move,
    "copy": send_copy,
    "read": read_source,
    "delete": delete_source,
    "write": write_list,
    "verify a move": verify,
    "verify a copy": verify_copy,
    "final look": final_look,
    "list": every_listing,
    "remove an emptied folder": remove_folder,
    "move an emptied folder away": move_folder_away,
    "look into an emptied folder": look_into_folder,
    "move an album": move_album,
}


def start(case: Case, journal: Path) -> RunResult:
    with quick(Journal, journal) as opened:
        return apply_plan(
            plan(*case.operations, storages=case.storages),
            {storage.fs: storage for storage in case.storages},
            opened,
            settings=Settings(marker=True),
            backoff=WITHOUT_WAITS,
        )


def starts(case: Case, journal: Path) -> Iterator[RunResult]:
    yield start(case, journal)
    for _ in range(3):
        yield run_again(journal, *case.storages)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("request_kind", CASES)
def test_a_request_that_always_fails_ends_its_operation_or_the_run(tmp_path: Path, request_kind: str, error: str) -> None:
    """Fault case 31: at most a dozen requests for the file in each start of the run; each is over after a few starts."""
    case = CASES[request_kind]()
    before = contents(*case.storages)
    failed: list[RecordedCall] = []

    def fail(call: RecordedCall) -> OrchestratorError:
        failed.append(call)
        return ERRORS[error]

    case.failing.fail_always(case.matches, fail)
    for number, result in enumerate(starts(case, tmp_path / "journal"), start=1):
        assert len(failed) <= REQUESTS_PER_OPERATION, f"start {number}"
        failed.clear()
        assert result.exit_code in allowed(error), (number, result)
        assert all(MARKER not in storage.snapshot() for storage in case.storages)
        named = "\n".join(problem.message for problem in result.problems)
        if result.state.unfinished:
            assert error not in FOR_GOOD, (number, result)
            assert named
    assert not before - contents(*case.storages) or request_kind == "look at the kept copy afterwards"
    if error not in {"auth", "quota", "rate limit for hours", "rate limit"}:
        assert not result.state.unfinished, result


def allowed(error: str) -> set[ExitCode]:
    if error == "auth":
        return {ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.AUTH}
    if error in {"transient", "rate limit", "rate limit for hours"}:
        return {ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.UNREACHABLE}
    if error == "not found":  # "not there, although the remote reported success": another start may find it
        return {ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.STALE, ExitCode.INTEGRITY, ExitCode.UNREACHABLE}
    if error == "corrupt":
        return {ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.STALE, ExitCode.INTEGRITY}
    return {ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.STALE}


def test_a_file_that_cannot_be_looked_at_is_named_with_the_way_out(tmp_path: Path) -> None:
    case = look(SOURCE)()
    case.failing.fail_always(case.matches, PermanentError("403 Forbidden"))
    result = start(case, tmp_path / "journal")
    assert (result.exit_code, result.state, result.done, result.failed) == (ExitCode.SOME_FAILED, RunState.FAILED, 3, 1)
    (problem,) = result.problems
    assert problem.path == SOURCE
    assert "403" in problem.message
    assert "--exclude" in problem.message
    assert case.failing.call_counts["stat"] <= 20


@pytest.mark.parametrize("error", ["permission", "unsupported", "transient", "quota"])
@pytest.mark.parametrize(("kind", "verb"), [("sftp", "remove_directory"), ("dropbox", "move_directory"), ("webdav", "entries")])
def test_a_folder_that_cannot_be_removed_is_named_and_the_run_is_over(tmp_path: Path, kind: str, verb: str, error: str) -> None:
    """Fault case 32: busy, immutable, 403 or 501 for ever: 3 with the folder named; later commands are free; `undo` works."""
    storage = filled(kind)
    before = storage.snapshot()
    case = Case((storage,), moves(storage), storage, of(verb, "in"))
    storage.fail_always(case.matches, ERRORS[error])
    result = start(case, tmp_path / "journal")
    assert (result.exit_code, result.state, result.done) == (ExitCode.SOME_FAILED, RunState.FAILED, 4)
    (problem,) = result.problems
    assert problem.path == "in"
    assert ERRORS[error].message in problem.message
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE, "nothing is left to resume"
    with quick(Journal, tmp_path / "journal") as journal:
        back = undo_plan(journal, journal.runs()[0].id, **NOW)
        assert apply_plan(back, {storage.fs: storage}, journal, backoff=WITHOUT_WAITS).exit_code == ExitCode.DONE
    assert library(storage) == before


def test_a_folder_that_is_not_empty_is_no_problem_even_if_the_server_says_only_failure(tmp_path: Path) -> None:
    storage = filled("sftp")
    storage.put("in/notes.txt", b"stays")
    case = Case((storage,), moves(storage), storage, of("remove_directory", "in"))
    storage.fail_always(case.matches, PermanentError('"Failure" (SSH_FX_FAILURE)'))
    result = start(case, tmp_path / "journal")
    assert (result.exit_code, result.state, result.problems) == (ExitCode.DONE, RunState.FINISHED, ())
