"""Links and shortcuts are left out, as on a disk, however the remote is reached; a folder that holds one is not empty."""

from __future__ import annotations

import configparser
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.rclone.binary import Binary
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.protocol import Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests.servers.remotes import DriveRemote, RemoteServer, obscured

FILES = {"dir/a.mp3", "outside/o.mp3"}
KINDS = ["openssh", "drive"]


@pytest.fixture(params=KINDS)
def linked(request: pytest.FixtureRequest, open_storage: Callable[[str], Storage]) -> RcloneStorage:
    """FILES, and links to a file, to a folder, to nothing; one is the only thing in its folder."""
    storage = open_storage(str(request.param))
    assert isinstance(storage, RcloneStorage)
    server = request.getfixturevalue(str(request.param))
    for path in FILES:
        storage.write(path, path.encode())
    storage.make_directory("only link")
    links = {"link.mp3": "dir/a.mp3", "to outside": "outside", "only link/b.mp3": "dir/a.mp3", "dangling.mp3": "nothing"}
    for link, target in (links | {"circle": "dir/.."} if request.param == "openssh" else links).items():
        make_link(server, storage.fs.partition(":")[2], link, target)
    return storage


def make_link(server: RemoteServer, place: str, link: str, target: str) -> None:
    if isinstance(server, DriveRemote):
        server.tree.shortcut(f"{place}/{link}", f"{place}/{target}")
        return
    assert server.directory is not None
    (server.directory / place / link).symlink_to(server.directory / place / target)


def listed(storage: Storage) -> set[str]:
    return {entry.path for entry in storage.list()}


def test_links_are_not_followed_under_any_name_of_the_remote(
    linked: RcloneStorage, rclone_config: Path, found_rclone: Binary, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """An option in the location would not reach the remote below an alias, a combine or a crypt."""
    name = linked.fs.partition(":")[0]
    server = request.getfixturevalue(name)
    wrapping = {
        f"alias-{name}": f"type = alias\nremote = {linked.fs}\n",
        f"combine {name}": f'type = combine\nupstreams = "sub={linked.fs}"\n',
        f"crypt_{name}": f"type = crypt\nremote = alias-{name}:secret\nfilename_encryption = off\nsuffix = none\n"
        f"password = {obscured(found_rclone.path, 'secret')}\n",
        f"union-{name}": f"type = union\nupstreams = {linked.fs} {tmp_path}\n",
        f"names-{name}": f"type = crypt\nremote = {linked.fs}/names\npassword = {obscured(found_rclone.path, 'secret')}\n",
    }
    with rclone_config.open("a") as file:
        file.writelines(f"[{each}]\n{section}\n" for each, section in wrapping.items())

    assert listed(linked) == FILES
    with Rclone(found_rclone, config=rclone_config) as rclone:
        assert listed(RcloneStorage(rclone, f"alias-{name}:")) == FILES
        assert listed(RcloneStorage(rclone, f"combine {name}:sub")) == FILES
        encrypted = RcloneStorage(rclone, f"crypt_{name}:")
        encrypted.write("a.mp3", b"a")
        make_link(server, linked.fs.partition(":")[2], "secret/b.mp3", "secret/a.mp3")
        assert listed(encrypted) == {"a.mp3"}

        # What lies behind such a remote still tells which names are links.
        among = {"link.mp3", "to outside", "dir", "dangling.mp3", "nothing"}
        shown = {"link.mp3": True, "to outside": True, "dir": False, "dangling.mp3": True}
        for location in (linked.fs, f"alias-{name}:", f"combine {name}:sub", f"union-{name}:"):
            assert RcloneStorage(rclone, location).links("", among) == shown, location
        assert encrypted.links("", {"a.mp3", "b.mp3", "c.mp3"}) == {"a.mp3": False, "b.mp3": True}
        named = RcloneStorage(rclone, f"names-{name}:")
        named.write("folder/a.mp3", b"a")
        [link] = rclone.places_of(f"{named.fs}folder/b.mp3")
        make_link(server, linked.fs.partition(":")[2], link.fs.removeprefix(f"{linked.fs}/"), "dir/a.mp3")
        assert named.links("folder", {"a.mp3", "b.mp3", "c.mp3"}) == {"a.mp3": False, "b.mp3": True}
    with Rclone(found_rclone, config=rclone_config, follow_links=[f"crypt_{name}"]) as rclone:
        assert listed(RcloneStorage(rclone, f"crypt_{name}:")) == {"a.mp3", "b.mp3"}


def test_links_of_one_remote_are_followed_and_those_of_another_are_not(
    linked: RcloneStorage, rclone_config: Path, found_rclone: Binary
) -> None:
    name, _, place = linked.fs.partition(":")
    section = configparser.RawConfigParser(strict=False)
    section.read_string(rclone_config.read_text())
    with rclone_config.open("a") as file:
        options = "".join(f"{key} = {value}\n" for key, value in section[name].items())
        file.write(f"[my {name}-2]\n{options}\n")
    with Rclone(found_rclone, config=rclone_config, follow_links=[f"my {name}-2"]) as rclone:
        assert listed(RcloneStorage(rclone, linked.fs)) == FILES
        inside = {entry.path for entry in RcloneStorage(rclone, f"my {name}-2:{place}/only link").list()}
        assert inside == {"b.mp3"}


def test_a_folder_that_holds_only_a_link_is_not_empty(linked: RcloneStorage, request: pytest.FixtureRequest) -> None:
    assert linked.entries("only link") == ["b.mp3"]
    assert not linked.remove_directory("only link")
    assert linked.entries("only link") == ["b.mp3"]


def test_links_on_a_disk_are_counted(open_storage: Callable[[str], Storage]) -> None:
    storage = open_storage("local")
    storage.write("dir/a.mp3", b"a")
    root = Path(storage.fs)
    (root / "b.mp3").symlink_to("dir/a.mp3")
    (root / "circle").symlink_to(root)
    (root / "dangling.mp3").symlink_to("nowhere")
    assert storage.links_left_out == 0
    assert listed(storage) == {"dir/a.mp3"}
    assert storage.links_left_out == 3
