"""What people read of `verify`: each file that is not proved or, if there are many, one line for each folder and reason."""

from __future__ import annotations

import io

from orchestrator.records import Entry
from orchestrator.report.text_reporter import TextReporter
from orchestrator.report.verify_view import show_verification, totals
from orchestrator.same_contents.matching import Matching


def shown(missing: int, *, everything: bool = False, quiet: bool = False) -> list[str]:
    files = [
        Entry(f"Band/Album {number % 3}/{number:02}.mp3", 1000 + number, hashes={"md5": f"{number}"}) for number in range(60)
    ]
    found = Matching(files, files[missing:])
    found.settle()
    out = io.StringIO()
    reporter = TextReporter(out, io.StringIO(), io.StringIO(), quiet=quiet)
    fields = {"source": "old:", "target": "new:", **totals(found)}
    show_verification(found, fields, reporter, everything=everything, quiet=quiet)
    reporter.close()
    return out.getvalue().splitlines()


def test_many_files_are_grouped_by_folder_unless_all_are_wanted() -> None:
    assert len(shown(2)) == 1 + 2 + 1
    assert shown(2)[1].startswith("missing\tBand/Album 0/00.mp3\t")
    grouped = shown(60)
    assert [line.split("\t")[:3] for line in grouped[1:-1]] == [["missing", f"Band/Album {n}/", "20"] for n in range(3)]
    assert len(shown(60, everything=True)) == 1 + 60 + 1


def test_the_sentence_says_what_was_proved_and_how() -> None:
    assert shown(0) == ["new: holds the contents of 60 of 60 files (60.3 KiB) of old: (60 by hashes)"]
    assert shown(1)[-1].startswith("new: holds the contents of only 59 of 60 files (60.3 KiB) of old: (59 by hashes)")
    assert shown(1)[-1].endswith("; not proved: 1 missing")
    assert shown(0, quiet=True) == []
    assert len(shown(1, quiet=True)) == 3
