"""The plan of `dedup`: what it says about each duplicate, and what no plan may contain."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from orchestrator.errors import IntegrityError
from orchestrator.plan.model import KeptCopy, Plan, Verb
from orchestrator.plan.plan_file import read_plan, write_plan
from orchestrator.plan.planners.dedup.planner import DedupLocation, DedupRequest, plan_dedup
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Capabilities, Item
from orchestrator.report import plan_view
from tests.plan.dedup.copies import MP3, album, file, on_album
from tests.plan.worlds import LOCAL, plan, unreadable


def planned(places: dict[str, list[Item]], **options: tuple[str, ...]) -> Plan:
    given = [DedupLocation(fs=fs, items=items, capabilities=LOCAL) for fs, items in places.items()]
    return plan_dedup(DedupRequest(locations=given, options=DedupSettings(**options), tool_version="1", created="now"))


def placed(item: Item, path: str) -> Item:
    return msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, path=path))


def test_a_plan_over_several_locations_survives_its_file(tmp_path: Path) -> None:
    made = planned({"/music": album("Album"), "b:music": [on_album("x/01.mp3", 1, **MP3)]})
    (only,) = made.operations
    assert (only.verb, only.src.fs, only.src.path) == (Verb.QUARANTINE, "b:music", "x/01.mp3")
    assert only.reason == "lossy copy of the lossless /music/Album/01.flac, which is kept because it is lossless"
    assert only.group == "/music/Album/01.flac"
    assert only.expect.kept
    assert (only.expect.kept.fs, only.expect.kept.path, only.expect.kept.tier) == ("/music", "Album/01.flac", "T3")
    write_plan(made, tmp_path / "plan")
    assert msgspec.structs.replace(read_plan(tmp_path / "plan"), skipped=made.skipped) == made


def test_files_of_one_name_are_distinguished_by_their_ids() -> None:
    items = [
        msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, path="in/a.mp3", id=name))
        for name in ("One", "Two")
        for item in [file("in/a.mp3", content="x")]
    ]
    drive = Capabilities(move=True, duplicate_names=True, by_id=True, hashes=("md5",), remote_type="drive")
    places = [DedupLocation(fs="drive:A", items=items, capabilities=drive)]
    made = plan_dedup(DedupRequest(locations=places, tool_version="1", created="now"))
    (line,) = plan_view.lines(made)
    assert line == "quarantine in/a.mp3 [Two] (same bytes as in/a.mp3 [One], which is kept because of its path)"


def test_the_location_of_a_duplicate_is_reported() -> None:
    made = planned({"drive:A": album("Album"), "dropbox:B": [on_album("x/01.mp3", 1, **MP3)]})
    (line,) = plan_view.lines(made)
    assert line.startswith("quarantine dropbox:B/x/01.mp3 (lossy copy of the lossless drive:A/Album/01.flac, ")
    assert plan_view.facts(made)[0] == ("source", "drive:A, dropbox:B")


def test_a_plan_without_duplicates_says_nothing_of_twins() -> None:
    made = plan([on_album("x.flac", 1)])
    assert b"twin" not in b"".join(map(msgspec.json.encode, made.operations))


@pytest.mark.parametrize(
    ("fs", "path"), [("/music", "b.mp3"), ("/elsewhere", "a.mp3"), ("/music", "../a.mp3"), ("/music", "c.mp3")]
)
def test_a_kept_copy_outside_or_among_the_duplicates_is_refused(tmp_path: Path, fs: str, path: str) -> None:
    made = planned({"/music": [file(name, content="x") for name in ("a.mp3", "b.mp3", "c.mp3")]})
    assert [operation.src.path for operation in made.operations] == ["b.mp3", "c.mp3"]
    first, second = made.operations
    wrong = msgspec.structs.replace(first, expect=msgspec.structs.replace(first.expect, kept=KeptCopy(fs, path, 1)))
    write_plan(msgspec.structs.replace(made, operations=(wrong, second)), tmp_path / "plan")
    with pytest.raises(IntegrityError, match="kept"):
        read_plan(tmp_path / "plan")


def test_what_cannot_be_read_is_named() -> None:
    made = planned({"/music": [unreadable("a.mp3"), unreadable("b.mp3")]})
    assert [(one.path, one.code) for one in made.skipped] == [("a.mp3", "unreadable"), ("b.mp3", "unreadable")]
    assert made.operations == ()


def test_organize_gives_the_name_to_the_kept_copy() -> None:
    dedup = DedupSettings()
    made = plan([*album("incoming"), *album("incoming (1)")], dedup=dedup)
    moves = {operation.src.path: operation.dst.path for operation in made.operations if operation.verb is Verb.MOVE}
    assert set(moves) == {f"incoming/0{number}.flac" for number in (1, 2, 3)}
    assert not any("(2)" in path for path in moves.values())
    assert [operation.verb for operation in made.operations[:3]] == [Verb.QUARANTINE] * 3, "before the kept copy moves"
    home = [
        msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, path=moves[item.entry.path]))
        for item in album("incoming")
    ]
    assert not plan(home, dedup=dedup).operations


def test_organize_prefers_the_file_that_is_in_place() -> None:
    first = on_album("b.flac", 1)
    (move,) = plan([first]).operations
    (only,) = plan([first, placed(first, move.dst.path)], dedup=DedupSettings()).operations
    assert (only.verb, only.src.path) == (Verb.QUARANTINE, "b.flac")


def test_the_file_that_is_in_place_is_known_by_its_replaced_characters() -> None:
    replace = {":": " -", "/": "+"}
    first = on_album("b.flac", 1, album="Sea: A/B")
    (move,) = plan([first], replace=replace).operations
    assert "/Sea - A+B" in move.dst.path
    (only,) = plan([first, placed(first, move.dst.path)], replace=replace, dedup=DedupSettings()).operations
    assert (only.verb, only.src.path) == (Verb.QUARANTINE, "b.flac")


def test_the_target_keeps_its_equal_copies_and_gets_better_ones() -> None:
    there = [on_album("Beck/1.mp3", 1, **MP3), on_album("Beck/2.flac", 2, sound="s2")]
    inbox = [on_album("one.flac", 1), on_album("2.flac", 2, sound="s2")]
    made = plan(inbox, source="/inbox", target="/music", there=there, dedup=DedupSettings())
    away = {(operation.src.fs, operation.src.path) for operation in made.operations if operation.verb is Verb.QUARANTINE}
    assert away == {("/music", "Beck/1.mp3"), ("/inbox", "2.flac")}
    (move,) = (operation for operation in made.operations if operation.verb is Verb.MOVE)
    assert (move.src.path, move.dst.fs) == ("one.flac", "/music")


def test_a_copying_run_leaves_the_source_as_it_is() -> None:
    there = [on_album("Beck/Odelay (1996)/02 Hotwax.flac", 2, sound="s2")]
    inbox = [on_album("one.flac", 1), on_album("2.flac", 2, sound="s2"), on_album("one again.flac", 1)]
    made = plan(inbox, source="/inbox", target="/music", there=there, copy=True, dedup=DedupSettings())
    assert [(operation.verb, operation.src.path) for operation in made.operations] == [(Verb.COPY, "one.flac")]
