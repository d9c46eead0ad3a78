"""What people and programs see of a plan, however hostile its names are."""

from __future__ import annotations

import errno
import io
import json
import re
import threading
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator.errors import UsageError
from orchestrator.plan.model import ENTRIES_WITHOUT_FILE, Expect, Header, Operation, Plan, Skipped, Verb, operation_id
from orchestrator.records import Ref
from orchestrator.report import plan_view
from orchestrator.report.json_reporter import JsonReporter
from orchestrator.report.plan_tree import short_tree
from orchestrator.report.reporter import Column, Offer, Summary, duration_text, printable, width_of, with_location
from orchestrator.report.text_reporter import SHORTENED_LINES, TextReporter
from orchestrator.wording import size_text

EVIL = "<script>alert(1)</script>[bold]\x1b[2J\n\u202e\u200b\ud800&amp;"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def operation(src: str, dst: str, verb: Verb = Verb.MOVE) -> Operation:
    one, two = Ref("/m", src), Ref("/m", dst)
    return Operation(operation_id(verb, one, two), verb, one, two, 5, Expect(), "layout", dst.rpartition("/")[0])


def plan(*operations: Operation, skipped: tuple[Skipped, ...] = (), in_place: int = 2) -> Plan:
    header = Header(
        tool_version="0",
        created="2026-01-01T00:00:00+00:00",
        source="/m",
        target="/m",
        options={},
        config_sha256="",
        capabilities={},
        counts={"files": 3, "music": 2, "in_place": in_place},
        estimate={"requests": 4, "bytes": 2048, "cost": 0.5, "seconds": 61},
        plan_id="abc",
    )
    return Plan(header, operations, skipped)


def text_reporter(
    *, terminal: bool = False, quiet: bool = False, verbose: int = 0
) -> tuple[TextReporter, io.StringIO, io.StringIO]:
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    return TextReporter(out, err, io.StringIO("y\n"), quiet=quiet, verbose=verbose), out, err


def test_names_are_made_harmless() -> None:
    assert printable("Björk, 椎名 🎵") == "Björk, 椎名 🎵"
    assert printable("a\x1bb\nc\u202ed\ud800e\x9bf\u2028") == "a\\x1bb\\nc\\u202ed\\ud800e\\x9bf\\u2028"


def test_a_rename_in_two_steps_is_shown_as_one() -> None:
    temporary = ".music-orchestrator/tmp/0123456789abcdef0123"
    found = plan_view.steps(plan(operation("beck/x", temporary), operation(temporary, "Beck/x")))
    assert [(step.src.path, step.dst.path) for step in found] == [("beck/x", "Beck/x")]


@pytest.mark.parametrize("terminal", [True, False])
def test_people_see_the_plan_without_control_characters(terminal: bool) -> None:
    reporter, out, err = text_reporter(terminal=terminal)
    reporter.plan(plan(operation(EVIL, f"A/{EVIL}"), skipped=(Skipped(EVIL, "untagged", "no tags"),)))
    reporter.error("unreadable", f"bad {EVIL}", EVIL)
    reporter.close()
    for text in (out.getvalue(), err.getvalue()):
        assert "\x1b[2J" not in text
        assert not set(text) & {"\u202e", "\u200b", "\ud800"}
    assert "[bold]" in out.getvalue(), "markup in a name is only text"
    assert "`undo last` takes it back" in out.getvalue()


