"""A disk that is full, or fills up during a run: a clear end, intact sources, no partial files, then `resume` with space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode, IntegrityError
from orchestrator.plan.model import Verb
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.protocol import Call, CallResult, CopyCall, MoveCall, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.apply.plans import operation, plan, run, run_again
from tests.audio import make_many
from tests.places import Place
from tests.program import Program
from tests.servers.disk import HOG, SmallDisk, small_disk
from tests.servers.http import Hold, Seen, http_proxy
from tests.servers.remotes import RemoteServer

FILES = 20
MEGABYTE = 1_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Large enough for the library while nothing else takes space there."""
    with small_disk(tmp_path / "disk", 16 * MEGABYTE) as made:
        yield made


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


def library(directory: Path) -> Place:
    """Six megabytes of music."""
    make_many(directory, FILES, size=300_000)
    return Place(str(directory), directory)


def on(disk: SmallDisk) -> dict[str, str]:
    """The files with their own names: no partial transfers, and none of another program."""
    tree = Place(str(disk.root), disk.root).tree()
    return {path: content for path, content in tree.items() if not path.endswith(".partial") and path != HOG}


@pytest.mark.parametrize("how", ["--copy", "--move"])
def test_too_little_space_known_beforehand(tmp_path: Path, program: Program, disk: SmallDisk, how: str) -> None:
    """Fault case 6: if the target reports it beforehand, the run is refused with 7."""
    source = library(tmp_path / "source")
    before = source.tree()
    disk.leave(4 * MEGABYTE)
    ended = program("organize", source.location, str(disk.root), how, "--yes", codes=(7,))
    (error,) = ended.errors
    assert error["code"] == "safety-limit"
    assert str(disk.root) in error["message"]
    assert (source.tree(), on(disk), ended.summary["run"]) == (before, {}, None)
    disk.free()
    assert program("organize", source.location, str(disk.root), how, "--yes").summary["ops_done"] == FILES
    assert Counter(on(disk).values()) == Counter(before.values())


@pytest.mark.parametrize("how", ["--copy", "--move"])
def test_a_disk_that_fills_up_during_a_run(
    tmp_path: Path, program: Program, disk: SmallDisk, s3_serve: RemoteServer, how: str
) -> None:
    """Fault case 6: sources are intact, only whole files have final names, 3; with space again `resume` completes, 0."""
    assert s3_serve.directory is not None
    name = f"{tmp_path.name}{how}"
    source = library(s3_serve.directory / name)
    before = source.tree()
    with http_proxy(s3_serve.port) as proxy:
        config = tmp_path / "rclone.conf"
        config.write_text(s3_serve.section("proxied", port=proxy.port))
        config.chmod(0o600)
        program.environment = {"RCLONE_CONFIG": str(config)}
        location = s3_serve.fs(name, name="proxied")
        program("scan", location)
        waiting, seen_whole = Hold(), 0

        def the_sixth_file(seen: Seen) -> bool:
            nonlocal seen_whole
            seen_whole += seen.method == "GET" and "range" not in seen.headers and seen.path.partition("?")[0].endswith(".mp3")
            return seen_whole == 6

        proxy.when(the_sixth_file, waiting, times=1)
        process = program.start("organize", location, str(disk.root), how, "--yes", "--transfers", "2")
        assert waiting.held.wait(60)
        disk.leave(0)
        waiting.release.set()
        ended = program.end(process)
        assert ended.code == 3, ended.stderr
        assert 0 < ended.summary["ops_done"] < FILES
        assert any("resume" in error["message"] and "space" in error["message"] for error in ended.errors)
        whole = Counter(before.values())
        assert Counter(on(disk).values()) <= whole
        together = Counter(source.tree().values()) + Counter(on(disk).values())
        assert together == (whole if how == "--move" else whole + Counter(on(disk).values()))

        # While it is full, no new run begins on the files of the waiting one.
        again = program("organize", location, str(disk.root), how, "--yes", codes=(7,))
        assert again.summary["ops_planned"] == 0
        assert Counter(on(disk).values()) <= whole

        disk.free()
        program("resume", "--yes")
        assert Counter(on(disk).values()) == whole
        assert source.tree() == ({} if how == "--move" else before)
        assert not [path for path in Place("", disk.root).tree() if path.endswith(".partial")]
        if how == "--copy":
            assert program("organize", location, str(disk.root), how, "--yes").summary["ops_planned"] == 0


