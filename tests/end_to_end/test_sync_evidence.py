"""`sync` and what the files themselves say: whose sound it is, whether it is whole, and who has changed its tags."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import mutagen
import mutagen.mp4
import pytest
from mutagen import id3

from orchestrator.actions.common_states import disk_look
from orchestrator.apply.guard.place_id import write_place_id
from orchestrator.plan.planners.sync.records import File
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.track import Track
from tests.audio import picture
from tests.damaged_pairs import KINDS, pairs
from tests.end_to_end.test_sync import Pair
from tests.end_to_end.test_unusual_disks import case_ignored
from tests.faulty import Library
from tests.nightly import some_at_night
from tests.places import digest, upload_in_parts
from tests.program import Ended
from tests.servers.http import Drop, HttpProxy, Seen
from tests.servers.remotes import DriveRemote

OLD_S = 1_700_000_000


@pytest.fixture
def pair(library: Callable[..., Library], tmp_path: Path, request: pytest.FixtureRequest) -> Pair:
    return Pair(library(request.param), tmp_path)


def write(pair: Pair, path: str, content: bytes, age_s: int = 0) -> None:
    """Write a file of A, dated to long ago."""
    file = pair.here / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (OLD_S - age_s,) * 2)


def track(kind: str, number: int) -> bytes:
    file = BytesIO(KINDS[kind].stream(number))
    KINDS[kind].save(file, Track(title=(f"Song {number}",), artist=("Band",), album=("Album",), track=number), picture(2000))
    return file.getvalue()


def changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    file = BytesIO(content)
    audio = mutagen.File(file)  # type: ignore[attr-defined]
    change(audio)
    file.seek(0)
    audio.save(file)
    return file.getvalue()


def played(content: bytes, times: int) -> bytes:
    def change(audio: Any) -> None:
        if isinstance(audio.tags, id3.ID3):
            audio.tags.add(id3.POPM(email="player", rating=196, count=times))
        elif isinstance(audio.tags, mutagen.mp4.MP4Tags):
            audio.tags["----:com.apple.iTunes:PLAYCOUNT"] = [str(times).encode()]
        else:
            audio.tags["PLAYCOUNT"] = [str(times)]

    return changed(content, change)


def retitled(content: bytes, title: str) -> bytes:
    def change(audio: Any) -> None:
        if isinstance(audio.tags, id3.ID3):
            audio.tags.add(id3.TIT2(encoding=3, text=[title]))
        else:
            audio.tags["title"] = [title]

    return changed(content, change)


def trash(pair: Pair) -> list[str]:
    return sorted(path for path in pair.b.tree() if "/trash/" in path)


PLAYED = ["s3_moto", *(pytest.param(kind, marks=pytest.mark.nightly) for kind in ("local", "drive", "webdav"))]


@pytest.mark.parametrize("pair", PLAYED, indirect=True)
def test_files_that_were_played_on_both_sides_make_no_copies(pair: Pair) -> None:
    kinds = ["MP3", "MP3 by LAME", "FLAC", "AAC", "ALAC", "Musepack", "Opus", "WavPack 5", "Monkey's Audio", "DSF"]
    tracks = {f"{number}.{KINDS[kind].extension}": track(kind, number) for number, kind in enumerate(kinds)}
    for path, content in tracks.items():
        write(pair, path, content)
    write(pair, "cover.jpg", b"not played")
    pair()
    there = {path: played(content, 7) for path, content in tracks.items()}
    for path, content in tracks.items():
        write(pair, path, played(content, 3), age_s=-60)
        pair.b.edit(path, there[path])  # now, and so the newer one
    if pair.b.server is not None and pair.b.server.type == "webdav":  # it keeps no times of files, so A's stays
        there = {path: played(content, 3) for path, content in tracks.items()}
    wanted = {path: digest(content) for path, content in there.items()} | {"cover.jpg": digest(b"not played")}
    ended = pair("--max-delete", "100%")
    assert pair.trees() == (wanted, wanted)
    assert not ended.errors
    assert pair().summary["ops_planned"] == 0
    # Unless the user wants both.
    for path in list(tracks)[:2]:
        write(pair, path, played(there[path], 8))
        pair.b.edit(path, played(there[path], 9))
    pair("--conflict", "keep-both")
    assert len(pair.trees()[0]) == len(wanted) + 2


@pytest.mark.parametrize("pair", ["local"], indirect=True)
def test_a_title_that_was_changed_as_well_is_a_conflict(pair: Pair) -> None:
    tracks = {f"1.{KINDS[kind].extension}": track(kind, 1) for kind in ("MP3 by LAME", "FLAC")}
    for path, content in tracks.items():
        write(pair, path, content)
    pair()
    for path, content in tracks.items():
        write(pair, path, played(retitled(content, "mine"), 3))
        pair.b.put(path, played(content, 4))
    pair()
    assert len(pair.trees()[1]) == 4


def damage_reported(ended: Ended) -> set[str]:
    return {event["path"] for event in ended.errors if event["code"] == "unreadable"}


@pytest.mark.parametrize(
    ("pair", "policy"),
    [("local", None), ("s3_moto", "newer"), pytest.param("local", "larger", marks=pytest.mark.nightly)],
    indirect=["pair"],
)
def test_a_cut_file_never_replaces_a_whole_one(pair: Pair, policy: str | None) -> None:
    """Cut on one side only, on A or on B, or while the other side was retagged."""
    options = [] if policy is None else ["--conflict", policy]
    cut = [one for one in pairs(more_tags=False) if one.damage == "cut by 5,000"]
    cut = [one for one in cut if one.kind in {"FLAC", "MP3 by LAME", "WAV", "Vorbis", "AAC", "WavPack 5"}]
    for number, one in enumerate(cut):
        for way in ("a", "b", "both"):
            write(pair, f"{number} {way}.{one.extension}", one.good)
    pair()
    whole = pair.trees()[0]
    for number, one in enumerate(cut):
        write(pair, f"{number} a.{one.extension}", one.damaged, age_s=-9)
        pair.b.put(f"{number} b.{one.extension}", one.damaged)
    ended = pair("--max-delete", "100%", *options, codes=(3,))
    assert damage_reported(ended) == {f"{number} {way}.{one.extension}" for number, one in enumerate(cut) for way in "ab"}
    assert pair.trees() == (whole, whole)
    assert pair().summary["ops_planned"] == 0


def test_a_retagged_and_renamed_file_is_one_file_where_no_hash_tells(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    library, proxy = proxied("webdav")
    pair = Pair(library, tmp_path)
    tracks = {f"d/{number}.flac": track("FLAC", number) for number in range(4)}
    # An MP3 without a header of its encoder says nothing of its sound.
    plain = track("MP3", 4)
    for path, content in {**tracks, "d/4.mp3": plain}.items():
        write(pair, path, content)
    pair()
    reads = [seen for seen in proxy.requests if seen.method == "GET" and seen.path.endswith(".flac")]
    pair()
    assert [seen for seen in proxy.requests if seen.method == "GET" and seen.path.endswith(".flac")] == reads  # no tags

    (library.root / "d/0.flac").rename(library.root / "renamed.flac")
    (library.root / "d/1.flac").unlink()
    pair.b.put("retagged.flac", retitled(tracks["d/1.flac"], "another title"))
    later = time.time() + 100  # the size is the same, and the server's times are whole seconds
    os.utime(library.root / "retagged.flac", (later, later))
    (library.root / "d/2.flac").unlink()
    (library.root / "d/4.mp3").rename(library.root / "plain.mp3")
    pair("--dry-run")  # what it reads is not read again
    ended = pair()
    assert sorted(one["verb"] for one in ended.events if one["type"] == "operation") == ["delete", *["move"] * 3, "replace"]
    there = {"renamed.flac": digest(tracks["d/0.flac"]), "d/3.flac": digest(tracks["d/3.flac"]), "plain.mp3": digest(plain)}
    assert {**there, "retagged.flac": pair.trees()[1]["retagged.flac"]} == pair.trees()[0] == pair.trees()[1]


@pytest.mark.parametrize("pair", ["webdav"], indirect=True)
def test_a_first_sync_pairs_by_sound_where_no_hash_tells(pair: Pair) -> None:
    for number in range(4):
        write(pair, f"organized/{number}.flac", track("FLAC", number))
        pair.b.put(f"old/{3 - number}.flac", track("FLAC", number))
    write(pair, "organized/5.mp3", track("MP3 by LAME", 5))
    pair.b.put("old/5.mp3", played(track("MP3 by LAME", 5), 3))  # not the same file
    pair("--keep-names", "a")
    assert sorted(pair.trees()[1]) == sorted(["old/5.mp3", "organized/5.mp3", *(f"organized/{one}.flac" for one in range(4))])


def shortcuts(server: DriveRemote, prefix: str) -> tuple[Callable[[str, str], None], Callable[[str], None]]:
    return (
        lambda path, target: server.tree.shortcut(f"{prefix}/{path}", f"{prefix}/{target}"),
        lambda path: server.tree.trash(f"{prefix}/{path}"),
    )


def symlinks(root: Path) -> tuple[Callable[[str, str], None], Callable[[str], None]]:
    def remove(path: str) -> None:
        shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()

    return (lambda path, target: (root / path).symlink_to(root / target), remove)


@pytest.mark.parametrize("pair", ["openssh", "drive"], indirect=True)
def test_where_a_server_has_a_link_nothing_is_done_on_either_side(pair: Pair) -> None:
    kept = [f"kept/{number}.mp3" for number in range(5)]
    for path in (*kept, "album/1.mp3", "album/2.mp3", "song.mp3", "links/a.mp3", "links/b.mp3", "gone/1.mp3", "gone.mp3"):
        pair.put(path, f"content of {path}")
    pair()
    server = pair.b.server
    link, remove = shortcuts(server, pair.b.prefix) if isinstance(server, DriveRemote) else symlinks(pair.b.directory or Path())
    links = {"album": "kept", "links/a.mp3": "kept/1.mp3", "links/b.mp3": "nothing", "song.mp3": "kept/0.mp3"}
    for path, target in links.items():
        remove(path)
        link(path, target)
    remove("gone")
    remove("gone.mp3")
    pair.put("album/1.mp3", "edited here")
    reported = [("link", path) for path in links]
    if isinstance(server, DriveRemote):  # Google's own documents have no size, and are no files either
        for path in ("kept/4", "another"):
            server.tree.document(f"{pair.b.prefix}/{path}")
        pair.put("kept/4.docx", "of the same name as a document")
        reported.append(("conflict", "kept/4.docx"))
    for _ in range(2):
        ended = pair(codes=(3,))
        assert [(one["code"], one["path"]) for one in ended.errors] == reported
        assert not [*pair.here.glob("another*")]
        here = sorted(path.relative_to(pair.here).as_posix() for path in pair.here.rglob("*.mp3") if "trash" not in path.parts)
        assert here == ["album/1.mp3", "album/2.mp3", *kept, "links/a.mp3", "links/b.mp3", "song.mp3"]
    assert ended.summary["ops_planned"] == 0


@pytest.mark.parametrize("pair", ["webdav"], indirect=True)
def test_an_edit_that_a_server_cannot_show_is_reported_as_not_visible(pair: Pair) -> None:
    for number in range(1, 6):
        pair.put(f"{number}.txt", f"content {number}")
    pair()
    # Both of one size, and with their times kept. The disk has a time of change.
    here, there = pair.here / "1.txt", (pair.b.directory or Path()) / "2.txt"
    for file in (here, there):
        before = file.stat()
        file.write_text(file.read_text().upper())
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    (pair.here / "5.txt").unlink()
    ended = pair()
    (note,) = (event["message"] for event in ended.events if event["type"] == "note" and "--checksum" in event["message"])
    assert note.startswith("5 files")
    tree = {"1.txt": "CONTENT 1", "2.txt": "CONTENT 2", "3.txt": "content 3", "4.txt": "content 4"}
    assert pair.trees()[1] == {path: digest(text.encode()) for path, text in tree.items()}
    assert pair.trees()[0]["2.txt"] == digest(b"content 2")
    pair("--checksum")
    assert pair.trees()[0] == pair.trees()[1]
    assert pair.trees()[0]["2.txt"] == digest(b"CONTENT 2")


def test_whether_a_disk_has_a_time_of_change_is_tried(rclone: Rclone, rclone_binary: Path, tmp_path: Path) -> None:
    def ctime(folder: Path) -> int | None:
        storage = RcloneStorage(rclone, str(folder))
        write_place_id(storage)
        (folder / "a.txt").write_text("a")
        found = disk_look(storage)("a.txt")
        assert found is not None
        return found.ctime_ns

    (tmp_path / "below").mkdir()
    with case_ignored(rclone_binary, tmp_path / "below", tmp_path / "disk"):
        assert ctime(tmp_path / "disk") is None
    assert ctime(tmp_path / "below") is not None


def times_in_state(pair: Pair) -> set[int | None]:
    """The modification times of the disk's files in the common state."""
    with contextlib.closing(sqlite3.connect(pair.program.state / "sync.sqlite3")) as connection:
        rows = [body for (body,) in connection.execute("SELECT body FROM entry")]
    files = [file for body in rows for file in msgspec.msgpack.decode(body, type=tuple[File, File])]
    return {file.entry.mtime_ns for file in files if file.inode is not None}


