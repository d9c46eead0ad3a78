"""The README's commands do what it says: each is run as written, with remotes of the same names."""

from __future__ import annotations

import html
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import terminal_picture
from tests.documents import PROGRAM, ROOT, blocks, lines
from tests.library import make_library


def commands() -> list[str]:
    """Every line of every shell block, without its comment."""
    return [line for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"), "sh") for line in lines(block)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a music folder and with remotes named as in the README."""
    home = tmp_path / "home"
    make_library(home / "Music", count=12, oddities=False, seed=1)
    for index, folder in enumerate(("gdrive/Music", "gdrive/Inbox", "s3/my-bucket/music")):
        make_library(home / folder, count=12, oddities=False, seed=index + 2)
    remotes = "".join(f"[{name}]\ntype = alias\nremote = {home / name}\n\n" for name in ("gdrive", "s3"))
    (home / "rclone.conf").write_text(remotes)
    return home


def answer_yes(command: list[str], home: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command at a terminal that answers yes to every question, once it is asked."""
    ours, theirs = pty.openpty()
    output, answered = b"", 0
    try:
        with subprocess.Popen(
            command, cwd=home, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        ) as process:
            assert process.stdout is not None
            while block := process.stdout.read(1 << 16):
                output += block
                if output.count(b"[y]es") > answered:
                    answered += 1
                    os.write(ours, b"y\n")
    finally:
        os.close(ours)
        os.close(theirs)
    return process.returncode, output.decode()


@pytest.mark.timeout(300)
def test_each_command_of_the_readme_works(home: Path) -> None:
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"HOME": str(home), "PATH": beside, "RCLONE_CONFIG": str(home / "rclone.conf"), "LANG": "C.UTF-8"}
    ours = [line for line in commands() if line.startswith(PROGRAM)]
    assert len(ours) > 8
    last_run = ""
    for line in ours:
        words = [last_run if word == "RUN" else word for word in shlex.split(line)]
        words = [word.replace("~", str(home)) for word in words]
        code, output = answer_yes(words, home, environment)
        assert code == 0, f"{line}: exit code {code}\n{output}"
        last_run = (re.findall(r"\d{8}-\d{6}-[0-9a-f]{6}", output) or [last_run])[-1]


@pytest.mark.timeout(300)
def test_the_demo_works(tmp_path: Path) -> None:
    assert others()[0] == "scripts/demo"
    run_demo(ROOT, tmp_path)


def others() -> list[str]:
    """The lines that do not start our program."""
    return [line for line in commands() if not line.startswith(PROGRAM)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh one, without an environment."""
    copied = tmp_path / "checkout"
    shutil.copytree(ROOT, copied, ignore=shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__"))
    return copied


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_the_demo_makes_its_own_environment(checkout: Path, tmp_path: Path) -> None:
    run_demo(checkout, tmp_path)
    assert (checkout / ".venv" / "bin" / PROGRAM).exists()


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_the_lines_that_install_it_are_enough_in_an_empty_home(checkout: Path, tmp_path: Path) -> None:
    """With Python and the system's commands, and nothing else: rclone comes with it."""
    home, system = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    system.mkdir()
    (system / "python3").symlink_to(Path(sys.executable).resolve())
    demo, *install, tests = others()
    assert (demo, tests) == ("scripts/demo", "scripts/test")
    environment = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "LANG"))}
    ended = subprocess.run(
        ["/bin/sh", "-e", "-c", "\n".join([*install, f"{PROGRAM} doctor"])],
        cwd=checkout,
        env=environment | {"HOME": str(home), "PATH": f"{system}:/usr/bin:/bin", "PIP_NO_CACHE_DIR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{home}/mo/" in ended.stdout  # where its rclone is


def run_demo(checkout: Path, tmp_path: Path) -> None:
    """Run the demo of a checkout from another folder, and check that it works and leaves nothing behind."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "PATH", "LANG"))}
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    ended = subprocess.run(
        [str(checkout / "scripts" / "demo")],
        cwd=here,
        env=environment | {"HOME": str(home), "PIP_NO_CACHE_DIR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    before, _, after = ended.stdout.partition("== After")
    assert "== Before" in before
    assert "0 of 0 changes" in after or "nothing to do" in after
    assert list(here.iterdir()) == []
    left = [
        path.name for path in home.rglob("*")
    ]  # pip may leave files there, and so may the commands that it runs to identify the machine
    assert not [name for name in left if "music-orchestrator" in name or "rclone" in name]


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_the_picture_of_a_terminal_shows_what_the_program_shows_today() -> None:
    moments = terminal_picture.record()
    assert any(moment.text.endswith(terminal_picture.QUESTION) for moment in moments)
    described = re.search(r"<desc>(.*?)</desc>", terminal_picture.PICTURE.read_text(encoding="utf-8"), re.DOTALL)
    assert described is not None
    assert without_times(html.unescape(described[1])) == without_times(moments[-1].text), "run python scripts/terminal_picture.py"


def without_times(screen: str) -> str:
    return re.sub(r"\d+(\.\d+)? s\b|\(run \S+\)", "...", screen)
