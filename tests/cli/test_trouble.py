"""Unusable locations and bad moments: one clear line, the right exit code, and no change."""

from __future__ import annotations

import shutil
import signal
import socket
from pathlib import Path

import pytest

from orchestrator.apply.guard.lock import RunLock
from orchestrator.apply.journal.journal import Journal
from orchestrator.plan.plan_file import read_plan
from orchestrator.track import Track
from tests.audio import make_many, make_track
from tests.program import Ended, Program
from tests.servers.http import Hold, http_proxy
from tests.servers.process import free_port
from tests.servers.remotes import RemoteServer, with_remotes


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


def one_error(ended: Ended, code: str) -> str:
    assert [error["code"] for error in ended.errors] == [code], ended.errors
    message = str(ended.errors[0]["message"])
    assert "\n" not in message
    return message


def test_a_missing_bucket_is_2(program: Program, s3_moto: RemoteServer) -> None:
    message = one_error(program("organize", f"{s3_moto.name}:no-such-bucket/x", "--yes", codes=(2,)), "usage")
    assert "no-such-bucket" in message


def test_a_target_in_a_missing_bucket_is_2_and_a_missing_folder_is_created(
    tmp_path: Path, program: Program, s3_moto: RemoteServer, webdav: RemoteServer
) -> None:
    make_track(tmp_path / "source" / "x.flac", "flac", Track(title=("T",), artist=("A",), album=("B",), track=1))
    one_error(program("organize", str(tmp_path / "source"), f"{s3_moto.name}:no-such-bucket/x", "--yes", codes=(2,)), "usage")
    made = program("organize", str(tmp_path / "source"), webdav.fs(f"{tmp_path.name}/a/b"), "--yes")
    assert made.summary["ops_done"] == 1


def test_transfers_through_this_machine_are_refused_with_cloud_only(
    tmp_path: Path, program: Program, webdav: RemoteServer
) -> None:
    make_track(tmp_path / "source" / "x.flac", "flac", Track(title=("T",), artist=("A",), album=("B",), track=1))
    refused = program("organize", str(tmp_path / "source"), webdav.fs(tmp_path.name), "--cloud-only", "--yes", codes=(2,))
    assert "--cloud-only" in one_error(refused, "usage")
    assert webdav.directory is not None
    assert not (webdav.directory / tmp_path.name).exists()
    program("organize", str(tmp_path / "source"), "--cloud-only", "--yes")


def test_an_unknown_remote_is_2_and_the_known_ones_are_listed(program: Program, s3_serve: RemoteServer) -> None:
    message = one_error(program("scan", "nowhere:x", codes=(2,)), "usage")
    assert f"{s3_serve.name}:" in message


def test_refused_credentials_are_6_and_no_secret_is_shown(tmp_path: Path, program: Program, s3_serve: RemoteServer) -> None:
    secret = "verysecretverysecret"
    section = s3_serve.section("refused").replace(s3_serve.options["secret_access_key"], secret)
    program.environment = with_remotes(tmp_path, section)
    location = s3_serve.fs("x", name="refused")
    ended = program("organize", location, "--yes", codes=(6,))
    message = one_error(ended, "auth")
    assert secret not in message + ended.stderr
    assert message.startswith(f"{location} refuses the credentials: `rclone config update refused` fixes them")
    checked = program("remotes", "check", location, codes=(6,))
    assert one_error(checked, "auth").startswith(f"{location} refuses the credentials")


def test_an_invalid_line_of_the_rclone_config_is_not_quoted(tmp_path: Path, program: Program) -> None:
    program.environment = with_remotes(tmp_path, "[x]\ntype = s3\nsecret_access_key SECRETLINE\n")
    log = tmp_path / "log"
    for command in (["remotes"], ["doctor"], ["scan", "x:b/c"]):
        ended = program(*command, "-vv", "--log-file", str(log), codes=(2,))
        (message,) = [one["message"] for one in (*ended.errors, *ended.failed_checks)]
        assert "could not parse line" in message
        assert str(tmp_path / "rclone.conf") in message
        assert "SECRETLINE" not in f"{ended.events}{ended.stderr}{log.read_text()}"


