"""The documents do what they say: the commands of each page run as written, in their order.

Where a page uses a cloud, a folder of this machine stands for it, as a remote of the same name.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode
from scripts import demo_library
from tests import documents
from tests.documents import PROGRAM, ROOT
from tests.forked import shared
from tests.servers.process import serving

_NOT_RUN = {
    "schedules": "it installs timers on this machine",
    "tutorial": "it has a test of its own",
    "coming-from": "its command is refused, as it says",
    "config init": "there is a config",
    "queue drop 3": "nothing waits",
}
"""Pages and commands that are only parsed, and why."""

_OPENS_A_REVIEW = re.compile(r" --review\b| --conflict ask\b")
"""A review needs a terminal and somebody who decides: tests/end_to_end/test_review.py is both."""

_IN_EVERY_RUN = {"undo"}
_BEFORE = {
    "undo": ("dedup gdrive:Music --dedup quarantine", "organize gdrive:Music"),
    "monitoring": ("run nightly",),
    "report": ("organize gdrive:Music",),
}
"""What has been done before a page is of use."""

_REMOTES = ("gdrive", "dropbox", "s3", "my-aws", "vault", "nextcloud", "nas")
_LIBRARIES = (
    *("gdrive/Music", "gdrive/Music/Inbox", "gdrive/Inbox", "gdrive/Library", "dropbox/Music", "s3/my-bucket/music"),
    *("my-aws/music", "nextcloud/Music", "nas/music", "Music", "Inbox", "srv/music", "mnt/nas/music", "mnt/backup/music"),
)
_CONFIG = """
locations: {library: "nas:music"}
schemes: {s3: s3}
jobs: {nightly: {at: "02:30", steps: [{scan: {location: library}}]}}
"""


def commands_of(page: Path) -> list[list[str]]:
    """Each call of our program in the shell blocks of a page."""
    lines = documents.shell_lines(page.read_text(encoding="utf-8"))
    ours = [words for line in lines for words in documents.simple_commands(line) if words[:1] == [PROGRAM]]
    run = [words for words in ours if "[OPTIONS]" not in words and " ".join(words[1:]) not in _NOT_RUN]
    return [words for words in run if not _OPENS_A_REVIEW.search(" ".join(words))]


def runnable() -> list[object]:
    """The pages with commands that can be run here, as parameters of a test."""
    pages = [page for page in documents.PAGES if page.stem not in _NOT_RUN and commands_of(page)]
    return [pytest.param(page, id=page.stem, marks=[] if page.stem in _IN_EVERY_RUN else pytest.mark.nightly) for page in pages]


_TREE = re.compile(r"^((?:│   |    |[├└]── )*)(.+)$")


class Home:
    """The home of somebody who follows a document: its remotes, its folders, and where the shell is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.here = folder
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RCLONE_CONFIG": str(folder / "rclone.conf"),
            "MUSIC_ORCHESTRATOR_CONFIG": str(folder / "config.yaml"),
            "LANG": "C.UTF-8",
        }
        (folder / "rclone.conf").touch(mode=0o600)
        (folder / "config.yaml").touch()

    def run(self, line: str) -> str:
        """Run a command line, and return what it prints. Our program says yes to itself; what it skips is no failure."""
        words = [re.sub(r"^(~|/(?=mnt/|srv/))", f"{self.folder}/", word) for word in shlex.split(line)]
        if words[0] != PROGRAM:
            directory = ROOT if words[0].startswith("scripts/") else self.here
            return subprocess.run(words, cwd=directory, env=self.environment, check=True, capture_output=True, text=True).stdout
        with contextlib.chdir(self.here):
            started = shared().start(
                *words[1:], state=self.folder / "state", environment=self.environment, options=("--yes",) * ("--yes" not in words)
            )
            code, out, err = started.printed()
        assert code in {ExitCode.DONE, ExitCode.SOME_FAILED}, f"{line}: exit code {code}\n{out}{err}"
        return out


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of `scripts/demo --library`."""
    folder = tmp_path_factory.mktemp("messy")
    demo_library.main(folder)
    return folder


@pytest.mark.parametrize("page", runnable())
def test_each_command_of_a_page_works(page: Path, messy: Path, tmp_path: Path) -> None:
    home = Home(tmp_path)
    for library in _LIBRARIES:
        shutil.copytree(messy, tmp_path / library, dirs_exist_ok=True)
    for name in _REMOTES:
        (tmp_path / name).mkdir(exist_ok=True)
    remotes = "".join(f"[{name}]\ntype = alias\nremote = {tmp_path / name}\n\n" for name in _REMOTES)
    (tmp_path / "rclone.conf").write_text(remotes)
    (tmp_path / "config.yaml").write_text(_CONFIG)
    for command in _BEFORE.get(page.stem, ()):
        home.run(f"{PROGRAM} {command}")
    for words in commands_of(page):
        home.run(shlex.join(words))


def test_the_tutorial_ends_as_it_says(tmp_path: Path) -> None:
    home = Home(tmp_path)
    trees, printed = 0, ""
    with contextlib.ExitStack() as servers:
        for language, block in documents.fenced((ROOT / "docs/tutorial.md").read_text(encoding="utf-8")):
            if language == "sh":
                printed = follow(documents.lines(block), home, servers)
            elif block.startswith("Music\n"):
                trees += 1
                assert files_below(tmp_path / "practice/Music") == drawn(block)
            else:
                assert set(block.splitlines()) <= set(printed.splitlines())
    assert trees == 2
    assert not (tmp_path / "practice").exists()


def follow(lines: list[str], home: Home, servers: contextlib.ExitStack) -> str:
    """Run the lines of the tutorial, with its server on a free port, and return what they print."""
    printed = ""
    for line in lines:
        if line.startswith("cd "):
            home.here = home.folder / line.removeprefix("cd ~/")
        elif line.endswith(" &"):
            words = [
                str(home.here / word) if word in {"cloud", "server.log"} else word
                for word in shlex.split(line.removesuffix(" &"))
            ]
            served = partial(served_on, words)
            port, _ = servers.enter_context(serving(served, home.folder / "log", environment=home.environment))
            home.environment["PORT"] = str(port)
        elif not line.startswith((". ", "kill ")):
            printed += home.run(line.replace("8333", home.environment.get("PORT", "")))
    return printed


def served_on(words: list[str], port: int) -> list[str]:
    """The command of the tutorial's server, on this port."""
    return [word.replace("8333", str(port)) for word in words]


def files_below(folder: Path) -> set[str]:
    """The paths of its files, without those of the program."""
    paths = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {path for path in paths if not path.startswith(".")}


def drawn(tree: str) -> set[str]:
    """The paths of the files in a drawn tree."""
    folders: list[str] = []
    paths = []
    for line in tree.splitlines()[1:]:
        found = _TREE.match(line)
        assert found is not None
        depth = len(found[1]) // 4
        folders[depth - 1 :] = [found[2]]
        paths.append("/".join(folders))
    return {path for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
