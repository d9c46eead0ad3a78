"""Absolute entries of other machines follow the one file that the end of their path names, and no other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.plan.companions.playlists.external import ExternalList, named_on_this_machine
from orchestrator.plan.model import Plan
from orchestrator.report import plan_view
from tests.plan.worlds import listing, plan, song


def tracks(*paths: str) -> list:
    """Songs of the album Best of each folder's last name; they move to `<artist>/Best/`."""
    return [song(path, title=f"T{n}", artist="Ann", album="Best", track=n) for n, path in enumerate(paths, 1)]


NEW = ("Ann/Best/01 T1.mp3", "Ann/Best/02 T2.mp3", "Ann/Best/03 T3.mp3")
OLD = ("in/1.mp3", "in/2.mp3", "in/3.mp3")


def made(items: Sequence, content: str, name: str = "Lists/a.m3u", **more: object) -> Plan:
    return plan([*items, listing(name, content.encode())], **more)


def rewritten(items: Sequence, *entries: str, name: str = "Lists/a.m3u", **more: object) -> list[str]:
    """The entries of a playlist after its files have moved."""
    content = "\n".join(entries)
    written = [one.content_bytes() for one in made(items, content, name, **more).operations]
    return next((one.decode().split("\n") for one in written if one is not None), [*entries])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("D:\\Music\\in\\1.mp3", "D:\\Music\\Ann\\Best\\01 T1.mp3"),
        ("d:/music/in/1.mp3", "d:/music/Ann/Best/01 T1.mp3"),
        ("D:\\in\\1.mp3", "D:\\Ann\\Best\\01 T1.mp3"),
        ("D:\\Music\\IN\\1.MP3", "D:\\Music\\Ann\\Best\\01 T1.mp3"),
        ("D:\\Music/in\\1.mp3", "D:\\Music/Ann\\Best\\01 T1.mp3"),
        ("\\\\?\\D:\\Music\\in\\1.mp3", "\\\\?\\D:\\Music\\Ann\\Best\\01 T1.mp3"),
        ("\\\\NAS\\music\\in\\1.mp3", "\\\\NAS\\music\\Ann\\Best\\01 T1.mp3"),
        ("\\\\?\\UNC\\NAS\\music\\in\\1.mp3", "\\\\?\\UNC\\NAS\\music\\Ann\\Best\\01 T1.mp3"),
        ("//nas/music/in/1.mp3", "//nas/music/Ann/Best/01 T1.mp3"),
        ("smb://me@nas/music/in/1.mp3", "smb://me@nas/music/Ann/Best/01%20T1.mp3"),
        ("/data/in/1.mp3", "/data/Ann/Best/01 T1.mp3"),
        ("/mnt/disk 1/Music/in/1.mp3", "/mnt/disk 1/Music/Ann/Best/01 T1.mp3"),
        ("/mnt/Music/in\\1.mp3", "/mnt/Music/Ann\\Best\\01 T1.mp3"),
        ("\\Music\\in\\1.mp3", "\\Music\\Ann\\Best\\01 T1.mp3"),
        ("/Users/me/Lists/../Music/./in/1.mp3", "/Users/me/Lists/../Music/./Ann/Best/01 T1.mp3"),
        ("file:///D:/My%20Music/in/1.mp3", "file:///D:/My%20Music/Ann/Best/01%20T1.mp3"),
        ("file:///d|/Music/in/1.mp3", "file:///d|/Music/Ann/Best/01%20T1.mp3"),
        ("file://localhost/Users/me/in/1.mp3", "file://localhost/Users/me/Ann/Best/01%20T1.mp3"),
        ("file://localhost//nas/music/in/1.mp3", "file://localhost//nas/music/Ann/Best/01%20T1.mp3"),
        ("file://nas/music/in/1.mp3", "file://nas/music/Ann/Best/01%20T1.mp3"),
        ("file://///nas/music/in/1.mp3", "file://///nas/music/Ann/Best/01%20T1.mp3"),
        ("FILE:///data/in/1.mp3", "FILE:///data/Ann/Best/01%20T1.mp3"),
        # What the program of that machine cannot open anyway, or what may be another file, stays.
        ("http://nas/music/in/1.mp3", None),
        ("D:in\\1.mp3", None),
        ("D:\\Music\\in\\9.mp3", None),
        ("D:\\Music\\1.mp3", None),
        ("\\\\NAS\\1.mp3", None),
        ("D:\\..\\in\\1.mp3", None),
        ("/music/other/in/1.mp3", None),  # in this very library, and not there
    ],
)
def test_one_entry(before: str, after: str | None) -> None:
    assert rewritten(tracks("in/1.mp3"), before) == [after or before]