@pytest.mark.parametrize("kind", some_at_night(("s3_moto", "dropbox", "drive"), night={"dropbox", "drive"}))
def test_touched_files_are_read_once_and_nothing_is_sent(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kind: str
) -> None:
    library, proxy = proxied(kind)
    pair = Pair(library, tmp_path)
    paths = [f"d/{number}.txt" for number in range(8)]
    for path in paths:
        write(pair, path, b"content of " + path.encode())
    pair()
    before = pair.trees()
    for age_s in (-3600, -86_400):
        for path in paths:
            os.utime(pair.here / path, (OLD_S - age_s,) * 2)
        proxy.reset()
        for _ in range(2):
            assert (pair().summary["ops_planned"], pair.trees()) == (0, before)
            assert times_in_state(pair) == {(OLD_S - age_s) * 10**9}, "they would be read again"
        changes = [seen.path for seen in proxy.requests if seen.method in {"PUT", "PATCH", "DELETE"} or "delete" in seen.path]
        assert changes == []


@pytest.mark.parametrize("pair", ["s3_moto"], indirect=True)
def test_what_another_program_uploaded_in_parts_is_not_sent_back(pair: Pair) -> None:
    """S3 has no hash of it: that of the file here is read after the run, and tells a rename or a touch from an edit."""
    names = ("renamed", "touched", "edited")
    for name in names:
        upload_in_parts(pair.b.bucket, f"{pair.b.prefix}/{name}", f"sound of {name}".encode())
    pair()
    (pair.here / "renamed").rename(pair.here / "new name")
    os.utime(pair.here / "touched")
    (pair.here / "edited").write_bytes(b"SOUND of edited")
    summary = pair().summary
    assert (summary["b_renamed"], summary["b_changed"], summary["bytes_to_b"]) == (1, 1, len("sound of edited"))
    a, b = pair.trees()
    assert a == b
    upload_in_parts(pair.b.bucket, f"{pair.b.prefix}/touched", b"SOUND of touched")
    assert pair("--checksum").summary["a_changed"] == 1


