"""The program as a user calls it, on a disk of this machine: commands, exit codes, and what it prints."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from orchestrator.apply.journal.journal import Journal
from orchestrator.cli.main import run
from orchestrator.plan.plan_file import read_plan
from orchestrator.track import Track
from tests.audio import make_track
from tests.forked import shared
from tests.pages import read_page
from tests.program import COMMAND, Ended, Program
from tests.terminal import terminal

SUMMARY_KEYS = [
    *("type", "command", "run", "exit_code", "files_seen", "files_read", "bytes_read"),
    *("ops_planned", "ops_done", "ops_failed", "ops_skipped", "bytes_moved", "duration_s", "foreign_folders", "queued"),
    "estimate",
]


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def say(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run it as people do: without --json, on a pipe."""
    return shared().say(*arguments, state=state)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    for number in (1, 2, 3):
        track = Track(title=(f"Song {number}",), artist=("Band",), album=("Album",), track=number, date="2001")
        make_track(root / "in" / f"{number}.flac", "flac", track, serial=number)
    (root / "in" / "cover.jpg").write_bytes(b"picture")
    return root


ORGANIZED = {f"Band/Album (2001)/{name}" for name in ("01 Song 1.flac", "02 Song 2.flac", "03 Song 3.flac", "cover.jpg")}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "state")


def test_organize_then_nothing_then_undo(music: Path, program: Program) -> None:
    before = tree(music)
    first = program("organize", str(music), "--yes")
    assert set(tree(music)) == ORGANIZED
    assert sorted(tree(music).values()) == sorted(before.values())
    assert list(first.summary) == SUMMARY_KEYS
    assert (first.summary["ops_planned"], first.summary["ops_done"], first.summary["files_read"]) == (4, 4, 3)

    second = program("organize", str(music), "--yes")
    assert (second.summary["ops_planned"], second.summary["files_read"], second.summary["run"]) == (0, 0, None)

    back = program("undo", "last", "--yes")
    assert tree(music) == before
    assert back.summary["ops_done"] == 4
    again = program("undo", first.run, "--yes")
    assert (again.summary["ops_planned"], again.summary["ops_done"]) == (0, 0), "the second undo does nothing"
    assert tree(music) == before

    (refused,) = program("undo", "2", "--yes", codes=(2,)).errors
    assert first.run in refused["message"]
    assert back.run in refused["message"]
    assert program("runs", "show", back.run[:-1]).summary["run"] == back.run
    assert program("resume", "last", "--yes").summary["run"] == back.run
    assert program("runs", "abandon", "last", "--yes").summary["run"] == back.run

    redone = program("undo", back.run[:-1], "--yes")
    assert set(tree(music)) == ORGANIZED
    assert redone.summary["ops_done"] == 4
    program("undo", first.run, "--yes")
    assert tree(music) == before, "a redo can be undone again"


def test_plan_show_apply(music: Path, program: Program, tmp_path: Path) -> None:
    before = tree(music)
    file, page = tmp_path / "a.plan", tmp_path / "page.html"
    planned = program("plan", str(music), "-o", str(file))
    assert planned.summary["ops_planned"] == 4
    assert tree(music) == before
    program("plan", str(music), "-o", str(tmp_path / "b.plan"))
    first, second = (one.read_text().splitlines() for one in (file, tmp_path / "b.plan"))
    assert first[1:] == second[1:]
    shown = program("show", str(file), "--html", str(page))
    assert shown.code == 0
    assert {row[-1] for row in read_page(page).files("after")} == {path.rpartition("/")[2] for path in ORGANIZED}
    listed = program("show", str(file))
    assert [event["dst"]["path"] for event in listed.events if event["type"] == "operation"] == sorted(ORGANIZED)
    applied = program("apply", str(file), "--yes")
    assert applied.summary["ops_done"] == 4
    assert set(tree(music)) == ORGANIZED
    program("runs", "show", "last", "--html", str(page))
    assert "All 4 changes are done." in read_page(page).text
    assert set(read_page(page).files("after")) == {(str(music), *path.split("/")) for path in ORGANIZED}
    first_run = applied.summary["run"]
    stale = program("apply", str(file), "--yes", codes=(4,))
    assert (stale.summary["ops_done"], stale.summary["ops_skipped"]) == (0, 4)
    assert f"run {first_run} (apply {music}) has carried out this plan" in str(stale.events)
    assert set(tree(music)) == ORGANIZED
    assert f"undoes the run before it: {first_run} (apply {music})" in say("undo", "last", "--yes", state=program.state).stdout
    program("undo", first_run, "--yes")
    assert "has carried out this plan" not in str(program("apply", str(file), "--yes").events)