def test_an_unreachable_server_is_5_and_nothing_is_queued(tmp_path: Path, program: Program) -> None:
    program.environment = with_remotes(tmp_path, f"[away]\ntype = webdav\nurl = http://127.0.0.1:{free_port()}\n")
    ended = program("organize", "away:x", "--yes", codes=(5,))
    assert "away:x cannot be reached" in one_error(ended, "unreachable")
    assert ended.summary["run"] is None
    assert program("resume", "--yes").summary["ops_planned"] == 0


def test_a_plan_whose_server_went_away_is_5_in_one_line_and_nothing_is_queued(
    tmp_path: Path, program: Program, webdav: RemoteServer
) -> None:
    make_many(tmp_path / "many", 12)
    assert webdav.directory is not None
    shutil.copytree(tmp_path / "many", webdav.directory / tmp_path.name)
    plan = str(tmp_path / "x.plan")
    program("plan", webdav.fs(tmp_path.name), "-o", plan)
    away = f"[{webdav.name}]\ntype = webdav\nurl = http://127.0.0.1:{free_port()}\n"
    program.environment = with_remotes(tmp_path, away)
    assert "cannot be reached" in one_error(program("apply", plan, "--yes", codes=(5,)), "unreachable")
    program.environment = {}
    assert program("resume", "--yes").summary["ops_planned"] == 0
    assert program("apply", plan, "--yes").summary["ops_done"] == 12


def test_a_remote_that_needs_a_bucket_is_2_without_one(program: Program, s3_serve: RemoteServer) -> None:
    message = one_error(program("organize", f"{s3_serve.name}:", "--yes", codes=(2,)), "usage")
    assert "my-bucket" in message
    program("remotes", "check", f"{s3_serve.name}:")


def test_a_scan_without_a_bucket_says_that_it_means_all(program: Program, s3_serve: RemoteServer) -> None:
    notes = [event["message"] for event in program("scan", f"{s3_serve.name}:").events if event["type"] == "note"]
    assert f"{s3_serve.name}: means all buckets of the account" in notes[0]
    assert f"{s3_serve.name}:my-bucket/Music" in notes[0]


def test_an_empty_folder_in_a_bucket_is_fine(program: Program, s3_serve: RemoteServer) -> None:
    assert program("organize", s3_serve.fs("nothing-here"), "--yes").summary["files_seen"] == 0


def test_s3_urls_take_their_remote_from_the_environment(tmp_path: Path, program: Program, s3_moto: RemoteServer) -> None:
    program.environment = with_remotes(tmp_path) | {
        "AWS_ACCESS_KEY_ID": s3_moto.options["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": s3_moto.options["secret_access_key"],
        "AWS_ENDPOINT_URL": s3_moto.options["endpoint"],
        "AWS_REGION": "us-east-1",
    }
    source = tmp_path / "source"
    make_track(source / "x.flac", "flac", Track(title=("T",), artist=("A",), album=("B",), track=1))
    first = program("organize", str(source), "s3://music/from-url", "--yes")
    assert first.summary["ops_done"] == 1
    assert program("organize", "s3://music/from-url", "--yes").summary["ops_planned"] == 0
    undone = program("undo", first.run, "--yes")
    assert undone.summary["ops_done"] == 1
    items = [event for event in program("quarantine", "s3://music/from-url").events if event["type"] == "quarantined"]
    assert [item["path"] for item in items] == ["A/B/01 T.flac"]
    program("quarantine", "restore", items[0]["id"], "s3://music/from-url", "--yes")
    assert program("scan", "s3://music/from-url").summary["files_seen"] == 1
    program("undo", program("organize", str(source), "s3://music/again", "--yes").run, "--yes")
    young = program("quarantine", "empty", "s3://music/again", "--older-than", "1d", "--yes")
    assert young.summary["ops_planned"] == 0
    assert program("quarantine", "empty", "s3://music/again", "--yes").summary["ops_done"] == 1
    assert program("quarantine", "s3://music/again").events[0]["type"] == "summary"


def test_the_config_defines_remotes_locations_and_url_schemes(tmp_path: Path, program: Program, s3_serve: RemoteServer) -> None:
    options = "".join(f"      {key}: '{value}'\n" for key, value in s3_serve.options.items())
    config = tmp_path / "config.yaml"
    config.write_text(
        f"locations: {{lib: 'made:music/{tmp_path.name}'}}\nschemes: {{s3: made}}\n"
        f"remotes:\n  made:\n    type: s3\n    options:\n{options}"
        f"cloud:\n  provider: s3\n  bucket: music\n  remote_path: /{tmp_path.name}\n  options:\n{options}"
    )
    program.environment = with_remotes(tmp_path) | {"MUSIC_ORCHESTRATOR_CONFIG": str(config)}
    source = tmp_path / "source"
    make_track(source / "x.flac", "flac", Track(title=("T",), artist=("A",), album=("B",), track=1))
    first = program("organize", str(source), "lib", "--yes")
    assert s3_serve.directory is not None
    assert (s3_serve.directory / tmp_path.name / "A" / "B" / "01 T.flac").exists()
    for location in ("lib", f"made:music/{tmp_path.name}", f"s3://music/{tmp_path.name}", "cloud:", "cloud:A"):
        assert program("scan", location).summary["files_seen"] == 1, location
    assert program("undo", first.run, "--yes").summary["ops_done"] == 1


def test_options_are_added_to_a_remote_of_the_user(tmp_path: Path, program: Program, s3_serve: RemoteServer) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"remotes: {{mine: {{options: {{endpoint: 'http://127.0.0.1:{s3_serve.port}'}}}}}}\n")
    program.environment = with_remotes(tmp_path, s3_serve.section("mine", port=free_port())) | {
        "MUSIC_ORCHESTRATOR_CONFIG": str(config)
    }
    assert program("scan", s3_serve.fs("nothing here", name="mine")).code == 0


