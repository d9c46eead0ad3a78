"""`verify`: after a migration, each content of the source is found in the target, and what is not there is named.

It never claims more than it knows: a hash and a full read find one flipped byte, a look at the sound does not.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.audio_frames import flac, tagged
from tests.faulty import Library
from tests.places import bucket, place_on
from tests.program import Ended, Program
from tests.servers.http import Hold, HttpProxy, Retag, Seen, Then, http_proxy
from tests.servers.remotes import BUCKET, DriveRemote, RemoteServer, with_remotes


def track(number: int, title: str = "Song") -> Track:
    return Track(title=(f"{title} {number}",), artist=("Ann",), album=("Blue",), track=number, disc=1, date="1990")


FLACS = {f"in/{number}.flac": tagged(flac(12, number), track(number)) for number in (1, 2)}
MP3S = {
    f"in/{number}.mp3": track_bytes("mp3", track(number), seconds=seconds, serial=number) for number, seconds in ((3, 60), (4, 1))
}
OTHERS = {"in/cover.jpg": b"a front cover", "in/3.lrc": b"la la la"}
ALBUM = FLACS | MP3S | OTHERS


def flipped(content: bytes, at: int | None = None) -> bytes:
    """One byte in the middle of the sound is another one; size and header are the same."""
    at = len(content) * 2 // 3 if at is None else at
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


def result(ended: Ended) -> dict[str, Any]:
    """The totals."""
    return next(event for event in ended.events if event["type"] == "verify")


def by(ended: Ended) -> dict[str, int]:
    """Proof -> how many files have it, without those that none has."""
    return {proof: one["files"] for proof, one in result(ended)["by"].items() if one["files"]}


def unproven(ended: Ended) -> dict[str, str]:
    """Path -> reason."""
    return {event["path"]: event["reason"] for event in ended.events if event["type"] == "unproven"}


class Migration:
    """A Drive and a bucket behind a proxy, which one rclone.conf knows."""

    def __init__(self, drive: DriveRemote, s3: RemoteServer, proxy: HttpProxy, home: Path) -> None:
        self.proxy = proxy
        self.drive = drive
        self.source = place_on(drive, home.name, remote="drive")
        self.target = place_on(s3, home.name, remote="bucket")
        environment = with_remotes(home, drive.section("drive"), s3.section("bucket", port=proxy.port))
        self.program = Program(home / "state", environment)

    def verify(self, *options: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self.program("verify", self.source.location, self.target.location, *options, codes=codes)


@pytest.fixture
def migration(drive: DriveRemote, s3_moto: RemoteServer, tmp_path: Path) -> Iterator[Migration]:
    """ALBUM on the Drive, a second copy of one track there, and an empty file; copied to the bucket in another layout."""
    with http_proxy(s3_moto.port) as proxy:
        made = Migration(drive, s3_moto, proxy, tmp_path)
        for path, content in {**ALBUM, "old/again.flac": FLACS["in/1.flac"], "in/empty.txt": b""}.items():
            made.source.put(path, content)
        made.program("organize", made.source.location, made.target.location, "--copy", "--yes", codes=(0, 3))
        made.target.remove(next(path for path in made.target.tree() if path.endswith("Song 1.flac") or "Song 1 (2)" in path))
        yield made


def test_a_migration_into_another_layout_is_proved_by_the_two_listings_alone(migration: Migration, tmp_path: Path) -> None:
    """One of two copies of a track is enough. The manifest is the same each time, and names the hashes and both paths."""
    migration.proxy.requests.clear()
    calls = migration.drive.drive.calls.copy()
    first = migration.verify("--manifest", str(tmp_path / "manifest.jsonl"))
    assert by(first) == {"hash": len(ALBUM) + 1, "empty": 1}
    assert (result(first)["duplicates"], first.summary["bytes_read"]) == (1, 0)
    assert len(migration.proxy.requests) <= 4  # no request for a single file
    asked = {kind: number - calls[kind] for kind, number in migration.drive.drive.calls.items() if number > calls[kind]}
    assert set(asked) <= {"files.list", "files.get", "about.get"}
    assert sum(asked.values()) <= 12

    text = (tmp_path / "manifest.jsonl").read_bytes()
    header, *lines = map(json.loads, text.splitlines())
    assert (header["files"], header["proved"]) == (len(ALBUM) + 2, len(ALBUM) + 2)
    assert [line["path"] for line in lines] == sorted({*ALBUM, "old/again.flac", "in/empty.txt"})
    there = migration.target.tree()
    for line in lines:
        if line["size"]:
            assert there[line["target"]] == migration.source.tree()[line["path"]]
            assert line["hash"]["md5"]
    migration.verify("--manifest", str(tmp_path / "manifest.jsonl"))
    assert (tmp_path / "manifest.jsonl").read_bytes() == text


def test_what_is_missing_or_damaged_at_the_target_is_named(migration: Migration) -> None:
    there = migration.target.tree()
    two = next(path for path in there if path.endswith("Song 2.flac"))
    three = next(path for path in there if path.endswith("Song 3.mp3"))
    cover = next(path for path in there if path.endswith(".jpg"))
    migration.target.put(two, flipped(FLACS["in/2.flac"]))
    migration.target.remove(three)
    migration.target.put(cover, flipped(OTHERS["in/cover.jpg"]))
    ended = migration.verify(codes=(3,))
    assert unproven(ended) == {"in/2.flac": "differs", "in/3.mp3": "missing", "in/cover.jpg": "differs"}
    assert ended.summary["ops_skipped"] == 3
    near = {event["path"]: event["target"] for event in ended.events if event["type"] == "unproven"}
    assert (near["in/2.flac"], near["in/3.mp3"], near["in/cover.jpg"]) == (two, None, cover)
    assert unproven(migration.verify("--full", codes=(3,))) == unproven(ended)
    assert unproven(migration.verify("--exclude", "*.mp3", "--exclude", "*.jpg", codes=(3,))) == {"in/2.flac": "differs"}


def test_an_object_in_parts_has_no_md5_and_is_only_proved_in_full_by_reading_it(migration: Migration) -> None:
    """What rclone itself sends in parts has an MD5 in its metadata; what other tools send has none."""
    client = bucket(migration.target.server) if migration.target.server is not None else None
    two = next(path for path in migration.target.tree() if path.endswith("Song 2.flac"))

    def in_parts(content: bytes) -> None:
        assert client is not None
        key = {"Bucket": BUCKET, "Key": f"{migration.target.prefix}/{two}"}
        upload = {**key, "UploadId": client.create_multipart_upload(**key)["UploadId"]}
        part = client.upload_part(**upload, PartNumber=1, Body=content)
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})

    in_parts(FLACS["in/2.flac"])
    assert by(migration.verify()) == {"hash": len(ALBUM), "sound": 1, "empty": 1}
    full = migration.verify("--full")
    assert by(full) == {"hash": len(ALBUM) + 1, "empty": 1}
    assert full.summary["bytes_read"] == len(FLACS["in/2.flac"])  # Drive states the MD5: only one side is read
    limited = migration.verify("--full", "--max-transfer", "1k", codes=(7,))
    assert "--max-transfer" in limited.errors[0]["message"]

    in_parts(flipped(FLACS["in/2.flac"]))
    assert by(migration.verify())["sound"] == 1  # it says so: by what the file says about its sound
    assert unproven(migration.verify("--full", codes=(3,))) == {"in/2.flac": "differs"}


@pytest.mark.nightly
def test_a_server_that_states_other_hashes_is_only_believed_without_a_full_read(migration: Migration, tmp_path: Path) -> None:
    """In a bucket that encrypts with a KMS key, ETags look like MD5 and are none."""
    migration.proxy.when(lambda _: True, Retag())
    assert set(unproven(migration.verify(codes=(3,)))) == {*ALBUM, "old/again.flac"}
    assert by(migration.verify("--full")) == {"read": len(ALBUM) + 1, "empty": 1}
    here = tmp_path / "here"  # a disk states no hashes
    here.mkdir()
    (here / "1.flac").write_bytes(FLACS["in/1.flac"])
    assert by(migration.program("verify", str(here), migration.target.location, "--full")) == {"read": 1}


@pytest.fixture
def served(library: Callable[..., Library], tmp_path: Path) -> tuple[Library, Path]:
    """ALBUM on a disk, and under other names on a WebDAV server whose listing has no hashes."""
    music = library("webdav")
    here = tmp_path / "here"
    for path, content in ALBUM.items():
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        (here / path).write_bytes(content)
        music.place.put(f"there/x-{path.removeprefix('in/')}", content)
    return music, here


def test_without_hashes_music_is_proved_by_its_sound_and_the_rest_by_reading(served: tuple[Library, Path]) -> None:
    music, here = served
    ended = music("verify", str(here), music.place.location)
    assert by(ended) == {"sound": len(FLACS | MP3S), "read": len(OTHERS)}
    full = music("verify", str(here), music.place.location, "--full")
    assert by(full) == {"read": len(ALBUM)}
    assert any(
        "downloading" in event["message"] and "about" in event["message"] for event in full.events if event["type"] == "note"
    )


def test_a_flipped_byte_is_found_by_a_full_read_and_a_lost_end_without_one(served: tuple[Library, Path]) -> None:
    music, here = served
    music.place.put("there/x-1.flac", flipped(FLACS["in/1.flac"]))
    music.place.put("there/x-3.mp3", flipped(MP3S["in/3.mp3"]))
    assert by(music("verify", str(here), music.place.location))["sound"] == len(FLACS | MP3S)
    full = music("verify", str(here), music.place.location, "--full", codes=(3,))
    assert unproven(full) == {"in/1.flac": "differs", "in/3.mp3": "differs"}
    # A smaller one is read in full for its ends.
    music.place.put("there/x-4.mp3", flipped(MP3S["in/4.mp3"]))
    assert unproven(music("verify", str(here), music.place.location, codes=(3,))) == {"in/4.mp3": "differs"}
    music.place.put("there/x-4.mp3", MP3S["in/4.mp3"])

    music.place.put("there/x-2.flac", FLACS["in/2.flac"][:-2000] + bytes(2000))
    assert unproven(music("verify", str(here), music.place.location, codes=(3,))) == {"in/2.flac": "differs"}


def test_other_tags_around_the_same_sound(served: tuple[Library, Path]) -> None:
    """The bytes differ, the sound does not; with --full the checksums of its own are checked to the end."""
    music, here = served
    again = tagged(flac(12, 1), track(1, "Another title, that is longer"))
    music.place.put("there/x-1.flac", again)
    ended = music("verify", str(here), music.place.location)
    assert (unproven(ended), by(ended)["sound"]) == ({}, len(FLACS | MP3S))
    full = music("verify", str(here), music.place.location, "--full")
    assert (by(full)["sound"], result(full)["whole"]) == (1, 1)
    music.place.put("there/x-1.flac", flipped(again))
    assert unproven(music("verify", str(here), music.place.location, "--full", codes=(3,))) == {"in/1.flac": "differs"}
    music.place.put("there/x-1.flac", again[:-3000])
    assert "in/1.flac" in unproven(music("verify", str(here), music.place.location, codes=(3,)))


def test_a_file_that_vanishes_or_cannot_be_read_meanwhile_is_not_proved(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    music, proxy = proxied("webdav")
    here = tmp_path / "here"
    here.mkdir()
    for path, content in {**FLACS, "in/a.jpg": b"12345"}.items():
        music.place.put(path, content)
        (here / Path(path).name).write_bytes(content)

    def first_read(path: str) -> Callable[[Seen], bool]:
        return lambda seen: seen.method == "GET" and seen.path.endswith(path)

    proxy.when(first_read("/1.flac"), Then(lambda: (music.root / "in/1.flac").unlink(missing_ok=True)))
    ended = music("verify", music.place.location, str(here), "--full", codes=(3,))
    assert unproven(ended) == {"in/1.flac": "vanished"}
    assert by(ended) == {"read": 2}


def test_an_interrupt_does_not_wait_for_a_server_that_does_not_answer(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    music, proxy = proxied("webdav")
    (tmp_path / "here").mkdir()
    for path, content in FLACS.items():
        music.place.put(path, content)
        (tmp_path / "here" / Path(path).name).write_bytes(content)
    hold = Hold()
    proxy.when(lambda seen: seen.method == "GET", hold)
    started = music.start("verify", music.place.location, str(tmp_path / "here"), "--full")
    assert hold.held.wait(60)
    begun = time.monotonic()
    os.kill(started.pid, signal.SIGTERM)
    try:
        assert started.end().code == 130
        assert time.monotonic() - begun < 60  # the proxy holds it for 120 s
    finally:
        hold.release.set()


def test_what_only_the_quarantine_has_and_where_nothing_can_be_proved(library: Callable[..., Library], tmp_path: Path) -> None:
    music = library("local")
    target = tmp_path / "target"
    for path, content in ALBUM.items():
        music.place.put(path, content)
        aside = ".music-orchestrator/quarantine/20260101-000000-abc/" if path == "in/3.mp3" else ""
        (target / f"{aside}{path}").parent.mkdir(parents=True, exist_ok=True)
        (target / f"{aside}{path}").write_bytes(content)
    ended = music("verify", music.place.location, str(target), codes=(3,))
    assert unproven(ended) == {"in/3.mp3": "quarantined"}
    notes = [event["message"] for event in music("verify", str(target), music.place.location).events if event["type"] == "note"]
    assert any("has a quarantine, whose files are not looked for" in note for note in notes)

    def refused(*arguments: str) -> str:
        return str(music("verify", *arguments, codes=(2,)).errors[0]["message"])

    here = music.place.location
    assert "same location" in refused(here, here)
    assert "lies inside the source" in refused(here, f"{here}/in")
    assert "there is no such folder" in refused(here, str(tmp_path / "none"))
    assert "lies in the source" in refused(here, str(target), "--manifest", f"{here}/manifest")
    assert "existing folder" in refused(here, str(target), "--manifest", str(tmp_path / "none/manifest"))
    # A source inside the target is not its own proof.
    assert set(unproven(music("verify", f"{here}/in", here, codes=(3,)))) == {path.removeprefix("in/") for path in ALBUM}
    # A disk that is not mounted does not look like a library whose contents are all there.
    for path in ALBUM:
        music.place.remove(path)
    assert "is it mounted" in music("verify", here, str(target), codes=(7,)).errors[0]["message"]
    (tmp_path / "empty").mkdir()
    for options in ((), ("-q",)):
        code, out, err = music.start("verify", str(tmp_path / "empty"), str(target), options=options).printed()
        assert (code, err) == (0, "")
        assert out.startswith(f"nothing to prove: {tmp_path}/empty has no file to look for; is the path right?\n")


def test_playlists_that_were_updated_for_the_new_names_are_proved_by_their_entries(
    library: Callable[..., Library], tmp_path: Path
) -> None:
    """Their bytes differ; the rest of the text is the same, and each entry names the copy of the same file."""
    music, target = library("local"), tmp_path / "target"
    lists = {
        "in/all.m3u": b"#EXTM3U\r\n#EXTINF:1,One\r\n1.flac\r\n3.mp3\r\nhttp://radio/x\r\n",
        "in/album.cue": b'TITLE "Blue"\nFILE 2.flac WAVE\n  TRACK 01 AUDIO\n',
        "in/album.sfv": b"; checked\n1.flac 0123abcd\n2.flac 4567ef01\n",
    }
    for path, content in {**ALBUM, **lists}.items():
        music.place.put(path, content)
    music("organize", music.place.location, str(target), "--copy", "--yes", codes=(0, 3))
    ended = music("verify", music.place.location, str(target))
    assert by(ended) == {"read": len(ALBUM), "list": len(lists)}

    (playlist,) = target.rglob("*.m3u")
    text = playlist.read_bytes()
    assert text != lists["in/all.m3u"]
    next(target.rglob("*Song 1.flac")).write_bytes(flipped(FLACS["in/1.flac"]))  # an entry that names no copy proves nothing
    damaged = unproven(music("verify", music.place.location, str(target), codes=(3,)))
    assert set(damaged) == {"in/1.flac", "in/all.m3u", "in/album.sfv"}


def test_a_full_verify_that_is_killed_goes_on_where_it_was(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    """Killed twice: all files are read about once. What has changed is read again, and a verify that has ended leaves nothing."""
    music, proxy = proxied("webdav")
    here, size, number = tmp_path / "here", 200_000, 60
    here.mkdir()
    for index in range(number):
        content = bytes([index]) * (size + index)
        music.place.put(f"in/{index:02}.bin", content)
        (here / f"{index:02}.bin").write_bytes(content)
    call = ("verify", music.place.location, str(here), "--full", "--transfers", "1", "--manifest", str(tmp_path / "manifest"))

    def is_read(path: str) -> Callable[[Seen], bool]:
        return lambda seen: seen.method == "GET" and seen.path.endswith(path)

    def read() -> list[str]:
        """The files that were sent since the last time, in order."""
        found = [seen.path.rpartition("/")[2] for seen in proxy.requests if seen.method == "GET" and seen.path.endswith(".bin")]
        proxy.reset()
        return found

    reads: list[str] = []
    for last in ("20.bin", "40.bin"):
        hold = Hold()
        proxy.when(is_read(last), hold, times=1)
        started = music.start(*call)
        assert hold.held.wait(60)
        os.kill(started.pid, signal.SIGKILL)
        hold.release.set()
        started.end()
        reads += read()
    music.place.put("in/00.bin", b"x" * size)  # of another size, as its copy here
    (here / "00.bin").write_bytes(b"x" * size)
    ended = music(*call)
    third = read()
    assert by(ended) == {"read": number}
    assert any("did not come to its end" in event["message"] for event in ended.events if event["type"] == "note")
    assert "00.bin" in third, "it has changed"
    assert len(reads) + len(third) <= number + 1 + 2 * 9, "a few that were not saved yet are read twice"
    header, *lines = map(json.loads, (tmp_path / "manifest").read_bytes().splitlines())
    assert sum("read" in line for line in lines) == number - len(third)
    assert header["read"][0] == min(line["read"]["source"] for line in lines if "read" in line)
    again = music(*call)
    assert (len(read()), by(again)) == (number, {"read": number}), "every read of a new verify is a new one"


def test_clutter_that_organize_does_not_copy_is_counted_and_not_looked_for(tmp_path: Path) -> None:
    program, source, target = Program(tmp_path / "state"), tmp_path / "source", tmp_path / "target"
    for name, content in (FLACS | {"in/.DS_Store": b"a", "Thumbs.db": b"b", "in/._1.flac": b"c", "in/Thumbs.jpg": b"d"}).items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    program("organize", str(source), str(target), "--yes")
    ended = program("verify", str(source), str(target), "--manifest", str(tmp_path / "manifest"))
    assert (result(ended)["files"], result(ended)["proved"], result(ended)["clutter"]) == (3, 3, 3)
    assert any("3 clutter files" in event["message"] for event in ended.events if event["type"] == "note")
    assert len((tmp_path / "manifest").read_text().splitlines()) == 1 + 3
    (source / "in/.DS_Store").rename(source / "in/store.jpg")
    assert unproven(program("verify", str(source), str(target), codes=(3,))) == {"in/store.jpg": "missing"}
