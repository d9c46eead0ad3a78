"""(k) Requests a file, counted by kind at the server of each provider: scans, organizing, copies, duplicates, nothing to do.

    python -m benchmarks.requests [--only drive] [--only albums] [--files 120] [--details]

`--only` takes the name of a provider or of a task, any number of times. A task that changes something is counted without its
listing: the requests of the command, less those of the same command as a dry run just before, when all tags are known.
Requests that a server failed to answer (5xx) are left out, because rclone repeats them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks import measure
from benchmarks.measure import say
from benchmarks.music import make_music
from orchestrator.rclone.binary import Binary, find_rclone
from tests.audio import many_tracks
from tests.costs import kinds_of
from tests.forked import Forks
from tests.library import LibraryFacts
from tests.places import Place, PlaceThroughRclone, place_on
from tests.program import Ended
from tests.servers import remotes
from tests.servers.http import HttpProxy, Seen, http_proxy
from tests.servers.remotes import GcsRemote, RemoteServer

BUCKETS = ("s3_moto", "s3_serve", "gcs", "azure")
CLOUDS = ("drive", "dropbox")
PROVIDERS = (*BUCKETS, *CLOUDS, "wsgidav")
PER_ALBUM = 12
_SIZE = 500_000
"""Of a song: more than any first read of it."""
_REMOTE = "bench"
_SERVER_ERROR = 500
_CHANGES = {"MOVE": "move", "MKCOL": "folder", "move_v2": "move", "create_folder_v2": "folder"}
"""The methods, and the ends of paths, of changes that no price list tells from others -> what they are."""


class Goal(NamedTuple):
    """The most requests a file, or with `all_in_all` in a run."""

    most: float
    all_in_all: bool = False


_ORGANIZE = ("albums", "files", "renames")
_IN_BUCKETS = (*_ORGANIZE, "dedup")
GOALS: dict[tuple[str, str], Goal] = {
    **{(provider, "scan"): Goal(1.1) for provider in BUCKETS},
    **{(provider, "scan"): Goal(1.2) for provider in CLOUDS},
    **{(provider, task): Goal(5.6) for provider in ("s3_moto", "s3_serve", "gcs") for task in _IN_BUCKETS},
    **{("azure", task): Goal(6.6) for task in _IN_BUCKETS},
    **{("drive", task): Goal(3.7) for task in _ORGANIZE[1:]},
    **{("dropbox", task): Goal(3.3) for task in _ORGANIZE[1:]},
    **{(provider, task): Goal(12, all_in_all=True) for provider in CLOUDS for task in ("one album", "another album")},
}
"""Provider and task -> what is wanted."""


@dataclass
class Counted:
    """The requests of one command."""

    kinds: Mapping[str, float]
    """Kind -> number."""
    down: int
    """Bytes of content received."""
    seen: list[Seen] = field(repr=False)

    @property
    def total(self) -> float:
        """The number of all."""
        return sum(self.kinds.values())

    def less(self, other: Counted, *, parts: int = 1) -> Counted:
        """What is more than in another, as one of so many equal parts."""
        kinds = {kind: (self.kinds.get(kind, 0) - other.kinds.get(kind, 0)) / parts for kind in {*self.kinds, *other.kinds}}
        return Counted(kinds, self.down, self.seen)


class Bench:
    """A server of one kind behind a proxy that counts, and the program."""

    def __init__(self, kind: str, server: RemoteServer, proxy: HttpProxy, forks: Forks, work: Path) -> None:
        self.kind, self.proxy = kind, proxy
        self._server, self._forks, self._work = server, forks, work
        self._config = work / "rclone.conf"
        self._config.write_text(server.section() + server.section(_REMOTE, port=proxy.port))
        self._config.chmod(0o600)
        self._places = 0

    def library(self, songs: dict[str, bytes]) -> Place:
        """A new folder on the server that holds these files."""
        root = self._work / f"library{self._places}"
        for path, content in songs.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        return self.library_from(root, [*songs])

    def library_from(self, root: Path, paths: list[str]) -> Place:
        """The same for files of this machine."""
        self._places += 1
        place = place_on(self._server, f"music{self._places}", remote=_REMOTE)
        if isinstance(place, PlaceThroughRclone):
            place.command = (*place.command, "--config", str(self._config))
        place.fill(LibraryFacts(root, dict.fromkeys(paths, "")))
        return place

    def run(self, *command: str) -> tuple[Ended, Counted]:
        """Run a command on the library that was made last."""
        self.proxy.reset()
        environment = {"RCLONE_CONFIG": str(self._config), "XDG_CONFIG_HOME": str(self._work)}
        ended = self._forks.run(*command, state=self._work / f"state{self._places}", environment=environment)
        answered = [seen for seen in self.proxy.requests if (seen.status or 0) < _SERVER_ERROR]
        down = sum(seen.answer_bytes for seen in answered if self._of(seen) == "read")
        return ended, Counted(Counter(map(self._of, answered)), down, answered)

    def change(self, *command: str, operations: int) -> Counted:
        """Run a changing command, and count it without its listing; ends the benchmark unless it does what is expected."""
        self.run(*command, "--dry-run")
        _, listing = self.run(*command, "--dry-run")
        ended, counted = self.run(*command)
        done = ended.summary["ops_done"]
        if done != operations:
            raise SystemExit(f"{self.kind}: {command} did {done} operations instead of {operations}")
        return counted.less(listing)

    def _of(self, seen: Seen) -> str:
        """The kind of a request: as the price lists have it, with moves and new folders apart."""
        (kind,) = kinds_of(self.kind, [seen])
        if kind != "write":
            return kind
        path = seen.path.partition("?")[0]
        if self.kind == "drive":
            return "move" if seen.method == "PATCH" else "write" if "/upload/" in path else "folder"
        return _CHANGES.get(seen.method) or _CHANGES.get(path.rpartition("/")[2]) or kind


def _right(number: int) -> str:
    """Where the default layout puts a song of `many_tracks`."""
    album = number // PER_ALBUM
    return f"Artist {album // 3:08}/Album {album:08} ({1950 + album % 70})/{number % PER_ALBUM + 1:02} Title {number:08}.mp3"


def _songs(count: int, name: Callable[[int], str]) -> dict[str, bytes]:
    contents = (content for _, content in many_tracks(count, per_album=PER_ALBUM, size=_SIZE))
    return {name(number): content for number, content in enumerate(contents)}


def _albums(count: int) -> dict[str, bytes]:
    """Albums that are right but for the names of their folders, each with a cover."""
    songs = _songs(count, lambda number: f"Inbox/rip {number // PER_ALBUM}/{_right(number).rpartition('/')[2]}")
    covers = {f"Inbox/rip {album}/cover.jpg": b"\xff\xd8\xff picture %d" % album for album in range(count // PER_ALBUM)}
    return songs | covers


def _mixed(count: int) -> dict[str, bytes]:
    """Songs of all albums in every folder."""
    return _songs(count, lambda number: f"Inbox/mix {number % (count // PER_ALBUM)}/x{number:04}.mp3")


# The tasks: each gives lines of a table.

Line = tuple[str, int, Counted]
"""The name of what was done, the number of files, and the requests."""


def _scan(bench: Bench, count: int) -> Iterator[Line]:
    place = bench.library(_songs(count, lambda number: f"rip {number // PER_ALBUM}/x{number:04}.mp3"))
    yield "scan", count, bench.run("scan", place.location)[1]


def _formats(bench: Bench, count: int) -> Iterator[Line]:
    with measure.workspace() as work:
        paths = make_music(work, count)
        place = bench.library_from(work, paths)
        yield "formats", count, bench.run("scan", place.location)[1]


def _whole_albums(bench: Bench, count: int) -> Iterator[Line]:
    files = _albums(count)
    place = bench.library(files)
    yield "albums", len(files), bench.change("organize", place.location, operations=len(files))
    if bench.kind not in CLOUDS:
        return
    runs = []
    for albums in (1, 5):
        files = _albums(albums * PER_ALBUM)
        place = bench.library(files)
        runs.append(bench.change("organize", place.location, operations=len(files)))
    yield "one album", PER_ALBUM + 1, runs[0]
    yield "another album", PER_ALBUM + 1, runs[1].less(runs[0], parts=4)


def _file_by_file(bench: Bench, count: int) -> Iterator[Line]:
    place = bench.library(_mixed(count))
    yield "files", count, bench.change("organize", place.location, operations=count)


def _renames(bench: Bench, count: int) -> Iterator[Line]:
    place = bench.library(_songs(count, lambda number: _right(number).replace("Title", "song")))
    yield "renames", count, bench.change("organize", place.location, operations=count)


def _copy(bench: Bench, count: int) -> Iterator[Line]:
    place = bench.library(_mixed(count))
    target = f"{place.location} organized"
    yield "copy", count, bench.change("organize", place.location, target, "--copy", operations=count)


def _dedup(bench: Bench, count: int) -> Iterator[Line]:
    songs = _songs(count, _right)
    again = {f"again/{path}": content for path, content in [*songs.items()][: count // 2]}
    place = bench.library(songs | again)
    compare = ("--checksum",) if bench.kind == "wsgidav" else ()  # it lists no hashes
    counted = bench.change("dedup", place.location, "--dedup", "quarantine", *compare, operations=len(again))
    yield "dedup", len(again), counted


def _nothing(bench: Bench, count: int) -> Iterator[Line]:
    place = bench.library(_songs(count, _right))
    bench.run("organize", place.location)
    ended, counted = bench.run("organize", place.location)
    if ended.summary["ops_planned"]:
        raise SystemExit(f"{bench.kind}: there is something to do")
    yield "nothing", count, counted


TASKS: dict[str, Callable[[Bench, int], Iterator[Line]]] = {
    "scan": _scan,
    "formats": _formats,
    "albums": _whole_albums,
    "files": _file_by_file,
    "renames": _renames,
    "copy": _copy,
    "dedup": _dedup,
    "nothing": _nothing,
}


def _print(bench: Bench, line: Line, *, details: bool) -> None:
    name, files, counted = line
    total = counted.total
    kinds = ", ".join(f"{number / files:.2f} {kind}" for kind, number in sorted(counted.kinds.items()) if number)
    read = f"; {counted.down / files / 1024:.1f} KiB read" if counted.down else ""
    say(f"{bench.kind} {name}: {total / files:.2f} a file, {total:g} for {files} files ({kinds}{read})")
    if details:
        for seen in counted.seen:
            say(f"    {seen.status} {seen.method} {seen.path}")
    if goal := GOALS.get((bench.kind, name)):
        measured = total if goal.all_in_all else total / files
        measure.verdict(f"{bench.kind} {name}", measured, goal.most, at_least=False, unit="" if goal.all_in_all else " a file")
    if name == "nothing":
        others = total - counted.kinds.get("list", 0)
        measure.verdict(f"{bench.kind} nothing to do, beside the listing", others, 0, at_least=False)
    if bench.kind == "wsgidav" and name in {*_ORGANIZE, "copy", "dedup"}:
        useless = sum(seen.method == "MKCOL" and seen.status == 405 for seen in counted.seen)
        measure.verdict(f"wsgidav {name}, MKCOL for folders that are there", useless, 0, at_least=False)


def _start(kind: str, binary: Binary, home: Path) -> contextlib.AbstractContextManager[RemoteServer]:
    match kind:
        case "s3_serve" | "azure":
            return getattr(remotes, kind)(binary.path, home)  # type: ignore[no-any-return]  # found by its name
        case "drive" | "dropbox":
            return getattr(remotes, kind)()  # type: ignore[no-any-return]  # found by its name
        case _:
            return getattr(remotes, kind)(home)  # type: ignore[no-any-return]  # found by its name


def _bench(kind: str, tasks: list[str], options: argparse.Namespace, binary: Binary, forks: Forks) -> None:
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(measure.workspace())
        (work / "server").mkdir()
        server = stack.enter_context(_start(kind, binary, work / "server"))
        proxy = stack.enter_context(http_proxy(server.port))
        if isinstance(server, GcsRemote):
            server.download_through(proxy.port)
        bench = Bench(kind, server, proxy, forks, work)
        for task in tasks:
            for line in TASKS[task](bench, options.files):
                _print(bench, line, details=options.details)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = (*PROVIDERS, *TASKS)
    parser.add_argument("--only", action="append", choices=names, default=[], metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--files", type=int, default=120, help="how many songs, in albums of 12")
    parser.add_argument("--details", action="store_true", help="print each request")
    options = parser.parse_args()
    binary = find_rclone(None)
    os.environ.pop("MUSIC_ORCHESTRATOR_CONFIG", None)
    say(f"{measure.machine()}, rclone {binary.version}; requests at the server")
    providers = [kind for kind in PROVIDERS if kind in options.only] or [*PROVIDERS]
    tasks = [task for task in TASKS if task in options.only] or [*TASKS]
    with measure.workspace() as home, Forks(home) as forks:
        for kind in providers:
            _bench(kind, tasks, options, binary, forks)


if __name__ == "__main__":
    main()
