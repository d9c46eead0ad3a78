"""All duplicates but one are removed: despite any interruption one is always there, and undo restores each to its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.protocol.proven_sound import ProvenSound
from orchestrator.apply.quarantine import quarantined_files
from orchestrator.apply.results import RunResult
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode, TransientError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.quarantine import plan_deleting_duplicates
from orchestrator.records import Entry, Ref
from orchestrator.storage.fake.faults import Killed, When
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, MoveCall
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from orchestrator.track import Track
from tests import audio_streams
from tests.apply.plans import (
    NOW,
    WITHOUT_WAITS,
    contents,
    depending,
    duplicate,
    emptying,
    library,
    plan,
    quick,
    run,
    run_again,
    through_temporary_name,
)
from tests.audio_frames import flac, tagged

COPIES = ("best/one.flac", "copy/one.flac", "old/one.flac")


def some_killed(*kinds: str, whens: Sequence[When]) -> list[object]:
    """Each kind of storage with each moment of a kill; usually each kind with one of them."""
    return [
        pytest.param(kind, when, marks=[] if number % len(whens) == moment else pytest.mark.nightly)
        for number, kind in enumerate(kinds)
        for moment, when in enumerate(whens)
    ]


def copies(kind: str) -> MemoryStorage:
    storage = MemoryStorage.like(kind)
    for name in COPIES:
        storage.put(name, b"the same content")
    storage.put("other.flac", b"another one")
    return storage


def quarantining(storage: MemoryStorage) -> Plan:
    return plan(*(duplicate(storage, name, storage, COPIES[0]) for name in COPIES[1:]), source=storage.fs, storages=[storage])


def kept(storage: MemoryStorage) -> bool:
    return b"the same content" in library(storage).values()


def go_on(made: Plan, journal: Path, storage: MemoryStorage) -> None:
    """What a user does after a kill: `resume`, or the command again if the run had not begun."""
    if run_again(journal, storage).run is None:
        assert run(made, journal, storage).exit_code == ExitCode.DONE


@pytest.mark.parametrize(("kind", "when"), some_killed("local", "s3", "webdav", "plain", whens=("between", "before", "after")))
def test_duplicates_are_quarantined_and_undo_restores_them(tmp_path: Path, kind: str, when: When) -> None:
    """Fault case 25, its protocol: killed at every call of the run and of its undo; a second undo does nothing: 0."""
    quiet = copies(kind)
    run(quarantining(quiet), tmp_path / "quiet", quiet)
    for number in range(1, quiet.calls_made + 1):
        storage, journal = copies(kind), tmp_path / f"journal{number}"
        before, everything = library(storage), contents(storage)
        made = quarantining(storage)
        for step in ("run", "undo"):
            storage.fail(storage.calls_made + number, Killed("killed"), when=when)
            with suppress(Killed):
                if step == "run":
                    run(made, journal, storage)
                else:
                    undo(journal, storage)
            assert kept(storage), f"killed in {step} {when} call {number}"
            assert everything <= contents(storage)
            storage.revive()
            if step == "run":
                go_on(made, journal, storage)
                assert library(storage) == {name: content for name, content in before.items() if name not in COPIES[1:]}
            else:
                run_again(journal, storage)
                undo(journal, storage)
                assert library(storage) == before
            assert contents(storage) == everything
        changes = storage.changes_made
        assert undo(journal, storage) == ExitCode.DONE
        assert storage.changes_made == changes, "a second undo does nothing"


def undo(journal: Path, storage: MemoryStorage) -> ExitCode:
    with quick(Journal, journal) as opened:
        first = opened.runs()[0].id
        made = undo_plan(opened, first, **NOW)
        return apply_plan(made, {storage.fs: storage}, opened, undoes=first, backoff=WITHOUT_WAITS).exit_code


@pytest.mark.parametrize(("kind", "when"), some_killed("local", "s3", "plain", whens=("before", "after")))
def test_emptying_the_quarantine_never_deletes_the_kept_copy(tmp_path: Path, kind: str, when: When) -> None:
    """Fault case 25, its protocol: emptying the quarantine, killed at every call, deletes what it names and nothing else."""
    quiet = copies(kind)
    run(quarantining(quiet), tmp_path / "quiet", quiet)
    begun = quiet.calls_made
    run(emptying(quiet, quarantined_files(quiet)), tmp_path / "quiet", quiet)
    for number in range(1, quiet.calls_made - begun + 1):
        storage, journal = copies(kind), tmp_path / f"journal{number}"
        run(quarantining(storage), journal, storage)
        made = emptying(storage, quarantined_files(storage))
        storage.fail(storage.calls_made + number, Killed("killed"), when=when)
        with suppress(Killed):
            run(made, journal, storage)
        assert kept(storage)
        storage.revive()
        run_again(journal, storage)
        run(emptying(storage, quarantined_files(storage)), journal, storage)
        assert storage.snapshot() == {"best/one.flac": b"the same content", "other.flac": b"another one"}


@pytest.mark.parametrize(("kind", "when"), some_killed("local", "s3", "webdav", "plain", whens=("before", "after")))
def test_duplicates_are_deleted_for_good_while_their_kept_copy_is_there(tmp_path: Path, kind: str, when: When) -> None:
    """Fault case 25, its protocol: `--delete` killed at every call; before each delete the kept copy is checked again."""
    quiet = copies(kind)
    run(quarantining(quiet), tmp_path / "quiet", quiet)
    begun = quiet.calls_made
    assert run(deleting(tmp_path / "quiet"), tmp_path / "quiet", quiet).exit_code == ExitCode.DONE
    for number in range(1, quiet.calls_made - begun + 1):
        storage, journal = copies(kind), tmp_path / f"journal{number}"
        run(quarantining(storage), journal, storage)
        made = deleting(journal)
        storage.fail(storage.calls_made + number, Killed("killed"), when=when)
        with suppress(Killed):
            run(made, journal, storage)
        assert kept(storage)
        storage.revive()
        go_on(made, journal, storage)
        assert storage.snapshot() == {"best/one.flac": b"the same content", "other.flac": b"another one"}


def deleting(journal: Path) -> Plan:
    with quick(Journal, journal) as opened:
        first = opened.runs()[0]
        return plan_deleting_duplicates(opened.completed(first.id), first.header, **NOW)


@pytest.mark.parametrize("kind", ["local", "s3", "dropbox", "webdav", "plain"])
@pytest.mark.parametrize("what", ["gone", "changed"])
def test_without_an_unchanged_kept_copy_duplicates_are_kept(tmp_path: Path, kind: str, what: str) -> None:
    storage = copies(kind)
    storage.put("a.flac", b"apart")
    storage.put("b.flac", b"apart")
    made = quarantining(storage)
    made = msgspec.structs.replace(made, operations=(*made.operations, duplicate(storage, "b.flac", storage, "a.flac")))
    if what == "gone":
        storage.delete("best/one.flac")
    else:
        storage.put("best/one.flac", b"THE SAME CONTENT")
    result = run(made, tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.SOME_FAILED
    assert (result.done, result.skipped) == (1, 2)
    assert {"copy/one.flac", "old/one.flac", "a.flac"} <= library(storage).keys()
    assert all("best/one.flac" in problem.message for problem in result.problems)


def test_a_kept_copy_that_has_changed_prevents_the_delete(tmp_path: Path) -> None:
    """A disk gives no free hash: before a delete both files are read, even if size and time are unchanged."""
    storage = copies("local")
    run(quarantining(storage), tmp_path / "journal", storage)
    made = deleting(tmp_path / "journal")
    entry = storage.stat("best/one.flac")
    assert entry is not None
    storage.put("best/one.flac", b"THE SAME CONTENT", mtime_ns=entry.mtime_ns)
    result = run(made, tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.STALE
    assert sorted(contents(storage).values()) == [1, 1, 2]


@pytest.mark.parametrize("tier", ["T0", "T2"])
def test_kept_copies_are_read_in_full_with_verify_full(tmp_path: Path, tier: str) -> None:
    size = len(b"the same content")
    for verify in ("fast", "full"):
        storage = copies("local")
        made = plan(duplicate(storage, "copy/one.flac", storage, "best/one.flac", tier=tier), source=storage.fs)
        assert run(made, tmp_path / verify, storage, verify=verify).exit_code == ExitCode.DONE
        # Without a hash in the plan, nothing has shown yet that both have the same bytes: they are always compared.
        assert storage.bytes_read == (2 * size if tier == "T0" else size if verify == "full" else 0)


def test_a_kept_copy_is_found_where_the_same_run_has_moved_it(tmp_path: Path) -> None:
    storage = copies("s3")
    there = through_temporary_name(storage, "best/one.flac", "Artist/One.flac")
    later = [duplicate(storage, name, storage, "best/one.flac") for name in COPIES[1:]]
    made = plan(*there, *(depending(one, there[1]) for one in later), source=storage.fs)
    result = run(made, tmp_path / "journal", storage, window=1)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 4)
    assert set(library(storage)) == {"Artist/One.flac", "other.flac"}


class Alias(ForwardingStorage):
    """The same location under another name."""

    def __init__(self, storage: MemoryStorage, fs: str) -> None:
        super().__init__(storage)
        self._fs = fs

    @property
    def fs(self) -> str:
        return self._fs


@pytest.mark.parametrize("kind", ["s3", "webdav"])
def test_one_file_under_two_names_is_moved_back(tmp_path: Path, kind: str) -> None:
    storage = copies(kind)
    alias = Alias(storage, "alias:library")
    before = library(storage)
    made = plan(duplicate(storage, "other.flac", alias, "other.flac"), source=storage.fs, target=alias.fs)
    result = run(made, tmp_path / "journal", storage, alias)
    assert result.exit_code == ExitCode.INTEGRITY
    assert library(storage) == before
    assert "the same file as" in result.problems[0].message


class WithLink(ForwardingStorage):
    """A server that follows a link: the folder `link` shows the files of `real`."""

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        for entry in super().list(prefix, hidden, on_folder=on_folder, at_most=at_most):
            yield entry
            if entry.path.startswith("real/"):
                yield msgspec.structs.replace(entry, path="link/" + entry.path.removeprefix("real/"))

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        return super().batch([_followed(call) for call in calls], concurrency=concurrency)

    def stat(self, path: str) -> Entry | None:
        return super().stat(_real(path))

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        return super().hash(_real(path), hash_type, download=download)

    def move(self, src: str, dst: str) -> None:
        super().move(_real(src), _real(dst))


def _followed(call: Call) -> Call:
    ends = {end: _real(getattr(call, end)) for end in ("path", "src", "dst") if hasattr(call, end)}
    return msgspec.structs.replace(call, **ends)


def _real(path: str) -> str:
    return "real/" + path.removeprefix("link/") if path.startswith("link/") else path


@pytest.mark.parametrize("kind", ["local", "s3", "webdav", "sftp", "dropbox", "plain"])
@pytest.mark.parametrize(("folder", "kept_folder"), [("link", "real"), ("real", "link")])
def test_a_folder_that_a_server_shows_under_two_names_keeps_every_file(
    tmp_path: Path, kind: str, folder: str, kept_folder: str
) -> None:
    """Fault case 30, its protocol: of a linked folder no file goes, and after the first window none is even moved."""
    storage = MemoryStorage.like(kind, by_directory=False)
    for name in "abcdef":
        storage.put(f"real/{name}.flac", f"content of {name}".encode())
    linked = WithLink(storage)
    before = library(storage)
    made = plan(
        *(duplicate(linked, f"{folder}/{name}.flac", linked, f"{kept_folder}/{name}.flac") for name in "abcdef"),
        source=storage.fs,
        storages=[linked],
    )
    result = run(made, tmp_path / "journal", linked, window=2)
    assert (result.exit_code, result.done, result.failed, result.skipped) == (ExitCode.INTEGRITY, 0, 2, 4)
    assert library(storage) == before
    assert run(deleting(tmp_path / "journal"), tmp_path / "journal", linked).planned == 0
    assert library(storage) == before


def test_a_duplicate_whose_kept_copy_is_deleted_meanwhile_is_moved_back(tmp_path: Path) -> None:
    class Deleting(ForwardingStorage):
        def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
            results = super().batch(calls, concurrency=concurrency)
            if isinstance(calls[0], MoveCall) and "best/one.flac" in storage.snapshot():
                storage.remove("best/one.flac")
            return results

    storage = copies("webdav")
    result = run(
        plan(duplicate(storage, COPIES[1], storage, COPIES[0]), source=storage.fs), tmp_path / "journal", Deleting(storage)
    )
    assert (result.exit_code, result.failed) == (ExitCode.INTEGRITY, 1)
    assert library(storage).keys() == {*COPIES[1:], "other.flac"}


@pytest.mark.parametrize(("kept_id", "moved"), [("one\tshortcut", 0), ("one", 0), ("two", 1)])
def test_equal_ids_are_one_file(tmp_path: Path, kept_id: str, moved: int) -> None:
    """Fault case 30, its protocol: a shortcut goes on answering after its target was moved, so nothing is sent."""

    class WithIds(ForwardingStorage):
        def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
            ids = {"copy/one.flac": "one", "best/one.flac": kept_id}
            return [
                msgspec.structs.replace(found, id=ids.get(found.path)) if isinstance(found, Entry) else found
                for found in super().batch(calls, concurrency=concurrency)
            ]

    storage = copies("webdav")
    made = plan(duplicate(storage, "copy/one.flac", storage, "best/one.flac"), source=storage.fs)
    result = run(made, tmp_path / "journal", WithIds(storage))
    assert (result.done, storage.call_counts["move"]) == (moved, moved)


WHOLE = flac(12, 1)
DAMAGED = WHOLE[:40_000] + bytes(400) + WHOLE[40_400:]


def delete_one(tmp_path: Path, kind: str, kept_content: bytes, *, tier: str) -> tuple[RunResult, MemoryStorage]:
    """Quarantine a duplicate and then delete it for good; the kept copy has `kept_content`."""
    storage = MemoryStorage.like(kind)
    storage.put("kept.flac", kept_content)
    storage.put("copy.flac", tagged(WHOLE, Track(title=("Song",))))
    made = plan(duplicate(storage, "copy.flac", storage, "kept.flac", tier=tier), source=storage.fs, storages=[storage])
    run(made, tmp_path / "j", storage)
    return run(deleting(tmp_path / "j"), tmp_path / "j", storage), storage


@pytest.mark.parametrize("kind", ["local", "s3", "webdav", "plain"])
def test_a_duplicate_by_sound_is_deleted_only_after_a_full_read_proved_the_kept_copy(tmp_path: Path, kind: str) -> None:
    result, storage = delete_one(tmp_path, kind, WHOLE, tier="T1")
    assert (result.exit_code, result.done) == (ExitCode.DONE, 1)
    assert storage.snapshot() == {"kept.flac": WHOLE}


@pytest.mark.parametrize("kind", ["local", "s3", "webdav", "plain"])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (DAMAGED, "its kept copy kept.flac is damaged"),
        (WHOLE[:-1], "its kept copy kept.flac is damaged"),
        (audio_streams.wavpack(5, 1), "nothing proves its kept copy kept.flac"),
    ],
)
def test_a_duplicate_by_sound_stays_in_the_quarantine_if_nothing_proves_the_kept_copy(
    tmp_path: Path, kind: str, content: bytes, why: str
) -> None:
    result, storage = delete_one(tmp_path, kind, content, tier="T1")
    assert (result.exit_code, result.done, result.skipped) == (ExitCode.SOME_FAILED, 0, 1)
    assert why in result.problems[0].message
    assert set(storage.snapshot().values()) == {content, tagged(WHOLE, Track(title=("Song",)))}


@pytest.mark.parametrize("tier", ["T2", "T3"])
def test_a_duplicate_by_tags_is_never_deleted_for_good(tmp_path: Path, tier: str) -> None:
    result, storage = delete_one(tmp_path, "local", WHOLE, tier=tier)
    assert (result.exit_code, result.planned) == (ExitCode.DONE, 0)
    assert len(storage.snapshot()) == 2


def test_a_connection_that_ends_early_says_nothing_about_the_kept_copy(tmp_path: Path) -> None:
    class Short(ForwardingStorage):
        def read(self, path: str) -> Iterator[bytes]:
            yield WHOLE[:1000]

    storage = MemoryStorage.like("s3")
    storage.put("kept.flac", WHOLE)
    entry = storage.stat("kept.flac")
    assert entry is not None
    with pytest.raises(TransientError):
        ProvenSound().why_not(Ref(storage.fs, "kept.flac"), Short(storage), entry)


def test_a_kept_copy_of_several_duplicates_is_read_once(tmp_path: Path) -> None:
    storage = MemoryStorage.like("s3")
    storage.put("kept.flac", WHOLE)
    entry = storage.stat("kept.flac")
    assert entry is not None
    sound = ProvenSound()
    assert [sound.why_not(Ref(storage.fs, "kept.flac"), storage, entry) for _ in range(3)] == [None] * 3
    assert storage.bytes_read == len(WHOLE)


@pytest.mark.parametrize(("there", "goes"), [(b"the same content", True), (b"the same c0ntent", False)])
def test_what_no_hash_has_shown_to_be_the_same_is_compared_first(tmp_path: Path, there: bytes, goes: bool) -> None:
    """`organize --move --dedup quarantine` found it at the target by size and tags."""
    storage = copies("plain")
    storage.put(COPIES[0], there)
    made = duplicate(storage, COPIES[1], storage, COPIES[0])
    assert made.expect.kept
    assert not made.expect.hash
    result = run(plan(made, source=storage.fs, storages=[storage]), tmp_path / "journal", storage)
    assert (COPIES[1] in library(storage)) is not goes
    assert result.exit_code == (ExitCode.DONE if goes else ExitCode.STALE)
    assert goes or "other bytes are at" in str(result)
