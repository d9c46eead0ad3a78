"""`organize --mirror` on real servers: the organized files go there as well, once each, and nothing there is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faulty import Library
from tests.places import Place, digest, visible
from tests.program import Ended, Program
from tests.servers.http import Drop, HttpProxy, Refuse, Seen, Then
from tests.servers.remotes import RemoteServer

HOME = "Band/Album (2001)"


class Run:
    """A source, a target and a mirror: folders of this machine, or folders of one location on a server."""

    def __init__(self, server: Library, home: Path, kinds: str) -> None:
        self.server = server
        self.source, self.target, self.mirror = (
            self._place(kind, name, home) for kind, name in zip(kinds.split(), ("source", "target", "mirror"), strict=True)
        )
        files = Library(self.source, server.forks, server.home, server.environment)
        self.tracks = {f"{HOME}/0{number} Song {number}.mp3": files.track(f"in/{number}.mp3", number) for number in (1, 2, 3)}
        self.source.put("in/cover.jpg", b"front")
        self.source.put("in/list.m3u", b"1.mp3\n2.mp3\n")

    def _place(self, kind: str, name: str, home: Path) -> Place:
        if kind == "local":
            (home / name).mkdir()
            return Place(str(home / name), home / name)
        place = self.server.place
        directory = None if place.directory is None else place.directory / name
        return Place(f"{place.location}/{name}", directory, place.server, f"{place.prefix}/{name}")

    @property
    def arguments(self) -> tuple[str, ...]:
        return "organize", self.source.location, self.target.location, "--mirror", self.mirror.location

    def __call__(self, *options: str, codes: tuple[int, ...] = (0,)) -> Ended:
        return self.server(*self.arguments, *options, "--yes", codes=codes)

    def is_in_sync(self, organized: Place | None = None) -> None:
        """A sync both ways has nothing to do, and knows both sides: a deletion on one is carried to the other."""
        target = organized or self.target
        before = tree(target)
        synced = ("sync", target.location, self.mirror.location, "--yes")
        assert self.server(*synced).summary["ops_planned"] == 0
        assert (tree(target), tree(self.mirror)) == (before, before)
        target.remove(f"{HOME}/cover.jpg")
        assert self.server(*synced).summary["b_deleted"] == 1
        assert tree(target) == tree(self.mirror) == {path: one for path, one in before.items() if "cover" not in path}

    def queued(self) -> list[str]:
        return [event["b"] for event in self.server("queue", "list").events if event["type"] == "queued"]


def tree(place: Place) -> dict[str, str]:
    return visible(place.tree())


@pytest.mark.parametrize(
    ("kinds", "verb"),
    [
        ("local s3 local", "--move"),
        ("s3 s3 s3", "--copy"),
        *(
            pytest.param(*case, marks=pytest.mark.nightly)
            for case in (
                ("local local s3", "--move"),
                ("local s3 local", "--copy"),
                ("s3 s3 s3", "--move"),
                ("s3 local s3", "--move"),
                ("s3 local local", "--move"),
            )
        ),
    ],
)
def test_what_is_organized_goes_to_the_mirror_too(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kinds: str, verb: str
) -> None:
    server, proxy = proxied("s3_moto")
    run = Run(server, tmp_path, kinds)
    before = tree(run.source)
    dry = run(verb, "--dry-run")
    (planned,) = (event for event in dry.events if event["type"] == "plan")
    on_server = kinds == "s3 s3 s3"
    assert planned["counts"]["to_mirrors"] == 5
    assert (planned["counts"].get("bytes_to_mirrors", 0) == 0) == on_server
    assert tree(run.mirror) == {}
    proxy.reset()
    done = run(verb)
    organized = tree(run.target)
    assert run.tracks.items() <= organized.items()
    assert len(organized) == 5
    assert tree(run.mirror) == organized
    assert tree(run.source) == (before if verb == "--copy" else {})
    if run.mirror.location.startswith("remote"):  # each file once, without any content if the server has it
        sent = [
            seen for seen in proxy.requests if seen.method == "PUT" and "/mirror/" in seen.path and "/.music-" not in seen.path
        ]
        assert len(sent) == 5
        assert (sum(seen.body_bytes for seen in sent) == 0) == on_server
    if kinds == "local s3 local":  # nothing is downloaded again that this disk had
        assert not [seen for seen in proxy.requests if seen.method == "GET" and seen.path.partition("?")[0].endswith(".mp3")]
    assert (run(verb).summary["ops_planned"], tree(run.mirror)) == (0, organized)
    # Undo takes back what it put there, as it does with every copy.
    server("undo", done.run, "--yes")
    assert (tree(run.source), tree(run.target), tree(run.mirror)) == (before, {}, {})
    assert server("sync", run.target.location, run.mirror.location, "--yes").summary["ops_planned"] == 0


def test_from_one_cloud_to_this_disk_and_to_another_cloud(
    library: Callable[..., Library], s3_moto: RemoteServer, tmp_path: Path
) -> None:
    server = library("drive")
    with Path(server.environment["RCLONE_CONFIG"]).open("a") as config:
        config.write(s3_moto.section("other"))
    run = Run(server, tmp_path, "drive local drive")
    prefix = f"{tmp_path.name}/mirror"
    run.mirror = Place(s3_moto.fs(prefix, name="other"), None, s3_moto, prefix)
    ended = run("--move")
    to_mirror = [event for event in ended.events if event["type"] == "operation" and event["dst"]["fs"] == run.mirror.location]
    assert {event["src"]["fs"] for event in to_mirror} == {run.target.location}  # nothing is downloaded twice
    organized = tree(run.target)
    assert (len(organized), tree(run.mirror), tree(run.source)) == (5, organized, {})


# rclone itself goes on for seconds when no S3 answers.
@pytest.mark.parametrize(
    ("kind", "kinds"), [("webdav", "local local webdav"), pytest.param("s3_moto", "local local s3", marks=pytest.mark.nightly)]
)
def test_a_mirror_that_is_away_is_queued_and_holds_up_nothing(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kind: str, kinds: str
) -> None:
    server, proxy = proxied(kind)
    run = Run(server, tmp_path, kinds)
    proxy.when(lambda _: True, Drop())
    assert run("--move", "--dry-run", codes=(5,)).summary["queued"] == 0
    ended = run("--move", codes=(5,))
    assert ended.summary["queued"] == 1
    assert [error["code"] for error in ended.errors] == ["unreachable"]
    organized = tree(run.target)
    assert (len(organized), tree(run.source)) == (5, {})
    # Once it is back, a run that only places new files leaves it in the queue; one that copies all that it lacks does not.
    proxy.reset()
    assert run("--move").summary["ops_planned"] == 0
    assert run.queued() == [run.mirror.location]
    whole = ("organize", run.target.location, "--mirror", run.mirror.location, "--yes")
    server(*whole, "--dry-run")
    assert run.queued() == [run.mirror.location]
    assert server(*whole).summary["ops_done"] == len(organized)
    assert run.queued() == []
    assert tree(run.mirror) == organized
    if kind == "s3_moto":  # elsewhere a file arrives under another name
        sent = [seen.path for seen in proxy.requests if seen.method == "PUT" and "/mirror/" in seen.path]
        assert len([path for path in sent if "/.music-" not in path]) == len(organized)


def test_a_queued_mirror_gets_its_folder_when_the_queue_is_flushed(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path
) -> None:
    server, proxy = proxied("webdav")
    run = Run(server, tmp_path, "local local webdav")
    proxy.when(lambda _: True, Drop())
    run("--copy", codes=(5,))
    proxy.reset()
    server("queue", "flush", "--yes")
    assert tree(run.mirror) == tree(run.target)
    assert run.queued() == []
    run.is_in_sync()


REFUSED = Refuse(403, {"Content-Type": "application/xml"}, b"<Error><Code>InvalidAccessKeyId</Code></Error>")


@pytest.mark.parametrize(
    ("kinds", "action", "code"),
    [
        ("local local s3", REFUSED, 6),
        pytest.param("local local s3", Drop(), 5, marks=pytest.mark.nightly),
        pytest.param("s3 local s3", Drop(), 5, marks=pytest.mark.nightly),
    ],
)
def test_a_mirror_that_is_lost_on_the_way_is_queued(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kinds: str, action: Refuse | Drop, code: int
) -> None:
    server, proxy = proxied("s3_moto")
    run = Run(server, tmp_path, kinds)
    lost: list[Seen] = []

    def gone(seen: Seen) -> bool:
        """From the second file on."""
        if seen.method == "PUT" and "/mirror/" in seen.path and "/.music-" not in seen.path:
            lost.append(seen)
        return len({seen.path for seen in lost}) > 1 and "/mirror" in seen.path.replace("%2F", "/")

    proxy.when(gone, action)
    ended = run("--move", codes=(code,))
    organized = tree(run.target)
    assert (len(organized), tree(run.source), ended.summary["queued"]) == (5, {}, 1)
    copied = tree(run.mirror)
    assert copied.items() < organized.items()
    assert any("mirror" in error["message"] for error in ended.errors)
    # Nothing is left to resume: the next command does not wait for the mirror.
    proxy.reset()
    assert server("resume", "--yes", codes=(0, 3, 5, 6)).summary["ops_done"] <= ended.summary["ops_done"]
    server("sync", run.target.location, run.mirror.location, "--to-cloud", "--yes")
    assert tree(run.mirror) == organized
    sent = [seen.path.partition("?")[0] for seen in proxy.requests if seen.method == "PUT" and "/.music-" not in seen.path]
    assert len(sent) == len(set(sent)) == len(organized) - len(copied)


@pytest.mark.parametrize("number", [6, *(pytest.param(number, marks=pytest.mark.nightly) for number in range(2, 26, 3))])
@pytest.mark.parametrize("kinds", ["s3 s3 s3", pytest.param("local s3 local", marks=pytest.mark.nightly)])
def test_a_run_that_was_killed_is_finished_by_the_next(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kinds: str, number: int
) -> None:
    server, proxy = proxied("s3_moto")
    run = Run(server, tmp_path, kinds)
    contents = sorted(tree(run.source).values())
    program = Program(server.home / "state", server.environment)
    started: list[int] = []
    proxy.reset()
    proxy.at(number, Then(lambda: os.kill(started[0], signal.SIGKILL), reply=bool(number % 2)))
    process = program.start(*run.arguments, "--move", "--yes")
    started.append(process.pid)
    killed = program.end(process).code
    assert killed in {-signal.SIGKILL, 0}  # there may be fewer changing requests
    proxy.reset()
    run("--move", codes=(0, 3))
    organized = tree(run.target)
    assert (tree(run.source), tree(run.mirror)) == ({}, organized)
    assert len(organized) == len(contents)
    assert run.tracks.items() <= organized.items()
    run.is_in_sync()


@pytest.mark.parametrize(
    "kind", ["webdav", *(pytest.param(kind, marks=pytest.mark.nightly) for kind in ("drive", "dropbox", "sftp", "s3_moto"))]
)
def test_a_mirror_in_place_gets_what_it_lacks_and_loses_nothing(
    library: Callable[..., Library], tmp_path: Path, kind: str
) -> None:
    """On WebDAV no listing has a hash."""
    server = library(kind)
    run = Run(server, tmp_path, f"local local {kind}")
    run.source.put("in/rip.log", b"all is well")
    here = run.source.location
    mirrored = ("organize", here, "--mirror", run.mirror.location, "--yes")
    server("organize", here, "--yes")
    organized = tree(run.source)
    assert server("plan", here, "--mirror", run.mirror.location).summary["ops_planned"] == len(organized)
    assert server(*mirrored).summary["ops_done"] == len(organized)
    assert (tree(run.source), tree(run.mirror)) == (organized, organized)
    assert server(*mirrored).summary["ops_planned"] == 0
    run.is_in_sync(run.source)
    run.source.put(f"{HOME}/cover.jpg", b"front")
    assert server(*mirrored).summary["ops_done"] == 1
    # Another file of that name stays, and is reported.
    path = f"{HOME}/cover.jpg"
    (tmp_path / "source" / path).write_bytes(b"tnorf")
    ended = server(*mirrored, codes=(3,))
    assert [(error["code"], error["path"]) for error in ended.errors] == [("conflict", path)]
    assert tree(run.mirror) == organized


def test_what_cannot_be_a_mirror(library: Callable[..., Library], tmp_path: Path) -> None:
    server = library("local")
    run = Run(server, tmp_path, "local local local")
    source, target, mirror = (place.location for place in (run.source, run.target, run.mirror))
    for wrong in (source, target, f"{source}/in", f"{target}/sub", str(tmp_path), f"{mirror}/.music-orchestrator/x"):
        ended = server("organize", source, target, "--mirror", wrong, "--yes", codes=(2,))
        assert len(ended.errors) == 1
    for twice in ([mirror, mirror], [mirror, f"{mirror}/sub"]):
        server("organize", source, target, *(word for one in twice for word in ("--mirror", one)), "--yes", codes=(2,))
    assert (tree(run.target), tree(run.mirror)) == ({}, {})
    # A folder that is not there is made, and a plan file has the mirrors in it; two get the same.
    second = str(tmp_path / "new/second")
    saved = str(tmp_path / "plan.jsonl")
    server("plan", source, target, "--mirror", mirror, "--mirror", second, "-o", saved)
    server("apply", saved, "--yes")
    assert tree(run.mirror) == tree(Place(second, Path(second))) == tree(run.target)
    assert len(tree(run.target)) == len(tree(run.source)) == 5
    run.is_in_sync()
    # A folder where a disk was mounted: nothing is copied there, and the other mirror gets what it lacks.
    disk = Path(mirror).rename(tmp_path / "disk")
    Path(mirror).mkdir()
    for path in (Path(second), Path(target)):
        (path / HOME / "01 Song 1.mp3").unlink()
    for command in (("apply", saved), (*run.arguments, "--mirror", second)):
        ended = server(*command, "--yes", codes=(7,))
        assert [(error["code"], "is the disk mounted?" in error["message"]) for error in ended.errors] == [("safety-limit", True)]
        assert [*Path(mirror).iterdir()] == []
    assert tree(Place(second, Path(second))).keys() == tree(run.target).keys() | {f"{HOME}/cover.jpg"}
    Path(mirror).rmdir()
    disk.rename(mirror)
    run(codes=(0,))
    assert tree(run.mirror) == tree(run.target)


def test_an_updated_playlist_takes_the_place_of_the_old_one_until_undo(library: Callable[..., Library], tmp_path: Path) -> None:
    server = library("local")
    run = Run(server, tmp_path, "local local local")
    old = b"in/1.mp3\nin/2.mp3\n"
    run.source.put("best.m3u", old)
    run.mirror.put("best.m3u", old)
    before = tree(run.source), tree(run.mirror)
    done = server("organize", run.source.location, "--mirror", run.mirror.location, "--yes")
    assert tree(run.mirror) == tree(run.source)
    assert (tmp_path / "mirror/best.m3u").read_text() == f"{HOME}/01 Song 1.mp3\n{HOME}/02 Song 2.mp3\n"
    assert digest(old) in run.mirror.tree().values()  # in the trash
    server("undo", done.run, "--yes")
    assert (tree(run.source), tree(run.mirror)) == before