def test_the_result_of_the_run_finished_first_counts(music: Path, program: Program, tmp_path: Path) -> None:
    """`apply` and `undo` end with 3 if the interrupted run before them had to skip a file."""
    other, first, second = tmp_path / "other", tmp_path / "a.plan", tmp_path / "b.plan"
    make_track(other / "x.flac", "flac", Track(title=("T",), artist=("A",), album=("B",), track=1))
    program("plan", str(music), "--include", "in/1.flac", "--include", "in/2.flac", "-o", str(first))
    program("plan", str(music), "--include", "in/3.flac", "-o", str(second))
    with Journal(program.state / "journal.sqlite3") as journal:
        begun = journal.begin(read_plan(first), "organize")
    (music / "in" / "1.flac").unlink()
    applied = program("apply", str(second), "--yes", codes=(3,))
    assert (applied.summary["ops_done"], applied.summary["ops_skipped"]) == (2, 1)
    assert program("apply", str(second), "--yes", codes=(4,)).summary["ops_done"] == 0
    with Journal(program.state / "journal.sqlite3") as journal:
        assert not journal.run(begun).state.unfinished

    program("plan", str(other), "-o", str(first))
    with Journal(program.state / "journal.sqlite3") as journal:
        begun = journal.begin(read_plan(first), "organize")
    (other / "x.flac").unlink()
    assert program("undo", begun, "--yes", codes=(4,)).summary["ops_done"] == 0


def test_an_interrupted_sync_is_named_with_what_it_does_before_another_command_finishes_it(
    program: Program, tmp_path: Path
) -> None:
    here, there, saved = tmp_path / "here", tmp_path / "there", tmp_path / "a.plan"
    for folder in (here, there):
        folder.mkdir()
    (here / "x.txt").write_text("text")
    sync = ["sync", str(here), str(there)]
    program(*sync, "--to-cloud", "--delete-after", "--plan", str(saved), "--dry-run")
    with Journal(program.state / "journal.sqlite3") as journal:
        run = journal.begin(read_plan(saved), "sync")
    named = f"run {run} (sync --delete-after {here} {there}) was interrupted"

    def notes(ended: Ended) -> list[str]:
        return [event["message"] for event in ended.events if event["type"] == "note" and named in event["message"]]

    for command in (sync, ["organize", str(there)]):
        (note,) = notes(program(*command, "--dry-run"))
        assert "would finish it first" in note
        assert f"runs abandon {run}" in note
    assert (here / "x.txt").exists()
    (note,) = notes(program(*sync, "--yes"))
    assert "finishing it first" in note
    assert notes(program(*sync, "--dry-run")) == []


def test_an_undo_in_the_wrong_order_names_the_run_to_undo_first_and_each_file_with_its_location(
    music: Path, program: Program
) -> None:
    first = program("organize", str(music), "--yes")
    later = program("organize", str(music), "--layout", "flat", "--yes")
    warnings = [event["message"] for event in program("undo", first.run, "--dry-run").events if event["type"] == "warning"]
    assert len(warnings) == 1
    assert later.run in warnings[0]
    assert "moved 3 files on" in warnings[0]
    partly = program("undo", first.run, "--yes", codes=(3,))
    tracks = {path for path in ORGANIZED if path.endswith(".flac")}
    assert {(error["path"], error["location"]) for error in partly.errors} == {(path, str(music)) for path in tracks}
    program("undo", later.run, "--yes")
    in_order = program("undo", first.run, "--yes")
    assert [event for event in in_order.events if event["type"] == "warning"] == []


