"""Apply on real storages through a real rclone: durability, a daemon that dies, and every kind of server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.resume import unfinished_runs
from orchestrator.errors import ExitCode
from orchestrator.plan.model import Verb
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.local_path import local_path
from orchestrator.storage.protocol import Call, CallResult, DeleteCall, MoveCall, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.apply.plans import move, operation, plan, run, run_again
from tests.servers.disk import on_another_file_system


class Watched(ForwardingStorage):
    """Reports its changing calls before they are sent."""

    def __init__(self, inner: Storage, report: Callable[[Call], None]) -> None:
        super().__init__(inner)
        self.report = report

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        for call in calls:
            self.report(call)
        return super().batch(calls, concurrency=concurrency)


@pytest.mark.parametrize("missing", [False, True])
def test_a_copy_on_a_local_disk_is_synced_before_its_source_is_deleted(
    rclone: Rclone, open_storage: Callable[[str], Storage], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: bool
) -> None:
    """Fault case 5, at the seam: the file and its directories, also those above a new root; then the delete."""
    events: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        events.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink()}")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    source = Watched(open_storage("webdav"), lambda call: events.append("delete") if isinstance(call, DeleteCall) else None)
    target = RcloneStorage(rclone, str(tmp_path / "not/yet/there")) if missing else open_storage("local")
    source.write("a.mp3", b"content of a")
    made = plan(operation(Verb.MOVE, source, "a.mp3", target, "new/deep/a.mp3"))
    result = run(made, tmp_path / "journal", source, target)
    assert result.exit_code == ExitCode.DONE, result.problems
    root = target.fs
    assert events.pop(0).startswith(f"fsync {root}/.music-orchestrator/tmp/"), "before it has its name"
    assert events == [
        f"fsync {root}/new/deep",
        f"fsync {root}/new",
        f"fsync {root}",
        *(f"fsync {above}" for above in Path(root).parents if os.access(above, os.W_OK)),
        "delete",
    ]


def test_a_daemon_that_dies_is_replaced_and_the_run_continues(found_rclone: Binary, rclone_config: Path, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    with Rclone(found_rclone, config=rclone_config) as rclone:
        plain = RcloneStorage(rclone, str(tmp_path / "library"))
        for number in range(6):
            plain.write(f"in/{number}.mp3", f"content {number}".encode())
        daemons = []

        def end_it(call: Call) -> None:
            if isinstance(call, MoveCall) and len(daemons) < 2 and call.src in {"in/1.mp3", "in/4.mp3"}:
                assert rclone._daemon is not None
                daemons.append(rclone._daemon)
                rclone._daemon._process.close()

        storage = Watched(plain, end_it)
        made = plan(*[move(storage, f"in/{number}.mp3", f"out/{number}.mp3") for number in range(6)])
        result = run(made, tmp_path / "journal", storage, window=3)
        assert result.exit_code == ExitCode.DONE, result.problems
        assert len({id(daemon) for daemon in daemons}) == 2
        assert sorted(entry.path for entry in plain.list()) == [f"out/{number}.mp3" for number in range(6)]


def test_a_folder_below_an_unmounted_disk_is_not_filled_by_resume(rclone: Rclone, tmp_path: Path) -> None:
    """Even if what was being sent when the disk went is in it."""
    library, bare, disk = tmp_path / "library", tmp_path / "bare", on_another_file_system(tmp_path)
    bare.mkdir()
    library.symlink_to(disk)
    there, here = RcloneStorage(rclone, str(library)), RcloneStorage(rclone, str(tmp_path / "here"))
    for number in range(8):
        here.write(f"in/{number}.mp3", f"content {number}".encode())

    def unmount(call: Call) -> None:
        if getattr(call, "src", "") == "in/4.mp3" and library.readlink() == disk:
            lead(library, bare)
            (bare / "late.mp3").write_bytes(b"sent when the disk went")

    moves = [operation(Verb.MOVE, here, f"in/{number}.mp3", there, f"out/{number}.mp3") for number in range(8)]
    try:
        results = [run(plan(*moves, source=here.fs), tmp_path / "journal", here, Watched(there, unmount), window=3)]
        before = {entry.path for entry in here.list()}
        results.append(run_again(tmp_path / "journal", here, there, window=3))
        for result in results:
            assert (result.exit_code, result.failed, result.skipped) == (ExitCode.UNREACHABLE, 0, 0), result.problems
            assert "is the disk mounted?" in result.problems[-1].message
        assert {entry.path for entry in here.list()} == before
        lead(library, disk)
        result = run_again(tmp_path / "journal", here, there, window=3)
        sent_when_it_went = {f"out/{number}.mp3" for number in (3, 4, 5)}
        assert (result.exit_code, {one.path for one in result.problems}) == (ExitCode.INTEGRITY, sent_when_it_went)
        assert {entry.path for entry in there.list()} == {f"out/{number}.mp3" for number in range(8)} - sent_when_it_went
        assert {path.relative_to(bare).as_posix() for path in bare.rglob("*.mp3")} == {*sent_when_it_went, "late.mp3"}
    finally:
        shutil.rmtree(disk)


def lead(link: Path, to: Path) -> None:
    link.unlink()
    link.symlink_to(to)


def test_a_folder_that_gets_another_number_during_a_run_is_still_the_same(rclone: Rclone, tmp_path: Path) -> None:
    """As below `rclone mount`, once it has forgotten the folder."""
    library, other = tmp_path / "library", tmp_path / "other"
    library.mkdir()
    plain = RcloneStorage(rclone, str(library))
    for number in range(8):
        plain.write(f"in/{number}.mp3", f"content {number}".encode())

    def renumber(call: Call) -> None:
        if isinstance(call, MoveCall) and call.src == "in/4.mp3" and not other.exists():
            library.rename(other)
            library.mkdir()
            for folder in other.iterdir():
                folder.rename(library / folder.name)

    made = plan(*[move(plain, f"in/{number}.mp3", f"out/{number}.mp3") for number in range(8)])
    result = run(made, tmp_path / "journal", Watched(plain, renumber), window=3)
    assert (result.exit_code, result.done, other.exists()) == (ExitCode.DONE, 8, True), result.problems


@pytest.mark.parametrize("first", ["in/0.mp3", "in/4.mp3"])
def test_a_disk_that_is_unmounted_during_a_run_stops_it_and_is_waited_for(rclone: Rclone, tmp_path: Path, first: str) -> None:
    """Its files do not count as gone, and its empty folder is not filled, neither then nor by `resume`."""
    mounted, away = tmp_path / "library", tmp_path / "away"
    mounted.mkdir()
    plain = RcloneStorage(rclone, str(mounted))
    for number in range(8):
        plain.write(f"in/{number}.mp3", f"content {number}".encode())

    def unmount(call: Call) -> None:
        if isinstance(call, MoveCall) and call.src == first and not away.exists():
            mounted.rename(away)
            mounted.mkdir()

    made = plan(*[move(plain, f"in/{number}.mp3", f"out/{number}.mp3") for number in range(8)])
    journal = tmp_path / "journal"
    results = [run(made, journal, Watched(plain, unmount), window=3)]
    if results[0].done:
        results.append(run_again(journal, plain, window=3))
    for result in results:
        assert (result.exit_code, result.failed, result.skipped) == (ExitCode.UNREACHABLE, 0, 0), result.problems
        assert "is the disk mounted?" in result.problems[-1].message
        assert {*mounted.iterdir()} <= {mounted / OWN_DIRECTORY}
    shutil.rmtree(mounted)
    away.rename(mounted)
    assert run_again(journal, plain, window=3).exit_code == ExitCode.DONE
    assert sorted(entry.path for entry in plain.list()) == [f"out/{number}.mp3" for number in range(8)]


def test_only_local_storages_have_local_paths(open_storage: Callable[[str], Storage]) -> None:
    local, memory = open_storage("local"), open_storage("memory")
    assert local_path(local, "a/b") == f"{local.fs}/a/b"
    assert local_path(memory, "a/b") is None


ODD_NAMES = ["-rf", "new\nline", "$(touch PWNED)", "quote'\"", "[1] * ?", "e\u0301\u202e", "{{x}}", "%41", " lead", "a" * 250]


@pytest.mark.parametrize("across", [False, True])
def test_unusual_names_arrive_unchanged(open_storage: Callable[[str], Storage], tmp_path: Path, across: bool) -> None:
    storage = open_storage("local")
    target = open_storage("local") if across else storage
    root = Path(storage.fs)
    (root / "in").mkdir()
    for name in ODD_NAMES:
        (root / "in" / name).write_text(name)
    names = [entry.path.rpartition("/")[2] for entry in storage.list()]  # as rclone spells them
    made = plan(*[operation(Verb.MOVE, storage, f"in/{name}", target, f"out/{name}") for name in names])
    result = run(made, tmp_path / "journal", *{storage, target})
    assert result.exit_code == ExitCode.DONE, result.problems
    assert {file.name: file.read_text() for file in (Path(target.fs) / "out").iterdir()} == {name: name for name in ODD_NAMES}
    assert not (root / "in").exists()


@pytest.mark.parametrize("fresh", [False, True])
def test_many_renames_on_a_disk_leave_no_empty_directory(
    open_storage: Callable[[str], Storage], tmp_path: Path, fresh: bool
) -> None:
    storage = open_storage("local")
    root = Path(storage.fs)
    for number in range(250):
        file = root / f"in/{number // 50}/deep/{number}.mp3"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"%d" % number)
    (root / "empty before").mkdir()
    entries = {entry.path: entry for entry in storage.list()}
    made = plan(*[move(storage, path, f"out/{path.rpartition('/')[2]}") for path in sorted(entries)])
    result = run(made, tmp_path / "journal", storage, fresh=fresh)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 250), result.problems
    assert sorted(path.name for path in root.iterdir()) == ["empty before", "out"]


@pytest.mark.parametrize("kind", ["local", "webdav", "sftp"])
def test_a_file_that_appears_after_the_listing_in_another_unicode_form_is_kept(
    open_storage: Callable[[str], Storage], tmp_path: Path, kind: str
) -> None:
    storage = open_storage(kind)
    storage.write("in/a.mp3", b"mine")
    storage.write("out/\u00e9.mp3", b"theirs")
    made = plan(move(storage, "in/a.mp3", "out/e\u0301.mp3"))
    run(made, tmp_path / "journal", storage, fresh=True)
    assert sorted(b"".join(storage.read(entry.path)) for entry in storage.list()) == [b"mine", b"theirs"]


def test_a_file_that_appears_at_the_last_moment_is_not_replaced_by_a_rename(
    open_storage: Callable[[str], Storage], tmp_path: Path
) -> None:
    """Fault case 28."""
    plain = open_storage("local")
    storage = Watched(plain, lambda call: plain.write("out/b.mp3", b"theirs") if isinstance(call, MoveCall) else None)
    plain.write("a.mp3", b"mine")
    result = run(plan(move(storage, "a.mp3", "out/b.mp3")), tmp_path / "journal", storage)
    assert (result.exit_code, result.done) == (ExitCode.STALE, 0)
    assert "out/b.mp3 already exists" in result.problems[0].message
    assert {entry.path: b"".join(plain.read(entry.path)) for entry in plain.list()} == {"a.mp3": b"mine", "out/b.mp3": b"theirs"}
    assert not plain.entries(f"{OWN_DIRECTORY}/trash")


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("name", ["wow;2.mp3", "Who?/a.mp3"])
def test_a_file_that_the_server_stores_under_another_name_is_said_to_be_there(
    open_storage: Callable[[str], Storage], tmp_path: Path, name: str, across: bool
) -> None:
    """WsgiDAV cuts the destination of a MOVE at `;` and `?`."""
    target = open_storage("wsgidav")
    source = open_storage("local") if across else target
    source.write("in/a.mp3", b"mine")
    verb = Verb.COPY if across else Verb.MOVE
    made = plan(operation(verb, source, "in/a.mp3", target, f"out/{name}"))
    result = run(made, tmp_path / "journal", *{source, target})
    assert (result.exit_code, result.done) == (ExitCode.INTEGRITY, 0), result.problems
    there = f"out/{name}".partition(";")[0].partition("?")[0]
    assert f"it is probably what is now at {there}" in result.problems[0].message
    assert b"".join(target.read(there)) == b"mine"


@pytest.mark.parametrize("kind", ["local", "webdav"])
def test_a_source_that_is_replaced_during_the_move_is_reported(
    open_storage: Callable[[str], Storage], tmp_path: Path, kind: str
) -> None:
    plain = open_storage(kind)
    storage = Watched(plain, lambda call: plain.write("a.mp3", b"another") if isinstance(call, MoveCall) else None)
    plain.write("a.mp3", b"mine")
    result = run(plan(move(storage, "a.mp3", "b.mp3")), tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.INTEGRITY
    assert [problem.message for problem in result.problems if "replaced" in problem.message]
    assert b"".join(plain.read("b.mp3")) == b"another"


def test_an_unfinished_run_is_found_from_the_locations_around_and_inside_it(
    open_storage: Callable[[str], Storage], tmp_path: Path
) -> None:
    storage = open_storage("local")
    storage.write("a.mp3", b"mine")
    with Journal(tmp_path / "journal") as journal:
        run_id = journal.begin(plan(move(storage, "a.mp3", "b.mp3"), source=storage.fs), "organize")
        for fs in (storage.fs, f"{storage.fs}/inside", str(Path(storage.fs).parent), "/"):
            assert [one.id for one in unfinished_runs(journal, {fs})] == [run_id], fs
        for fs in (f"{storage.fs}2", "remote:", "remote:inside"):
            assert unfinished_runs(journal, {fs}) == [], fs
        other_name = {"disk:inside": f"{storage.fs}/inside"}
        assert unfinished_runs(journal, {"disk:inside"}) == []
        assert [one.id for one in unfinished_runs(journal, {"disk:inside"}, lambda fs: other_name.get(fs, fs))] == [run_id]
