"""The program with real servers that fail, and with files that others change at the same time.

What must happen for each fault that we can cause; kills at every request are in `test_every_kill`, full disks in
`test_full_disk`.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.guard.surroundings import MARKER
from orchestrator.plan.model import operation_id
from orchestrator.plan.plan_file import read_plan, write_plan
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage
from orchestrator.track import Track
from tests.apply.plans import move, plan, run
from tests.audio import make_many, make_track
from tests.faulty import Library, of_music, sent
from tests.forked import kill
from tests.nightly import some_at_night
from tests.places import Place
from tests.servers.http import Hold, HttpProxy, Lose, Seen, Then
from tests.servers.remotes import RemoteServer
from tests.servers.tcp import tcp_proxy

ORGANIZED = "Band/Album (2001)/01 Song 1.mp3"


# Kills and lost replies at one chosen request.


@pytest.mark.parametrize("victims", ["rclone", "both"])
def test_rclone_dies_between_copy_and_delete(proxied: Callable[[str], tuple[Library, HttpProxy]], victims: str) -> None:
    """Fault case 2: both keys are there; the program itself, or otherwise `resume`, sends one DELETE and no PUT."""
    library, proxy = proxied("s3_serve")
    content = library.track("in/a.mp3", 1)
    trees = []

    def strike() -> None:
        trees.append(library.tree())
        kill(program.pid, victims)

    proxy.when(lambda seen: of_music(seen) and seen.method == "DELETE", Then(strike), times=1)
    program = library.start("organize", library.place.location)
    ended = program.end()
    assert trees == [{"in/a.mp3": content, ORGANIZED: content}]
    if victims == "both":
        assert ended.code < 0
        assert library.tree() == trees[0]
        proxy.reset()
        ended = library("resume")
        assert sent(proxy) == {"DELETE": 1}
    else:
        assert sent(proxy) == {"PUT": 1, "DELETE": 2}, "the one that was kept back, and the one that was sent again"
    assert (ended.code, ended.summary["ops_done"]) == (0, 1)
    assert library.tree() == {ORGANIZED: content}


@pytest.mark.parametrize(("kind", "method"), [("s3_serve", "PUT"), ("s3_serve", "DELETE"), ("webdav", "MOVE")])
def test_a_reply_is_lost(proxied: Callable[[str], tuple[Library, HttpProxy]], kind: str, method: str) -> None:
    """Fault case 3: a change without an answer is recognized as done, and is not repeated where that would do harm.

    A WebDAV server clears the destination before it looks for the source: a MOVE sent twice deletes the file.
    """
    library, proxy = proxied(kind)
    content = library.track("in/a.mp3", 1)
    proxy.when(lambda seen: of_music(seen) and seen.method == method, Lose(), times=1)
    ended = library("organize", library.place.location)
    assert ended.summary["ops_done"] == 1
    assert library.tree() == {ORGANIZED: content}
    assert sent(proxy)[method] <= (1 if method == "MOVE" else 2), "requests that S3's library repeats by itself do no harm"
    proxy.reset()
    assert library("organize", library.place.location).summary["ops_planned"] == 0
    assert proxy.changing == 0


def test_a_move_that_arrives_late_finds_its_name_taken(proxied: Callable[[str], tuple[Library, HttpProxy]]) -> None:
    """Fault case 3: rclone dies while its MOVE is on the way; it is sent again, and the server carries out both, one after the
    other. A server that clears the destination before it looks for the source would delete the file if the request allowed it.
    """
    library, proxy = proxied("webdav")
    content = library.track("in/a.mp3", 1)
    again = Hold()
    proxy.when(of_music, Then(lambda: kill(program.pid, "rclone")), times=1)
    proxy.when(of_music, again, times=1)
    program = library.start("organize", library.place.location)
    assert again.held.wait(60)
    late = next(seen for seen in proxy.requests if of_music(seen))
    carry_out(proxy, late)
    assert library.tree() == {ORGANIZED: content}
    again.release.set()
    ended = program.end()
    assert (ended.code, ended.summary["ops_done"]) == (0, 1), ended.errors
    assert library.tree() == {ORGANIZED: content}
    assert {seen.headers["overwrite"] for seen in proxy.requests if seen.method == "MOVE"} == {"F"}


def carry_out(proxy: HttpProxy, seen: Seen) -> None:
    """Send a request without a body to the server, bypassing the proxy that held it back."""
    line = http.client.HTTPConnection("127.0.0.1", proxy.target_port)
    line.request(seen.method, seen.path, headers=dict(seen.headers))
    assert line.getresponse().status == 201
    line.close()


@pytest.mark.parametrize("victims", ["rclone", "both"])
def test_rclone_dies_in_the_middle_of_a_download(
    library: Callable[..., Library], sftp: RemoteServer, tmp_path: Path, victims: str
) -> None:
    """Fault case 4: a partial file never has its final name; the next try completes it, cleans up, then deletes the source."""
    with tcp_proxy(sftp.port) as line:
        source = library("sftp", line.port)
        source.track("in/a.mp3", 1)
        os.truncate(source.root / "in/a.mp3", 50_000_000)
        before = source.tree()
        target = tmp_path / "target"
        seen = []

        def look() -> set[str]:
            files = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
            return files - {MARKER}

        def strike() -> None:
            seen.append(look())
            kill(program.pid, victims)

        source("scan", source.place.location)
        line.call_after(25_000_000, strike)
        program = source.start("organize", source.place.location, str(target), "--move")
        ended = program.end()
        (half,) = seen
        assert ORGANIZED not in half
        assert [path.endswith(".partial") for path in half] == [True]
        if victims == "both":
            assert ended.code < 0
            assert (look(), source.tree()) == (half, before)
            ended = source("resume")
        assert (ended.code, ended.summary["ops_done"]) == (0, 1), ended.errors
        assert look() == {ORGANIZED}
        assert Place("", target).tree()[ORGANIZED] == before["in/a.mp3"]
        assert source.tree() == {}


def test_a_download_is_on_the_disk_before_its_source_is_deleted(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    """Fault case 5: the program syncs the file, then every directory above it, and only then sends the delete to the remote."""
    source, proxy = proxied("webdav")
    source.track("in/a.mp3", 1)
    deleted: list[int] = []

    def note(seen: Seen) -> bool:
        if of_music(seen) and seen.method == "DELETE":
            deleted.append(time.monotonic_ns())
        return False

    proxy.when(note, Lose())
    target, syncs = tmp_path / "target", tmp_path / "syncs"
    target.mkdir()
    source("organize", source.place.location, str(target), "--move", syncs=syncs)
    lines = [line.split(" ", 1) for line in syncs.read_text().splitlines()]
    done = [(int(moment), path) for moment, path in lines if path.startswith(str(target))]
    file = target / ORGANIZED
    staged = done.pop(0)[1]
    assert staged.startswith(f"{target}/.music-orchestrator/tmp/"), "the file has no name yet"
    assert [path for _, path in done] == [str(file.parent), str(file.parent.parent), str(target)]
    (moment,) = deleted
    assert all(synced < moment for synced, _ in done)
    assert file.exists()
    assert source.tree() == {}


# Changes by others between plan and apply.

MEDDLED = [
    *(("local", True), ("s3_serve", False), ("webdav", True)),
    *(pytest.param(*one, marks=pytest.mark.nightly) for one in (("local", False), ("s3_serve", True), ("webdav", False))),
    *(pytest.param("sftp", alone, marks=pytest.mark.nightly) for alone in (True, False)),
]
"""Where another program meddles, and whether with the only file."""


def like(other: Path, path: Path) -> str:
    """Write a file at `path` with the size and time of `other` but other contents; returns its sha256."""
    content = bytes(255 - byte for byte in other.read_bytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    status = other.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("kind", "alone"), MEDDLED)
def test_a_file_has_appeared_at_the_destination(library: Callable[..., Library], kind: str, alone: bool) -> None:
    """Fault cases 8 and 16: whether or not size and time are equal, it is kept, and so is the source; the others move."""
    music = library(kind)
    mine = music.track("in/a.mp3", 1)
    other = None if alone else music.track("in/b.mp3", 2)
    plan_file = str(music.home / "plan")
    music("plan", music.place.location, "-o", plan_file)
    theirs = like(music.root / "in/a.mp3", music.root / ORGANIZED)
    ended = music("apply", plan_file, codes=(4 if alone else 3,))
    expected = {"in/a.mp3": mine, ORGANIZED: theirs}
    if other:
        expected["Band/Album (2001)/02 Song 2.mp3"] = other
    assert music.tree() == expected
    assert [error["path"] for error in ended.errors] == ["in/a.mp3"]


@pytest.mark.parametrize("kind", some_at_night(("local", "s3_serve", "s3_moto", "webdav", "sftp"), night={"s3_serve", "sftp"}))
@pytest.mark.parametrize("fresh", [False, True])
def test_a_plan_that_moves_one_file_onto_another_loses_neither(
    open_storage: Callable[[str], Storage], tmp_path: Path, kind: str, fresh: bool
) -> None:
    """Fault case 8, with a plan that no planner makes: neither file is lost, whether or not the listing is trusted."""
    storage = open_storage(kind)
    contents = {"a.mp3": b"content of a", "b.mp3": b"content of b"}
    for path, content in contents.items():
        storage.write(path, content)
    result = run(plan(move(storage, "b.mp3", "a.mp3")), tmp_path / "journal", storage, fresh=fresh)
    assert result.exit_code in ((3, 4, 9) if fresh else (4,))
    own = [] if not result.done else [entry.path for entry in storage.list(".music-orchestrator")]
    found = [b"".join(storage.read(path)) for path in [*(entry.path for entry in storage.list()), *own]]
    assert sorted(found) == sorted(contents.values())
    if not result.done:
        assert {entry.path: b"".join(storage.read(entry.path)) for entry in storage.list()} == contents


@pytest.mark.parametrize(("kind", "alone"), MEDDLED)
def test_the_source_was_deleted(library: Callable[..., Library], kind: str, alone: bool) -> None:
    """Fault case 16: a file that was deleted on the remote in the meantime is reported, and the others move."""
    music = library(kind)
    music.track("in/a.mp3", 1)
    other = None if alone else music.track("in/b.mp3", 2)
    plan_file = str(music.home / "plan")
    music("plan", music.place.location, "-o", plan_file)
    (music.root / "in/a.mp3").unlink()
    ended = music("apply", plan_file, codes=(4 if alone else 3,))
    assert [error["path"] for error in ended.errors] == ["in/a.mp3"]
    assert [*music.tree().values()] == ([other] if other else [])
    assert music("resume").summary["ops_planned"] == 0


@pytest.mark.parametrize("alone", [True, False])
def test_the_source_was_replaced_with_equal_size_and_time(library: Callable[..., Library], alone: bool) -> None:
    """Fault case 15: the remote's hash shows that it is not the planned file; the others move."""
    music = library("s3_serve")
    music.track("in/a.mp3", 1)
    if not alone:
        music.track("in/b.mp3", 2)
    plan_file = str(music.home / "plan")
    music("plan", music.place.location, "-o", plan_file)
    changed = like(music.root / "in/a.mp3", music.root / "in/a.mp3")
    ended = music("apply", plan_file, codes=(4 if alone else 3,))
    assert music.tree()["in/a.mp3"] == changed
    assert len(music.tree()) == (1 if alone else 2)
    assert ended.summary["ops_done"] == (0 if alone else 1)
    assert [(error["path"], "changed" in error["message"]) for error in ended.errors] == [("in/a.mp3", True)]


