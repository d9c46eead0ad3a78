"""The plan file: deterministic, private, and refused if it was changed in any way."""

from __future__ import annotations

import json
import re
import stat
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import ExitCode, IntegrityError, UsageError
from orchestrator.plan import build
from orchestrator.plan.build import seal
from orchestrator.plan.model import Operation, Plan, Replaced, Verb, operation_id
from orchestrator.plan.plan_file import read_plan, write_plan
from orchestrator.plan.soundness import check_plan
from orchestrator.records import Entry, Item, Ref
from orchestrator.track import Reading, Status, Track
from tests.plan.worlds import plan, song

MADE = plan([song(f"in/{n}.mp3", title=f"é {n}", artist="A", album="X", track=n) for n in range(4)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "library.plan"
    write_plan(MADE, path)
    return path


def test_a_written_plan_reads_the_same(file: Path) -> None:
    assert read_plan(file) == MADE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["library.plan"]


def test_it_names_what_stays_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    untagged = [Item(Entry(f"in/{n}.mp3", 9), Reading(Status.UNTAGGED, Track())) for n in range(5)]
    monkeypatch.setattr(build, "MOST_STAYING", 3)
    made = plan(untagged)
    write_plan(made, tmp_path / "a.plan")
    header = read_plan(tmp_path / "a.plan").header
    assert header.counts["skipped.untagged"] == 5
    assert [(one.path, one.code) for one in header.skipped] == [(f"in/{n}.mp3", "untagged") for n in range(3)]
    assert {one.reason for one in header.skipped} == {made.skipped[0].reason}


def test_the_bytes_are_those_of_the_contract(file: Path) -> None:
    first, _, rest = file.read_bytes().partition(b"\n")
    header = json.loads(first)
    assert list(header) == [
        "format",
        "tool_version",
        "created",
        "source",
        "target",
        "locations",
        "options",
        "config_sha256",
        "capabilities",
        "counts",
        "estimate",
        "plan_id",
    ]
    hashed = {name: value for name, value in header.items() if name not in {"created", "plan_id"}}
    line = json.dumps(hashed, ensure_ascii=False, separators=(",", ":")).encode()
    assert sha256(line + b"\n" + rest).hexdigest() == header["plan_id"]
    operation = json.loads(rest.split(b"\n")[0])
    assert list(operation) == ["id", "verb", "src", "dst", "size", "expect", "reason", "group", "depends"]
    assert list(operation["expect"]) == ["hash", "mtime"]


def test_only_created_differs_between_two_plans_of_the_same_inputs(file: Path, tmp_path: Path) -> None:
    later = msgspec.structs.replace(MADE, header=msgspec.structs.replace(MADE.header, created="2027-01-01T00:00:00Z"))
    write_plan(later, tmp_path / "later")
    ours, theirs = file.read_bytes(), (tmp_path / "later").read_bytes()
    assert ours != theirs
    assert ours == theirs.replace(b"2027-01-01", b"2026-01-01")


@given(st.data())
def test_a_flipped_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = tmp_path_factory.getbasetemp() / "flipped.plan"
    file.unlink(missing_ok=True)  # that of the last example may not be a plan, and is not replaced
    write_plan(MADE, file)
    content = bytearray(file.read_bytes())
    created = content.index(b'"created":"')
    outside = [at for at in range(len(content)) if not created + 11 <= at < created + 31]
    at = data.draw(st.sampled_from(outside))
    content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    another_version = re.match(rb'{"format":"music-orchestrator-plan/[014-9]"', content)
    with pytest.raises(UsageError if another_version else IntegrityError):
        read_plan(file)


def test_every_byte_that_can_differ_in_the_format_is_damage_or_another_version(file: Path) -> None:
    """A backslash among them makes one character of two."""
    content = file.read_bytes()
    form = b"music-orchestrator-plan/3"
    start = content.index(form)
    for at in range(start, start + len(form)):
        changed = {content[:at] + bytes([byte]) + content[at + 1 :] for byte in range(256)} - {content}
        for wrong in (*sorted(changed), content[:at] + content[at + 1 :], content[:at] + b"x" + content[at:]):
            file.write_bytes(wrong)
            another_version = re.match(rb'{"format":"music-orchestrator-plan/[014-9]"', wrong)
            with pytest.raises(UsageError if another_version else IntegrityError):
                read_plan(file)


def edited(file: Path, *lines: bytes) -> Path:
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    return file


def test_moved_and_missing_lines_are_found(file: Path) -> None:
    header, *operations = file.read_bytes().splitlines()
    for wrong in ([header, *reversed(operations)], [header, *operations[:-1]], [header, *operations, operations[0]], [], [b""]):
        with pytest.raises(IntegrityError):
            read_plan(edited(file, *wrong))
    file.write_bytes(b"\n".join([header, *operations]))
    with pytest.raises(IntegrityError):
        read_plan(file)


@pytest.mark.parametrize(
    "path", ["../../x", "/etc/passwd", "a/../b", "a//b", "", "a\0b", "./a", ".music-orchestrator/quarantine/x", "a/"]
)
def test_a_destination_outside_the_target_is_refused_even_with_a_valid_plan_id(tmp_path: Path, path: str) -> None:
    first = MADE.operations[0]
    dst = Ref(first.dst.fs, path)
    wrong = msgspec.structs.replace(first, dst=dst, id=operation_id(first.verb, first.src, dst))
    refused(tmp_path, wrong)


def refused(tmp_path: Path, *operations: Operation) -> None:
    write_plan(Plan(MADE.header, operations), tmp_path / "wrong")
    with pytest.raises(IntegrityError):
        read_plan(tmp_path / "wrong")


def test_operations_that_no_planner_makes_are_refused(tmp_path: Path) -> None:
    first, second = MADE.operations[:2]
    replace = msgspec.structs.replace
    refused(tmp_path, first, first)
    refused(tmp_path, replace(first, id=second.id))
    refused(tmp_path, replace(first, verb=Verb.COPY))
    refused(tmp_path, replace(first, depends=("0" * 20,)))
    elsewhere = Ref("/elsewhere", "x")
    refused(tmp_path, replace(first, dst=elsewhere, id=operation_id(first.verb, first.src, elsewhere)))
    refused(tmp_path, first, replace(second, dst=first.dst, id=operation_id(second.verb, second.src, first.dst)))


def test_another_format_is_a_usage_error_and_not_damage(file: Path) -> None:
    content = file.read_bytes()
    for form in (b"music-orchestrator-plan/4", b"music-orchestrator-plan/17", b"other/1"):
        file.write_bytes(content.replace(b"music-orchestrator-plan/3", form, 1))
        with pytest.raises(UsageError, match="format"):
            read_plan(file)
    with pytest.raises(UsageError, match="no such file"):
        read_plan(file.parent / "missing")
    with pytest.raises(UsageError, match="cannot read"):
        read_plan(file.parent)


def test_a_plan_of_an_older_version_must_be_made_again(tmp_path: Path) -> None:
    """Written as version /1 wrote it: another format, no field `locations`, and a plan_id that fits."""
    header, *operations = (msgspec.json.encode(part) for part in (MADE.header, *MADE.operations))
    fields = json.loads(header)
    del fields["locations"]
    fields["format"] = "music-orchestrator-plan/1"
    lines = b"".join(line + b"\n" for line in operations)
    hashed = {name: value for name, value in fields.items() if name not in {"created", "plan_id"}}
    fields["plan_id"] = sha256(msgspec.json.encode(hashed) + b"\n" + lines).hexdigest()
    (tmp_path / "old.plan").write_bytes(msgspec.json.encode(fields) + b"\n" + lines)
    with pytest.raises(UsageError, match="older version: make it again") as caught:
        read_plan(tmp_path / "old.plan")
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_plan_of_the_version_before_is_read(tmp_path: Path) -> None:
    before = seal(msgspec.structs.replace(MADE, header=msgspec.structs.replace(MADE.header, format="music-orchestrator-plan/2")))
    write_plan(before, tmp_path / "before.plan")
    assert read_plan(tmp_path / "before.plan") == before


def test_a_replacement_says_what_it_replaces_and_nothing_else_does(tmp_path: Path) -> None:
    first = MADE.operations[0]
    dst = Ref(first.dst.fs, "taken.mp3")
    expect = msgspec.structs.replace(first.expect, replaced=Replaced(3, {"md5": "x"}))
    replacing = msgspec.structs.replace(
        first, verb=Verb.REPLACE, dst=dst, id=operation_id(Verb.REPLACE, first.src, dst), expect=expect
    )
    moved_there = msgspec.structs.replace(MADE.operations[1], dst=dst, id=operation_id("move", MADE.operations[1].src, dst))
    write_plan(Plan(MADE.header, (moved_there, replacing)), tmp_path / "plan")
    assert read_plan(tmp_path / "plan").operations == (moved_there, replacing)
    refused(tmp_path, msgspec.structs.replace(replacing, expect=first.expect))
    refused(tmp_path, msgspec.structs.replace(first, expect=expect))
    refused(tmp_path, replacing, msgspec.structs.replace(replacing, src=dst, id=operation_id("replace", dst, dst)))


def test_only_plans_that_are_not_files_may_put_files_into_our_own_directory() -> None:
    """The undo of a `quarantine restore` moves files back into the quarantine."""
    first = MADE.operations[0]
    dst = Ref(first.dst.fs, ".music-orchestrator/quarantine/run/a.mp3")
    made = Plan(MADE.header, (msgspec.structs.replace(first, dst=dst, id=operation_id(first.verb, first.src, dst)),))
    check_plan(made, own_directory=True)
    with pytest.raises(IntegrityError, match="no operation may put a file"):
        check_plan(made)


def test_a_header_names_all_locations_of_its_operations() -> None:
    """A plan that works at a location which its header does not name is refused."""
    assert MADE.header.locations == ("/music",)
    header = msgspec.structs.replace(MADE.header, locations=("/elsewhere",))
    with pytest.raises(IntegrityError, match="not one of the plan's locations"):
        check_plan(msgspec.structs.replace(MADE, header=header))


def test_every_plan_has_its_id() -> None:
    assert seal(MADE) == MADE
    assert len(MADE.header.plan_id) == 64
