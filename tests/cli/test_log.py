"""The log file: what it holds, its JSON, logrotate; and what stderr looks like in systemd's journal."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.errors import UsageError
from orchestrator.report.log import ROOT, LogFormat, logging_to
from tests.audio import make_many, track_bytes


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_CONFIG", str(path))
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_STATE_DIR", str(tmp_path / "state"))
    return path


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_log_holds_what_was_reported_from_the_beginning_to_the_end(config: Path, tmp_path: Path, log_format: str) -> None:
    config.write_text(f"log_file: {tmp_path}/log\nlog_format: {log_format}\n")
    assert run(["scan", str(tmp_path / "gone\nagain"), "-q"]) == 2
    text = (tmp_path / "log").read_text()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    begin, error, end = text.splitlines()
    if log_format == "json":
        first, second, third = map(json.loads, (begin, error, end))
        assert (first["level"], second["level"], second["code"]) == ("info", "error", "usage")
        assert third["summary"]["exit_code"] == 2
        begin, error, end = (one["message"] for one in (first, second, third))
    assert "scan begins" in begin
    assert r"gone\nagain' -q" in begin
    assert r"gone\nagain" in error
    assert "scan ended with 2 (usage or configuration) after" in end


def test_each_operation_and_skip_has_its_line_with_the_run(config: Path, tmp_path: Path) -> None:
    """rclone's answers to questions of ours ("is there a file?") are no errors."""
    config.write_text(f"log_file: {tmp_path}/log\nlog_format: json\n")
    make_many(tmp_path / "music", 3)
    (tmp_path / "music/no tags.mp3").write_bytes(track_bytes("mp3", None))
    assert run(["organize", str(tmp_path / "music"), "--yes", "-q"]) == 3
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    (ended,) = (line["summary"] for line in lines if "summary" in line)
    done = [line for line in lines if line.get("result")]
    assert len(done) == ended["ops_done"] == 3
    assert {(line["run"], line["verb"], line["result"]) for line in done} == {(ended["run"], "move", "done")}
    assert all(line["destination"].startswith(f"{tmp_path}/music/Artist") for line in done)
    assert (lines[0].get("run"), lines[-1]["run"]) == (None, ended["run"])
    assert [line["code"] for line in lines if line["level"] == "error"] == ["untagged"]
    skipped = "music/no tags.mp3: skipped: "
    assert [line["path"] for line in lines if skipped in line["message"]] == ["no tags.mp3"]


def test_an_operation_that_was_not_done_has_its_reason_in_the_log(config: Path, tmp_path: Path) -> None:
    config.write_text(f"log_file: {tmp_path}/log\n")
    make_many(tmp_path / "music", 2)
    gone = next((tmp_path / "music").rglob("*.mp3"))
    assert run(["plan", str(tmp_path / "music"), "-o", str(tmp_path / "plan"), "-q"]) == 0
    gone.unlink()
    assert run(["apply", str(tmp_path / "plan"), "--yes", "-q"]) == 3
    lines = (tmp_path / "log").read_text().splitlines()
    (why,) = [line for line in lines if " WARNING " in line and f"move {gone} -> " in line]
    assert re.search(r": (skipped|failed) \(.*gone.*\)$", why)