def test_one_name_in_two_unicode_forms(library: Callable[..., Library], tmp_path: Path) -> None:
    """Fault case 9: two files whose names differ only in Unicode form are both kept, always with the suffix on the same one."""
    music = library("local")
    ends = []
    for turn in range(2):
        for form in ("NFC", "NFD"):
            tags = Track(title=("\u00e9",), artist=("Band",), album=("Album",), track=1, date="2001")
            name = unicodedata.normalize(form, "Band/Album (2001)/01 \u00e9.mp3")
            make_track(music.root / name, "mp3", tags, seconds=0.2, serial=("NFC", "NFD").index(form) + 1)
        before = music.tree()
        assert len(set(before.values())) == 2
        music.home = tmp_path / f"turn{turn}"
        ended = music("organize", music.place.location)
        after = music.tree()
        assert Counter(after.values()) == Counter(before.values())
        assert all(unicodedata.is_normalized("NFC", path) for path in after)
        assert "Band/Album (2001)/01 \u00e9.mp3" in after
        assert ended.summary["ops_planned"] > 0
        assert music("organize", music.place.location).summary["ops_planned"] == 0
        ends.append(after)
        for path in music.root.rglob("*.mp3"):
            path.unlink()
    assert ends[0] == ends[1]


# Plans that were tampered with.


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def reordered(content: bytes) -> bytes:
    header, first, second, *rest = content.splitlines(keepends=True)
    return b"".join([header, second, first, *rest])