TIMES = ["sftp", "s3_moto", *(pytest.param(kind, marks=pytest.mark.nightly) for kind in ("dropbox", "drive", "ftp"))]


@pytest.mark.parametrize("pair", TIMES, indirect=True)
def test_times_that_a_server_rounds_or_cannot_keep_make_no_changes(pair: Pair) -> None:
    for number, time_ns in enumerate((OLD_S * 10**9 + 987_654_321, OLD_S * 10**9 + 1, (OLD_S + 1) * 10**9 - 1)):
        write(pair, f"{number}.txt", b"text")
        os.utime(pair.here / f"{number}.txt", ns=(time_ns, time_ns))
    write(pair, "future.txt", b"text of A")
    write(pair, "old.txt", b"text of A")
    pair()
    assert pair("--resync").summary["ops_planned"] == 0

    # A time that is to come is no time, and one that another program gave is one.
    write(pair, "future.txt", b"more of A", age_s=-(10**9))
    pair.b.edit("future.txt", b"more of B")
    write(pair, "old.txt", b"more of A")
    pair.b.edit("old.txt", b"more of B")
    pair("--conflict", "newer")
    a, b = pair.trees()
    assert a == b
    assert a["old.txt"] == digest(b"more of B")
    assert sorted(content for path, content in a.items() if path.startswith("future")) == sorted(
        [digest(b"more of A"), digest(b"more of B")]
    )


