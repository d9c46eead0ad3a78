"""What belongs to a file goes with it: mode, owner, times, attributes and ACLs of copies between disks of this machine."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.apply.protocol import attributes
from orchestrator.plan.model import Verb
from orchestrator.storage.protocol import CopyCall
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.apply.plans import operation, plan, run
from tests.audio import make_many
from tests.nightly import NIGHTLY
from tests.places import Place
from tests.program import Program
from tests.servers.disk import small_disk

ROOT = os.geteuid() == 0
ACL = "system.posix_acl_access"
MODES = (0o600, 0o640, 0o660, 0o604, 0o444, 0o666)


def acl(mode: int, *, bob: int) -> bytes:
    """An access control list: user::rw, group::---, user 4321 gets `bob`."""
    nobody = 0xFFFFFFFF
    entries = ((1, 6, nobody), (2, bob, 4321), (4, 0, nobody), (16, mode >> 3 & 7, nobody), (32, mode & 7, nobody))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def facts(path: Path) -> tuple[int, int, int, dict[str, bytes]]:
    """Mode, owner, group and extended attributes."""
    found = path.stat()
    names = [name for name in os.listxattr(path) if name.startswith(("user.", "system.posix"))]
    return found.st_mode, found.st_uid, found.st_gid, {name: os.getxattr(path, name) for name in names}


def by_content(root: Path) -> dict[str, tuple[int, int, int, dict[str, bytes]]]:
    """sha256 -> what belongs to the file."""
    return {content: facts(root / path) for path, content in Place("", root).tree().items()}


WAYS = [("one disk", "--copy"), ("another disk", "--move")]
if NIGHTLY:
    WAYS += [("one disk", "--move"), ("another disk", "--copy")]


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder on the same disk or on another one; new files there would be open to everybody, and to user 1111."""
    if request.param == "one disk":
        made = tmp_path / "target"
        made.mkdir()
        os.setxattr(made, "system.posix_acl_default", acl(0o666, bob=7))
        yield made
    else:
        with small_disk(tmp_path / "disk", 16_000_000) as disk:
            yield disk.root


@pytest.mark.parametrize(("target", "how"), WAYS, indirect=["target"])
def test_a_copy_keeps_what_belongs_to_its_source(target: Path, how: str, tmp_path: Path) -> None:
    make_many(tmp_path / "music", len(MODES) + 1)
    files = sorted((tmp_path / "music").rglob("*.mp3"))
    for file, mode in zip(files, MODES, strict=False):
        os.setxattr(file, "user.comment", b"from a friend")
        file.chmod(mode)
        if ROOT:
            os.chown(file, 1234, 1235)
    os.setxattr(files[-1], ACL, acl(0o660, bob=6))
    before, times = by_content(tmp_path / "music"), {file.stat().st_mtime_ns for file in files}
    ended = Program(tmp_path / "state")("organize", str(tmp_path / "music"), str(target), how, "--yes")
    assert by_content(target) == before
    assert {file.stat().st_mtime_ns for file in target.rglob("*.mp3")} == times
    assert not [event for event in ended.events if event["type"] == "warning"]


def test_a_copy_is_never_open_to_more_users(rclone: object, tmp_path: Path) -> None:
    """While it is sent, it lies in a directory that only we may enter."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"secret")
    (tmp_path / "a" / "x").chmod(0o600)
    seen: list[int] = []

    class Watched(RcloneStorage):
        def batch(self, calls, *, concurrency=8):  # type: ignore[no-untyped-def]
            results = super().batch(calls, concurrency=concurrency)
            copies = [call for call in calls if isinstance(call, CopyCall)]
            seen.extend((tmp_path / "b" / call.dst).parent.stat().st_mode & 0o777 for call in copies)
            return results

    source, target = RcloneStorage(rclone, str(tmp_path / "a")), Watched(rclone, str(tmp_path / "b"))  # type: ignore[arg-type]
    assert run(plan(operation(Verb.COPY, source, "x", target, "y")), tmp_path / "journal", source, target).exit_code == 0
    assert seen == [0o700]
    assert (tmp_path / "b" / "y").stat().st_mode & 0o777 == 0o600


def test_what_a_target_refuses_is_counted_and_narrowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As NTFS, exFAT or NFS may refuse it. Group rights without their group, or without their list, are those of others."""
    source, copied = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(b"x")
    copied.write_bytes(b"x")
    os.setxattr(source, "user.comment", b"1")
    os.setxattr(source, ACL, acl(0o664, bob=6))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    with monkeypatch.context() as patch:
        for name in ("setxattr", "chown"):
            patch.setattr(attributes.os, name, refuse)
        kept = attributes._keep(str(source), str(copied), times=True)
    assert kept == {attributes.PERMISSIONS, attributes.ACL, attributes.ATTRIBUTES}
    assert copied.stat().st_mode & 0o777 == 0o644, "not 0664: the group had no rights, the list had"


def test_the_run_says_how_many_files_lost_something(monkeypatch: pytest.MonkeyPatch, rclone: object, tmp_path: Path) -> None:
    source, target = (RcloneStorage(rclone, str(tmp_path / name)) for name in "ab")  # type: ignore[arg-type]
    for name in ("1", "2"):
        source.write(name, b"x" + name.encode())
        (tmp_path / "a" / name).chmod(0o640)
    (tmp_path / "b").mkdir()
    change = os.chmod

    def of_fat(path: str | Path, mode: int, **options: bool) -> None:
        if not str(path).startswith(target.fs):
            change(path, mode, **options)

    monkeypatch.setattr(attributes.os, "chmod", of_fat)  # FAT accepts and ignores it
    made = plan(operation(Verb.COPY, source, "1", target, "1"), operation(Verb.COPY, source, "2", target, "2"))
    result = run(made, tmp_path / "journal", source, target)
    assert (result.exit_code, result.done) == (0, 2)
    assert result.notes == ("2 files: permissions not kept, because the target does not support it",)
