"""The image: what its Dockerfile says is what the program needs on a read-only root, as an ordinary user without a name."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.audio import make_many
from tests.servers.process import check_possible

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
USER = 65012
JOBS = "jobs: {nightly: [{organize: {source: /music/in, target: /music/library, move: true}}]}\n"


def instructions(name: str) -> list[str]:
    """Of the last stage."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE.rpartition("\nFROM ")[2], re.MULTILINE)


ENVIRONMENT = dict(one.split("=", 1) for one in instructions("ENV"))


class Container:
    """Runs commands of the image, but with the Python and rclone of this checkout."""

    def __init__(self, home: Path) -> None:
        self.folders = {name: home / name for name in ("config", "state", "music")}
        for folder in self.folders.values():
            folder.mkdir()
        (self.folders["music"] / "library").mkdir()
        make_many(self.folders["music"] / "in", 3)
        config = self.folders["config"] / "music-orchestrator" / "config.yaml"
        config.parent.mkdir()
        config.write_text(JOBS)
        for path in [*self.folders.values(), *(path for folder in self.folders.values() for path in folder.rglob("*"))]:
            os.chown(path, USER, USER)
        self._root = home / "root"
        self._root.mkdir()

    def __call__(self, *command: str, without: str = "") -> subprocess.CompletedProcess[str]:
        volumes = {f"/{name}": str(folder) for name, folder in self.folders.items() if name != without} | {"/tmp": ""}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        words = [json.dumps(volumes), json.dumps(ENVIRONMENT | {"PATH": path}), str(USER), *command]
        started = [sys.executable, "-m", "tests.schedules.container", str(self._root), *words]
        return subprocess.run(started, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)


@pytest.fixture
def container(tmp_path: Path) -> Container:
    check_possible(sys.platform == "linux" and os.geteuid() == 0, "only root can make a root of its own for a test")
    return Container(tmp_path)


def test_the_image_does_its_jobs_on_a_read_only_root(container: Container) -> None:
    (command,) = [json.loads(entry) + json.loads(given) for entry, given in [(*instructions("ENTRYPOINT"), *instructions("CMD"))]]
    denied = container("/bin/sh", "-c", "touch /x /usr/x /opt/x; id -u; touch /tmp/x")
    assert (denied.stdout, len(denied.stderr.splitlines())) == (f"{USER}\n", 3), denied.stderr
    done = container(*command)
    assert (done.returncode, done.stderr) == (0, "")
    files = [path for path in (container.folders["music"] / "library").rglob("*") if path.suffix == ".mp3"]
    assert len(files) == 3
    assert {path.stat().st_uid for path in files} == {USER}
    assert (container.folders["state"] / "music-orchestrator" / "journal.sqlite3").exists()
    again = container(*command)
    assert (again.returncode, again.stdout + again.stderr) == (0, "")
    undone = container("music-orchestrator", "undo", "last", "--yes")
    assert undone.returncode == 0, undone.stderr
    assert len([*(container.folders["music"] / "in").rglob("*.mp3")]) == 3


def test_without_a_volume_for_the_state_nothing_is_done(container: Container) -> None:
    refused = container("music-orchestrator", "run", without="state")
    assert refused.returncode == 2
    assert "cannot use the state directory /state/music-orchestrator" in refused.stderr
    assert len([*(container.folders["music"] / "in").rglob("*.mp3")]) == 3


def test_the_image_holds_what_it_copies_and_is_not_for_root() -> None:
    copied = [word for line in re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]]
    assert all((ROOT / word).exists() for word in copied)
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    assert sorted(kept) == sorted(copied), "nothing else gets into the image"
    assert instructions("USER") == ["1000:1000"]


def test_the_docs_start_it_as_the_image_expects() -> None:
    text = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    (run,) = re.findall(r"docker run --rm --init (.*?)```", text, re.DOTALL)
    words = shlex.split(run.replace("\\\n", " "))
    assert {"--read-only", "--cap-drop"} <= {*words}
    targets = {word.rpartition(":")[2] for before, word in pairwise(words) if before == "--volume"}
    assert targets >= {ENVIRONMENT["XDG_CONFIG_HOME"], ENVIRONMENT["XDG_STATE_HOME"]}
    (manifest,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    pod = yaml.safe_load(manifest)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    mounts = {one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
    assert mounts == {ENVIRONMENT["XDG_CONFIG_HOME"], ENVIRONMENT["XDG_STATE_HOME"], ENVIRONMENT["TMPDIR"]}
    assert {one["name"] for one in pod["volumes"]} == {one["name"] for one in pod["containers"][0]["volumeMounts"]}
