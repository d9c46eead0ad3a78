"""Names as tags with the real program: the offer, the option, the config, undo, and what is said of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.track import Track
from tests.audio import make_track
from tests.program import Program

ALBUM = "Ann Bee - Sky (1979)"
OLD = {f"{ALBUM}/01 - Star.mp3", f"{ALBUM}/02 - Moon.mp3", "VA - Hits/1. Bob - Sun.mp3", "VA - Hits/2. Eve - Sea.mp3", "odd.mp3"}
NEW = {
    "Ann Bee/Sky (1979)/01 Star.mp3", "Ann Bee/Sky (1979)/02 Moon.mp3",
    "Various Artists/Hits/01 Bob - Sun.mp3", "Various Artists/Hits/02 Eve - Sea.mp3", "odd.mp3",
}  # fmt: skip
OFFER = (
    "5 files have no usable tags; 4 of them are named like {artist} - {album} ({year})/{track} - {title} or in 1 other way: "
    "--names-as-tags auto"
)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    directory = tmp_path / "music"
    for serial, path in enumerate(sorted(OLD)):
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        make_track(
            directory / path,
            "mp3",
            Track(title=("Track 01",), artist=("Unknown Artist",)) if serial == 0 else None,
            serial=serial + 1,
        )
    return directory


def files(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*.mp3")}


def test_names_are_offered_used_and_stay_where_they_are(music: Path, tmp_path: Path) -> None:
    program = Program(tmp_path / "state")
    contents = {path.read_bytes() for path in music.rglob("*.mp3")}
    offered = program("organize", str(music), "--yes", codes=(3,))
    assert OFFER in [event.get("message") for event in offered.events if event["type"] == "note"]
    assert next(event for event in offered.events if event["type"] == "plan")["counts"]["names_fit"] == 4
    assert files(music) == OLD

    done = program("organize", str(music), "--yes", "--names-as-tags", "auto", codes=(3,))
    assert files(music) == NEW
    assert {path.read_bytes() for path in music.rglob("*.mp3")} == contents, "tags are never written"
    assert [error["path"] for error in done.errors] == ["odd.mp3"]
    plan = next(event for event in done.events if event["type"] == "plan")
    assert plan["counts"]["from_names"] == 4
    assert plan["options"]["names_as_tags"] == ["auto"]
    reasons = [event["reason"] for event in done.events if event["type"] == "operation"]
    assert all("; from its name: {" in reason for reason in reasons)
    for option in (("--names-as-tags", "auto"), ("--names-as-tags", "off"), ()):
        assert program("plan", str(music), *option, codes=(3,)).summary["ops_planned"] == 0
    program("undo", done.run, "--yes")
    assert files(music) == OLD


def test_the_config_and_the_command_line(music: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    program = Program(tmp_path / "state", {"MUSIC_ORCHESTRATOR_CONFIG": str(config)})
    for setting, moved in (
        ("names_as_tags: auto\n", 4),
        ("names_as_tags: ['{artist} - {album} ({year})/{track} - {title}']\n", 2),
    ):
        config.write_text(setting)
        assert program("plan", str(music), codes=(3,)).summary["ops_planned"] == moved
    off = program("plan", str(music), "--names-as-tags", "off", codes=(3,))
    assert off.summary["ops_planned"] == 0
    assert not [event for event in off.events if event["type"] == "note"]
    config.write_text("jobs: {n: {organize: {source: ., names_as_tags: auto}}}\n")
    assert program("config", "validate").code == 0


def test_a_mistake_is_one_line_before_anything_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state"
    words = ["organize", str(tmp_path), "--yes", "--names-as-tags", "{artst} - {title}", "--state-dir", str(state)]
    assert run(words) == 2
    error = capsys.readouterr().err.strip()
    assert "did you mean {artist}?" in error
    assert "\n" not in error
    assert not (state / "catalogue.sqlite3").exists()
