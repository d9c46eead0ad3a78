"""What forbids deleting on a disk is named as a system administrator would look for it, and not as a right of an account."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.errors import AccessDeniedError
from orchestrator.plan.model import Verb
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.local_path import why_not_deletable
from tests.apply.plans import operation, plan, run
from tests.program import Program
from tests.servers.disk import small_disk
from tests.servers.process import check_possible, system_program

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may look into, with a file of root."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        path.chmod(0o755)
        (path / "1.mp3").write_bytes(b"x")
        yield path


def as_nobody(ask: Callable[[], str | None]) -> str:
    """The answer that a user without rights gets."""
    check_possible(os.geteuid() == 0, "only root can become another user")
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(writing, (ask() or "").encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        os.waitpid(child, 0)
        return answer.read().decode()


def test_a_folder_without_permission_or_with_a_sticky_bit_is_named(folder: Path) -> None:
    file = str(folder / "1.mp3")
    assert why_not_deletable(file) is None
    assert f"user {NOBODY} has no permission to write to the folder {folder} (mode 0755)" in as_nobody(
        lambda: why_not_deletable(file)
    )
    folder.chmod(0o1777)
    assert f"the folder {folder} has the sticky bit" in as_nobody(lambda: why_not_deletable(file))
    folder.chmod(0o777)
    assert as_nobody(lambda: why_not_deletable(file)) == ""
    assert "cannot be looked at" in str(why_not_deletable(str(folder / "gone" / "1.mp3")))


@pytest.mark.parametrize("flag", ["i", "a"])
def test_an_immutable_file_is_named(tmp_path: Path, flag: str) -> None:
    """Two files. In place they are not renamed; moved to another disk, they are copied, and stay."""
    chattr = system_program("chattr", package="e2fsprogs")
    check_possible(os.geteuid() == 0, "only root can make a file immutable")
    from tests.audio import make_many  # noqa: PLC0415 - slow to import, and the other tests do not need it

    make_many(tmp_path / "source", 2)
    files = [path for path in (tmp_path / "source").rglob("*") if path.is_file()]
    for path in files:
        check_possible(not subprocess.run([chattr, f"+{flag}", str(path)], check=False).returncode, "no immutable files here")
    try:
        in_place = Program(tmp_path / "other state")("organize", str(tmp_path / "source"), "--yes", codes=(3,))
        with small_disk(tmp_path / "disk", 8_000_000) as disk:
            ended = Program(tmp_path / "state")(
                "organize", str(tmp_path / "source"), str(disk.root / "music"), "--move", "--yes", codes=(6,)
            )
    finally:
        for path in files:
            subprocess.run([chattr, f"-{flag}", str(path)], check=True)
    kind = "immutable" if flag == "i" else "append-only"
    for error in in_place.errors:
        why = f"{tmp_path}/source/{error['path']} is {kind} (`lsattr` shows it, `chattr -ia` changes it)"
        assert error["message"] == f"Operation not permitted: {why}"
    (message,) = (error["message"] for error in ended.errors if "refuses to delete" in error["message"])
    assert f"is {kind}" in message
    assert "account" not in message
    assert all(path.exists() for path in files)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("s3", "the account lacks that right (s3:DeleteObject), or they are under retention"),
        ("sftp", "the user of this remote may not write to their folders, or the server is read-only"),
    ],
)
def test_each_kind_of_remote_has_its_own_words(tmp_path: Path, kind: str, says: str) -> None:
    source, target = MemoryStorage.like(kind, "one:library"), MemoryStorage.like("webdav", "two:library")
    for name in ("a", "b"):
        source.put(f"in/{name}.mp3", name.encode())
    made = plan(*(operation(Verb.MOVE, source, f"in/{name}.mp3", target, f"{name}.mp3") for name in "ab"))
    source.fail_always(lambda call: call.verb == "delete", AccessDeniedError("permission denied"))
    assert says in "\n".join(problem.message for problem in run(made, tmp_path / "journal", source, target).problems)