def test_names_with_the_quote_of_rclone_are_named_and_stop_nothing_else(music: Path, program: Program) -> None:
    """rclone lists U+201B as two, and then finds neither the folder nor the file."""
    folder, file = music / "Rock \u201bn\u2019 Roll", music / "\u201bx.flac"
    tags = Track(title=("\u201bCause",), artist=("\u201bTil Tuesday",), album=("Voices",), track=1)
    for path in (folder / "1.flac", file, music / "in" / "4.flac"):
        make_track(path, "flac", tags)
    for _ in range(2):
        errors = {error["path"]: error["message"] for error in program("organize", str(music), "--yes", codes=(3,)).errors}
        assert errors.keys() == {"Rock \u201b\u201bn\u2019 Roll", "\u201b\u201bx.flac"}
        assert all("U+201B" in message for message in errors.values())
    assert (folder / "1.flac").exists()
    assert file.exists()
    assert (music / "\u2018Til Tuesday" / "Voices" / "01 \u2018Cause.flac").exists(), "and it is in place there"


def test_a_damaged_plan_is_refused(music: Path, program: Program, tmp_path: Path) -> None:
    before = tree(music)
    file = tmp_path / "a.plan"
    program("plan", str(music), "-o", str(file))
    file.write_bytes(file.read_bytes().replace(b"01 Song 1.flac", b"01 Song X.flac"))
    refused = program("apply", str(file), "--yes", codes=(9,))
    assert refused.errors[0]["code"] == "integrity"
    assert tree(music) == before
    assert str(file) in refused.errors[0]["message"]
    assert program("apply", str(tmp_path / "absent"), "--yes", codes=(2,)).errors
    other = tmp_path / "notes.txt"
    other.write_text("no plan at all\n")
    assert program("show", str(other), codes=(2,)).errors[0]["message"].startswith(f"{other} is no plan file: ")


