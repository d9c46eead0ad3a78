"""What two-way sync must get right on servers: the edits on each side, and the trees that both then have, written by hand.

`CASES` holds the cases by name. A new case is one more function with `@case`: it fills its own folder on both sides, yields the
trees that the next sync must give, edits, and so on. After each `yield` it may look at what that sync has done. So all cases of
one policy share their syncs.
"""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import mutagen.id3

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.places import digest
from tests.sync_sides import DAY_NS, Side

FIRST = 1_709_294_400 * 10**9
"""Noon of 2024-03-01, when all files were written that are there at first."""
NEWER, NEWEST = FIRST + DAY_NS, FIRST + 2 * DAY_NS
DATES = {FIRST: "2024-03-01", NEWER: "2024-03-02", NEWEST: "2024-03-03"}
_HOUR_NS = 3600 * 10**9
_TRASH = ".music-orchestrator/trash/"

Tree = dict[str, bytes]
"""Path in the folder of a case -> content."""


class Step(NamedTuple):
    """What the next sync must give."""

    trees: tuple[Tree, Tree]
    errors: Mapping[str, str]
    """Path -> code of each file that it reports, as long as nothing else is said."""
    options: tuple[str, ...]
    """Beside those that all steps have; for this step only."""


Steps = Iterator[Step]


