"""organize, dedup and undo on an encrypted remote, whose names may be shorter than those of the provider below."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import make_track
from tests.faulty import Library
from tests.forked import Forks
from tests.nightly import NIGHTLY
from tests.places import PlaceThroughRclone, crypt_section, visible
from tests.servers.remotes import RemoteServer

WAYS = [{}, {"filename_encoding": "base64"}, {"filename_encryption": "obfuscate"}, {"filename_encryption": "off"}]
CASES = [*product(["local", "s3_moto", "s3_serve", "webdav", "drive"], WAYS)] if NIGHTLY else [("s3_moto", WAYS[0])]
LONGEST = {"base64": 175, "obfuscate": 251, "off": 251}
LONG = "Ж" * 120


@pytest.fixture
def vault(request: pytest.FixtureRequest, forks: Forks, tmp_path: Path, rclone_binary: Path) -> Callable[..., Library]:
    """A function: what a crypt encrypts, and its options -> an empty library on it."""

    def of(kind: str, options: dict[str, str]) -> Library:
        config = tmp_path / "rclone.conf"
        config.touch(mode=0o600)
        below, section = str(tmp_path / "vault"), ""
        if kind != "local":
            server: RemoteServer = request.getfixturevalue(kind)
            below, section = server.fs(tmp_path.name, name="below"), server.section("below")
        config.write_text(section + crypt_section(rclone_binary, "vault", below, **options))
        place = PlaceThroughRclone("vault:music", None, command=(str(rclone_binary), "--config", str(config)))
        return Library(place, forks, tmp_path, {"RCLONE_CONFIG": str(config)})

    return of


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_organize_dedup_and_undo(vault: Callable[..., Library], tmp_path: Path, kind: str, options: dict[str, str]) -> None:
    music = vault(kind, options)
    source = tmp_path / "source"
    for number, name in enumerate(["a", "b", "sub/b again"], 1):
        tags = Track(
            title=(f"Song {min(number, 2)}",), artist=("Band",), album=(LONG,), album_artist=("Band",), track=min(number, 2)
        )
        make_track(source / f"{name}.flac", "flac", tags, serial=min(number, 2))
    (source / "sub" / "b again.flac").write_bytes((source / "b.flac").read_bytes())
    (source / "sub" / f"{LONG}.mp3").write_bytes(b"not readable")

    copied = music("organize", str(source), music.place.location, "--copy", "--yes", codes=(3,))
    there = visible(music.place.tree())
    assert copied.summary["ops_done"] == len(there) == 3
    assert music("runs").events[0]["exit_code"] == 3, "as the command ended, which skipped a file"
    album = next(iter(there)).split("/")[1]
    longest = LONGEST.get(next(iter(options.values()), ""), 143)
    cut = min(longest, len(LONG.encode()))
    assert cut - 1 <= len(album.encode()) <= cut
    music("undo", copied.run, "--yes")
    assert visible(music.place.tree()) == {}
    synced = music("sync", str(source), music.place.location, "--yes", codes=(0, 3))
    refused = [error["path"] for error in synced.errors]
    assert (refused, synced.summary["ops_failed"]) == ([] if longest > 244 else [f"sub/{LONG}.mp3"], 0)
    music("undo", synced.run, "--yes")
    assert visible(music.place.tree()) == {}

    for path in sorted(source.rglob("*.flac")):
        music.place.put(path.relative_to(source).as_posix(), path.read_bytes())
    before = visible(music.place.tree())
    moved = music("organize", music.place.location, "--yes")
    assert moved.summary["ops_done"] == 3
    assert sorted(visible(music.place.tree()).values()) == sorted(before.values())
    again = music("organize", music.place.location, "--yes")
    assert (again.summary["ops_planned"], again.summary["files_read"]) == (0, 0)
    removed = music("dedup", music.place.location, "--dedup", "quarantine", "--yes")
    assert removed.summary["ops_done"] == 1
    assert len(visible(music.place.tree())) == 2
    music("undo", removed.run, "--yes")
    music("undo", moved.run, "--yes")
    assert visible(music.place.tree()) == before
