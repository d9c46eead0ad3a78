"""`dedup` on real servers: what it removes, keeps and refuses, and what a kill at any moment leaves."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.apply.guard.surroundings import MARKER
from orchestrator.track import Track
from orchestrator.wording import size_text
from tests.audio import make_track, track_bytes
from tests.audio_frames import flac, tagged
from tests.faulty import Library
from tests.forked import Death, kill
from tests.nightly import NIGHTLY, some_at_night
from tests.program import Program
from tests.providers import everywhere
from tests.servers.http import HttpProxy, Refuse, Then, http_proxy
from tests.servers.remotes import RemoteServer

KILLS = 1
"""How many kills of each kind are tried, unless all are."""
KILLED = [("webdav", "quarantine"), ("s3_serve", "delete")]
if NIGHTLY:
    KILLED = [*product(["s3_serve", "webdav"], ["quarantine", "delete"])]
COPIES = ("Band/Album/01 Song.flac", "Downloads/01 Song (1).flac", "Downloads/old/Song.flac")
DEDUP = ("dedup", "--transfers", "1", "--dedup", "quarantine")


def put(music: Library, path: str, number: int, **tags: Any) -> None:
    said = {"title": (f"Song {number}",), "artist": ("Band",), "album_artist": ("Band",), "album": ("Album",), "track": number}
    said |= {"disc": 1, "track_total": 2, "disc_total": 1, "date": "2001"}
    content = track_bytes(path.rpartition(".")[2], Track(**{**said, **tags}), seconds=0.2, serial=number)
    music.place.put(path, content)


def fill(music: Library) -> None:
    """Three equal files, an unrelated file, and one that is similar but not the same."""
    for copy in COPIES:
        put(music, copy, 1)
    put(music, "Band/Album/02 Song.flac", 2)
    put(music, "Band/Live/01 Song.flac", 1, title=("Song 1 (Live)",), album=("Live",))


@pytest.mark.parametrize("kind", some_at_night(("local", "s3_serve", "webdav", "crypt"), night={"s3_serve", "webdav", "crypt"}))
def test_a_report_changes_nothing_and_gives_reasons(library: Callable[..., Library], kind: str) -> None:
    music = library(kind)
    fill(music)
    before = music.place.tree()
    report = music("dedup", music.place.location)
    assert music.place.tree() == before
    rows = [event for event in report.events if event["type"] == "duplicate"]
    assert [(row["path"], row["kept_path"]) for row in rows] == [(copy, COPIES[0]) for copy in COPIES[1:]]
    assert {row["tier"] for row in rows} == ({"T1"} if kind in {"webdav", "crypt"} else {"T0"})
    (on_purpose,) = (event for event in report.events if event["type"] == "alike" and event["tier"] != "T4")
    assert {file["path"] for file in on_purpose["files"]} == {COPIES[0], "Band/Live/01 Song.flac"}
    assert report.summary["ops_planned"] == 0
    assert music("dedup", music.place.location, "--dedup", "quarantine", "--dry-run", "--exit-code", codes=(10,))
    assert music.place.tree() == before


def test_an_equal_copy_leaves_the_location_that_was_given_later(library: Callable[..., Library]) -> None:
    """On the same server, and in a folder of the first location; whichever path is shorter."""
    music = library("local")
    for name in ("lib/Band/Album/01 Song.flac", "lib/new/1.flac", "inbox/1.flac"):
        put(music, name, 1)

    def leaving(*folders: str) -> set[tuple[str, str]]:
        report = music("dedup", *(f"{music.place.location}/{folder}" for folder in folders))
        rows = [event for event in report.events if event["type"] == "duplicate"]
        return {(Path(row["location"], row["path"]).relative_to(music.root).as_posix(), row["criterion"]) for row in rows}

    assert leaving("lib/Band", "inbox") == {("inbox/1.flac", "first_location")}
    assert leaving("inbox", "lib/Band") == {("lib/Band/Album/01 Song.flac", "first_location")}
    assert leaving("lib/Band", "lib", "lib/new") == {("lib/new/1.flac", "first_location")}


@pytest.mark.shows("dedup", "undo")
@pytest.mark.parametrize("kind", everywhere("local", "s3_serve"))
def test_duplicates_are_quarantined_restored_and_deleted_for_good(library: Callable[..., Library], kind: str) -> None:
    """Fault case 25: quarantined, undone twice, deleted."""
    music = library(kind)
    fill(music)
    before = music.tree()
    done = music(*DEDUP, music.place.location)
    assert music.tree() == {path: content for path, content in before.items() if path not in COPIES[1:]}
    assert all(COPIES[0] in event["reason"] for event in done.events if event["type"] == "operation")
    assert music("dedup", music.place.location, "--dedup", "quarantine").summary["ops_planned"] == 0
    music("undo", done.run)
    assert music.tree() == before
    assert music("undo", done.run).summary["ops_planned"] == 0
    deleting = music("dedup", music.place.location, "--delete").run
    assert music.place.tree() == {path: content for path, content in before.items() if path not in COPIES[1:]}
    putting_away = music("runs").events[1]["id"]
    for run, where in ((putting_away, ""), (deleting, f".music-orchestrator/quarantine/{putting_away}/")):
        undone = music("undo", run, codes=(3,))  # for what was deleted for good it names the run that did it
        assert {error["path"] for error in undone.errors} == {where + copy for copy in COPIES[1:]}
        assert all(deleting in error["message"] for error in undone.errors)


@pytest.mark.parametrize(("kind", "action"), KILLED)
def test_killed_at_any_request_one_copy_is_always_there(
    proxied: Callable[[str], tuple[Library, HttpProxy]], kind: str, action: str
) -> None:
    """Fault case 25: three equal files, SIGKILL at each changing request of `dedup`, of its undo, and of the delete for good."""
    music, proxy = proxied(kind)
    command = DEDUP if action == "quarantine" else ("dedup", "--transfers", "1", "--delete")
    counts = _unkilled(music, proxy, command, undone=action == "quarantine")
    for number, done, undo in _chosen(counts, f"{kind} {action}"):
        before = _fresh(music)
        proxy.reset()
        watched: list[str] = []
        _watch(music, proxy, before, watched)
        run = None
        if undo:
            run = music(*command, music.place.location).run
            proxy.reset()
            _watch(music, proxy, before, watched)
        arguments = ("undo", run, "--transfers", "1") if run is not None else (*command, music.place.location)
        started: list[int] = []
        proxy.at(number, Then(lambda started=started: kill(started[0], "both"), reply=done))
        program = music.start(*arguments)
        started.append(program.pid)
        assert program.end().code in {0, -signal.SIGKILL}
        proxy.wait_until_idle()
        assert COPIES[0] in music.tree(), f"killed at {number}"
        music("resume")
        proxy.reset()
        music(*arguments, codes=(0, 4) if undo else (0,))
        left = before if undo else {path: content for path, content in before.items() if path not in COPIES[1:]}
        assert music.tree() == left, f"killed at {number}"
        if action == "quarantine":
            assert Counter(music.place.tree().values()) == Counter(before.values())
        assert not watched


def _fresh(music: Library) -> dict[str, str]:
    for entry in music.root.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.rmtree(music.home / "state", ignore_errors=True)
    fill(music)
    return music.tree()


def _watch(music: Library, proxy: HttpProxy, before: dict[str, str], watched: list[str]) -> None:
    """Record every request at which some content is nowhere."""

    def missing(seen: Any) -> bool:
        if seen.change and not set(before.values()) <= set(music.place.tree().values()):
            watched.append(f"{seen.method} {seen.path}")
        return False

    proxy.when(missing, Then(lambda: None))


def _unkilled(music: Library, proxy: HttpProxy, command: tuple[str, ...], *, undone: bool) -> dict[bool, int]:
    """The number of changing requests of the command, and of its undo."""
    _fresh(music)
    proxy.reset()
    done = music(*command, music.place.location)
    counts = {False: proxy.changing}
    if undone:
        proxy.reset()
        music("undo", done.run, "--transfers", "1")
        counts[True] = proxy.changing
    return counts


def _chosen(counts: dict[bool, int], seed: str) -> list[tuple[int, bool, bool]]:
    """(request, after it was carried out, of the undo): all, or a few that differ for each server."""
    every = [(number, done, undo) for undo, count in counts.items() for number in range(1, count + 1) for done in (False, True)]
    return every if NIGHTLY else Random(seed).sample(every, min(KILLS, len(every)))


@pytest.mark.parametrize("write", range(1, 12) if NIGHTLY else [3])
@pytest.mark.parametrize("kind", some_at_night(("local", "crypt"), night={"crypt"}))
def test_killed_around_a_write_of_the_journal_on_a_disk(library: Callable[..., Library], kind: str, write: int) -> None:
    """Fault case 25: on a local disk, which has no requests, and encrypted in a bucket, where a move is a copy and a delete."""
    music = library(kind)
    fill(music)
    before = music.tree()
    contents = Counter({**before, MARKER: ""}.values())
    for committed in (False, True):
        shutil.rmtree(music.home / "state", ignore_errors=True)
        music.start(*DEDUP, music.place.location, death=Death(write, committed, "both")).end()
        assert COPIES[0] in music.tree()
        left = Counter({**music.place.tree(), MARKER: ""}.values())
        assert left >= contents if kind == "crypt" else left == contents
        music("resume")
        done = music(*DEDUP, music.place.location)
        assert music.tree().keys() == before.keys() - set(COPIES[1:])
        assert Counter({**music.place.tree(), MARKER: ""}.values()) == contents
        run = done.run if done.summary["run"] else music("runs").events[0]["id"]
        music("undo", run)
        assert music.tree() == before


@pytest.mark.parametrize("kind", some_at_night(("local", "s3_serve", "webdav", "crypt"), night={"local", "webdav", "crypt"}))
def test_duplicates_of_a_kept_copy_that_changed_after_the_plan_are_kept(library: Callable[..., Library], kind: str) -> None:
    music = library(kind)
    fill(music)
    plan = str(music.home / "dedup.plan")
    music("dedup", music.place.location, "--plan", plan)
    put(music, COPIES[0], 1, title=("Another title, and so another size",))
    before = music.place.tree()
    applied = music("apply", plan, codes=(4,))
    assert {error["code"] for error in applied.errors} == {"stale"}
    assert {error["path"] for error in applied.errors} == set(COPIES[1:])
    assert music.place.tree() == before


@pytest.mark.parametrize("kind", some_at_night(("s3_serve", "webdav"), night={"s3_serve"}))
def test_one_place_under_two_names_loses_nothing(
    request: pytest.FixtureRequest, library: Callable[..., Library], kind: str
) -> None:
    """It is scanned once. If the second name is not recognized, its marker shows that it is the same folder."""
    music = library(kind)
    put(music, "01 Song.flac", 1)
    server: RemoteServer = request.getfixturevalue(kind)
    before = music.tree()
    with http_proxy(server.port) as proxy:
        with Path(music.environment["RCLONE_CONFIG"]).open("a") as file:
            here = server.section("here").replace("127.0.0.1", "localhost")
            file.write(server.section("other") + here + server.section("hidden", port=proxy.port))
        for name in ("other", "here"):
            once = music(*DEDUP, music.place.location, server.fs(music.home.name, name=name))
            assert (once.summary["files_seen"], once.summary["ops_planned"]) == (1, 0)
        done = music(*DEDUP, music.place.location, server.fs(music.home.name, name="hidden"), codes=(2,))
        assert "are one folder" in done.errors[0]["message"]
    assert music.place.tree() == before


@pytest.mark.parametrize(
    ("kind", "request_of_a_move"), [("s3_serve", "DELETE"), pytest.param("webdav", "MOVE", marks=pytest.mark.nightly)]
)
def test_resume_also_notices_one_place_under_two_names(
    request: pytest.FixtureRequest, proxied: Callable[[str], tuple[Library, HttpProxy]], kind: str, request_of_a_move: str
) -> None:
    """Killed when the file was quarantined and its kept copy not yet checked: `resume` checks, and restores it. The marker, which
    would have shown that the folder is the same, could not be written.
    """
    music, proxy = proxied(kind)
    proxy.when(lambda seen: seen.path.partition("?")[0].endswith(MARKER), Refuse(403))
    put(music, "01 Song.flac", 1)
    server: RemoteServer = request.getfixturevalue(kind)
    with Path(music.environment["RCLONE_CONFIG"]).open("a") as file:
        file.write(server.section("other"))
    before = music.tree()
    victims: list[int] = []
    gone = Then(lambda: kill(victims[0], "both"), reply=True)
    proxy.when(lambda seen: seen.method == request_of_a_move and seen.path.partition("?")[0].endswith("Song.flac"), gone, times=1)
    started = music.start(*DEDUP, server.fs(music.home.name, name="other"), music.place.location)
    victims.append(started.pid)
    assert started.end().code < 0
    proxy.wait_until_idle()
    assert music.tree() == {}, "the only copy is in the quarantine"
    resumed = music("resume", codes=(9,))
    assert "the same file as" in resumed.errors[0]["message"]
    assert music.tree() == before


def test_a_link_to_the_library_inside_it_loses_nothing(library: Callable[..., Library]) -> None:
    music = library("local")
    put(music, "Album/01 Song.flac", 1)
    (music.home / "link").symlink_to(music.root)
    music(*DEDUP, music.place.location, str(music.home / "link"))
    assert len(music.tree()) == 1


def test_a_limit_a_reference_and_a_wrong_word(library: Callable[..., Library]) -> None:
    music = library("local")
    fill(music)
    before = music.place.tree()
    music(*DEDUP, music.place.location, "--max-delete", "1", codes=(7,))
    music(*DEDUP, music.place.location, "--keep", "bitrat", codes=(2,))
    under = music(*DEDUP, f"{music.place.location}/Downloads", "--reference", music.place.location, codes=(2,))
    assert "leave it out" in under.errors[0]["message"]
    music("dedup", music.place.location, "--delete", "--dedup", "report", codes=(2,))
    assert music.place.tree() == before
    music(*DEDUP, music.place.location, "--reference", f"{music.place.location}/Downloads/old", "--keep", "shortest_path")
    assert music.tree().keys() == before.keys() - {COPIES[1]}, "a complete album keeps its track, a reference its file"


@pytest.mark.parametrize("kind", some_at_night(("webdav", "sftp", "crypt"), night={"sftp", "crypt"}))
def test_equal_bytes_on_a_remote_without_hashes_are_found_with_checksum(library: Callable[..., Library], kind: str) -> None:
    music = library(kind)
    content = track_bytes("wav", None, seconds=0.5)
    for path in ("A/1.wav", "copies/1.wav"):
        music.place.put(path, content)
    music.place.put("other/1.wav", content[:-1] + b"Z")
    without = music("dedup", music.place.location)
    assert "duplicate" not in {event["type"] for event in without.events}
    report = music("dedup", music.place.location, "--checksum")
    assert [(event["path"], event["tier"]) for event in report.events if event["type"] == "duplicate"] == [("copies/1.wav", "T0")]
    size = 3 * len(content)
    (note,) = [event["message"] for event in report.events if event["type"] == "note" and "--checksum" in event["message"]]
    assert note == f"downloading 3 files ({size_text(size)}) of equal size to compare them (--checksum)"
    again = music("dedup", music.place.location, "--checksum", "--delete")
    assert not [event for event in again.events if event["type"] == "note" and "--checksum" in event["message"]]  # kept
    assert set(music.place.tree()) == {"A/1.wav", "other/1.wav"}


@pytest.mark.parametrize("kind", some_at_night(("s3_serve", "webdav", "local", "crypt"), night={"s3_serve", "local", "crypt"}))
def test_delete_only_deletes_what_is_proved(library: Callable[..., Library], kind: str) -> None:
    """T1: a whole FLAC is proved, one that is damaged in the middle is not. T3 is never deleted."""
    music = library(kind)
    said = {"artist": ("Band",), "album_artist": ("Band",), "album": ("Album",), "disc": 1}
    tags = [Track(title=(f"Song {number}",), track=number, **said) for number in range(4)]
    for number in (1, 2):
        whole = flac(12, number)
        kept = whole if number == 1 else whole[:40_000] + bytes(400) + whole[40_400:]
        music.place.put(f"Album/{number}.flac", tagged(kept, replace(tags[number], genre=("Rock",), composer=("C",))))
        music.place.put(f"copies/{number}.flac", tagged(whole, tags[number]))
    music.place.put("Album/3.wav", track_bytes("wav", replace(tags[3], genre=("Rock",)), seconds=2, serial=1))
    music.place.put("copies/3.wav", track_bytes("wav", tags[3], seconds=2, serial=2))
    before = music.tree()
    ended = music("dedup", music.place.location, "--delete", codes=(3,))
    assert {event["path"] for event in ended.events if event["type"] == "not-deleted"} == {"copies/3.wav"}
    (problem,) = ended.errors
    assert "its kept copy Album/2.flac is damaged" in problem["message"]
    left = Counter(music.place.tree().values())
    assert left == Counter(content for path, content in before.items() if path != "copies/1.flac")
    assert set(music.tree()) == {"Album/1.flac", "Album/2.flac", "Album/3.wav"}


def test_a_run_lists_as_left_only_what_its_own_command_leaves(tmp_path: Path) -> None:
    program, music = Program(tmp_path / "state"), tmp_path / "music"
    song = Track(title=("T",), artist=("A",), album_artist=("A",), album=("B",), track=1, disc=1, date="2001")
    make_track(music / "1.flac", "flac", song)
    make_track(music / "untagged.flac", "flac", None, serial=2)
    organized = program("organize", str(music), "--yes", codes=(3,)).run
    make_track(music / "again.flac", "flac", song)
    deduped = program("dedup", str(music), "--dedup", "quarantine", "--yes").run
    make_track(music / "2.flac", "flac", Track(title=("U",), artist=("A",), album=("B",), track=2, disc=1, date="2001"), serial=3)
    program("plan", str(music), "-o", str(tmp_path / "plan"))
    applied = program("apply", str(tmp_path / "plan"), "--yes").run
    undone = program("undo", str(organized), "--yes", codes=(0, 3)).run

    def left(run: str | None) -> list[str]:
        shown = program("runs", "show", str(run), "--left").events
        return [path for one in shown if one["type"] == "run-left" for _, path in one["files"]]

    assert [left(run) for run in (organized, deduped, applied, undone)] == [["untagged.flac"], [], ["untagged.flac"], []]