def forged(content: bytes) -> bytes:
    """A consistent plan that leaves its location."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "plan"
        file.write_bytes(content)
        made = read_plan(file)
        first = made.operations[0]
        outside = Ref(first.dst.fs, "../../x")
        bad = msgspec.structs.replace(first, dst=outside, id=operation_id(first.verb, first.src, outside))
        write_plan(msgspec.structs.replace(made, operations=(bad, *made.operations[1:])), file)
        return file.read_bytes()


@pytest.mark.parametrize("tamper", [flipped, reordered, forged])
def test_an_edited_plan(proxied: Callable[[str], tuple[Library, HttpProxy]], tamper: Callable[[bytes], bytes]) -> None:
    """Fault case 14: refused with 9, before rclone is even started."""
    music, proxy = proxied("webdav")
    make_many(music.root, 12)
    before = music.tree()
    plan_file, rclone = music.home / "plan", music.home / "rclone"
    music("plan", music.place.location, "-o", str(plan_file))
    whole = plan_file.read_bytes()
    plan_file.write_bytes(tamper(whole))
    started = music.home / "started"
    rclone.write_text(f'#!/bin/sh\ntouch "{started}"\nexit 1\n')
    rclone.chmod(0o755)
    proxy.reset()
    ended = music("apply", str(plan_file), "--rclone", str(rclone), codes=(9,))
    assert [error["code"] for error in ended.errors] == ["integrity"]
    assert not started.exists()
    assert (proxy.requests, music.tree()) == ([], before)
    plan_file.write_bytes(whole)
    assert music("apply", str(plan_file)).summary["ops_done"] == 12
