"""`stats` over real files: what people and programs see, and that hostile tags remain text."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.plan.music.statistics import collect
from orchestrator.profiles import price_lists
from orchestrator.report.statistics_view import show
from orchestrator.report.text_reporter import SHORTENED_ROWS, TextReporter
from orchestrator.track import Track
from tests.audio import make_track
from tests.cli.test_commands import say
from tests.library import LibraryFacts, make_library
from tests.pages import read_page
from tests.plan.test_statistics import album
from tests.program import Program
from tests.servers.remotes import RemoteServer


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> LibraryFacts:
    return make_library(tmp_path_factory.mktemp("library"), count=300, hostile="all")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


def test_the_counts_are_those_of_the_library(library: LibraryFacts, state: Path) -> None:
    ended = Program(state)("stats", str(library.root))
    kinds: dict[str, list[dict[str, object]]] = {}
    for event in ended.events:
        kinds.setdefault(event["type"], []).append(event)
    (totals,) = kinds["stats"]
    assert (totals["files"], totals["untagged"], totals["unreadable"], totals["suspect"], totals["unread"]) == (
        len(library.audio), len(library.untagged), len(library.unreadable), len(library.cut), 0,
    )  # fmt: skip
    assert totals["bytes"] == sum((library.root / path).stat().st_size for path in library.audio)
    assert totals["other_files"] == len(library.files) - len(library.audio)
    assert {one["path"] for one in kinds["stats-trouble"]} == {*library.unreadable, *library.cut}
    missing = {one["field"]: one["files"] for one in kinds["stats-missing"]}
    assert missing["genre"] == len(library.untagged) + sum(not track.genre for track in library.tracks.values())
    artists = Counter({one["artist"]: one["files"] for one in kinds["stats-artist"]})
    assert artists["Various Artists"] == sum(bool(track.compilation) for track in library.tracks.values())
    assert sum(artists.values()) == len(library.tracks)
    assert sum(int(str(one["files"])) for one in kinds["stats-decade"]) == len(library.tracks)
    assert Program(state)("stats", str(library.root)).summary["files_read"] == 0


def test_the_costs_of_a_library_here_and_at_each_provider(library: LibraryFacts, state: Path) -> None:
    ended = Program(state)("stats", str(library.root), "--cost", "--no-scan")
    (here,) = (event for event in ended.events if event["type"] == "stats-cost")
    assert (here["location"], here["prices"], here["month"]) == (str(library.root), "local", None)
    rows = {event["prices"]: event for event in ended.events if event["type"] == "stats-price"}
    assert set(rows) == {*price_lists(), "drive", "dropbox", "onedrive"}
    size = sum((library.root / path).stat().st_size for path in library.files)
    assert rows["s3"]["month"] == pytest.approx(size / 10**9 * 0.023, abs=1e-6)
    assert rows["drive"]["month"] is None
    said = say("stats", str(library.root), "--cost", "--no-scan", state=state).stdout
    assert "costs by        nothing: a disk of this machine" in said
    assert "flat rate" in said


def test_a_server_of_unknown_price_is_reported_as_that(s3_serve: RemoteServer, tmp_path: Path) -> None:
    location = s3_serve.fs("costs")
    ended = Program(tmp_path)("stats", location, "--cost")
    (here,) = (event for event in ended.events if event["type"] == "stats-cost")
    assert (here["prices"], here["currency"], here["month"], here["reorganization"]) == (None,) * 4
    config = tmp_path / "config.yaml"
    config.write_text(f"remotes: {{{s3_serve.name}: {{prices: s3}}}}")
    ended = Program(tmp_path)("stats", location, "--cost", "--config", str(config))
    (here,) = (event for event in ended.events if event["type"] == "stats-cost")
    assert (here["prices"], here["currency"], here["lists"]) == ("s3", "USD", 0.005)


def test_tags_are_never_interpreted(library: LibraryFacts, state: Path) -> None:
    done = say("stats", str(library.root), "-v", state=state)
    assert done.returncode == 0
    assert all(character == "\t" or character.isprintable() for line in done.stdout.splitlines() for character in line)
    names = {line.partition("\t")[0] for line in done.stdout.splitlines() if "\t" in line}
    assert names == {"formats", "quality", "missing", "decades", "artists", "incomplete albums", "damaged files"}


def test_a_page_has_all_of_it(library: LibraryFacts, state: Path, tmp_path: Path) -> None:
    done = say("stats", str(library.root), "--html", str(tmp_path / "page.html"), state=state)
    assert (done.returncode, "written to" in done.stdout + done.stderr) == (0, True)
    page = read_page(tmp_path / "page.html")
    assert f"{len(library.audio)} files of music" in page.text
    tables = {table["title"]: table["rows"] for table in page.facts["tables"]}
    assert {row[1] for row in tables["damaged files"]} >= {path for path in library.cut if path.isascii() and path.isprintable()}
    assert {chart["title"] for chart in page.facts["charts"]} >= {"Formats", "Quality", "Decades", "Where the space goes"}
    refused = say("stats", str(library.root), "--html", str(tmp_path / "nowhere" / "page.html"), state=state)
    assert (refused.returncode, "there is no folder" in refused.stderr) == (2, True)


def test_people_see_tables_and_the_top_of_long_ones() -> None:
    items = [
        item
        for number in range(SHORTENED_ROWS + 5)
        for item in album(f"{number}", artist=f"Artist {number:02} \x1b[2J", numbers=(1, 3))
    ]

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for verbose, rows in ((0, SHORTENED_ROWS), (1, SHORTENED_ROWS + 5)):
        out = Terminal()
        show(collect(items), "/music", TextReporter(out, Terminal(), io.StringIO(), verbose=verbose))
        text = out.getvalue()
        assert text.count("Artist ") == 2 * rows  # as an artist, and with an incomplete album
        assert ("and 5 more" in text) is not verbose
        assert "\x1b[2J" not in text


def test_an_empty_location_and_a_wrong_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = say("stats", str(tmp_path / "empty"), state=tmp_path / "state")
    assert (done.returncode, "no music found" in done.stdout) == (0, True)
    assert say("stats", str(tmp_path / "absent"), state=tmp_path / "state").returncode == 2


def test_only_selected_files_count(tmp_path: Path) -> None:
    for name in ("in", "out"):
        make_track(
            tmp_path / "music" / name / "1.flac", "flac", Track(title=("A",), artist=("B",), album=(name,)), serial=len(name)
        )
    ended = Program(tmp_path / "state")("stats", str(tmp_path / "music"), "--exclude", "out")
    assert next(event for event in ended.events if event["type"] == "stats")["files"] == 1
    assert json.dumps(ended.events).isascii()


def test_duplicates_are_counted_unless_turned_off(tmp_path: Path) -> None:
    track = Track(title=("A",), artist=("B",), album_artist=("B",), album=("C",), track=1, disc=1, date="2001")
    for path, audio_format in (("a.flac", "flac"), ("b.flac", "flac"), ("c.mp3", "mp3")):
        content = make_track(tmp_path / "music" / path, audio_format, track, seconds=3)
    program = Program(tmp_path / "state")
    kinds = {event["type"]: event for event in program("stats", str(tmp_path / "music")).events}
    assert kinds["stats"]["duplicates"] == 2
    assert (kinds["stats-duplicate"]["tier"], kinds["stats-duplicate"]["bytes"]) == ("T3", len(content))
    assert (kinds["stats-artist"]["duplicates"], kinds["stats-decade"]["duplicates"]) == (2, 2)
    plain = {event["type"]: event for event in program("stats", str(tmp_path / "music"), "--no-duplicates", "--no-scan").events}
    assert plain["stats"]["duplicates"] is None
    assert plain["summary"]["files_read"] == 0


def test_duplicates_are_those_of_dedup_once_it_has_read_them(tmp_path: Path) -> None:
    """Ogg files without tags: only their bytes show that they are equal, and `stats` reads none."""
    program, music = Program(tmp_path / "state"), tmp_path / "music"
    for path in ("a/1.ogg", "b/1.ogg", "b/2.ogg"):
        make_track(music / path, "ogg", None, serial=int(path[2]))

    def counted() -> tuple[int, int]:
        (totals,) = (event for event in program("stats", str(music)).events if event["type"] == "stats")
        return totals["duplicates"], totals["not_compared"]

    assert counted() == (0, 3)
    assert "0 files, 0 B (`dedup` also compares 3 of equal size)" in say("stats", str(music), state=program.state).stdout
    (found,) = (event for event in program("dedup", str(music), codes=(0, 3)).events if event["type"] == "duplicates")
    assert found["files"] == 1
    assert counted() == (1, 0)
