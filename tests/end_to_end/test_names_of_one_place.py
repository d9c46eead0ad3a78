"""One folder under several names: a server and the disk that it serves, remotes that wrap others, folders around and inside."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.guard.lock import locked_directories
from orchestrator.apply.guard.marker import Mark
from orchestrator.apply.guard.surroundings import MARKER
from orchestrator.track import Track
from tests.audio import make_track, track_bytes
from tests.faulty import Library
from tests.places import places
from tests.program import Program
from tests.servers import remotes
from tests.servers.http import Hold, HttpProxy
from tests.servers.remotes import DriveRemote, obscured

SONG = Track(title=("Song 1",), artist=("Band",), album_artist=("Band",), album=("Album",), track=1, date="2001")
ORGANIZE = ("organize", "--layout", "{{ title }}")


def add_remotes(music: Library, **remotes: dict[str, str]) -> None:
    """More remotes in the rclone config."""
    config = music.home / "rclone.conf"
    with config.open("a") as file:
        for name, options in remotes.items():
            file.write(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items()) + "\n")
    config.chmod(0o600)
    music.environment["RCLONE_CONFIG"] = str(config)


@pytest.fixture
def names(proxied: Callable[[str], tuple[Library, HttpProxy]], rclone_binary: Path) -> tuple[Library, HttpProxy]:
    """A library on a WebDAV server, with remotes that lead to it in other ways."""
    music, proxy = proxied("webdav")
    here = music.place.location
    crypt = {"type": "crypt", "password": obscured(rclone_binary, "secret")}
    add_remotes(
        music,
        alias={"type": "alias", "remote": here},
        parts={"type": "combine", "upstreams": f"part={here} other={music.home}"},
        secret={**crypt, "remote": "alias:Vault"},
        both={"type": "union", "upstreams": f"{here} {music.home}/other"},
        disk={"type": "alias", "remote": str(music.root)},
    )
    make_track(music.root / "Inbox/1.flac", "flac", SONG, seconds=0.2, serial=1)
    return music, proxy


@contextlib.contextmanager
def at_work(music: Library, proxy: HttpProxy, method: str, *words: str) -> Iterator[None]:
    """While the block runs, a run with a state directory of its own is in its first change; then it finishes."""
    hold = Hold()
    proxy.when(lambda seen: seen.method == method and not seen.path.endswith(MARKER), hold, times=1)
    program = Program(music.home / "first", music.environment)
    process = program.start(*words, "--yes")
    try:
        assert hold.held.wait(60)
        yield
    finally:
        hold.release.set()
        ended = program.end(process)
    assert ended.code == 0, ended.errors


def refused(music: Library, *names: str) -> None:
    """Another run, under each of these names, ends with 8, and changes nothing."""
    before = music.place.tree()
    for name in names:
        ended = music(*ORGANIZE, name, codes=(8,))
        assert [error["code"] for error in ended.errors] == ["locked"], name
        assert not music("runs").events[:-1], "nothing waits for `resume`"
    assert music.place.tree() == before


def test_a_second_run_under_another_name_of_a_place_ends(names: tuple[Library, HttpProxy]) -> None:
    """Fault case 27: an alias, a crypt, a combine, a union, the disk behind the server, folders around and inside."""
    music, proxy = names
    here = music.place.location
    with at_work(music, proxy, "MOVE", *ORGANIZE, f"{here}/Inbox"):
        refused(music, here, "alias:", "parts:part/Inbox", "both:Inbox", "disk:", str(music.root), f"{music.root}/Inbox")
    assert {*music.tree()} == {"Inbox/Song 1.flac"}
    assert MARKER not in music.place.tree()


def test_a_run_on_a_disk_stops_one_that_reaches_it_over_a_server(names: tuple[Library, HttpProxy]) -> None:
    """Fault case 27, the other way round, and from the folder around it."""
    music, proxy = names
    (music.root / "Target").mkdir()
    with at_work(music, proxy, "PUT", *ORGANIZE, str(music.root / "Inbox"), f"{music.place.location}/Target", "--move"):
        refused(music, f"{music.place.location}/Inbox", "alias:")
    assert {*music.tree()} == {"Target/Song 1.flac"}


def test_a_run_on_an_encrypted_folder_is_seen_from_below(names: tuple[Library, HttpProxy], rclone_binary: Path) -> None:
    """Its own names are encrypted: the marker lies in the folder on the remote below, where any other remote finds it too."""
    music, proxy = names
    there = {**os.environ, **music.environment}
    subprocess.run([rclone_binary, "moveto", music.root / "Inbox/1.flac", "secret:in/1.flac"], env=there, check=True)
    (folder,) = (music.root / "Vault").iterdir()
    (folder / MARKER).parent.mkdir()
    mark = Mark("another", "its-run", time.time(), time.time())
    for at in (folder, music.root / "Vault", music.root):
        (at / MARKER).parent.mkdir(exist_ok=True)
        (at / MARKER).write_bytes(msgspec.json.encode(mark))
        refused(music, "secret:in")
        (at / MARKER).unlink()
    with at_work(music, proxy, "MOVE", *ORGANIZE, "secret:in"):
        assert (folder / MARKER).exists()
        assert not (music.root / "Vault" / MARKER).exists()


def test_a_folder_of_a_wrapped_disk_is_locked_like_the_disk(library: Callable[..., Library]) -> None:
    """The locks of the kernel hold for aliases, unions and the like as well."""
    music = library("local")
    other = music.home / "other"
    other.mkdir()
    add_remotes(
        music,
        alias={"type": "alias", "remote": str(music.root)},
        both={"type": "union", "upstreams": f"{other} {music.root}"},
        parts={"type": "combine", "upstreams": f"a={other} b={music.root}"},
        chunks={"type": "chunker", "remote": str(music.root)},
    )
    music.track("in/1.mp3", 1)
    with locked_directories([str(music.root)]):
        refused(music, "alias:", "both:in", "parts:b", "chunks:")
        assert music(*ORGANIZE, "parts:a").code == 0


def test_one_folder_under_two_names_is_refused_before_anything_is_changed(names: tuple[Library, HttpProxy]) -> None:
    music, _proxy = names
    here = music.place.location
    before = music.place.tree()
    for source, target in (
        (here, "alias:Inbox"),
        ("parts:part", f"{here}/Inbox"),
        (here, "secret:x"),
        ("both:", "disk:"),
        (here, "both:"),
    ):
        ended = music("organize", source, target, "--copy", codes=(2,))
        assert {error["code"] for error in ended.errors} == {"usage"}, (source, target)
    same = music(*ORGANIZE, here, "alias:", "--dry-run")
    assert same.summary["ops_planned"] == 1, "organized in place"
    # Nothing but a marker shows that the server serves this disk, so only a changing command notices.
    for source, target in ((here, f"{music.root}/Target"), (str(music.root), here)):
        ended = music("organize", source, target, "--copy", "--layout", "New/{{ title }}", codes=(2,))
        assert "are one folder" in ended.errors[0]["message"]
    ended = music("dedup", "--dedup", "quarantine", here, str(music.root), codes=(2,))
    assert "are one folder" in ended.errors[0]["message"]
    assert music.place.tree() == before
    assert not music("runs").events[:-1]


def test_a_link_of_a_server_to_a_location_is_noticed(
    rclone_binary: Path, tmp_path: Path, library: Callable[..., Library]
) -> None:
    """Both names are on one server, and only a marker shows where the link leads to. From one disk to itself it is known."""
    music = library("local")
    make_track(music.root / "1.flac", "flac", SONG, seconds=0.2, serial=1)
    with remotes.webdav(rclone_binary, tmp_path, "--copy-links") as server:
        assert server.directory is not None
        (server.directory / "music").symlink_to(music.root)
        (server.directory / "again").symlink_to(music.root)
        add_remotes(music, dav={"type": "webdav", **server.options})
        before = music.place.tree()
        for names in (("dav:music", "dav:again"), ("dav:again", str(music.root)), (str(music.root), "dav:music")):
            ended = music("dedup", "--dedup", "quarantine", *names, codes=(2,))
            assert "are one folder" in ended.errors[0]["message"]
        (music.home / "link").symlink_to(music.root)
        once = music("dedup", "--dedup", "quarantine", str(music.root), str(music.home / "link"))
        assert once.summary["files_seen"] == 1
        assert music.place.tree() == before


def test_the_root_of_a_combine_is_refused(names: tuple[Library, HttpProxy]) -> None:
    """There is no place for our own folder, and a file there would belong to no remote."""
    music, _proxy = names
    add_remotes(music, above={"type": "alias", "remote": "parts:"})
    before = music.place.tree()
    for root in ("parts:", "above:"):
        for words in (("organize", root), ("dedup", root), ("organize", f"{music.place.location}/Inbox", root)):
            ended = music(*words, codes=(2,))
            assert "name one of its folders" in ended.errors[0]["message"]
    assert music.place.tree() == before
    assert music("organize", "above:part", "--dry-run").summary["ops_planned"] == 1


def test_what_shortcuts_show_again_is_no_duplicate(rclone_binary: Path, rclone_config: Path, tmp_path: Path) -> None:
    """Fault case 30: shortcuts of Google Drive to a file and to a folder, followed: the original does not go."""
    with places(
        "drive",
        tmp_path / "served",
        rclone_binary,
        rclone_config,
        {
            "music": None,
        },
    ) as made:
        place = made["music"]
        assert isinstance(place.server, DriveRemote)
        tree = place.server.tree
        tree.put("music/b/1.flac", track_bytes("flac", SONG, seconds=0.2, serial=1))
        tree.shortcut("music/a.flac", "music/b/1.flac")
        tree.shortcut("music/a folder", "music/b")
        tree.shortcut("music/from a.flac", "music/b/1.flac")
        config = tmp_path / "config.yaml"
        config.write_text(f"remotes: {{{place.location.partition(':')[0]}: {{follow_links: true}}}}\n")
        program = Program(tmp_path / "state")
        before = place.tree()
        for words in (("--delete",), ("--dedup", "quarantine")):
            done = program("dedup", place.location, *words, "--config", str(config), "--yes")
            assert done.summary["ops_planned"] == 0, done.events
            assert done.summary["files_seen"] >= 3, "they are followed"
        assert place.tree() == before
