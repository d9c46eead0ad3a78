"""Servers that follow links show one file under two names, with equal hashes: no only copy goes."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import make_track
from tests.forked import Forks
from tests.servers import remotes

SERVERS = {"webdav": remotes.webdav, "sftp": remotes.sftp, "s3_serve": remotes.s3_serve}
FILES = {"webdav": 3, "sftp": 3, "s3_serve": 15}
"""In a bucket so many that a listing of the kept copies costs less than a look at each."""


def whole_store(root: Path) -> Counter[str]:
    """The contents of all files that are not links, our own folder included."""
    return Counter(sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file() and not path.is_symlink())


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("names", [("a-real", "z-link"), ("z-real", "a-link")])
def test_no_only_copy_goes_from_a_library_that_is_shown_twice(
    rclone_binary: Path, forks: Forks, tmp_path: Path, kind: str, names: tuple[str, str]
) -> None:
    """Fault case 30: a linked folder and a linked file, to what comes before and to what comes after."""
    folder, link = names
    with SERVERS[kind](rclone_binary, tmp_path, "--copy-links") as server:
        assert server.directory is not None
        root = server.directory / "library"
        for number in range(FILES[kind]):
            tags = Track(title=(f"Song {number}",), artist=("Band",), album=("Album",), track=number + 1, date="2001")
            make_track(root / folder / f"{number}.flac", "flac", tags, seconds=0.2, serial=number)
        (root / link).symlink_to(root / folder)
        before = whole_store(root)
        (tmp_path / "rclone.conf").write_text(server.section("remote"))
        (tmp_path / "config.yaml").write_text("remotes: {remote: {follow_links: true}}\n")
        environment = {"RCLONE_CONFIG": str(tmp_path / "rclone.conf"), "MUSIC_ORCHESTRATOR_CONFIG": str(tmp_path / "config.yaml")}
        for options in (("--dedup", "quarantine"), ("--delete",)):
            call = ("dedup", server.fs("library", name="remote"), *options)
            ended = forks.run(*call, state=tmp_path / "state", environment=environment, codes=(9, 7, 3, 0))
            assert whole_store(root) == before
            library = {path.name for path in root.rglob("*.flac") if ".music-orchestrator" not in path.parts}
            assert library == {f"{number}.flac" for number in range(FILES[kind])}
            messages = [error["message"] for error in ended.errors]
            # serve s3 has replaced the link by a folder by then: files are missing in the listing.
            assert ended.code == 9 or options == ("--delete",)
            assert ended.code == 7 or all("moved back" in message or "one folder" in message for message in messages), messages
