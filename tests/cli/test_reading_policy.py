"""Whether reading tags saves requests or bytes: the profile decides, the config overrides it, the command line overrides both."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import make_track
from tests.program import Program
from tests.servers.remotes import RemoteServer


@pytest.fixture
def served(tmp_path: Path, webdav: RemoteServer) -> str:
    """A location on a remote whose profile saves requests, with one long song."""
    assert webdav.directory is not None
    song = webdav.directory / tmp_path.name / "in" / "a.flac"
    make_track(song, "flac", Track(title=("T",), artist=("A",), album=("B",)), seconds=30)
    with song.open("ab") as file:
        file.truncate(400_000)
    return webdav.fs(tmp_path.name)


def test_which_setting_counts(tmp_path: Path, served: str) -> None:
    remote = served.partition(":")[0]
    config = tmp_path / "config.yaml"
    config.write_text(f"remotes: {{{remote}: {{reading: few-bytes}}}}\n")
    numbers = iter(range(9))

    def bytes_read(*arguments: str) -> int:
        ended = Program(tmp_path / f"state{next(numbers)}")("scan", served, *arguments)
        return int(str(ended.summary["bytes_read"]))

    many = bytes_read()
    few = bytes_read("--reading", "few-bytes")
    assert few < many
    assert bytes_read("--config", str(config)) == few
    assert bytes_read("--config", str(config), "--reading", "few-requests") == many


def test_an_unknown_policy_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("remotes: {x: {reading: fast}}\n")
    program = Program(tmp_path / "state")
    program("scan", str(tmp_path), "--reading", "fast", codes=(2,))
    program("scan", str(tmp_path), "--config", str(config), codes=(2,))