def test_the_log_of_rclone_is_json_as_well(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It notes that there is no rclone.conf."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("RCLONE_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    config.write_text(f"log_file: {tmp_path}/log\nlog_format: json\n")
    (tmp_path / "music").mkdir()
    assert run(["scan", str(tmp_path / "music")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert all({"time", "level", "message"} <= line.keys() for line in lines)
    assert any("rclone.conf" in line["message"] for line in lines if line.get("program") == "rclone")


def test_after_logrotate_the_log_goes_on_in_a_new_file(tmp_path: Path) -> None:
    log = logging.getLogger(f"{ROOT}.test")
    file = tmp_path / "log"
    with logging_to(file, sys.stderr, verbose=0):
        log.info("before")
        file.rename(tmp_path / "log.1")
        log.info("after")
    assert (tmp_path / "log.1").read_text().endswith(f" INFO [{os.getpid()}] before\n")
    assert file.read_text().endswith(f" INFO [{os.getpid()}] after\n")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_ends_no_command(tmp_path: Path) -> None:
    failures: list[OSError] = []
    with logging_to(Path("/dev/full"), sys.stderr, verbose=0, failed=failures.append):
        for _ in range(2):
            logging.getLogger(f"{ROOT}.test").info("lost")
    assert [one.errno for one in failures] == [errno.ENOSPC], "it is said once"


@pytest.mark.parametrize(
    "content",
    [
        track_bytes("flac", None),
        b"\xff\xfb\x90\x64" + b"\x55" * 100,
        b"#EXTM3U\nsong.flac\n",
        b"[00:01.00] lyrics of 2026-12-01T02:03:04.000Z INFO [1] \n",
        b"2026-12-01 02:03:04 another program\n",
        b'{"time": 1}\n',
    ],
    ids=["song", "headless song", "playlist", "lyrics", "other log", "other JSON"],
)
def test_nothing_is_added_to_a_file_that_is_no_log_of_ours(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "named by mistake"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="no log of music-orchestrator"), logging_to(file, sys.stderr, verbose=0):
        pass
    assert file.read_bytes() == content


@pytest.mark.parametrize("begins", ["", "    the rest of a traceback\n{line}", "{line}", "{line}" * 2])
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_log_of_ours_goes_on(tmp_path: Path, begins: str, log_format: LogFormat) -> None:
    file = tmp_path / "log"

    def one_line() -> None:
        with logging_to(file, sys.stderr, verbose=0, log_format=log_format):
            logging.getLogger(f"{ROOT}.test").info("a line")

    one_line()
    before = begins.format_map({"line": file.read_text()})
    file.write_text(before)
    one_line()
    assert file.read_text().startswith(before)
    assert file.read_text().count("a line") == before.count("a line") + 1


def test_a_pipe_that_nobody_reads_is_an_error_and_one_that_is_full_ends_no_command(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="cannot write the log file"), logging_to(pipe, sys.stderr, verbose=0):
        pass
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    failures: list[OSError] = []
    with logging_to(pipe, sys.stderr, verbose=0, failed=failures.append):
        for _ in range(200):
            logging.getLogger(f"{ROOT}.test").info("x" * 1000)
    assert [one.errno for one in failures] == [errno.EAGAIN], "it is said once"
    assert os.read(reader, 10)
    os.close(reader)


def test_only_run_goes_on_without_its_log(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "music").mkdir()
    config.write_text(f"log_file: {tmp_path}\njobs: {{n: {{scan: {{location: {tmp_path}/music}}}}}}\n")
    assert run(["scan", str(tmp_path / "music")]) == 2
    capsys.readouterr()
    assert run(["run", "-q"]) == 0
    assert capsys.readouterr().err == f"warning: log_file: cannot write the log file {tmp_path}: Is a directory\n"
    assert run(["run", "-q"]) == 0
    assert capsys.readouterr().err == "", "cron has mailed it"


def test_lines_for_the_journal_begin_with_their_priority(tmp_path: Path) -> None:
    """systemd names the stream in JOURNAL_STREAM; a stream that it does not name gets no prefixes."""
    for named, prefix in ((True, "<3>"), (False, "")):
        with (tmp_path / "stderr").open("w+") as stderr:
            found = os.fstat(stderr.fileno())
            stream = f"{found.st_dev}:{found.st_ino + (not named)}"
            words = [sys.executable, "-m", "orchestrator", "show", str(tmp_path / "nothing"), "-v"]
            subprocess.run(words, stderr=stderr, env={**os.environ, "JOURNAL_STREAM": stream}, check=False)
        lines = (tmp_path / "stderr").read_text().splitlines()
        assert lines[-1].startswith(f"{prefix}error: ")
        assert all(line.startswith("<") == named for line in lines)
        assert "\x1b" not in "".join(lines)
