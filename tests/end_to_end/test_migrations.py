"""scripts/migrate and scripts/clean-up: copies are proved, no source changes unless told to, and a killed call is repeated."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.paths import is_clutter
from orchestrator.track import Track
from tests.audio import track_bytes
from tests.library import make_library
from tests.places import OWN, Place, digest, place_on, visible
from tests.processes import processes_below
from tests.servers.http import HttpProxy, Then, http_proxy
from tests.servers.remotes import DriveRemote, DropboxRemote, RemoteServer, with_remotes

SCRIPTS = Path(__file__).parents[2] / "scripts"
KILLS = (60, 90)
"""The first two calls are killed at these changing requests."""


def song(number: int) -> bytes:
    tags = Track(title=(f"Song {number}",), artist=("Ann",), album=("Blue",), track=number, disc=1, date="1990")
    return track_bytes("mp3", tags, seconds=0.3, serial=number)


FILES = {
    "in/1.mp3": song(1),
    "in/2.mp3": song(2),
    "in/cover.jpg": b"a front cover",
    "in/it's $(touch PWNED).mp3": track_bytes("mp3", None, seconds=0.3, serial=9),
    "again/copy of 1.mp3": song(1),
}
ORGANIZED = {"Ann/Blue (1990)/01 Song 1.mp3", "Ann/Blue (1990)/02 Song 2.mp3"}


class Scripts:
    """Our scripts, with the remotes of a test."""

    def __init__(self, home: Path, *sections: str) -> None:
        self.home = home
        self.dir = home / "it's the folder"
        own = str(Path(sys.executable).parent)
        self._environment = {**os.environ, **with_remotes(home, *sections), "PATH": f"{own}{os.pathsep}{os.environ['PATH']}"}

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        command = [str(SCRIPTS / name), "--dir", str(self.dir), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command,
            cwd=self.home,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __call__(self, name: str, *arguments: str, code: int = 0) -> str:
        process = self.start(name, *arguments)
        out, _ = process.communicate(timeout=900)
        assert process.returncode == code, out
        assert not (self.home / "PWNED").exists()
        return out

    def killed(self, proxy: HttpProxy, number: int, name: str, *arguments: str) -> None:
        """A call whose processes are all killed at the `number`-th changing request that the server sees."""
        started: list[subprocess.Popen[str]] = []

        def kill() -> None:
            for pid in [pid for pid, _ in processes_below(started[0].pid)] + [started[0].pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

        proxy.reset()
        proxy.at(number, Then(kill, reply=False))
        started.append(self.start(name, *arguments))
        out, _ = started[0].communicate(timeout=900)
        assert started[0].returncode == -signal.SIGKILL, out

    def manifest(self, name: str) -> list[dict[str, Any]]:
        header, *lines = [json.loads(line) for line in (self.dir / name).read_text().splitlines()]
        assert header["files"] == header["proved"] == len(lines)
        return lines


def filled(place: Place, files: dict[str, bytes]) -> Place:
    for path, content in files.items():
        place.put(path, content)
    return place


def contents(*files: dict[str, bytes]) -> set[str]:
    return {digest(content) for one in files for content in one.values()}


def not_rewritten(path: str) -> bool:
    """Whether its copy has the same bytes: no clutter, which is not copied, and no list of files, whose entries are updated."""
    return not is_clutter(path) and not path.endswith((".m3u8", ".cue"))


def quarantined(place: Place) -> set[str]:
    return {content for path, content in place.tree().items() if path.startswith(f"{OWN}quarantine/")}


def test_from_drive_to_a_bucket(drive: DriveRemote, s3_moto: RemoteServer, tmp_path: Path) -> None:
    """Shown, copied, proved, deduplicated; repeated without effect; and the source is emptied into its quarantine when told."""
    scripts = Scripts(tmp_path, drive.section("drive"), s3_moto.section("bucket"))
    source, target = place_on(drive, tmp_path.name, remote="drive"), place_on(s3_moto, tmp_path.name, remote="bucket")
    clutter = {"in/.DS_Store": b"of a desktop"}
    before = filled(source, {**FILES, **clutter}).tree()
    call = ("migrate", "--yes", source.location, target.location)

    shown = scripts("migrate", "--dry-run", source.location, target.location)
    assert re.search(r"^About \d+ requests, ", shown, re.MULTILINE)
    assert (source.tree(), target.tree()) == (before, {})
    scripts("migrate", source.location, target.location, code=2)  # nobody can be asked
    assert (source.tree(), target.tree()) == (before, {})

    scripts(*call, "--", "--transfers", "2")
    assert source.tree() == before
    assert {line["path"] for line in scripts.manifest("manifest-1.jsonl")} == set(FILES)
    organized = target.tree()
    assert sorted(visible(organized).values()) == sorted(contents(FILES))  # each content once
    assert quarantined(target) == contents({"1": FILES["in/1.mp3"]})

    assert "Proved by an earlier call" in scripts(*call, "--empty-source")
    emptied = target.tree()
    cover = {"Leftovers/in/cover.jpg": digest(FILES["in/cover.jpg"])}  # it was left without its music, and has moved
    assert emptied == {**organized, **cover}
    assert visible(source.tree()) == {}
    assert quarantined(source) == contents(FILES, clutter) - set(cover.values())
    scripts(*call, "--empty-source")  # a call that was stopped here is repeated
    assert (visible(source.tree()), target.tree()) == ({}, emptied)


@pytest.mark.nightly
def test_from_dropbox_and_a_nas_into_one_library(dropbox: DropboxRemote, s3_moto: RemoteServer, tmp_path: Path) -> None:
    """What both hold is kept once; what the target cannot get keeps the sources and all copies as they are."""
    scripts = Scripts(tmp_path, dropbox.section("dropbox"), s3_moto.section("bucket"))
    one, target = place_on(dropbox, tmp_path.name, remote="dropbox"), place_on(s3_moto, tmp_path.name, remote="bucket")
    disk = tmp_path / 'the nas\'s "music" $HOME'
    nas = Place(str(disk), disk)
    more = {"Ann - Song 1.mp3": song(1), "x/5.mp3": song(5), "papers/letter.txt": b"in a folder without music"}
    before = filled(one, FILES).tree(), filled(nas, more).tree()
    call = ("migrate", "--yes", one.location, nas.location, target.location)

    out = scripts(*call, code=3)
    assert "papers/letter.txt" in out
    assert "similar" in out  # no hash in common, and no tags: only --full proves it
    assert (one.tree(), nas.tree()) == before
    assert quarantined(target) == set()
    (disk / "papers/letter.txt").unlink()
    scripts(*call, "--full")
    assert one.tree() == before[0]
    assert len(scripts.manifest("manifest-1.jsonl")) == len(FILES)
    assert len(scripts.manifest("manifest-2.jsonl")) == 2
    assert sorted(visible(target.tree()).values()) == sorted(contents(FILES, {"5": song(5)}))
    other = scripts("migrate", "--yes", nas.location, target.location, code=2)
    assert "belongs to other locations" in other


def test_a_library_is_cleaned_up_in_place(tmp_path: Path) -> None:
    """Duplicates are quarantined only when the backup is proved to be all there."""
    scripts = Scripts(tmp_path)
    places = [Place(str(tmp_path / name), tmp_path / name) for name in ("-music", "backup")]
    music, backup = (filled(place, FILES | {"again/copy of 2.mp3": song(2)}) for place in places)
    before = music.tree()
    backup.put("only/here.mp3", song(7))
    call = ("clean-up", "--backup", backup.location)

    scripts(*call, "--dry-run", music.location)
    assert music.tree() == before
    scripts(*call, "--yes", music.location, code=3)
    assert set(visible(music.tree()).values()) == contents(FILES)
    assert quarantined(music) == set()
    music.put("only/here.mp3", song(7))
    for _ in range(2):
        scripts(*call, "--yes", music.location)
        assert sorted(visible(music.tree()).values()) == sorted(contents(FILES, {"7": song(7)}))
        assert quarantined(music) == contents({"1": song(1), "2": song(2)})
        assert {path for path in visible(music.tree()) if path.startswith("Ann/")} >= ORGANIZED, "named as if it had been alone"
    assert len(scripts.manifest("manifest.jsonl")) == len(FILES) + 2


def test_the_nightly_script_does_the_jobs_with_the_path_of_cron_and_passes_exit_codes_on(tmp_path: Path) -> None:
    filled(Place(str(tmp_path / "in"), tmp_path / "in"), {"1.mp3": song(1)})
    config = tmp_path / "config.yaml"
    config.write_text(f"jobs: {{nightly: {{organize: {{source: {tmp_path}/in}}}}}}\n")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

    def nightly(job: str) -> subprocess.CompletedProcess[str]:
        command = [str(SCRIPTS / "nightly.sh"), "--config", str(config), "--state-dir", str(tmp_path / "state"), job]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    assert "1 change made" in nightly("nightly").stdout
    assert (tmp_path / "in/Ann/Blue (1990)/01 Song 1.mp3").exists()
    again = nightly("nightly")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert nightly("nightyl").returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate", "one:"),
        ("migrate", "--new", "a:", "b:"),
        ("migrate", "a:", "b:", "--dir"),
        ("clean-up",),
        ("clean-up", "a:", "b:"),
    ],
)
def test_a_wrong_call_does_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    scripts = Scripts(tmp_path)
    scripts(*arguments, code=2)
    assert not scripts.dir.exists()


@pytest.fixture
def library(tmp_path: Path) -> Callable[[Place, int], dict[str, str]]:
    def fill(place: Place, seed: int) -> dict[str, str]:
        made = make_library(tmp_path / f"made{seed}", count=150, oddities=False, seed=seed)
        for path in made.files:
            if not (is_clutter(path) and isinstance(place.server, DropboxRemote)):  # which refuses it
                place.put(path, (made.root / path).read_bytes())
        return place.tree()

    return fill


@pytest.fixture
def bucket(s3_moto: RemoteServer, tmp_path: Path) -> Iterator[tuple[Place, str, HttpProxy]]:
    """A folder in a bucket, the section of rclone.conf that reaches it through a proxy, and the proxy."""
    with http_proxy(s3_moto.port) as proxy:
        yield place_on(s3_moto, tmp_path.name, remote="bucket"), s3_moto.section("bucket", port=proxy.port), proxy


@pytest.fixture
def proxy_before() -> Iterator[Callable[[RemoteServer], HttpProxy]]:
    """A function: a server -> a proxy before it."""
    with contextlib.ExitStack() as stack:
        yield lambda server: stack.enter_context(http_proxy(server.port))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["drive", "dropbox and nas", "in place"])
def test_300_files_killed_twice(
    request: pytest.FixtureRequest,
    library: Callable[[Place, int], dict[str, str]],
    bucket: tuple[Place, str, HttpProxy],
    tmp_path: Path,
    kind: str,
) -> None:
    call: tuple[str, ...]
    target, section, proxy = bucket
    other = request.getfixturevalue("dropbox" if kind == "dropbox and nas" else "drive")
    front = request.getfixturevalue("proxy_before")(other)
    scripts = Scripts(tmp_path, other.section("other", port=front.port), section)
    here = Place(str(tmp_path / "nas"), tmp_path / "nas")
    sources = [here] if kind == "in place" else [place_on(other, f"{tmp_path.name}-{one}", remote="other") for one in "ab"]
    if kind == "dropbox and nas":
        sources[1] = here
    befores = [library(source, number) for number, source in enumerate(sources, 1)]
    if kind == "in place":
        library(here, 2)
        befores = [here.tree()]
        for path in befores[0]:
            target.put(path, (tmp_path / "nas" / path).read_bytes())
        call = ("clean-up", "--yes", "--backup", here.location, target.location)
    else:
        call = ("migrate", "--yes", *(source.location for source in sources), target.location)

    if kind == "dropbox and nas":
        call += ("--full",)  # without a hash in common
    for number in KILLS:
        scripts.killed(proxy, number, *call)
        assert [source.tree() for source in sources] == befores
    proxy.reset()
    scripts(*call)
    assert [source.tree() for source in sources] == befores
    proved = sum(len(scripts.manifest(path.name)) for path in scripts.dir.glob("manifest*.jsonl"))
    assert proved == sum(not is_clutter(path) for before in befores for path in before)
    music = {content for before in befores for path, content in before.items() if not_rewritten(path)}
    assert music <= set(target.tree().values())
    if kind == "drive":
        scripts.killed(front, 10, *call, "--empty-source")
        front.reset()
        scripts(*call, "--empty-source")
        assert [visible(source.tree()) for source in sources] == [{}, {}]
        for source, before in zip(sources, befores, strict=True):
            assert {*before.values()} <= {*quarantined(source), *target.tree().values()}
