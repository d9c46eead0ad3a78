"""What a plan means to a person, in a few lines that fit a terminal."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from orchestrator.plan.model import IS_CLUTTER, NUMBERED, Expect, Header, Operation, Plan, Skipped, Verb, operation_id
from orchestrator.records import OWN_DIRECTORY, Ref
from orchestrator.report.bill_view import time_text
from orchestrator.report.outline_view import outline_lines
from orchestrator.report.plan_outline import Where, by_folder, outline
from orchestrator.report.reporter import shortened, width_of

RULES = [
    {"template": "{{ albumartist }}/{{ album }}/{% if disc %}Disc {{ disc }}/{% endif %}{{ track }} {{ title }}", "when": None}
]
WIDE = "無罪モラトリアム" * 9 + "/"
EVIL = "\x1b[2J\n\u202e\u200b\ud800"


def change(verb: Verb, src: str, dst: str, reason: str = "layout", fs: str = "/m") -> Operation:
    one, two = Ref(fs, src), Ref(fs, dst)
    return Operation(operation_id(verb, one, two), verb, one, two, 1024, Expect(), reason, dst.rpartition("/")[0])


def plan(*operations: Operation, skipped: tuple[Skipped, ...] = (), fs: str = "/m", options: Any = None, **more: Any) -> Plan:
    counts = more.pop("counts", {})
    for one in skipped:
        counts[f"skipped.{one.code}"] = counts.get(f"skipped.{one.code}", 0) + 1
    header = Header(
        tool_version="0",
        created="2026-01-01T00:00:00+00:00",
        source=fs,
        target=fs,
        options={"rules": RULES} if options is None else options,
        config_sha256="",
        capabilities={},
        counts=counts,
        estimate={"requests": 1203, "bytes": 0, "cost": 0.006, "currency": "USD", "seconds": 190},
    )
    return Plan(header, operations, skipped, **more)


def test_a_time_is_only_said_if_little_of_it_is_assumed() -> None:
    estimate = {"requests": 4, "seconds": 100.0, "seconds_assumed": 10.0}
    assert time_text(estimate) == "about 1 min 40 s"
    assert time_text({**estimate, "seconds_assumed": 11.0}) == "time unknown"
    assert time_text({}) == ""


def messy() -> Plan:
    """An ordinary plan of `organize`, with something of each kind."""
    moves = [change(Verb.MOVE, f"in/{disc}{n}.mp3", f"A/B/Disc {disc}/{n}.mp3") for disc in "12" for n in range(9)]
    moves += [change(Verb.MOVE, f"x/{n}.mp3", f"A/C/x ({n}).mp3", f"{NUMBERED} {n}") for n in (2, 3)]
    moves += [change(Verb.QUARANTINE, f"in/{n}/.DS_Store", f"in/{n}/.DS_Store", IS_CLUTTER) for n in range(3)]
    moves += [change(Verb.MOVE, "in/cover.jpg", "A/B/cover.jpg"), change(Verb.MOVE, "a.m3u", "A/B/a.m3u")]
    untagged = [f"Bootlegs/The Lanterns - Live at the Paradiso (2004)/{n}.mp3" for n in range(8)]
    untagged += [f"{WIDE}{n}.mp3" for n in range(7)] + [f"u/{n}/{m}.mp3" for n in range(5) for m in "ab"] + [f"{EVIL}.mp3"]
    skipped = [Skipped(path, "untagged", "no usable tags") for path in untagged]
    skipped += [Skipped("bad.mp3", "unreadable", "no MPEG sound was found in it"), Skipped("e.flac", "unreadable", "empty")]
    suspect = (("Downloads/cut song.mp3", "cut short: 5 of 9 bytes of sound are there"),)
    counts = {"numbered": 2, "names_fit": 15, "suspect": 1, "in_place": 1400}
    return plan(*moves, skipped=tuple(skipped), suspect=suspect, counts=counts)


def test_an_outline_says_what_changes_what_stays_and_why_what_it_costs_and_that_it_can_be_undone() -> None:
    assert [line.text + line.aside for line in outline_lines(outline(messy()), 120)] == [
        "20 tracks go to 2 albums, 3 clutter files to quarantine, 1 cover or other file goes along, 1 playlist follows",
        "    2 share a name with another file and get a number  (--dedup report shows which are the same)",
        "    1 is cut short: Downloads/cut song.mp3",
        "   26 stay: no usable tags                             (15 of them have telling names: --names-as-tags auto)",
        "         8  Bootlegs/The Lanterns - Live at the Paradiso (2004)/",
        f"         7  {shortened(WIDE, 108)}",
        "         2  u/0/   ... 5 more folders",
        "    2 stay: cannot be read",
        "         1  bad.mp3 (no MPEG sound was found in it)",
        "         1  e.flac (empty)",
        "1,400 are in place already",
        "Renames on this disk; nothing is copied. `undo last` takes it back.",
    ]


def test_what_was_just_reported_is_not_advised() -> None:
    made = messy()
    reported = msgspec.structs.replace(made.header, options={**made.header.options, "duplicates_reported": True})
    for one, advised in ((made, True), (msgspec.structs.replace(made, header=reported), False)):
        assert any("--dedup report" in line.aside for line in outline_lines(outline(one), 120)) is advised


@pytest.mark.parametrize("width", [40, 80, 120])
def test_an_outline_is_no_wider_than_the_terminal_and_gives_way_to_what_matters_more(width: int) -> None:
    lines = [line.text + line.aside for line in outline_lines(outline(messy()), width)]
    assert max(map(width_of, lines)) <= width
    assert all(line.isprintable() for line in lines)
    few = outline_lines(outline(messy()), width, height=8)
    assert len(few) < len(lines)
    assert few[0] == outline_lines(outline(messy()), width)[0]


def test_on_a_pipe_each_point_is_one_line() -> None:
    lines = [line.text for line in outline_lines(outline(messy()))]
    assert len(lines) == 2 + 5
    assert not any("Bootlegs" in line for line in lines), "errors on stderr name each file"


@pytest.mark.parametrize(
    ("made", "headline", "ending"),
    [
        (
            plan(change(Verb.MOVE, "a.mp3", "A/B/a.mp3", fs="s3:m"), fs="s3:m"),
            "1 track goes to 1 album",
            "About 1,203 requests, nothing through this machine, $0.006, about 3 min 10 s. `undo last` takes it back.",
        ),
        (
            plan(change(Verb.QUARANTINE, "a.mp3", "a.mp3", "T0"), options={"locations": ["/m"]}),
            "1 duplicate to quarantine (1.0 KiB)",
            "Renames on this disk; nothing is copied. `undo last` takes it back.",
        ),
        (
            plan(change(Verb.QUARANTINE, "a.mp3", "a.mp3", "T0"), options={"locations": ["/m"], "delete": True}),
            "1 duplicate to quarantine (1.0 KiB)",
            "Renames on this disk; nothing is copied. What --delete then deletes, no undo brings back.",
        ),
        (
            plan(change(Verb.MOVE, "A/a.mp3", "a.mp3"), change(Verb.QUARANTINE, "l.m3u", "l.m3u"), options={"undo": "r"}),
            "1 file goes back to where it was before, 1 file that the run made to quarantine",
            "Renames on this disk; nothing is copied. `undo last` takes it back.",
        ),
        (
            plan(change(Verb.DELETE, f"{OWN_DIRECTORY}/a.mp3", "a.mp3"), options={"quarantine": "empty"}),
            "1 file is deleted for good (1.0 KiB)",
            "No undo brings it back.",
        ),
        (
            plan(
                change(Verb.COPY, "a.mp3", "b.mp3"), options={"sync": {}}, counts={"b_added": 2, "b_deleted": 1, "bytes_to_b": 9}
            ),
            "/m: 2 new, 1 to the trash",
            "1.0 KiB, on the disks of this machine. `undo last` takes it back.",
        ),
    ],
)
def test_each_kind_of_plan_has_its_words(made: Plan, headline: str, ending: str) -> None:
    lines = [line.text for line in outline_lines(outline(made))]
    assert (lines[0], lines[-1]) == (headline, ending)


def test_few_files_are_named_and_many_are_counted_by_folder() -> None:
    assert by_folder([("a/1", "x"), ("2", "")]) == (Where("a/1", 1, "x"), Where("2", 1))
    assert by_folder([("a/1", "x"), ("a/2", "x"), ("b/1", "x"), ("b/2", "")]) == (Where("a/", 2, "x"), Where("b/", 2))
    assert by_folder([("a/1", ""), ("1", ""), ("2", ""), ("b/1", "x")]) == (Where("./", 2), Where("a/1", 1), Where("b/1", 1, "x"))


def test_names_are_shortened_in_the_middle_and_never_in_a_character() -> None:
    assert shortened("Bootlegs/Live at the Paradiso", 20) == "Bootlegs/…e Paradiso"
    assert width_of(shortened("無罪モラトリアム", 7)) <= 7
    assert all("…\u0301" not in shortened("ae\u0301" * 9, columns) for columns in range(2, 10))
