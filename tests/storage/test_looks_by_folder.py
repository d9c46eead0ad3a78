"""WebDAV: looks at several files of a folder are one listing of it, unless the folder is far larger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from orchestrator.rclone.runtime import Rclone
from orchestrator.records import Entry
from orchestrator.storage.protocol import StatCall
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.servers import remotes
from tests.servers.http import HttpProxy, http_proxy


@pytest.fixture(scope="module")
def served(
    rclone: Rclone, rclone_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str, HttpProxy]]:
    """The served folder, the remote, and the proxy before it."""
    with remotes.wsgidav(tmp_path_factory.mktemp("looks")) as server, http_proxy(server.port) as proxy:
        with rclone_config.open("a") as file:
            file.write(server.section("looks", port=proxy.port))
        assert server.directory is not None
        yield server.directory, "looks:", proxy


def looks(storage: RcloneStorage, proxy: HttpProxy, names: Sequence[str]) -> tuple[list[int | None], int]:
    """The size of each file, None if it is not there, and how many requests that took."""
    proxy.reset()
    found = storage.batch([StatCall(name) for name in names])
    return [one.size if isinstance(one, Entry) else one for one in found], len(proxy.requests)  # type: ignore[misc]


def test_one_listing_for_several_files(rclone: Rclone, served: tuple[Path, str, HttpProxy]) -> None:
    root, remote, proxy = served
    for size in range(1, 9):
        (root / f"{size}.mp3").write_bytes(b"x" * size)
    storage = RcloneStorage(rclone, remote)
    assert storage.exists("1.mp3")
    names = [f"{size}.mp3" for size in range(1, 9)]
    assert looks(storage, proxy, names) == ([*range(1, 9)], 1)
    assert looks(storage, proxy, names[:3]) == ([1, 2, 3], 3)
    # A server may know a file under another spelling than it lists: what is not listed is looked for.
    assert looks(storage, proxy, [*names, "absent.mp3"]) == ([*range(1, 9), None], 2)
    assert looks(storage, proxy, [f"no folder/{name}" for name in names]) == ([None] * 8, 1)


def test_a_few_files_of_a_large_folder_are_looked_at_one_by_one(rclone: Rclone, served: tuple[Path, str, HttpProxy]) -> None:
    root, remote, proxy = served
    (root / "many").mkdir()
    for number in range(1000):
        (root / "many" / f"{number}.mp3").touch()
    storage = RcloneStorage(rclone, remote)
    names = [f"many/{number}.mp3" for number in range(4)]
    assert looks(storage, proxy, names)[0] == [0] * 4
    assert looks(storage, proxy, names) == ([0] * 4, 4), "the listing has shown how large the folder is"