def test_a_target_that_cannot_be_created_is_reported_before_anything_is_done(tmp_path: Path, program: Program) -> None:
    make_many(tmp_path / "lib", 2)
    (tmp_path / "file").touch()
    for command in ("organize", "plan"):
        refused = program(command, str(tmp_path / "lib"), str(tmp_path / "file" / "x"), "--yes", codes=(2,))
        assert "is not a folder" in one_error(refused, "usage")
    for command in ("organize", "scan", "stats"):
        assert "is not a folder" in one_error(program(command, "/dev/null", "--yes", codes=(2,)), "usage")
    assert program("runs").events[0]["type"] == "summary"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody can make one")
def test_files_that_a_location_refuses_in_general_are_counted(tmp_path: Path, program: Program) -> None:
    make_many(tmp_path / "lib", 2)
    refused = program("organize", str(tmp_path / "lib"), "/proc/x", "--yes", codes=(2, 3))
    assert len(refused.errors) == 1
    assert refused.summary["ops_failed"] == refused.summary["ops_planned"]


def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path, program: Program) -> None:
    file = tmp_path / "file.flac"
    make_track(file, "flac", Track(title=("T",)))
    ended = program("organize", str(file), "--yes", codes=(2,))
    assert len(ended.errors) == 1


def test_a_target_inside_the_source_is_2_whatever_the_location_is_called(
    tmp_path: Path, program: Program, s3_moto: RemoteServer
) -> None:
    library = tmp_path / "lib"
    make_many(library, 2)
    here = f"[disk]\ntype = local\n\n[al]\ntype = alias\nremote = {library}\n\n"
    program.environment = with_remotes(tmp_path, here, s3_moto.section("one"), s3_moto.section("two")) | {
        "AWS_ACCESS_KEY_ID": s3_moto.options["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": s3_moto.options["secret_access_key"],
        "AWS_ENDPOINT_URL": s3_moto.options["endpoint"],
        "AWS_REGION": "us-east-1",
    }
    below = f"music/{tmp_path.name}"
    for source, target in (
        (str(library), f"disk:{library}/sub"),
        ("al:", f"{library}/sub"),
        (f"disk:{library}", "al:sub"),
        (f"one:{below}", f"two:{below}/sub"),
        (f"one:{below}", f"s3://{below}/sub"),
    ):
        refused = program("organize", source, target, "--yes", codes=(2,))
        assert "inside" in one_error(refused, "usage"), (source, target)
    for target in ("al:", f"disk:{library}"):
        planned = program("organize", str(library), target, "--dry-run").events[0]
        assert {planned["source"], planned["target"]} == {str(library)}, "the same place: in place"


def test_an_unfinished_run_is_finished_first_whatever_the_location_is_called(
    tmp_path: Path, program: Program, webdav: RemoteServer
) -> None:
    assert webdav.directory is not None
    make_many(webdav.directory / tmp_path.name, 3)
    location = webdav.fs(tmp_path.name, name="one")
    program.environment = with_remotes(tmp_path, webdav.section("one"), webdav.section("two"))
    plan = tmp_path / "x.plan"
    program("plan", location, "-o", str(plan))
    with Journal(program.state / "journal.sqlite3") as journal:
        run = journal.begin(read_plan(plan), "organize")
    again = program("organize", webdav.fs(name="two"), "--include", f"{tmp_path.name}/none/**", "--yes")
    assert any(f"{run} (organize {location}) was interrupted" in str(event.get("message")) for event in again.events)
    assert again.summary["ops_done"] == 3


def test_another_run_holds_the_lock(tmp_path: Path, program: Program) -> None:
    (tmp_path / "music").mkdir()
    with RunLock(program.state, command="organize"):
        ended = program("organize", str(tmp_path / "music"), "--yes", codes=(8,))
        assert "process" in one_error(ended, "locked")
        program("organize", str(tmp_path / "music"), "--dry-run")
        program("scan", str(tmp_path / "music"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_listing_with_130(tmp_path: Path, number: signal.Signals, program: Program) -> None:
    """A folder behind a pipe that is never answered keeps the program waiting until the signal."""
    port = free_port()
    program.environment = with_remotes(tmp_path, f"[mute]\ntype = webdav\nurl = http://127.0.0.1:{port}\nvendor = other\n")
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(60)
        process = program.start("organize", "mute:", "--yes")
        connection, _ = server.accept()
        with connection:
            process.send_signal(number)
            ended = program.end(process, timeout=30)
    assert ended.code == 130
    assert ended.summary["exit_code"] == 130
    one_error(ended, "interrupted")


def test_doctor_reports_what_is_wrong_and_how_to_fix_it(tmp_path: Path, program: Program) -> None:
    program.environment = only_these = with_remotes(tmp_path)
    well = program("doctor")
    assert all(event["ok"] for event in well.events if event["type"] == "check")
    (program.state / "catalogue.sqlite3").touch()
    (program.state / "catalogue.sqlite3").chmod(0o644)
    ill = program("doctor", codes=(3,))
    assert ["chmod 600" in one["remedy"] for one in ill.failed_checks] == [True]
    (program.state / "catalogue.sqlite3").write_bytes(b"no catalogue at all" * 1000)
    assert any("delete it" in error["message"] for error in program("doctor", codes=(9,)).failed_checks)
    (program.state / "catalogue.sqlite3").unlink()
    config = tmp_path / "c.yaml"
    config.write_text("locations: {a: 'absent:x'}\nremotes: {my_s3: {options: {storage_class: GLACIER}}}\n")
    program.environment = only_these | {"MUSIC_ORCHESTRATOR_CONFIG": str(config)}
    messages = [error["message"] for error in program("doctor", codes=(2,)).failed_checks]
    assert any("absent" in message for message in messages)
    assert any("remotes.my_s3: there is no such remote" in message for message in messages)
    config.write_text("nonsense: 1\n")
    broken = [error["message"] for error in program("doctor", codes=(2,)).failed_checks if "nonsense" in error["message"]]
    assert len(broken) == 1, "an error that stops every check is reported once"
    old = tmp_path / "rclone"
    old.write_text("#!/bin/sh\necho 'rclone v1.60.0'\n")
    old.chmod(0o755)
    program.environment = {}
    assert any("1.75.1" in error["message"] for error in program("doctor", "--rclone", str(old), codes=(2,)).failed_checks)


def test_remotes(program: Program, s3_serve: RemoteServer) -> None:
    listed = {event["name"]: event["backend"] for event in program("remotes").events if event["type"] == "remote"}
    assert listed[s3_serve.name] == "s3"
    (facts,) = [event for event in program("remotes", "check", s3_serve.fs()).events if event["type"] == "capabilities"]
    assert (facts["remote_type"], facts["move"], facts["reachable"]) == ("s3", False, True)


def test_remotes_check_takes_names_without_a_colon(tmp_path: Path, program: Program, webdav: RemoteServer) -> None:
    options = "".join(f"      {key}: '{value}'\n" for key, value in webdav.options.items())
    config = tmp_path / "config.yaml"
    config.write_text(
        f"cloud:\n  provider: webdav\n  options:\n{options}remotes:\n  made.1:\n    type: webdav\n    options:\n{options}"
    )
    program.environment = with_remotes(tmp_path, webdav.section("theirs")) | {"MUSIC_ORCHESTRATOR_CONFIG": str(config)}
    for name in ("cloud", "made.1", "theirs", "theirs:"):
        assert program("remotes", "check", name).events[0]["location"] == f"{name.rstrip(':')}:"
    message = one_error(program("remotes", "check", "absent", codes=(2,)), "usage")
    assert "no such remote" in message
    assert "theirs:" in message


def test_the_quarantine_of_a_missing_location_is_2(tmp_path: Path, program: Program, s3_moto: RemoteServer) -> None:
    for location in (str(tmp_path / "absent"), f"{s3_moto.name}:no-such-bucket/x"):
        one_error(program("quarantine", "list", location, codes=(2,)), "usage")
        one_error(program("quarantine", "empty", location, "--yes", codes=(2,)), "usage")
    (tmp_path / "there").mkdir()
    assert program("quarantine", "list", str(tmp_path / "there")).events[0]["type"] == "summary"


def test_a_log_is_kept_without_control_characters(tmp_path: Path, program: Program) -> None:
    (tmp_path / "music").mkdir()
    log = tmp_path / "log.txt"
    program("scan", str(tmp_path / "music"), "--log-file", str(log), "-v")
    assert log.exists()
    assert not any(ord(character) < 32 and character != "\n" for character in log.read_text())
    assert "cannot write the log file" in program("scan", ".", "--log-file", "/no/such/dir/log", codes=(2,)).errors[0]["message"]


def test_under_nohup_a_run_outlives_its_terminal(tmp_path: Path, program: Program, webdav: RemoteServer) -> None:
    assert webdav.directory is not None
    make_many(webdav.directory / tmp_path.name, 3)
    hold = Hold()
    with http_proxy(webdav.port) as proxy:
        program.environment = with_remotes(tmp_path, webdav.section("slow", port=proxy.port))
        proxy.when(lambda seen: seen.method == "MOVE", hold, times=1)
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            process = program.start("organize", webdav.fs(tmp_path.name, name="slow"), "--yes")
        finally:
            signal.signal(signal.SIGHUP, before)
        assert hold.held.wait(60)
        process.send_signal(signal.SIGHUP)
        hold.release.set()
        ended = program.end(process)
    assert (ended.code, ended.summary["ops_done"]) == (0, 3)


def test_a_signal_during_a_run_leaves_a_run_that_the_next_command_finishes(
    tmp_path: Path, program: Program, webdav: RemoteServer
) -> None:
    assert webdav.directory is not None
    root = webdav.directory / tmp_path.name
    make_many(root, 130)
    location = webdav.fs(tmp_path.name, name="slow")
    hold = Hold()
    with http_proxy(webdav.port) as proxy:
        program.environment = with_remotes(tmp_path, webdav.section("slow", port=proxy.port))
        proxy.when(lambda seen: seen.method == "MOVE", hold, times=1)
        process = program.start("organize", location, "--yes")
        assert hold.held.wait(60)
        process.send_signal(signal.SIGTERM)
        hold.release.set()
        stopped = program.end(process)
        assert (stopped.code, stopped.summary["ops_failed"]) == (130, 0)
        assert 0 < stopped.summary["ops_done"] < stopped.summary["ops_planned"] == 130
        assert "resume" in stopped.errors[-1]["message"]
        assert any("resume" in one["remedy"] for one in program("doctor", codes=(3,)).failed_checks)
        again = program("organize", location, "--yes")
    assert any("finishing it first" in event["message"] for event in again.events if event["type"] == "note")
    assert not (root / "unsorted").exists()
    assert len([path for path in root.rglob("*.mp3") if "unsorted" not in path.parts]) == 130
    assert [event["state"] for event in program("runs").events if event["type"] == "run"] == ["finished"]