class Hand:
    """A user at work in the folder of a case, on one side."""

    def __init__(self, side: Side, folder: str) -> None:
        self.side = side
        self._folder = folder

    def put(self, path: str, content: bytes, day: int = FIRST) -> bytes:
        """Write a file, or another content into one, and return it."""
        self.side.put(self._at(path), content, day)
        return content

    def rename(self, old: str, new: str) -> None:
        """Rename a file or folder."""
        self.side.rename(self._at(old), self._at(new))

    def delete(self, *paths: str) -> None:
        """Delete files."""
        for path in paths:
            self.side.delete(self._at(path))

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder, where there are folders."""
        self.side.remove_folder(self._at(path))

    def has_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        return self.side.has_folder(self._at(path))

    def on_disk(self, path: str) -> Path:
        """The file, on this machine."""
        assert self.side.root is not None
        return self.side.root / self._at(path)

    def _at(self, path: str) -> str:
        return f"{self._folder}/{path}"


class Case:
    """One case under way."""

    def __init__(self, name: str, sides: tuple[Side, Side], state: Path, policy: str) -> None:
        """`state`: the state directory of the program. `policy`: that of --conflict."""
        self.name = name
        self.policy = policy
        self.kind = "mp3"
        """Of its songs: "mp3-lame" tells where no hash does which is which, by its sound."""
        self.hands = self.a, self.b = Hand(sides[0], name), Hand(sides[1], name)
        self.local = next((hand for hand in self.hands if hand.side.root), None)
        self.dated = all(side.dated for side in sides)
        self.operations: list[dict[str, Any]] = []
        """Those of the last sync in this folder."""
        self.everything: tuple[dict[str, str], dict[str, str]] = ({}, {})
        """The trees after it, our own files included."""
        self.killed = False
        """Another sync was killed before, which has done part of it."""
        self._state = state / "sync.sqlite3"
        self._sounds: dict[str, int] = {}
        self._numbers = count(sum(name.encode()) * 1000)

    def song(self, path: str, words: str = "", *, kind: str | None = None) -> bytes:
        """A song whose sound belongs to the path, with words of its own: other words are an edit of its tags."""
        serial = self._sounds.setdefault(path, next(self._numbers))
        return track_bytes(kind or self.kind, Track(title=(f"{self.name} {path} {words}",), track=1), seconds=0.1, serial=serial)

    def start(self, *paths: str) -> Tree:
        """Songs that one side has, and the other one gets."""
        hand = self.local or self.a
        return {path: hand.put(path, self.song(path)) for path in paths}

    def both(self, tree: Tree, *options: str, b: Tree | None = None, errors: Mapping[str, str] | None = None) -> Step:
        """Both sides have this tree; B another one if it is given."""
        return Step((dict(tree), dict(tree if b is None else b)), errors or {}, options)

    def conflict(self, path: str, days: tuple[int, int] = (NEWER, NEWEST), *, copy: str = "", words: str = "") -> Tree:
        """Both edit a file. What then is there, the name of the loser being `copy`, by default that of a first copy."""
        edits = [self.song(path, f"by {letter}{words}") for letter in "AB"]
        contents = [hand.put(path, edit, day) for hand, edit, day in zip(self.hands, edits, days, strict=True)]
        loser = self.loser(days)
        return {path: contents[1 - loser], copy or self.copy_name(path, loser, days[loser]): contents[loser]}

    def loser(self, days: tuple[int, int]) -> int:
        """The side whose file loses its name: the older one, and B where that is unknown."""
        return 0 if self.dated and days[0] < days[1] else 1

    def copy_name(self, path: str, side: int, day: int, number: int = 1) -> str:
        """The name of a conflict copy."""
        stem, _, extension = path.rpartition(".")
        date = f" {DATES[day]}" if self.hands[side].side.dated else ""
        return f"{stem} (conflict {'AB'[side]}{date}{f' {number}' if number > 1 else ''}).{extension}"

    def check_sent(self, number: int, *, of: int | None = None) -> None:
        """The last sync has sent that many files from one side to the other; `of`: by that many operations."""
        sent = [one for one in self.operations if one["verb"] in {"copy", "replace"} and one["src"]["fs"] != one["dst"]["fs"]]
        assert self.killed or len(sent) == number, sent
        assert self.killed or of in {None, len(self.operations)}, self.operations

    def trash(self, side: int) -> set[str]:
        """The sha256 of what is in the trash of a side."""
        return {content for path, content in self.everything[side].items() if path.startswith(_TRASH)}

    def damage_record(self, path: str) -> None:
        """Damage what the program remembers of a file."""
        with sqlite3.connect(self._state) as database:
            database.execute("UPDATE entry SET checksum = 'x' WHERE first_path = ?", (f"{self.name}/{path}".encode(),))
            assert database.total_changes == 1
        database.close()


Function = Callable[[Case], Steps]
CASES: dict[str, dict[str, Function]] = {}
"""Policy of --conflict ("" if it is not given) -> name -> case."""


def case(*policies: str) -> Callable[[Function], Function]:
    """Add a case, for syncs with these policies."""

    def add(function: Function) -> Function:
        for policy in policies or ("",):
            CASES.setdefault(policy, {})[function.__name__.replace("_", " ")] = function
        return function

    return add


def songs(*numbers: int, folder: str = "") -> list[str]:
    """Names of songs."""
    return [f"{folder}{number}.mp3" for number in numbers]


def without(tree: Tree, *paths: str) -> Tree:
    """A tree without some files."""
    return {path: content for path, content in tree.items() if path not in paths}


def moved(tree: Tree, old: str, new: str) -> Tree:
    """A tree after the rename of a folder."""
    return {path.replace(old, new, 1) if path.startswith(old) else path: content for path, content in tree.items()}


# After the bisync scenarios of rclone.


@case()
def changes(case: Case) -> Steps:
    tree = case.start(*songs(*range(1, 9)))
    yield case.both(tree)
    edited = {
        "1.mp3": case.b.put("1.mp3", case.song("1.mp3", "newer on B"), NEWER),
        "2.mp3": case.a.put("2.mp3", case.song("2.mp3", "newer on A"), NEWER),
        "6.mp3": case.b.put("6.mp3", case.song("6.mp3", "edited"), NEWER),
        "7.mp3": case.a.put("7.mp3", case.song("7.mp3", "edited"), NEWER),
        "10.mp3": case.b.put("10.mp3", case.song("10.mp3"), NEWER),
        "11.mp3": case.a.put("11.mp3", case.song("11.mp3"), NEWER),
    }
    case.a.delete(*songs(4, 6, 8))
    case.b.delete(*songs(3, 7, 8))
    yield case.both(edited | case.conflict("5.mp3"))
    assert {digest(tree[path]) for path in songs(1, 3)} <= case.trash(0)
    assert {digest(tree[path]) for path in songs(2, 4)} <= case.trash(1)


@case()
def equal(case: Case) -> Steps:
    yield case.both(case.start(*songs(1, 2)))
    same = case.song("2.mp3", "the same on both")
    for hand in case.hands:
        hand.put("2.mp3", same, NEWER)
    yield case.both({"2.mp3": same, **case.conflict("1.mp3")})


@case("newer")
def newer_wins_and_the_loser_is_deleted(case: Case) -> Steps:
    tree = case.start(*songs(1, 2, 3))
    yield case.both(tree)
    first, second = case.conflict("1.mp3", (NEWEST, NEWER)), case.conflict("2.mp3", (NEWER, NEWEST))
    tie = case.conflict("3.mp3", (NEWER, NEWER))
    if case.dated:
        first, second = ({path: part[path]} for path, part in (("1.mp3", first), ("2.mp3", second)))
    yield case.both(first | second | tie)
    if case.dated:
        assert digest(case.song("1.mp3", "by B")) in case.trash(1)
        assert digest(case.song("2.mp3", "by A")) in case.trash(0)


@case("older")
def older_wins_and_a_tie_keeps_both(case: Case) -> Steps:
    yield case.both(case.start(*songs(1, 2)))
    older, tie = case.conflict("1.mp3", (NEWER, NEWEST)), case.conflict("2.mp3", (NEWER, NEWER))
    yield case.both((tie | {"1.mp3": case.song("1.mp3", "by A")}) if case.dated else (tie | older))


@case("larger")
def larger_wins_and_a_tie_keeps_both(case: Case) -> Steps:
    yield case.both(case.start(*songs(1, 2)))
    tie = case.conflict("2.mp3")
    case.a.put("1.mp3", case.song("1.mp3", "edited"), NEWEST)
    larger = case.b.put("1.mp3", case.song("1.mp3", "edited, with many words"), NEWER)
    yield case.both({**tie, "1.mp3": larger})


@case("a", "b")
def one_side_wins_and_the_loser_is_in_its_trash(case: Case) -> Steps:
    yield case.both(case.start("1.mp3"))
    case.conflict("1.mp3")
    contents = {letter: case.song("1.mp3", f"by {letter}") for letter in "AB"}
    yield case.both({"1.mp3": contents.pop(case.policy.upper())})
    [(letter, lost)] = contents.items()
    assert digest(lost) in case.trash("AB".index(letter))


@case()
def a_copy_of_that_name_survives(case: Case) -> Steps:
    tree = case.start("1.mp3")
    yield case.both(tree)
    days = (NEWER, NEWEST)
    loser = case.loser(days)
    there = case.copy_name("1.mp3", loser, days[loser])
    other = case.a.put(there, case.song("another"))
    yield case.both({there: other, **case.conflict("1.mp3", days, copy=case.copy_name("1.mp3", loser, days[loser], 2))})


@case()
def one_side_is_empty_at_first(case: Case) -> Steps:
    tree = {path: case.a.put(f"a/{path}", case.song(path)) for path in songs(1, 2)}
    more = {path: case.b.put(f"b/{path}", case.song(path)) for path in songs(3, 4)}
    yield case.both({f"a/{path}": one for path, one in tree.items()} | {f"b/{path}": one for path, one in more.items()})


@case("a")
def a_is_preferred_at_first(case: Case) -> Steps:
    tree = {
        "1.mp3": case.a.put("1.mp3", case.song("1.mp3")),
        "2.mp3": case.b.put("2.mp3", case.song("2.mp3")),
        "4.mp3": case.b.put("4.mp3", case.song("4.mp3"), NEWER),
        "7.mp3": case.b.put("7.mp3", case.a.put("7.mp3", case.song("7.mp3"))),
    }
    for path, day in (("3.mp3", NEWEST), ("5.mp3", FIRST), ("6.mp3", NEWEST)):
        case.conflict(path, (NEWER, day))
        tree[path] = case.song(path, "by A")
    yield case.both(tree)


@case("newer")
def normalization(case: Case) -> Steps:
    case.kind = "mp3-lame"
    composed, decomposed = (unicodedata.normalize(form, "d/\u00e9.mp3") for form in ("NFC", "NFD"))
    names = {"1.mp3": "1.mp3", "HeLlO.mp3": "hello.mp3", composed: decomposed}
    a = {path: case.a.put(path, case.song(path)) for path in names}
    b = {path: case.b.put(path, a[there]) for there, path in names.items()}
    if case.dated:  # otherwise it is not known which is newer
        a["HeLlO.mp3"] = b["hello.mp3"] = case.b.put("hello.mp3", case.song("HeLlO.mp3", "newer"), NEWER)
    yield case.both(a, b=b)
    for path in ("HeLlO.mp3", composed):
        a[path] = b[names[path]] = case.a.put(path, case.song(path, "edited on A"), NEWEST)
    a["1.mp3"] = b["1.mp3"] = case.b.put("1.mp3", case.song("1.mp3", "edited on B"), NEWEST)
    yield case.both(a, b=b)


@case()
def extended_filenames(case: Case) -> Steps:
    names = ["Дерево.mp3", "木.mp3", "à côté.mp3", "x - Copy (2).mp3", "f [x]*?.mp3", "c\x19.mp3", "q'\"&%41+#.mp3"]
    kinds = {hand.side.kind for hand in case.hands}
    if kinds.isdisjoint({"s3_moto", "crypt"}):  # moto keeps no key with a line feed
        names.append("line\nfeed.mp3")
    tree, bytes_of = case.start(*names), {hand: {} for hand in case.hands}
    if case.local:
        for byte in (b"\x81", b"\xfe"):  # no UTF-8: it stays, and is reported
            name = f"bytes {byte.hex()} {os.fsdecode(byte)}"
            case.local.on_disk(name).write_bytes(byte)
            bytes_of[case.local][name] = byte
    errors = {f"{name[:-1]}\ufffd": "unsupported-name" for there in bytes_of.values() for name in there}
    yield Step(tuple(tree | bytes_of[hand] for hand in case.hands), errors, ())
    both = case.conflict(names[0])
    tree = {
        **without(tree, names[1], names[3]),
        **both,
        names[2]: case.b.put(names[2], case.song(names[2], "edited"), NEWER),
        f"新/{names[2]}": case.b.put(f"新/{names[2]}", case.song("new on B")),
        f"새/{names[2]}": case.a.put(f"새/{names[2]}", case.song("new on A")),
        names[3]: case.b.put(names[3], case.song(names[3], "edit beats delete"), NEWER),
    }
    case.a.delete(names[1], names[3])
    yield Step(tuple(tree | bytes_of[hand] for hand in case.hands), errors, ())


@case()
def rmdirs(case: Case) -> Steps:
    tree = case.start("1.mp3", "sub/1.mp3")
    yield case.both(tree)
    has_folders = all(hand.has_folder("sub") for hand in case.hands)
    case.a.delete("sub/1.mp3")
    yield case.both(without(tree, "sub/1.mp3"))
    if has_folders:
        assert all(hand.has_folder("sub") for hand in case.hands), "the user may still want it"
        case.a.remove_folder("sub")
        yield case.both(without(tree, "sub/1.mp3"))
        assert not any(hand.has_folder("sub") for hand in case.hands)


# Renames, folders and all that: where other programs fail.


@case()
def a_chain_with_a_new_head(case: Case) -> Steps:
    hand = case.local or case.a  # sizes differ: without hashes, nothing else may tell the songs apart
    tree = {path: hand.put(path, case.song(path, words)) for path, words in zip(songs(1, 2, 3), ("", "x", "xx"), strict=True)}
    yield case.both(tree)
    case.a.delete("3.mp3")
    case.a.rename("2.mp3", "3.mp3")
    case.a.rename("1.mp3", "2.mp3")
    new = case.a.put("1.mp3", case.song("new"))
    yield case.both({"1.mp3": new, "2.mp3": tree["1.mp3"], "3.mp3": tree["2.mp3"]})
    assert digest(tree["3.mp3"]) in case.trash(1)
    if case.a.side.hashed:  # elsewhere a name with other content is an edit
        case.check_sent(1)


@case()
def a_ring(case: Case) -> Steps:
    case.kind = "mp3-lame"
    tree = {path: case.a.put(path, case.song(path, words)) for path, words in zip(songs(1, 2, 3), ("", "x", "xx"), strict=True)}
    yield case.both(tree)
    for old, new in ((1, "x"), (3, 1), (2, 3), ("x", 2)):
        case.b.rename(f"{old}.mp3", f"{new}.mp3")
    yield case.both({"1.mp3": tree["3.mp3"], "2.mp3": tree["1.mp3"], "3.mp3": tree["2.mp3"]})
    case.check_sent(0)


@case()
def a_folder_is_renamed_and_gets_a_new_file_under_its_old_name(case: Case) -> Steps:
    case.kind = "mp3-lame"
    tree = case.start(*songs(1, 2, 3, folder="d/"))
    yield case.both(tree)
    case.a.rename("d", "e")
    new = case.b.put("d/new.mp3", case.song("new"))
    yield case.both(moved(tree, "d/", "e/") | {"d/new.mp3": new})
    case.check_sent(1)


@case()
def a_folder_is_renamed_here_and_edited_there(case: Case) -> Steps:
    case.kind = "mp3-lame"
    tree = case.start(*songs(1, 2, 3, folder="d/"))
    yield case.both(tree)
    case.a.rename("d", "e")
    edited = case.b.put("d/1.mp3", case.song("d/1.mp3", "edited"), NEWER)
    yield case.both(moved(tree, "d/", "e/") | {"e/1.mp3": edited})
    case.check_sent(1)


@case()
def a_folder_gets_two_names(case: Case) -> Steps:
    case.kind = "mp3-lame"
    tree = case.start(*songs(1, 2, 3, 4, folder="d/"))
    yield case.both(tree)
    case.a.rename("d", "e")
    case.b.rename("d", "g")
    edited = {
        "e/1.mp3": case.b.put("g/1.mp3", case.song("d/1.mp3", "by B"), NEWER),
        "e/2.mp3": case.a.put("e/2.mp3", case.song("d/2.mp3", "by A"), NEWER),
    }
    yield case.both(moved(tree, "d/", "e/") | edited)
    case.check_sent(2)


@case()
def two_folders_get_one_name(case: Case) -> Steps:
    case.kind = "mp3-lame"
    tree = case.start("d1/1.mp3", "d1/2.mp3", "d2/1.mp3", "d2/3.mp3")
    yield case.both(tree)
    case.a.rename("d1", "e")
    case.b.rename("d2", "e")
    copy = case.copy_name("e/1.mp3", 1, FIRST)
    merged = {"e/1.mp3": "d1/1.mp3", "e/2.mp3": "d1/2.mp3", copy: "d2/1.mp3", "e/3.mp3": "d2/3.mp3"}
    yield case.both({path: tree[old] for path, old in merged.items()})
    case.check_sent(0)


@case()
def a_folder_is_deleted_here_and_worked_in_there(case: Case) -> Steps:
    tree = case.start(*songs(1, 2, 3, folder="d/"))
    yield case.both(tree)
    case.a.delete(*tree)
    edited = case.b.put("d/1.mp3", case.song("d/1.mp3", "edited"), NEWER)
    yield case.both({"d/1.mp3": edited, "d/new.mp3": case.b.put("d/new.mp3", case.song("new"))})


@case()
def a_file_becomes_a_folder_and_a_file_again(case: Case) -> Steps:
    case.kind = "mp3-lame"
    tree = case.start("x.mp3", "y.mp3")
    yield case.both(tree)
    case.a.rename("x.mp3", "other")
    case.a.rename("other", "x.mp3/x.mp3")
    yield case.both({"x.mp3/x.mp3": tree["x.mp3"], "y.mp3": tree["y.mp3"]})
    case.check_sent(0)
    case.b.rename("x.mp3/x.mp3", "other")
    case.b.remove_folder("x.mp3")
    case.b.rename("other", "x.mp3")
    yield case.both(tree)
    case.check_sent(0)


@case()
def siblings_whose_names_begin_alike(case: Case) -> Steps:
    case.kind = "mp3-lame"
    tree = case.start(*(f"{folder}/{number}.mp3" for folder in ("live", "live-1", "live 2", "LIVE2") for number in (1, 2)))
    yield case.both(tree)
    case.a.rename("live", "studio")
    yield case.both(moved(tree, "live/", "studio/"))
    case.check_sent(0)
    assert {one["src"]["path"].split("/")[1] for one in case.operations} <= {"live"}


@case()
def a_folder_is_made_again_with_the_same_files(case: Case) -> Steps:
    tree = case.start(*songs(1, 2, 3, folder="d/"))
    yield case.both(tree)
    case.b.delete(*tree)
    for path, content in tree.items():
        case.b.put(path, content, NEWER)
    yield case.both(tree)
    if case.b.side.hashed:  # elsewhere only reading them whole would show that they are the same
        case.check_sent(0, of=0)


@case()
def a_folder_is_excluded_and_included_again(case: Case) -> Steps:
    tree = case.start("1.mp3", *songs(1, 2, folder="d/"))
    yield case.both(tree)
    tree["1.mp3"] = case.a.put("1.mp3", case.song("1.mp3", "edited"), NEWER)
    yield case.both(tree, "--exclude", f"{case.name}/d/**")
    yield case.both(tree)
    case.check_sent(0, of=0)


# What is an edit, and what is none.


@case()
def tags_are_written_in_place(case: Case) -> Steps:
    tree = case.start(*songs(1, 2, 3))
    yield case.both(tree)
    if case.local is None:
        return
    for path, by_rename in (("1.mp3", False), ("2.mp3", True)):
        file = case.local.on_disk(path)
        before, content = file.stat(), tree[path].replace(b"tags are written", b"TAGS ARE WRITTEN")
        assert content != tree[path]
        written = file.with_suffix(".new") if by_rename else file
        written.write_bytes(content)
        os.utime(written, ns=(before.st_atime_ns, before.st_mtime_ns))
        written.replace(file)
        tree[path] = content
    yield case.both(tree)
    case.check_sent(2, of=2)


@case()
def new_times_are_no_edits(case: Case) -> Steps:
    tree = case.start(*songs(1, 2, 3))
    for later in (0, _HOUR_NS, DAY_NS):
        for path, content in tree.items() if later else ():
            case.a.put(path, content, FIRST + later)
        yield case.both(tree)
        if later and case.a.side.hashed:  # elsewhere a new time may be an edit
            case.check_sent(0, of=0)


@case()
def a_conflict_copy_is_edited_on_both(case: Case) -> Steps:
    yield case.both(case.start("1.mp3"))
    days = (NEWER, NEWEST)
    loser = case.loser(days)
    tree = case.conflict("1.mp3", days)
    yield case.both(tree)
    copy, second = (case.copy_name("1.mp3", loser, days[loser], number) for number in (1, 2))
    yield case.both(tree | case.conflict(copy, days, copy=second))


@case()
def the_record_of_a_file_is_damaged(case: Case) -> Steps:
    tree = case.start(*songs(1, 2))
    yield case.both(tree)
    for path in tree:
        case.damage_record(path)
    edited = case.a.put("1.mp3", case.song("1.mp3", "edited"), NEWER)
    names = ("1.mp3", case.copy_name("1.mp3", 1, FIRST))
    yield case.both({names[0]: edited, names[1]: tree["1.mp3"], "2.mp3": tree["2.mp3"]})


@case("", "newer", "b", "larger")
def a_file_is_cut(case: Case) -> Steps:
    tree = {"1.flac": (case.local or case.a).put("1.flac", case.song("1.flac", kind="flac"))}
    yield case.both(tree)
    cut = case.b.put("1.flac", tree["1.flac"][: len(tree["1.flac"]) * 2 // 3], NEWER)
    yield case.both(tree, errors={"1.flac": "unreadable"})
    assert digest(cut) in case.trash(1)
    yield case.both(tree)


@case()
def songs_are_played_on_both(case: Case) -> Steps:
    tree = case.start(*songs(*range(10)))
    yield case.both(tree)
    played = [{path: _played(content, plays) for path, content in tree.items()} for plays in (3, 5)]
    days = (NEWER, NEWEST)
    for hand, contents, day in zip(case.hands, played, days, strict=True):
        for path, content in contents.items():
            hand.put(path, content, day)
    loser = case.loser(days)
    yield case.both(played[1 - loser])
    assert {digest(content) for content in played[loser].values()} <= case.trash(loser)


def _played(content: bytes, plays: int) -> bytes:
    file = BytesIO(content)
    tags = mutagen.id3.ID3(file)  # type: ignore[no-untyped-call, attr-defined]
    tags.add(mutagen.id3.POPM(email="player", rating=196, count=plays))  # type: ignore[no-untyped-call, attr-defined]
    file.seek(0)
    tags.save(file)
    return file.getvalue()