@pytest.mark.parametrize("lines", [8, 24])
def test_what_a_sync_does_on_each_side_stands_below_that_side(monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setenv("NO_COLOR", "1")
    there = [operation(f"{one}.mp3", f"Album/{one}.mp3") for one in range(3)]
    here = [replace(one, src=Ref("/b", one.src.path), dst=Ref("/a", one.dst.path)) for one in there]
    there = [replace(one, dst=Ref("/b", one.dst.path)) for one in there]
    made = plan(*here, *there)
    made = replace(made, header=replace(made.header, source="/a", target="/b", options={"sync": {}}))
    reporter, out, _ = text_reporter(terminal=True)
    reporter.plan(made)
    shown = [line.partition("  ")[0] for line in out.getvalue().splitlines()]
    assert shown[:3] == ["/a", "Album", "├── 0.mp3"]
    if lines > len(made.operations) * 3:
        assert shown[shown.index("/b") : shown.index("/b") + 3] == ["/b", "Album", "├── 0.mp3"]


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 35), (40, 10)])
def test_a_plan_and_its_question_fit_the_window(monkeypatch: pytest.MonkeyPatch, columns: int, lines: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setenv("NO_COLOR", "1")
    untagged = tuple(Skipped(f"{'無' * 40}/{one}/{two}.mp3", "untagged", "no tags") for one in range(9) for two in range(5))
    long = plan(*(operation(f"in{EVIL}/{one}", f"{'A' * 50}{one // 7}/{one}") for one in range(500)), skipped=untagged)
    reporter, out, err = text_reporter(terminal=True)
    for one in untagged:
        reporter.error(one.code, one.reason, one.path)
    reporter.plan(long)
    reporter.confirm("Make these 500 changes?", {"all lines": Offer(lambda: None, "")})
    shown = out.getvalue().splitlines()
    assert len(shown) < max(lines, 16)
    assert max(map(width_of, shown)) <= columns
    assert "more changes" in out.getvalue()
    said = " ".join(err.getvalue().split())
    assert said == "Make these 500 changes? [y]es [n]o [a]ll lines [?]", "the plan says what stays, once"


@pytest.mark.parametrize("sizes", [(1, 29, 3), (12,), (3, 2, 40, 1), (2, 2), (1,) * 30, (500, 1)], ids=str)
@pytest.mark.parametrize("height", [6, 9, 14, 40])
def test_a_short_tree_says_of_each_folder_how_much_more_it_has(sizes: tuple[int, ...], height: int) -> None:
    made = plan(*(operation(f"in/{one}/{two}", f"{one:02}/{two:03}") for one, size in enumerate(sizes) for two in range(size)))
    _, *lines = short_tree(made, lambda _, text: text, 80, height)
    assert len(lines) < height
    others = re.fullmatch(r"\.\.\. (\d+) more changes in (\d+) more folders?", lines[-1])
    beyond = (int(others[1]), int(others[2])) if others else (0, 0)
    folders: dict[str, list[str]] = {}
    for line in lines[:-1] if others else lines:
        if line[0].isdecimal():
            folders[line] = members = []
        else:
            members.append(line)
    for heading, members in folders.items():
        more = re.fullmatch(r"└── \.\.\. (\d+) more", members[-1])
        hidden = int(more[1]) - 1 if more else 0
        assert len(members) + hidden == int(heading.rpartition(" ")[2])
        assert [line[0] for line in members] == ["├"] * (len(members) - 1) + ["└"]
    assert sum(int(heading.rpartition(" ")[2]) for heading in folders) + beyond[0] == sum(sizes)
    assert (len(folders) + beyond[1], bool(folders)) == (len(sizes), True)


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (100, "(same tags; kept above because it has more tags)"),
        (80, "(same tags; it has more tags)"),
        (50, "(same"),
    ],
)
def test_a_duplicate_below_its_kept_copy_says_what_matters_first(columns: int, shown: str) -> None:
    kept = "new/Album/01 A song that is kept.mp3"
    one = operation("old/01 A song.mp3", "old/01 A song.mp3", Verb.QUARANTINE)
    for what in ("same tags as", "same tags of the lossless"):
        made = plan(replace(one, group=kept, reason=f"{what} {kept}, which is kept because it has more tags"))
        _, heading, line = short_tree(made, lambda _, text: text, columns, 24)
        assert heading.startswith("new/Album/01")
        assert line.startswith("└── quarantine old/01 A song.mp3  (")
        assert shown in line
        assert width_of(line) <= columns
    made = plan(replace(one, group=kept, reason="clutter"))
    assert [*short_tree(made, lambda _, text: text, 80, 24)][-1].endswith("(clutter)")