def test_a_retagged_file_on_the_disk_costs_no_request_for_tags(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    library, proxy = proxied("s3_moto")
    pair = Pair(library, tmp_path)
    tracks = {f"{number}.{KINDS[kind].extension}": track(kind, number) for number, kind in enumerate(("MP3", "FLAC", "AAC"))}
    for path, content in tracks.items():
        write(pair, path, content)
    pair()
    proxy.reset()
    for path, content in tracks.items():
        write(pair, path, played(content, 3), age_s=-60)
    assert pair().summary["ops_done"] == len(tracks)
    assert not [seen for seen in proxy.requests if seen.method == "GET" and seen.path.partition("?")[0].endswith(tuple(tracks))]


@pytest.mark.parametrize("kind", ["webdav", pytest.param("wsgidav", marks=pytest.mark.nightly)])
def test_an_edit_of_the_same_size_just_before_a_rename_is_carried_where_no_hash_tells(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kind: str
) -> None:
    library, proxy = proxied(kind)
    pair = Pair(library, tmp_path)
    for name in ("calm", "edited"):
        pair.put(f"{name}.txt", f"content of {name}")
    pair()
    for file in library.root.glob("*.txt"):
        os.utime(file, (OLD_S, OLD_S))  # long before the edit
    pair()

    def renames(*names: str) -> Ended:
        for name in names:
            (pair.here / f"{name}.txt").rename(pair.here / f"renamed {name}.txt")
        return pair()

    def edit(seen: Seen) -> bool:
        file = library.root / "edited.txt"
        if seen.method == "MOVE" and file.exists():
            file.write_text("CONTENT OF EDITED")
        return False

    renames("calm")
    assert pair().summary["ops_planned"] == 0, "the rename alone is no edit"
    proxy.when(edit, Drop())
    renames("edited")
    proxy.reset()
    assert pair().summary["a_changed"] == 1
    tree = {"renamed calm.txt": digest(b"content of calm"), "renamed edited.txt": digest(b"CONTENT OF EDITED")}
    assert pair.trees() == (tree, tree)
    assert pair().summary["ops_planned"] == 0