HITS = ["A/Hits/1 One.mp3", "A/Hits/2 Two.mp3"]
SHOWING = [f"D:/M/{path}" for path in HITS]


@pytest.mark.parametrize(
    ("paths", "entries", "followed"),
    [
        # The longest end counts, and it must be that of one file.
        (["a/in/1.mp3", "b/in/2.mp3"], ["D:\\M\\a\\in\\1.mp3"], "y"),
        (["a/Best/1.mp3", "b/Best/1.mp3"], ["D:\\M\\Best\\1.mp3"], "n"),
        (["a/Best/1.mp3", "b/Best/1.mp3"], ["D:\\M\\b\\Best\\1.mp3"], "y"),
        (["Song/One.mp3", "song/one.mp3"], ["D:\\M\\Song\\One.mp3"], "y"),
        (["Song/One.mp3", "song/one.mp3"], ["D:\\M\\SONG\\One.mp3"], "n"),
        (["Lo\u0308we/1.mp3"], ["D:\\M\\L\u00f6we\\1.mp3"], "y"),
        # Two telling names are enough wherever they are; numbers are not.
        (["x/y/Best/01 One.mp3"], ["D:\\M\\Best\\01 One.mp3"], "y"),
        (["x/y/Blue/01 S1.mp3"], ["D:/M/Blue/01 S1.mp3"], "y"),
        (["x/Live/Side A/A1.mp3"], ["D:/M/Queen/Side A/A1.mp3"], "n"),
        (["x/Live/d1t03.mp3"], ["D:/M/Live/d1t03.mp3"], "n"),
        (["x/Unknown Album/Track 03.mp3"], ["D:/M/Unknown Album/Track 03.mp3"], "n"),
        (["x/Live/CD1/01.mp3"], ["D:\\M\\Other\\CD1\\01.mp3"], "n"),
        (["x/Live/CD1/Track 01.mp3"], ["D:\\M\\Queen\\CD1\\Track 01.mp3"], "n"),
        # Two entries that agree show where a folder is; all others from that drive must then be found there.
        ([*HITS, "B/Hits/3 Intro.mp3"], [*SHOWING, "D:/M/Q/Hits/3 Intro.mp3"], "yyn"),
        ([*HITS, "B/Hits/3.mp3", "C/Hits/3.mp3"], [*SHOWING, "D:/M/C/Hits/3.mp3"], "yyy"),
        ([*HITS, "old/Bob/Hits/3 Intro.mp3"], [*SHOWING, "D:/M/x/Bob/Hits/3 Intro.mp3"], "yyy"),
        # A single name never is, unless all entries from that folder lead to one folder here.
        (["x/One.mp3", "x/Two.mp3"], ["D:\\Rips\\One.mp3", "D:\\Rips\\Two.mp3"], "yy"),
        (["x/One.mp3", "x/Two.mp3"], ["D:\\Rips\\One.mp3", "D:\\Rips\\Two.mp3", "D:\\Rips\\Three.mp3"], "nnn"),
        (["x/One.mp3", "y/Two.mp3"], ["D:\\Rips\\One.mp3", "D:\\Rips\\Two.mp3"], "nn"),
        (["One.mp3"], ["D:\\Rips\\One.mp3"], "n"),
        (["One.mp3", "Two.mp3"], ["/rips/new/One.mp3", "/rips/new/Two.mp3"], "yy"),
    ],
)
def test_which_entries_follow(paths: list[str], entries: list[str], followed: str) -> None:
    after = rewritten(tracks(*paths), *entries)
    assert "".join("n" if old == new else "y" for old, new in zip(entries, after, strict=True)) == followed