def test_a_long_plan_is_shortened_unless_verbose() -> None:
    number = SHORTENED_LINES * 2
    long = plan(*(operation(f"in/{one}", f"A/{one // 10}/{one}") for one in range(number)))
    for everything, verbose in ((True, 0), (False, 1)):
        reporter, out, _ = text_reporter(terminal=True, verbose=verbose)
        reporter.plan(long, everything=everything)
        assert out.getvalue().count("in/") == number
    reporter, out, _ = text_reporter()
    reporter.plan(long)
    assert out.getvalue().count("move in/") == SHORTENED_LINES
    assert f"and {number - SHORTENED_LINES} more" in out.getvalue()
    for everything, verbose in ((True, 0), (False, 1)):
        reporter, out, _ = text_reporter(verbose=verbose)
        reporter.plan(long, everything=everything)
        assert out.getvalue().count("move in/") == number


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_errors_that_are_alike_are_said_once_on_a_terminal_and_each_on_a_pipe(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", kind)
    for terminal, verbose, expected in ((True, 0, 2), (True, 1, 5), (False, 0, 5)):
        reporter, _, err = text_reporter(terminal=terminal, verbose=verbose)
        for one in range(5):
            reporter.error("failed", "it vanished", f"a{EVIL}/{one}", "/m")
        reporter.close()
        lines = [line for line in err.getvalue().splitlines() if "a<script>" in line or "5 files" in line]
        assert len(lines) == expected
        assert not set(err.getvalue()) & {"\u202e", "\u200b", "\ud800"}


@pytest.mark.parametrize("columns", ["50", "80"])
def test_commands_and_run_ids_are_not_broken_at_the_edge(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    command = "`music-orchestrator resume 20261130-195327-a35e3d`"
    reporter, out, err = text_reporter(terminal=True)
    reporter.error("interrupted", f"interrupted in good order; {command} finishes it, whenever that is convenient")
    reporter.note(f"plan written to /home/someone/music.plan; {command} carries it out")
    reporter.confirm("Delete these 13 files for good? This cannot be undone.", {"all lines": Offer(lambda: None, "")})
    for shown in (out.getvalue(), err.getvalue()):
        assert any(command in line for line in shown.splitlines())
        assert max(map(len, shown.splitlines())) <= max(int(columns), len(command) + 2)


def test_all_lines_go_to_the_pager_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINES", "24")
    long = plan(*(operation(f"in{EVIL}/{one}", f"A/{one}") for one in range(100)))
    for pager, paged in ((f"tee {tmp_path / 'seen'}", True), ("true", True), ("no-such-pager", False), ("", False)):
        monkeypatch.setenv("PAGER", pager)
        reporter = TextReporter(out := Terminal(), Terminal(), Terminal())
        reporter.plan(long, everything=True)
        assert ("├──" in out.getvalue()) is not paged
        assert "`undo last` takes it back" in out.getvalue(), "what matters stays on the screen"
    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert seen.count("in<script>") == 100
    assert not set(seen) & {"\u202e", "\u200b", "\ud800"}
    assert "\x1b[2J" not in seen


@pytest.mark.parametrize("asks", ["?", "help", "H"])
def test_a_question_is_explained_to_who_asks_and_asked_again(asks: str) -> None:
    for answer, expected in (("y", True), ("n", False), ("", False)):
        err = io.StringIO()
        reporter = TextReporter(io.StringIO(), err, io.StringIO(f"{asks}\n{answer}\n"))
        assert reporter.confirm("Sure?", {"all lines": Offer(lambda: None, "see all")}) is expected
        assert err.getvalue().count("Sure? [y]es [n]o [a]ll lines [?]") == 2
        assert "y  go on\nn  change nothing; so does any other answer\na  see all\n" in err.getvalue()


def test_offers_come_before_the_answer() -> None:
    seen: list[str] = []
    for answers, expected in (("a\nw\ny\n", True), ("all lines\nno\n", False), ("a\n", False), ("x\n", False)):
        reporter = TextReporter(io.StringIO(), io.StringIO(), io.StringIO(answers))
        offers = {"all lines": Offer(lambda: seen.append("a"), "see all"), "write plan": Offer(lambda: seen.append("w"), "write")}
        assert reporter.confirm("Sure?", offers) is expected
    assert seen == ["a", "w", "a", "a"]


def test_a_run_ends_with_what_was_done_what_stays_and_how_to_take_it_back() -> None:
    summary = Summary(command="organize", run="20261123-234454-4eb612", ops_planned=301, ops_done=299, ops_failed=2, duration_s=2)
    summary.ops_skipped = 39
    reporter, out, _ = text_reporter(terminal=True)
    reporter.summary(summary)
    assert out.getvalue().splitlines() == [
        "299 of 301 changes made in 2.0 s",
        "2 failed, 39 left as they are: `runs show last --left` says why",
        "`undo last` takes it back (run 20261123-234454-4eb612)",
    ]
    piped, on_pipe, _ = text_reporter()
    piped.summary(summary)
    assert on_pipe.getvalue() == "; ".join(out.getvalue().splitlines()) + "\n", "the same words in one line, for a mail from cron"
    of_jobs, of_all_runs, _ = text_reporter()
    of_jobs.summary(msgspec.structs.replace(summary, command="run"))
    assert "39 left as they are: `problems` says why" in of_all_runs.getvalue(), "its last run is only that of one step"
    summary.for_good = True
    reporter, out, _ = text_reporter(terminal=True)
    reporter.summary(summary)
    assert "undo" not in out.getvalue(), "nothing brings back what was deleted for good"


def test_a_playlist_with_entries_without_a_file_is_named_with_verbose_and_not_called_skipped() -> None:
    for verbose in (0, 1):
        reporter, out, _ = text_reporter(verbose=verbose)
        reporter.plan(plan(operation("a.m3u", "b.m3u"), skipped=(Skipped("a.m3u", ENTRIES_WITHOUT_FILE, "1 of 2"),)))
        assert ("\na.m3u: 1 of 2\n" in out.getvalue()) is (verbose > 0)
        assert "skipped" not in out.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_what_folders_told_is_shown_with_verbose(terminal: bool) -> None:
    told = "layout; album artist inferred: Ann; disc 1"
    one = msgspec.structs.replace(operation("in/x", "A/x"), reason=told)
    shown = {}
    for verbose in (0, 1):
        reporter, out, _ = text_reporter(terminal=terminal, verbose=verbose)
        reporter.plan(plan(one, operation("in/y", "A/y")))
        shown[verbose] = out.getvalue()
    assert "inferred" not in shown[0]
    assert "(album artist inferred: Ann; disc 1)" in shown[1]
    assert "layout" not in shown[1], "the paths show that"


def test_odd_files_are_reported_on_stderr_unless_quiet() -> None:
    for quiet in (False, True):
        reporter, out, err = text_reporter(quiet=quiet)
        reporter.finding("suspect", f"cut {EVIL}", f"a/{EVIL}")
        assert out.getvalue() == ""
        assert err.getvalue().startswith("suspect: a/") is not quiet
        assert not set(err.getvalue()) & {"\x1b", "\u202e", "\u200b", "\ud800"}
    stream = io.StringIO()
    JsonReporter(stream, io.StringIO(), quiet=True).finding("suspect", "cut", "a")
    assert json.loads(stream.getvalue()) == {"type": "suspect", "message": "cut", "path": "a"}


def test_skipped_files_are_reported_once() -> None:
    stays = plan(operation("a", "b"), skipped=(Skipped("c", "untagged", "no tags"), Skipped("d.cue", "ambiguous-sidecar", "two")))
    reporter, out, _ = text_reporter()
    reporter.plan(stays)
    assert "d.cue" in out.getvalue()
    assert "skipped c" not in out.getvalue(), "the command that made the plan has reported it as an error"
    reporter, out, _ = text_reporter()
    reporter.plan(stays, everything=True)
    assert "skipped c: no tags" in out.getvalue()


def test_a_problem_names_its_file_whatever_it_is_called() -> None:
    for path, message, shown in (
        ("9.txt", "has the content of 99.txt", "9.txt: has the content of 99.txt"),
        ("link", "is a link or shortcut", "link: is a link or shortcut"),
        ("9.txt", "9.txt: could not be read", "9.txt: could not be read"),
        ("a/9.txt", "/m/a/9.txt: could not be read", "/m/a/9.txt: could not be read"),
        ("/m/log", "cannot write /m/log", "cannot write /m/log"),
        ("a/9", "has the content of a/99", "a/9: has the content of a/99"),
    ):
        reporter, _, err = text_reporter()
        reporter.error("link", message, path)
        assert err.getvalue() == f"error: {shown}\n"


def test_files_that_wait_are_not_called_in_place() -> None:
    for code, in_place, says in (
        ("left-alone", 0, "nothing to do\nskipped: 1 file; -v says why\n"),
        ("unreadable", 0, "nothing to do\n"),
        ("unreadable", 2, "nothing to do: all other files are where they belong\n"),
    ):
        reporter, out, _ = text_reporter()
        reporter.plan(plan(skipped=(Skipped("c", code, "why"),), in_place=in_place))
        assert out.getvalue().endswith(says)
    reporter, out, _ = text_reporter()
    reporter.plan(plan())
    assert out.getvalue() == "nothing to do: everything is where it belongs\n"


def test_the_id_of_a_run_is_not_cut_in_a_narrow_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    reporter, out, _ = text_reporter(terminal=True)
    columns = [Column("id", "run", whole=True), Column("source", "where")]
    reporter.table("run", columns, [{"id": "20261123-234454-4eb612", "source": "gdrive:" + "long/" * 30}], empty="")
    assert "20261123-234454-4eb612 " in out.getvalue()


@pytest.mark.parametrize("result", ["done with 12 failed, 3 skipped (exit 3)", "undone by 20261123-234454-4eb612"])
def test_each_run_has_one_line_in_a_window_of_80_columns(monkeypatch: pytest.MonkeyPatch, result: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    reporter, out, _ = text_reporter(terminal=True)
    columns = [Column("id", "run", whole=True), Column("command", "command", whole=True)]
    columns += [Column("state", "result"), Column("source", "where", gives_way=True)]
    row = {"id": "20261123-234454-4eb612", "command": "organize", "state": result, "source": "gdrive:Music/Organized"}
    reporter.table("run", columns, [row], empty="")
    _, line = out.getvalue().splitlines()
    assert line.startswith(f"{row['id']}  organize  {result}  ")
    assert "…" in line


def test_what_is_below_a_heading_fits_a_window_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    reporter, out, _ = text_reporter(terminal=True)
    columns = [Column("step", "step", whole=True), Column("old", "from", heading=True), Column("new", "to")]
    old, new = "Downloads/" + "long " * 11 + "name.flac", "Artist/" + "long " * 9 + "name.flac"
    reporter.table("run-operation", columns, [{"step": "done", "old": old, "new": new}], empty="")
    assert [line.rstrip() for line in out.getvalue().splitlines()] == [old, f"  done  {new}"]


def test_progress_from_threads_on_a_terminal_and_silence_on_a_pipe() -> None:
    drawn = threading.Event()

    class Watched(Terminal):
        def write(self, text: str) -> int:
            if "80 of 80  7.8 of 9.8 KiB" in text:
                drawn.set()
            return super().write(text)

    out, err = Terminal(), Watched()
    reporter = TextReporter(out, err, io.StringIO())
    reporter.stage("listing")
    reporter.advance(5)
    reporter.stage("moving", 80, {"/m": 8000, "s3:b": 2000})
    threads = [threading.Thread(target=lambda: [reporter.advance(1, 100) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn.wait(30)
    reporter.note("a word in between")
    assert (out.getvalue(), "\x1b[J" in err.getvalue()) == ("a word in between\n", True)
    reporter.close()
    reporter, out, err = text_reporter()
    reporter.stage("listing")
    reporter.advance(5)
    reporter.close()
    assert (out.getvalue(), err.getvalue()) == ("", "")
    reporter, out, err = text_reporter(verbose=1)
    reporter.stage("moving", 1, {"s3:b": 2000, "/m": 8000})
    assert err.getvalue() == "moving: 1 item, 7.8 KiB to /m, 2.0 KiB to s3:b\n"


@pytest.mark.parametrize("verbose", [0, 1])
def test_of_the_files_that_wait_for_a_remote_the_first_are_named_and_the_others_counted(verbose: int) -> None:
    out, err = io.StringIO(), io.StringIO()
    reporter = TextReporter(out, err, io.StringIO(), verbose=verbose)
    for number in range(100):
        reporter.error("unreachable", f"HEAD http://server/{number}: connection refused", f"{number}.mp3", "s3:music")
        reporter.error("failed", "no usable tags", f"{number}.mp3", "s3:music")
    reporter.summary(Summary(command="organize", run="20260101-000000-abcdef", exit_code=5))
    lines = err.getvalue().splitlines()
    assert sum("no usable tags" in line for line in lines) == 100
    refused = [line for line in lines if "no usable tags" not in line]
    if verbose:
        assert len(refused) == 100
    else:
        assert len(refused) == 6
        assert refused[-1].startswith("error: 95 more files could not be changed either: `music-orchestrator runs show 2026")


def test_a_path_in_a_message_may_be_that_of_the_destination() -> None:
    assert with_location("the destination d/a.mp3 already exists", "d/a.mp3", "/m") == (
        "/m/d/a.mp3: the destination d/a.mp3 already exists"
    )
    assert with_location("d/a.mp3: d/a.mp3: not permitted", "d/a.mp3", "/m") == "/m/d/a.mp3: not permitted"
    assert with_location("/m/d/a.mp3: cannot be read", "d/a.mp3", "/m") == "/m/d/a.mp3: cannot be read"
    assert with_location("the server is away", None, "/m") == "the server is away"


def test_only_yes_is_a_yes() -> None:
    for answer, expected in (("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("yep\n", False)):
        reporter = TextReporter(io.StringIO(), io.StringIO(), io.StringIO(answer))
        assert reporter.confirm("Sure?") is expected


def test_what_follows_a_question_without_an_answer_begins_on_its_own_line() -> None:
    asked = io.StringIO()
    reporter = TextReporter(io.StringIO(), asked, io.StringIO(""))
    assert not reporter.confirm("Sure?")
    assert asked.getvalue() == "Sure? [y/N] \n"


def test_quiet_prints_only_what_was_done_or_is_pending() -> None:
    reporter, out, err = text_reporter(quiet=True)
    reporter.note("x")
    reporter.plan(plan(operation("a", "b")))
    reporter.summary(Summary(command="organize", files_seen=3, duration_s=1))
    assert (out.getvalue(), err.getvalue()) == ("", "")
    reporter.summary(Summary(command="organize", run="r", files_seen=3, ops_planned=1, ops_done=1))
    assert "1 change made" in out.getvalue()
    reporter, out, err = text_reporter(quiet=True)
    reporter.summary(Summary(command="organize", files_seen=3, ops_planned=2))
    assert (out.getvalue().count("\n"), err.getvalue()) == (1, "")
    assert "2 changes planned" in out.getvalue()


def test_tables_have_headings_on_a_pipe_too() -> None:
    reporter, out, _ = text_reporter()
    reporter.table("run", [Column("id", "run"), Column("n", "done")], [{"id": "x", "n": 1}], empty="")
    assert out.getvalue() == "run\tdone\nx\t1\n"
    reporter.table("stats", [Column("id", "codec")], [{"id": "flac"}], empty="", title="formats")
    assert out.getvalue().endswith("formats\tcodec\nformats\tflac\n")
    reporter.table("run", [Column("id", "run")], [], empty="no runs yet")
    assert out.getvalue().endswith("flac\nno runs yet\n")


def test_json_lines() -> None:
    out, err = io.StringIO(), io.StringIO()
    reporter = JsonReporter(out, err)
    reporter.stage("listing")
    reporter.plan(plan(operation(EVIL, "A/b"), skipped=(Skipped("c", "untagged", "no tags"),)))
    reporter.table("run", [Column("id", "run")], [{"id": "x"}], empty="none")
    reporter.warning("careful")
    reporter.note("hear")
    reporter.error("failed", "m", "p")
    reporter.summary(Summary(command="organize"))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["plan", "operation", "skipped", "run", "warning", "note", "error", "summary"]
    assert lines[1]["src"] == {"fs": "/m", "path": EVIL}
    assert lines[6] == {"type": "error", "code": "failed", "message": "m", "path": "p"}
    assert out.getvalue().isascii()
    assert err.getvalue() == ""
    with pytest.raises(UsageError, match="--yes"):
        reporter.confirm("Sure?")


def test_numbers_for_people() -> None:
    assert [size_text(size) for size in (None, 0, 1023, 1024, 5 * 1024**3, 3 * 1024**5)] == [
        *("?", "0 B", "1023 B", "1.0 KiB", "5.0 GiB", "3072.0 TiB")
    ]
    assert [duration_text(seconds) for seconds in (None, 0.04, 0.06, 61, 3661)] == [
        "?",
        "0 s",
        "0.1 s",
        "1 min 01 s",
        "1 h 01 min",
    ]


class Full(io.StringIO):
    """A closed terminal, or a file on a full disk."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("terminal", [False, True])
def test_output_that_cannot_be_written_stops_nothing_and_is_reported(terminal: bool) -> None:
    for out, err in ((Full(terminal=terminal), io.StringIO()), (io.StringIO(), Full(terminal=terminal))):
        reporter = TextReporter(out, err, io.StringIO("y\n"), verbose=1)
        reporter.stage("listing", 3)
        reporter.advance()
        reporter.plan(plan(operation("a", "b")))
        reporter.table("run", [Column("id", "run")], [{"id": "x"}], empty="")
        reporter.error("failed", "it failed", "x")
        assert reporter.confirm("Go on?") is (err.getvalue() != ""), "a question that cannot be shown is answered by no"
        reporter.summary(Summary(ops_planned=1))
        assert not reporter.close()
        assert "No space left on device" in err.getvalue() or err.getvalue() == ""


def test_json_that_cannot_be_written_is_reported_but_not_if_the_reader_left() -> None:
    err = io.StringIO()
    reporter = JsonReporter(Full(terminal=False), err)
    reporter.summary(Summary())
    assert not reporter.close()
    assert err.getvalue() == "error: cannot write to stdout: No space left on device\n"
    assert JsonReporter(io.StringIO(), Full(terminal=False)).close()

    class Left(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    reporter = JsonReporter(Left(), err)
    reporter.summary(Summary())
    assert reporter.close()
