"""Whether folders ignore case is looked up where a plan would change the spelling of one, and nowhere else."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from orchestrator.actions.spellings import Spellings
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.plan.planners.organize.request import OrganizeRequest, OrganizeSettings
from orchestrator.plan.planners.organize.respelled import respelled_directories
from orchestrator.records import Entry, Item
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, StatCall
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.plan.worlds import BUCKET, moved, plan, song


class Disk(ForwardingStorage):
    """A disk that distinguishes case, but for one folder, such as a mounted memory card or an ext4 folder with casefold."""

    def __init__(self, ignoring: str) -> None:
        self.memory = MemoryStorage.like("local")
        super().__init__(self.memory)
        self.ignoring = ignoring
        self.looks: list[str] = []

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """Look up files."""
        assert all(isinstance(call, StatCall) for call in calls), f"{concurrency} changes at a time"
        self.looks += [call.path for call in calls if isinstance(call, StatCall)]
        return [self._found(call.path) for call in calls if isinstance(call, StatCall)]

    def _found(self, path: str) -> Entry | None:
        key = path.lower() if path.startswith(self.ignoring) else path
        named = (entry for entry in self.memory.list() if key in {entry.path, entry.path.lower()})
        return next((entry for entry in named if entry.path.startswith(self.ignoring) or entry.path == path), None)


def request(disk: Disk, items: list[Item]) -> OrganizeRequest:
    for item in items:
        disk.memory.put(item.entry.path, b"x")
    return OrganizeRequest(
        source_fs=disk.fs,
        target_fs=disk.fs,
        items=items,
        source_capabilities=disk.capabilities,
        target_capabilities=disk.capabilities,
        options=OrganizeSettings(layout="{{ genre }}/{{ albumartist }}/{{ title }}"),
        tool_version="1",
        created="",
    )


def filed(path: str, artist: str, genre: str) -> Item:
    return song(path, title=path[-5:-4], artist=artist, album="Blue", genre=genre)


@pytest.mark.parametrize("ignores", [True, False])
def test_one_folder_that_ignores_case_is_found_among_many(ignores: bool) -> None:
    disk = Disk("card/" if ignores else "nowhere/")
    artists = [f"A{chr(97 + number // 10)}{chr(97 + number % 10)}" for number in range(80)]
    items = [filed(f"disk/{artist.lower()}/1.mp3", artist, "disk") for artist in artists]
    asked = request(disk, [*items, filed("card/beck/1.mp3", "Beck", "card")])
    spellings, made = Spellings(), plan_organize(asked)
    known = spellings.checked(asked, made.respelled, disk)
    assert len(disk.looks) == len(artists) + 1
    assert "card/Beck/1.mp3" not in disk.looks, "the name that a folder is to get is not looked up before"
    assert known.target_capabilities.case_insensitive is ignores
    assert known.source_capabilities == known.target_capabilities
    assert (known is asked) is not ignores
    assert spellings.checked(known, plan_organize(known).respelled, disk) is known
    assert len(disk.looks) == len(artists) + 1, "each folder once"


def test_a_folder_that_cannot_be_emptied_keeps_its_spelling() -> None:
    """Nothing that a listing shows is in its way: an empty folder, a link, an excluded file."""
    disk = Disk("card/")
    asked = request(disk, [filed("card/beck/1.mp3", "Beck", "card"), filed("card/ann/2.mp3", "Ann", "card")])
    disk.memory.make_directory("card/beck/scans")
    known = Spellings().checked(asked, plan_organize(asked).respelled, disk)
    assert known.kept_spellings == ["card/beck"]
    assert moved(plan_organize(known)) == {"card/ann/2.mp3": "card/Ann/2.mp3"}


def test_a_plan_without_new_spellings_costs_no_look() -> None:
    disk = Disk("card/")
    asked = request(disk, [filed("card/Beck/old 1.mp3", "Beck", "card"), filed("card/x/2.mp3", "Ann", "card")])
    made = plan_organize(asked)
    assert made.operations
    assert Spellings().checked(asked, made.respelled, disk) is asked
    copying = replace(asked, options=replace(asked.options, copy=True), items=[filed("card/beck/1.mp3", "Beck", "card")])
    assert not plan_organize(copying).respelled
    assert not disk.looks


def test_in_a_bucket_one_look_shows_whether_unicode_forms_are_one_name() -> None:
    """On S3, a folder whose name only changes its case costs no look."""
    items = [
        song(f"{unicodedata.normalize('NFD', artist)}/X/{name}.mp3", title=name, artist=artist, album="X")
        for artist in ("Beck", "Zoë", "Éric")
        for name in ("One", "2")
    ]
    looked_up = [one.other_path for one in plan(items, capabilities=BUCKET).respelled]
    assert len(looked_up) == 1
    assert unicodedata.is_normalized("NFC", looked_up[0])
    assert not plan([song("beck/X/1.mp3", title="1", artist="Beck", album="X")], capabilities=BUCKET).respelled


@pytest.mark.parametrize(
    ("paths", "arriving", "looked_up"),
    [
        (["beck/1"], ["Beck/1"], {"beck": "BECK/1"}),
        (["b/1"], ["B/1"], {"b": "B/1"}),
        (["BECK/x/1"], ["beck/X/1"], {"BECK": "bECK/x/1", "BECK/x": "BECK/X/1"}),
        (["beck/1", "Beck/2"], ["Beck/1"], {}),
        (["beck/1", "BECK/2"], ["Beck/1"], {}),
        (["beck/1"], ["other/1"], {}),
        (["beck/1", "x/2"], ["Beck/2"], {"beck": "BECK/1"}),
        (["bj\u00f6rk/1"], ["Bj\u00f6rk/1"], {"bj\u00f6rk": "BJ\u00f6RK/1"}),
        (["bj\u00f6rk/1"], ["bjo\u0308rk/1"], {"bj\u00f6rk": "bjo\u0308rk/1"}),
        (["\u00f6zil/1"], ["\u00d6zil/1"], {"\u00f6zil": "\u00f6ZIL/1"}),
        (["strasse/1"], ["stra\u00dfe/1"], {"strasse": "stra\u00dfe/1"}),
        (["\u00e4/1"], ["\u00c4/1"], {"\u00e4": "\u00c4/1"}),
    ],
)
def test_which_spelling_is_looked_up(paths: list[str], arriving: list[str], looked_up: dict[str, str]) -> None:
    assert {one.directory: one.other_path for one in respelled_directories(paths, arriving)} == looked_up