def test_entries_stay_absolute_below_their_folder_and_become_relative_above_it() -> None:
    items = tracks("Sorted/Ann/Best/01 T1.mp3", "in/Hits/02 Two.mp3")
    assert rewritten(items, "M:\\Ann\\Best\\01 T1.mp3", "M:\\Hits\\02 Two.mp3", layout="Sorted/{{ title }}") == [
        "M:\\T1.mp3",
        "..\\Sorted\\T2.mp3",
    ]
    assert rewritten(items, "file:///M:/Hits/02%20Two.mp3", layout="{{ title }}") == ["../T2.mp3"]


def test_copies_at_another_target_get_relative_entries() -> None:
    assert rewritten(tracks(*OLD), "D:\\Music\\in\\1.mp3", target="/elsewhere", copy=True) == ["..\\Ann\\Best\\01 T1.mp3"]


def test_a_second_run_changes_nothing() -> None:
    content = "\n".join(f"D:\\Music\\{path}" for path in NEW).replace("/", "\\")
    assert not made(tracks(*NEW), content).operations


def test_entries_for_files_of_this_machine_stay() -> None:
    """The planner is told which paths exist outside the library: they mean themselves."""
    lists = [ExternalList("/music", "Lists/a.m3u", b"/home/me/in/1.mp3\n../../mnt/in/1.mp3\nhttp://x/in/1.mp3\n../in/1.mp3")]
    named = {*named_on_this_machine(lists)}
    assert {"/home/me/in/1.mp3", "/mnt/in/1.mp3"} <= named
    assert not {path for path in named if "http" in path and path.startswith("/http")}
    assert {*named_on_this_machine([ExternalList("r:", "a.m3u", b"/x/in/1.mp3\n../in/1.mp3")])} == {"/x/in/1.mp3"}


def test_the_plan_says_how_many_entries_were_found_by_their_ends() -> None:
    reasons = {one.reason for one in made(tracks(*OLD), "D:\\Music\\in\\1.mp3\n../in/2.mp3\n../in/8.mp3").operations}
    assert "2 of 3 entries follow their files, 1 of them found by the end of their path" in reasons


def test_entries_without_a_file_are_counted() -> None:
    """Not web addresses, folders, and what a machine has outside the library."""
    there = "http://radio/stream.mp3\n../in\nD:\\Music\\in\\1.mp3\n../in/2.mp3\n"
    for operations in (tracks(*OLD), tracks(*NEW)):
        paths = [item.entry.path for item in operations]
        lines = (
            there
            if paths == [*OLD]
            else there.replace("in", "Ann/Best").replace("1.mp3", "01 T1.mp3").replace("2.mp3", NEW[1][9:])
        )
        one = made(operations, f"{lines}../in/gone.mp3\nE:\\x.mp3\n/home/me/y.mp3\n", "Lists/a.m3u8")
        assert one.header.counts["entries_without_file"] == 3
        reasons = {skipped.path: skipped.reason for skipped in one.skipped if skipped.code == "entries-without-file"}
        assert reasons == {"Lists/a.m3u8": "3 of 7 entries name no file of the library"}
        assert plan_view.facts(one).count(("entries without a file", "3 in 1 playlist; -v lists them")) == 1
        assert "playlist entries without a file: 3 in 1 playlist; -v lists them" in plan_view.nothing_to_do(one)
    for source, number in (("/music/library", 2), ("r:music/library", 1)):  # what is in the same remote outside is unknown
        counts = made(tracks(*OLD), "../../other/1.mp3\n../gone.mp3", source=source).header.counts
        assert counts["entries_without_file"] == number
    several = made(tracks("a/Best/1.mp3", "b/Best/1.mp3"), "D:\\M\\Best\\1.mp3\nD:\\y.mp3")
    assert "2 of 2 entries name no file of the library, or fit several files (1)" in {one.reason for one in several.skipped}
    assert "entries_without_file" not in made(tracks(*OLD), there).header.counts


def test_playlists_outside_the_library_follow_the_same_rules() -> None:
    outside = ExternalList("/lists", "y.m3u", b"D:\\Music\\in\\1.mp3\n\\\\nas\\music\\in\\2.mp3\nD:\\1.mp3\n/home/me/in/3.mp3\n")
    for elsewhere, number in ((frozenset[str](), 3), (frozenset({"/home/me/in/3.mp3"}), 2)):
        skipped = plan(tracks(*OLD), external_lists=[outside], elsewhere=elsewhere).skipped
        assert [one.reason for one in skipped] == [f"{number} of its entries move; it is outside the library and is not changed"]