def test_dry_run_changes_nothing_and_its_code_says_what_is_pending(music: Path, program: Program) -> None:
    before = tree(music)
    assert program("organize", str(music), "--dry-run").summary["ops_planned"] == 4
    assert program("organize", str(music), "--dry-run", "--exit-code", codes=(10,)).summary["run"] is None
    assert tree(music) == before
    program("organize", str(music), "--yes")
    program("organize", str(music), "--dry-run", "--exit-code")
    (music / "broken.mp3").write_bytes(b"")
    broken = program("organize", str(music), "--dry-run", "--exit-code", codes=(3,))
    assert [error["path"] for error in broken.errors] == ["broken.mp3"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("options", "where"),
    [
        *(([], ">/dev/full"), ([], "2>/dev/full"), (["--json"], ">&-"), ([], ">&- 2>&- <&-")),
        *(
            pytest.param(*case, marks=pytest.mark.nightly)
            for case in ((["--json"], ">/dev/full"), (["-q"], ">/dev/full"), ([], ">&-"))
        ),
    ],
)
def test_a_report_that_cannot_be_printed_stops_no_work(music: Path, tmp_path: Path, where: str, options: list[str]) -> None:
    (music / "broken.mp3").write_bytes(b"")
    words = shlex.join([*COMMAND, "organize", str(music), "--yes", "--state-dir", str(tmp_path / "state"), *options])
    done = subprocess.run(["/bin/sh", "-c", f"{words} {where}"], capture_output=True, text=True, check=False, timeout=120)
    assert set(tree(music)) == {*ORGANIZED, "broken.mp3"}
    assert done.returncode == 3, "there was something else to say"
    assert "Traceback" not in done.stderr
    (music / "broken.mp3").unlink()
    listed = shlex.join([*COMMAND, "runs", "--state-dir", str(tmp_path / "state"), *options])
    ended = subprocess.run(["/bin/sh", "-c", f"{listed} {where}"], capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == (0 if where.startswith("2") else 1)
    assert ended.stderr.count("\n") == (1 if ended.returncode and "2" not in where else 0)
    assert "done" in ended.stdout or ended.returncode


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", ["--help", "--version", "--help --json", "organize --help"])
def test_help_that_cannot_be_printed_is_1_and_one_line(arguments: str) -> None:
    words = f"{shlex.join(COMMAND)} {arguments} >/dev/full"
    done = subprocess.run(["/bin/sh", "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write to stdout: No space left on device\n"


def test_no_output_replaces_a_file_of_another_kind(music: Path, program: Program, tmp_path: Path) -> None:
    plan, song, page = tmp_path / "a.plan", music / "in" / "1.flac", tmp_path / "a.html"
    before = tree(music)
    for _ in range(2):
        program("plan", str(music), "-o", str(plan))
        program("show", str(plan), "--html", str(page))
        program("stats", str(music), "--html", str(page))
    for arguments in (
        ["plan", str(music), "-o", str(song)],
        ["organize", str(music), "--yes", "--plan", str(song)],
        ["stats", str(music), "--html", str(song)],
        ["show", str(plan), "--html", str(song)],
        ["show", str(plan), "--html", str(plan)],
        ["verify", str(music), str(tmp_path), "--manifest", str(plan)],
        ["scan", str(music), "--log-file", str(song)],
    ):
        (error,) = program(*arguments, codes=(2,)).errors
        assert "is there that is no" in error["message"]
    assert tree(music) == before
    program("apply", str(plan), "--yes")


def test_a_change_without_a_terminal_needs_yes(music: Path, program: Program, tmp_path: Path) -> None:
    before = tree(music)
    plan = str(tmp_path / "x.plan")
    program("plan", str(music), "-o", plan)
    for arguments in (["organize", str(music)], ["apply", plan], ["resume"], ["sync", str(music), str(tmp_path / "b")]):
        refused = program(*arguments, codes=(2,))
        assert "--yes" in refused.errors[0]["message"]
        assert refused.summary["files_seen"] == 0
    for arguments in (["organize", str(tmp_path / "absent")], ["apply", str(tmp_path / "absent")], ["undo", "x"]):
        assert "--yes" not in program(*arguments, codes=(2,)).errors[0]["message"], "what is wrong comes first"
    command = [*COMMAND, "organize", str(music), "--state-dir", str(tmp_path / "state")]
    assert subprocess.run(command, input=b"y\n", capture_output=True, check=False, timeout=120).returncode == 2
    assert tree(music) == before


def test_options_may_stand_anywhere(music: Path, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    for arguments in (
        ["--json", "--state-dir", state, "organize", str(music), "--dry-run"],
        ["organize", "--json", "--dry-run", "--state-dir", state, str(music)],
        ["--dry-run", "organize", str(music), "--json", "--state-dir", state],
    ):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout.splitlines()[-1])["ops_planned"] == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["organize"],
        ["organize", "./x", "--no-such-option"],
        ["no-such-command"],
        ["organize", "nowhere", "--yes"],
        ["scan", "absent:x"],
        ["scan", "./absent"],
        ["undo", "no-such-run", "--yes"],
        ["resume", "no-such-run", "--yes"],
        ["runs", "show", "no-such-run"],
        ["organize", ".", "--yes", "--transfers", "0"],
        ["organize", ".", "--yes", "--max-delete", "lots"],
        ["organize", ".", "--yes", "--settle", "soon"],
        ["quarantine", "empty", ".", "--yes", "--older-than", "30"],
        ["organize", ".", "--yes", "--settle", "9" * 400],
        ["organize", ".", "--yes", "--keep", "foo"],
        ["organize", ".", "--yes", "--leftovers", "../x"],
        ["organize", ".", "--yes", "--layout", "a\udcff/{{ title }}"],
        ["runs", "show", "\udcff"],
        ["undo", "\udcff", "--yes"],
        ["scan", "./\udcff"],
        ["organize", ".", "--yes", "--bandwidth", "fast"],
        ["organize", ".", "--yes", "--layout", "{{ nonsense }}"],
        ["organize", ".", "--yes", "--config", "/no/such/file"],
        ["config", "get", "no.such.key"],
        ["config", "set", "no.such.key", "1"],
        ["plan", ".", "-o", "/no/such/folder/x.plan"],
        ["organize", ".", "--yes", "--plan", "."],
        ["remotes", "check", "absent"],
        [],
    ],
)
def test_a_usage_error_is_2_with_one_line_and_with_json_still_json(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ["--state-dir", str(tmp_path / "state")] if arguments else []
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    code = run([*arguments, "--json", *state])
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (2, "")
    assert [event["type"] for event in events] == ["error", "summary"]
    assert list(events[0]) == ["type", "code", "message", "path"]
    assert "\n" not in events[0]["message"]
    assert list(events[1]) == SUMMARY_KEYS
    assert events[1]["exit_code"] == 2


def test_an_extra_argument_reveals_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", "./x", "s3,secret_access_key=ab/SECRET:bucket"]) == 2
    assert "SECRET" not in capsys.readouterr().err


def test_an_include_that_matches_nothing_is_reported(music: Path, program: Program, tmp_path: Path) -> None:
    for command in ("organize", "plan", "dedup"):
        done = program(command, str(music), "--include", "[", "--include", "x/**", "--yes")
        (warning,) = [event["message"] for event in done.events if event["type"] == "warning"]
        assert "no file matches --include [ --include x/**" in warning
    done = say("organize", str(music), "--include", "[", "--yes", state=tmp_path / "state")
    assert done.stdout.splitlines()[:2] == ["nothing to do", "skipped: 4 files; -v says why"]


def test_target_inside_source_is_refused_and_source_inside_target_is_not(music: Path, program: Program) -> None:
    before = tree(music)
    refused = program("organize", str(music), str(music / "new"), "--yes", codes=(2,))
    assert "inside" in refused.errors[0]["message"]
    assert tree(music) == before
    program("organize", str(music / "in"), str(music), "--move", "--yes")
    assert set(tree(music)) == ORGANIZED


def test_an_empty_folder_is_fine_but_an_emptied_one_is_an_error(music: Path, program: Program, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("x")
    for name in ("empty", "texts"):
        done = say("organize", str(tmp_path / name), "--yes", state=tmp_path / "state")
        assert (done.returncode, done.stderr) == (0, "")
        assert any(line.endswith(": no music found") for line in done.stdout.splitlines())
        assert "where it belongs" not in done.stdout
    program("scan", str(music))
    for path in list(music.rglob("*.flac")):
        path.unlink()
    for _ in range(2):
        refused = program("organize", str(music), "--yes", codes=(7,)).errors[0]
        assert refused["code"] == "safety-limit"
        assert "scan --allow-empty" in refused["message"]
    program("scan", str(music), "--allow-empty")
    program("organize", str(music), "--yes")


def test_quiet_is_silent_when_there_was_nothing_to_do(music: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = say("organize", str(music), "--yes", "-q", state=state)
    assert "4 changes made" in first.stdout
    second = say("organize", str(music), "--yes", "-q", state=state)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_what_was_typed_before_the_question_does_not_answer_it(music: Path, tmp_path: Path) -> None:
    before = tree(music)
    with terminal("organize", str(music), state=tmp_path / "state") as person:
        person.press("y\ny\n")
        person.until("[w]rite plan")
        person.press("n\n")
        assert person.end() == 0
        assert "nothing was changed" in person.text
    assert tree(music) == before


def test_hostile_names_are_harmless_on_a_terminal(music: Path, tmp_path: Path) -> None:
    hostile = "a\x1b[31m\n\u202eb.flac"
    make_track(music / hostile, "flac", Track(title=("T\x1b]0;x\x07",), artist=("[bold]A",), album=("B",), track=1), serial=9)
    (music / "zero\x1b[2J.mp3").write_bytes(b"")
    done = say("organize", str(music), "--yes", "--dry-run", state=tmp_path / "state")
    assert done.returncode == 3
    for text in (done.stdout, done.stderr):
        assert not set(text) & {"\x1b", "\u202e", "\x07"}
    assert "\\u202eb.flac" in done.stdout
    assert "[2J.mp3" in done.stderr
    as_json = subprocess.run(
        [*COMMAND, "organize", str(music), "--dry-run", "--json", "--state-dir", str(tmp_path / "state")],
        capture_output=True,
        check=False,
    )
    assert b"\x1b" not in as_json.stdout
    assert as_json.stdout.isascii()


def test_a_suspect_file_is_reported_and_organized_like_any_other(music: Path, program: Program, tmp_path: Path) -> None:
    cut = music / "in" / "2.flac"
    cut.write_bytes(cut.read_bytes()[:-15])
    scanned = program("scan", str(music))
    (found,) = (event for event in scanned.events if event["type"] == "suspect")
    assert (found["path"], found["message"].startswith("cut short")) == ("in/2.flac", True)
    assert next(event for event in scanned.events if event["type"] == "scan")["suspect"] == 1
    shown = say("scan", str(music), state=tmp_path / "state")
    assert (shown.returncode, shown.stderr) == (0, f"suspect: in/2.flac: {found['message']}\n")
    assert "; 1 suspect" in shown.stdout

    file = tmp_path / "a.plan"
    planned = program("organize", str(music), "--yes", "--plan", str(file))
    assert set(tree(music)) == ORGANIZED
    assert [event["path"] for event in planned.events if event["type"] == "suspect"] == ["in/2.flac"]
    reasons = {event["src"]["path"]: event["reason"] for event in planned.events if event["type"] == "operation"}
    assert reasons["in/2.flac"] == f"layout; album artist inferred from its tracks: Band; suspect: {found['message']}"
    assert "suspect files" in say("show", str(file), state=tmp_path / "state").stdout
    quiet = say("organize", str(music), "--yes", "-q", state=tmp_path / "state")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_a_copy_does_not_change_the_source(music: Path, program: Program, tmp_path: Path) -> None:
    before = tree(music)
    target = tmp_path / "target"
    program("organize", str(music), str(target), "--yes")
    assert tree(music) == before
    assert set(tree(target)) == ORGANIZED
    assert program("organize", str(music), str(target), "--yes").summary["ops_planned"] == 0


def test_excluded_files_are_skipped_even_if_they_are_known(music: Path, program: Program) -> None:
    program("scan", str(music))
    done = program("organize", str(music), "--exclude", "2.flac", "--exclude", "*.jpg", "--yes")
    assert done.summary["ops_done"] == 2
    assert {"in/2.flac", "in/cover.jpg"} <= set(tree(music))


def test_untagged_files_stay_unless_a_directory_is_given(music: Path, program: Program) -> None:
    make_track(music / "odd.mp3", "mp3", None, serial=7)
    done = program("organize", str(music), "--yes", codes=(3,))
    assert (music / "odd.mp3").exists()
    assert [event["path"] for event in done.events if event["type"] == "skipped"] == ["odd.mp3"]
    program("organize", str(music), "--yes", "--untagged", "Unsorted")
    assert (music / "Unsorted" / "odd.mp3").exists()


def test_state_is_private_and_the_music_is_not(music: Path, program: Program) -> None:
    program("organize", str(music), "--yes")
    assert (music / "Band").stat().st_mode & 0o055 == 0o055
    assert program.state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in program.state.rglob("*")} == {0}


def test_a_directory_with_other_files_is_not_used_for_the_state(music: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared" / "of somebody").write_text("x")
    done = say("scan", str(music), state=tmp_path / "shared")
    assert done.returncode == 2
    assert "--state-dir" in done.stderr
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755


def test_a_reader_that_closes_the_pipe_stops_nothing(music: Path, tmp_path: Path) -> None:
    read, write = os.pipe()
    process = subprocess.Popen(
        [*COMMAND, "organize", str(music), "--yes", "--state-dir", str(tmp_path / "state")], stdout=write, stderr=subprocess.PIPE
    )
    os.close(read)
    os.close(write)
    _, complaints = process.communicate(timeout=120)
    assert (process.returncode, complaints) == (0, b"")
    assert set(tree(music)) == ORGANIZED


def test_a_file_that_vanishes_between_plan_and_apply_is_reported_and_the_rest_is_done(
    music: Path, program: Program, tmp_path: Path
) -> None:
    file = tmp_path / "a.plan"
    program("plan", str(music), "-o", str(file))
    (music / "in" / "2.flac").unlink()
    (music / "in" / "3.flac").write_bytes(b"something else")
    done = program("apply", str(file), "--yes", codes=(3,))
    assert {error["path"] for error in done.errors} == {"in/2.flac", "in/3.flac"}
    assert (done.summary["ops_done"], done.summary["ops_skipped"]) == (2, 2)
    assert (music / "in" / "3.flac").read_bytes() == b"something else"


@pytest.mark.parametrize(("answer", "moved"), [(b"y\n", True), (b"n\n", False)])
def test_at_a_terminal_it_shows_a_tree_and_asks(music: Path, tmp_path: Path, answer: bytes, moved: bool) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, "organize", str(music), "--state-dir", str(tmp_path / "state")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    seen = b""
    asked = False
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # how Linux reports that the other end is closed
            break
        if not block:
            break
        seen += block
        if b"[w]rite plan " in seen and not asked:
            asked = True
            os.write(ours, answer)
    os.close(ours)
    assert process.wait(60) == 0
    text = seen.decode()
    assert "├──" in text
    assert "Make these 4 changes?" in text
    assert text.index("├──") < text.index("tracks go to") < text.index("Make these")
    assert ("4 changes made" in text) is ("takes it back (run " in text) is moved
    assert (set(tree(music)) == ORGANIZED) is moved
