"""A playlist is proved by one that has the same text, and whose entries name the copies of the same files."""

from __future__ import annotations

import pytest

from orchestrator.records import Entry
from orchestrator.same_contents.lists import ReadList, match_lists
from orchestrator.same_contents.matching import Matching
from orchestrator.same_contents.records import Proof

MOVED = {"in/1.flac": "Ann/01 One.flac", "in/2.flac": "Ann/02 Two.flac", "in/3.flac": "Ann/03 Three.flac"}
"""The third is missing at the target."""


def entry(path: str, content: str) -> Entry:
    return Entry(path, 1000, hashes={"md5": content})


def proved(mine: str, theirs: str, kind: str = "m3u8") -> bool:
    list_there = Entry(f"Ann/new.{kind}", len(theirs) or 1)
    source = [*(entry(path, path) for path in MOVED), Entry(f"in/old.{kind}", len(mine) + 1000)]
    target = [*(entry(new, path) for path, new in MOVED.items() if "3" not in path), entry("Bob/other.flac", "x"), list_there]
    found = Matching(source, target)
    ours = [ReadList(file, mine.encode()) for file in found.source if file.path.endswith(kind)]
    theirs_read = [ReadList(file, theirs.encode()) for file in found.target if file.path.endswith(kind)]
    match_lists(found, "old:music", "new:library", ours, theirs_read)
    assert {file.proof for file in found.source if file.path in {"in/1.flac", "in/2.flac"}} == {Proof.HASH}
    (said,) = (file for file in found.source if file.path.endswith(kind))
    return said.proof is Proof.LIST


MINE = "#EXTM3U\n#EXTINF:1,One\n1.flac\n2.flac\nhttp://radio/x\n"


@pytest.mark.parametrize(
    ("theirs", "is_proof"),
    [
        ("#EXTM3U\n#EXTINF:1,One\n01 One.flac\n02 Two.flac\nhttp://radio/x\n", True),
        ("#EXTM3U\n#EXTINF:1,One\n../Ann/01 One.flac\n02 Two.flac\nhttp://radio/x\n", True),
        ("#EXTM3U\n#EXTINF:1,One\n02 Two.flac\n01 One.flac\nhttp://radio/x\n", False),
        ("#EXTM3U\n#EXTINF:1,Eno\n01 One.flac\n02 Two.flac\nhttp://radio/x\n", False),
        ("#EXTM3U\n#EXTINF:1,One\n01 One.flac\n02 Two.flac\n", False),
        ("#EXTM3U\n#EXTINF:1,One\n01 One.flac\n02 Two.flac\nhttp://radio/y\n", False),
        ("#EXTM3U\n#EXTINF:1,One\n01 One.flac\n../Bob/other.flac\nhttp://radio/x\n", False),
        ("#EXTM3U\n#EXTINF:1,One\n01 One.flac\nnowhere.flac\nhttp://radio/x\n", False),
        ("", False),
    ],
)
def test_a_playlist(theirs: str, is_proof: bool) -> None:
    assert proved(MINE, theirs) is is_proof


def test_an_entry_of_a_file_that_is_not_proved_proves_nothing_unless_it_is_unchanged() -> None:
    assert not proved("1.flac\n3.flac\n", "01 One.flac\n03 Three.flac\n")
    assert proved("1.flac\n3.flac\n", "01 One.flac\n3.flac\n")


def test_a_cue_sheet_may_need_quotation_marks_for_the_new_name() -> None:
    assert proved("FILE 1.flac WAVE\n", 'FILE "01 One.flac" WAVE\n', "cue")
    assert not proved("FILE 1.flac WAVE\n", 'FILE "02 Two.flac" WAVE\n', "cue")
    assert proved("1.flac 0123abcd\n", "01 One.flac 0123abcd\n", "sfv")
    assert not proved("1.flac 0123abcd\n", "01 One.flac 0123abce\n", "sfv")
