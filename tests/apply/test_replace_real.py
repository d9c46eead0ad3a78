"""Replacing contents on real servers: what it costs them, ids that stay, and sources that change while they are sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestrator.errors import DestinationExistsError, ExitCode, NotFoundError
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import Entry
from orchestrator.storage.protocol import CopyCall, StatCall, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.apply.plans import plan, replacing, run
from tests.places import place_on
from tests.servers.http import Refuse, Then, http_proxy
from tests.servers.remotes import DriveRemote, DropboxRemote, RemoteServer, obscured
from tests.servers.tcp import tcp_proxy

EDITS = 24
PER_FOLDER = 8


class Served(NamedTuple):
    """A library on a server that counts its requests, and a folder of this machine."""

    there: Storage
    here: Storage
    requests: Callable[[], int]


@contextmanager
def served(request: pytest.FixtureRequest, kind: str, home: Path) -> Iterator[Served]:
    """`kind` is that of a server, perhaps with a remote over it: "crypt over s3_moto"."""
    over, _, fixture = kind.rpartition(" over ")
    server: RemoteServer = request.getfixturevalue(fixture)
    binary: Binary = request.getfixturevalue("found_rclone")
    with ExitStack() as stack:
        if isinstance(server, DriveRemote):
            requests, port = server.drive.calls.total, server.port
        elif isinstance(server, DropboxRemote):
            requests, port = server.dropbox.calls.total, server.port
        else:
            proxy = stack.enter_context(http_proxy(server.port))
            requests, port = lambda: len(proxy.requests), proxy.port
        section = server.section("counted", port=port)
        fs = server.fs(home.name, name="counted")
        if over:
            section += f"[over]\ntype = {over}\nremote = {fs}\n"
            section += f"password = {obscured(binary.path, 'secret')}\n" if over == "crypt" else ""
            fs = "over:"
        (home / "rclone.conf").write_text(section)
        (home / "here").mkdir()
        rclone = stack.enter_context(Rclone(binary, config=home / "rclone.conf"))
        there = RcloneStorage(rclone, fs)
        there.make_directory("")
        yield Served(there, RcloneStorage(rclone, str(home / "here")), requests)


def ids(storage: Storage, names: list[str]) -> list[str | None]:
    return [entry.id for entry in storage.batch([StatCall(name) for name in names]) if isinstance(entry, Entry)]


@pytest.mark.parametrize(
    ("kind", "in_place", "requests"),
    [
        ("s3_moto", True, 10),
        ("drive", True, 9),
        ("webdav", False, 25),
        *(
            pytest.param(kind, True, 11, marks=pytest.mark.nightly)
            for kind in ("dropbox", "crypt over s3_moto", "alias over drive")
        ),
    ],
)
def test_an_edit_costs_few_requests_and_a_file_keeps_its_id(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, in_place: bool, requests: int
) -> None:
    """Our own looks, the folders in the trash and the final check are counted."""
    with served(request, kind, tmp_path) as (there, here, asked):
        assert there.capabilities.replaces_in_place == in_place
        names = [f"album {number // PER_FOLDER}/{number}.mp3" for number in range(EDITS)]
        for name in names:
            there.write(name, b"old content of " + name.encode())
            here.write(name, b"new content of " + name.encode())
        before = ids(there, names)
        made = plan(*[replacing(here, name, there, name) for name in names], source=here.fs, storages=(here, there))
        count = asked()
        result = run(made, tmp_path / "journal", here, there, fresh=True)
        count = asked() - count
        assert (result.exit_code, result.done) == (ExitCode.DONE, EDITS), result.problems
        assert count <= requests * EDITS
        assert ids(there, names) == before
        for path, content in (
            (names[0], b"new"),
            (f".music-orchestrator/trash/{result.run}/replaced-flat/{names[0].replace('/', '=')}", b"old"),
        ):
            assert b"".join(there.read(path)) == content + b" content of " + names[0].encode()


@pytest.mark.parametrize(
    "kind",
    [
        *("s3_moto", "webdav"),
        *(pytest.param(kind, marks=pytest.mark.nightly) for kind in ("s3_serve", "drive", "dropbox", "wsgidav", "sftp")),
    ],
)
def test_sources_that_change_while_they_are_sent_over_a_file_leave_the_old_content_there(
    request: pytest.FixtureRequest, found_rclone: Binary, tmp_path: Path, kind: str
) -> None:
    """One grows, one is cut, one gets another end with its times kept, one is replaced by a rename.

    Each has a run of its own: where a server locks a folder under several uploads (`rclone serve webdav`: 423), one is sent
    again later, perhaps only after the change, and then whole.
    """
    server: RemoteServer = request.getfixturevalue(kind)
    folder = tmp_path / "here"
    folder.mkdir()
    with tcp_proxy(server.port) as line:
        (tmp_path / "rclone.conf").write_text(server.section("slow", port=line.port))
        with Rclone(found_rclone, config=tmp_path / "rclone.conf") as rclone:
            here = RcloneStorage(rclone, str(folder))
            there = RcloneStorage(rclone, server.fs(tmp_path.name, name="slow"))
            there.make_directory("")
            there.naming()
            for name, change in CHANGES.items():
                there.write(name, f"the old content of {name}".encode())
                (folder / name).write_bytes(name.encode() * 30_000)
                made = plan(replacing(here, name, there, name), source=here.fs, storages=(here, there))
                rclone.client.call("core/bwlimit", {"rate": "800k"})
                line.call_after(100_000, partial(change, folder / name))
                result = run(made, tmp_path / "journal", here, there)
                rclone.client.call("core/bwlimit", {"rate": "off"})
                # What the server refuses late, because the file has grown, is for `resume` to try again.
                assert result.exit_code in {ExitCode.STALE, ExitCode.SOME_FAILED, ExitCode.UNREACHABLE}, result.problems
                assert {problem.path for problem in result.problems} == {name}
                assert b"".join(there.read(name)) == f"the old content of {name}".encode()
            again = plan(*[replacing(here, name, there, name) for name in CHANGES], source=here.fs, storages=(here, there))
            assert run(again, tmp_path / "journal", here, there).exit_code == ExitCode.DONE
            assert {entry.path: b"".join(there.read(entry.path)) for entry in there.list()} == {
                name: (folder / name).read_bytes() for name in CHANGES
            }


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"more")


def cut(path: Path) -> None:
    os.truncate(path, 5000)


def rewrite_the_end(path: Path) -> None:
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(-1000, os.SEEK_END)
        stream.write(b"\1" * 1000)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rename_over(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"another file")
    other.replace(path)


CHANGES = {"growing.mp3": grow, "cut.mp3": cut, "rewritten.mp3": rewrite_the_end, "replaced.mp3": rename_over}


@pytest.mark.parametrize("kind", ["s3_moto", "drive", "dropbox"])
def test_only_the_expected_file_is_replaced(open_storage: Callable[[str], Storage], kind: str) -> None:
    there, here = open_storage(kind), open_storage("local")
    there.write("a.mp3", b"old")
    here.write("a.mp3", b"new")
    refused = there.batch([CopyCall("a.mp3", name, "", here, lambda _: False) for name in ("a.mp3", "absent.mp3")])
    assert [type(one) for one in refused] == [DestinationExistsError, NotFoundError]
    assert b"".join(there.read("a.mp3")) == b"old"
    assert there.batch([CopyCall("a.mp3", "a.mp3", "", here, lambda entry: entry.size == 3)]) == [None]
    assert b"".join(there.read("a.mp3")) == b"new"


@pytest.mark.parametrize("server_knows_conditions", [True, False])
def test_s3_refuses_what_another_program_wrote_during_the_upload(
    s3_moto: RemoteServer, found_rclone: Binary, tmp_path: Path, server_knows_conditions: bool
) -> None:
    """A server that refuses every condition gets the file without one."""
    (tmp_path / "here").mkdir()
    with http_proxy(s3_moto.port) as proxy:
        (tmp_path / "rclone.conf").write_text(s3_moto.section("watched", port=proxy.port))
        with Rclone(found_rclone, config=tmp_path / "rclone.conf") as rclone:
            there, here = (
                RcloneStorage(rclone, s3_moto.fs(tmp_path.name, name="watched")),
                RcloneStorage(rclone, str(tmp_path / "here")),
            )
            there.write("a.mp3", b"old")
            here.write("a.mp3", b"new content")
            os.utime(tmp_path / "here/a.mp3", (1e9, 1e9))  # an upload would have this time
            made = plan(replacing(here, "a.mp3", there, "a.mp3"), source=here.fs, storages=(here, there))
            if server_knows_conditions:
                proxy.when(
                    lambda seen: "if-match" in seen.headers,
                    Then(lambda: place_on(s3_moto, tmp_path.name).put("a.mp3", b"written meanwhile")),
                    times=1,
                )
            else:
                body = b"<Error><Code>NotImplemented</Code><Message>A header is not implemented</Message></Error>"
                proxy.when(lambda seen: "if-match" in seen.headers, Refuse(501, body=body))
            result = run(made, tmp_path / "journal", here, there)
            wanted = (ExitCode.STALE, b"written meanwhile") if server_knows_conditions else (ExitCode.DONE, b"new content")
            assert (result.exit_code, b"".join(there.read("a.mp3"))) == wanted, result.problems