class Watched(ForwardingStorage):
    """Reports its batches before they are sent."""

    def __init__(self, inner: Storage, report: Callable[[Sequence[Call]], None]) -> None:
        super().__init__(inner)
        self.report = report

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        self.report(calls)
        return super().batch(calls, concurrency=concurrency)


@pytest.mark.parametrize("verb", [Verb.COPY, Verb.MOVE])
def test_a_disk_that_fills_up_under_copies_from_another_disk(rclone: Rclone, tmp_path: Path, disk: SmallDisk, verb: Verb) -> None:
    """Fault case 6: after the first write that found no space, nothing more is written there."""
    files = library(tmp_path / "source")
    before = files.tree()
    windows = []

    def fill_before_the_second(calls: Sequence[Call]) -> None:
        if any(isinstance(call, CopyCall) for call in calls):
            windows.append(calls)
            if len(windows) == 2:
                disk.leave(100_000)

    source, target = RcloneStorage(rclone, files.location), Watched(RcloneStorage(rclone, str(disk.root)), fill_before_the_second)
    made = plan(*[operation(verb, source, path, target, f"new/{path}") for path in sorted(before)])
    ended = run(made, tmp_path / "journal", source, target, window=8)
    assert (ended.exit_code, ended.done, ended.pending) == (ExitCode.SOME_FAILED, 8, FILES - 8)
    assert len(windows) == 2, "the full disk was asked for more"
    assert on(disk) == {f"new/{path}": before[path] for path in sorted(before)[:8]}
    assert len(files.tree()) == (FILES if verb is Verb.COPY else FILES - 8)
    disk.free()
    ended = run_again(tmp_path / "journal", source, target)
    assert (ended.exit_code, ended.done) == (ExitCode.DONE, FILES), ended.problems
    assert on(disk) == {f"new/{path}": content for path, content in before.items()}
    assert files.tree() == (before if verb is Verb.COPY else {})


@pytest.mark.parametrize("left", [0, 4096, 16_384, 65_536, 131_072])
def test_a_full_disk_under_the_state_prevents_changes_that_cannot_be_recorded(tmp_path: Path, disk: SmallDisk, left: int) -> None:
    """Fault case 7: however many records still fit into the journal, 9, and nothing is lost."""
    source = library(tmp_path / "source")
    before = source.tree()
    program = Program(disk.root / "state")
    program("scan", source.location)
    disk.leave(left)
    ended = program("organize", source.location, "--yes", codes=(9,))
    (error,) = ended.errors
    assert "space" in str(error["message"]).lower()
    if not left:
        assert source.tree() == before
    assert Counter(source.tree().values()) == Counter(before.values())
    disk.free()
    program("organize", source.location, "--yes")
    assert Counter(source.tree().values()) == Counter(before.values())
    assert not source.tree().keys() & before.keys()


def test_after_a_record_that_could_not_be_written_nothing_is_changed(rclone: Rclone, tmp_path: Path, disk: SmallDisk) -> None:
    """Fault case 7: no change after the failed write."""
    files = library(tmp_path / "source")
    before = files.tree()
    windows = []

    def fill_after_the_first(calls: Sequence[Call]) -> None:
        if any(isinstance(call, MoveCall) for call in calls):
            windows.append(calls)
            disk.leave(0)

    storage = Watched(RcloneStorage(rclone, files.location), fill_after_the_first)
    made = plan(*[operation(Verb.MOVE, storage, path, storage, f"new/{path}") for path in sorted(before)])
    with pytest.raises(IntegrityError, match="space"):
        run(made, disk.root / "journal", storage, window=8)
    assert len(windows) == 1
    assert sum(path.startswith("new/") for path in files.tree()) == 8
    disk.free()
    ended = run_again(disk.root / "journal", RcloneStorage(rclone, files.location))
    assert (ended.exit_code, ended.done) == (ExitCode.DONE, FILES), ended.problems
    assert files.tree() == {f"new/{path}": content for path, content in before.items()}
