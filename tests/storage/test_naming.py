"""How storages give names (`Storage.naming`, GiveCall, uploads to final names): whatever happens, no content is lost."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import (
    DestinationExistsError,
    InUseError,
    NotFoundError,
    OrchestratorError,
    TransientError,
    UnsupportedError,
)
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.fake.faults import Killed, RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import CopyCall, GiveCall, Naming, Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.storage.wrappers.retry import RetryingStorage
from tests.conftest import SOME_STORAGES
from tests.nightly import some_at_night
from tests.servers.remotes import RemoteServer

STAGED = f"{OWN_DIRECTORY}/tmp/run1"
TRASH = f"{OWN_DIRECTORY}/trash/run1-1"


@pytest.fixture(params=[*SOME_STORAGES[1:], *(f"memory-{naming}" for naming in Naming), "wrapped"])
def storage(request: pytest.FixtureRequest, open_storage: Callable[[str], Storage]) -> Storage:
    kind = str(request.param)
    if kind.startswith("memory-"):
        return in_memory(Naming(kind.removeprefix("memory-")))
    return RetryingStorage(MemoryStorage()) if kind == "wrapped" else open_storage(kind)


def in_memory(naming: Naming) -> MemoryStorage:
    kind = {Naming.UPLOAD: "s3", Naming.TWINS: "drive", Naming.REPLACES: "plain"}.get(naming, "local")
    return MemoryStorage.like(kind, naming=naming)


@pytest.fixture
def giving(storage: Storage) -> Storage:
    """A storage that can give names to staged files."""
    if storage.naming() is Naming.REPLACES:
        storage.write("a", b"a")
        assert isinstance(give(storage, "a", "b"), UnsupportedError)
        pytest.skip("it can neither move nor copy")
    return storage


def give(storage: Storage, staged: str, dst: str) -> object:
    (result,) = storage.batch([GiveCall(staged, dst, TRASH)])
    return result


def read(storage: Storage, path: str) -> bytes:
    return b"".join(storage.read(path))


def contents(storage: Storage, *prefixes: str) -> list[bytes]:
    """What lies in the library and below `prefixes`, which need not exist."""
    found = [*storage.list()]
    for prefix in prefixes:
        with contextlib.suppress(NotFoundError):
            found += storage.list(prefix)
    return sorted(read(storage, entry.path) for entry in found)


def test_a_staged_file_gets_its_name(giving: Storage) -> None:
    giving.write("there.mp3", b"other")
    names = ["b.mp3", "new/deep/c.mp3", "new/deep/d.mp3", "d[1] #%41*.mp3", "\uff0ftilde\u2400.mp3"]
    for number, _ in enumerate(names):
        giving.write(f"{STAGED}/{number}", b"%d" % number * 1000)

    calls = [GiveCall(f"{STAGED}/{number}", name, TRASH) for number, name in enumerate(names)]
    results = [
        giving.batch([call])[0] if isinstance(result, InUseError) else result  # a server locks a folder that two requests make
        for call, result in zip(calls, giving.batch(calls), strict=True)
    ]

    assert results == [None] * len(names)
    assert {entry.path for entry in giving.list()} == {"there.mp3", *names}
    assert [read(giving, name) for name in names] == [b"%d" % number * 1000 for number, _ in enumerate(names)]
    assert contents(giving, STAGED, TRASH) == contents(giving)


def test_a_taken_name_is_refused_even_to_equal_content(giving: Storage) -> None:
    there = b"mine"
    giving.write("dir/a.mp3", there)
    giving.write(f"{STAGED}/1", b"mine")

    assert isinstance(give(giving, f"{STAGED}/1", "dir/a.mp3"), DestinationExistsError)

    assert read(giving, "dir/a.mp3") == there
    assert read(giving, f"{STAGED}/1") == b"mine"
    assert contents(giving, TRASH) == [there]


def test_a_name_is_not_given_to_what_does_not_exist(giving: Storage) -> None:
    giving.write("a.mp3", b"a")
    assert isinstance(give(giving, f"{STAGED}/1", "new/b.mp3"), NotFoundError)
    assert isinstance(give(giving, f"{STAGED}/1", "a.mp3"), NotFoundError | DestinationExistsError)
    assert contents(giving, TRASH) == [b"a"]


def test_a_directory_is_not_replaced(giving: Storage) -> None:
    giving.write("dir.mp3/a.mp3", b"a")
    giving.write(f"{STAGED}/1", b"mine")
    result = give(giving, f"{STAGED}/1", "dir.mp3")
    assert (
        giving.capabilities.empty_directories is False or giving.naming() is Naming.TWINS or isinstance(result, OrchestratorError)
    )
    assert contents(giving, STAGED) == [b"a", b"mine"]


def test_of_two_files_that_want_one_name_one_gets_it_and_none_is_lost(giving: Storage) -> None:
    wanted = [b"first", b"second"]
    giving.write("dir/there.mp3", b"there")
    for number, content in enumerate(wanted):
        giving.write(f"{STAGED}/{number}", content)

    results = giving.batch([GiveCall(f"{STAGED}/{number}", "dir/a.mp3", TRASH) for number, _ in enumerate(wanted)])

    assert contents(giving, STAGED, TRASH) == [*wanted, b"there"]
    if giving.naming() is Naming.EXCLUSIVE:
        (refused,) = (result for result in results if result is not None)
        assert isinstance(refused, DestinationExistsError | TransientError), (
            "WsgiDAV answers some requests at the same time with 500"
        )
        winner = results.index(None)
        assert read(giving, "dir/a.mp3") == wanted[winner]
        assert read(giving, f"{STAGED}/{1 - winner}") == wanted[1 - winner]


def test_an_upload_to_a_taken_name_is_refused(storage: Storage, open_storage: Callable[[str], Storage]) -> None:
    if storage.naming() is not Naming.UPLOAD:
        pytest.skip("a GiveCall names its files")
    source = MemoryStorage() if isinstance(storage, MemoryStorage) else open_storage("local")
    source.write("a.mp3", b"mine")
    storage.write("dir/b.mp3", b"theirs")

    taken, free = storage.batch([CopyCall("a.mp3", "dir/b.mp3", TRASH, source), CopyCall("a.mp3", "new/c.mp3", TRASH, source)])

    assert free is None
    assert read(storage, "new/c.mp3") == b"mine"
    assert isinstance(taken, DestinationExistsError)
    assert contents(storage, TRASH) == [b"mine", b"theirs"]


def test_two_files_of_one_name_are_both_found() -> None:
    storage = in_memory(Naming.TWINS)
    storage.put("dir/a.mp3", b"theirs")
    storage.put("dir/a.mp3", b"mine", duplicate=True)
    found = storage.namesakes(["dir/a.mp3", "none.mp3"])
    assert [*found["none.mp3"]] == []  # type: ignore[misc]
    assert len({entry.id for entry in found["dir/a.mp3"]}) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["memory", "drive", "s3_moto"])
def test_namesakes_of_files_with_different_names(open_storage: Callable[[str], Storage], kind: str) -> None:
    storage = open_storage(kind)
    storage.write("dir/a.mp3", b"a")
    found = storage.namesakes(["dir/a.mp3", "dir/b.mp3", "no/dir/a.mp3"])
    (entry,) = found["dir/a.mp3"] if not isinstance(found["dir/a.mp3"], OrchestratorError) else ()
    assert isinstance(entry, Entry)
    assert entry == storage.stat("dir/a.mp3")
    assert [[*found[path]] for path in ("dir/b.mp3", "no/dir/a.mp3")] == [[], []]  # type: ignore[misc]


# What the servers do.

WAYS = {
    "local": Naming.EXCLUSIVE,
    "s3_moto": Naming.UPLOAD,
    "s3_serve": Naming.CAUGHT,  # it ignores If-None-Match
    "gcs": Naming.CAUGHT,  # they have other headers for it, which rclone does not send
    "azure": Naming.CAUGHT,
    "webdav": Naming.EXCLUSIVE,
    "wsgidav": Naming.EXCLUSIVE,
    "sftp": Naming.CAUGHT,  # it has no links
    "openssh": Naming.EXCLUSIVE,
    "ftp": Naming.CAUGHT,
    "drive": Naming.TWINS,
    "dropbox": Naming.EXCLUSIVE,
}


@pytest.mark.parametrize("kind", some_at_night((*WAYS,), night={"azure"}))
def test_what_a_server_does_is_found_out_and_leaves_nothing(open_storage: Callable[[str], Storage], kind: str) -> None:
    storage = open_storage(kind)
    assert storage.naming() is storage.naming() is WAYS[kind]
    assert not storage.entries(OWN_DIRECTORY)


class Deaf(http.server.BaseHTTPRequestHandler):
    """Passes requests on to a WebDAV server, but for the header that forbids to replace: so some servers take them."""

    port = 0

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in {"overwrite", "host", "accept-encoding"}
        }
        if "Destination" in headers:
            headers["Destination"] = headers["Destination"].replace(str(self.server.server_address[1]), str(self.port))
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
            connection.request(self.command, self.path, body, headers | {"Overwrite": "T"})
            answer = connection.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        for name in ("Content-Type", "DAV", "Location"):
            if answer.headers.get(name):
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_PROPFIND = do_MKCOL = do_MOVE = do_OPTIONS = _pass  # noqa: N815 - their names

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_server_that_replaces_in_spite_of_the_header_is_not_trusted(
    rclone: Rclone, rclone_config: Path, webdav: RemoteServer
) -> None:
    handler = type("Handler", (Deaf,), {"port": webdav.port})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with rclone_config.open("a") as file:
            file.write(webdav.section("deaf", port=server.server_address[1]))
        storage = RcloneStorage(rclone, webdav.fs("deaf", name="deaf"))
        storage.make_directory("")
        storage.write("dir/a.mp3", b"theirs")
        storage.write(f"{STAGED}/1", b"mine")
        assert storage.naming() is Naming.CAUGHT
        assert isinstance(give(storage, f"{STAGED}/1", "dir/a.mp3"), DestinationExistsError)
        assert give(storage, f"{STAGED}/1", "dir/b.mp3") is None
        assert contents(storage, STAGED, TRASH) == [b"mine", b"theirs"]
    finally:
        server.shutdown()
        server.server_close()


def test_a_copy_by_the_server_itself_keeps_what_it_replaces(
    rclone: Rclone, rclone_config: Path, open_storage: Callable[[str], Storage]
) -> None:
    """Buckets ignore `If-None-Match` on server-side copies, and an alias hides that the server copies."""
    storage = open_storage("s3_moto")
    storage.write("source/a.mp3", b"mine")
    storage.write("dir/b.mp3", b"theirs")
    with rclone_config.open("a") as file:
        file.write(f"[aliased]\ntype = alias\nremote = {storage.fs}/source\n\n")
    source = RcloneStorage(rclone, "aliased:")
    assert storage.naming() is Naming.UPLOAD
    assert [*storage.batch([CopyCall("a.mp3", "dir/b.mp3", TRASH, source)])] == [None]
    assert contents(storage, TRASH) == [b"mine", b"mine", b"theirs"]


# The model in memory: what turns up at the last moment.


@pytest.mark.parametrize("naming", [naming for naming in Naming if naming is not Naming.REPLACES])
def test_what_turns_up_after_the_look_is_not_lost(naming: Naming) -> None:
    storage = in_memory(naming)
    storage.put(f"{STAGED}/1", b"mine")

    def intrude(call: RecordedCall) -> None:
        storage.put("a.mp3", b"theirs")

    storage.fail(1, intrude, when="before" if naming is Naming.EXCLUSIVE else "between")
    result = give(storage, f"{STAGED}/1", "a.mp3")

    assert sorted(storage.snapshot().values()) == [b"mine", b"theirs"]
    if naming is Naming.EXCLUSIVE:
        assert isinstance(result, DestinationExistsError)
    if naming is Naming.CAUGHT:
        assert storage.snapshot() == {"a.mp3": b"mine", f"{TRASH}/a.mp3": b"theirs"}
    if naming is Naming.TWINS:
        assert storage.snapshot() == {"a.mp3": b"theirs", "a.mp3#2": b"mine"}


def test_a_give_that_is_cut_short_may_leave_both_names() -> None:
    storage = in_memory(Naming.EXCLUSIVE)
    storage.put(f"{STAGED}/1", b"mine")
    storage.fail(1, Killed(), when="between")
    with pytest.raises(Killed):
        give(storage, f"{STAGED}/1", "a.mp3")
    assert storage.snapshot() == {"a.mp3": b"mine", f"{STAGED}/1": b"mine"}


def test_uploads_replace_as_ever_until_the_way_of_naming_is_known() -> None:
    source, storage = MemoryStorage(), in_memory(Naming.UPLOAD)
    source.put("a.mp3", b"mine")
    storage.put("a.mp3", b"theirs")
    assert storage.batch([CopyCall("a.mp3", "a.mp3", TRASH, source)]) == [None]
    assert storage.snapshot() == {"a.mp3": b"mine", f"{TRASH}/a.mp3": b"theirs"}
