"""Every fault case that the program handles has tests that say so: their docstrings contain "Fault case N"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CASES = {
    1: "S3, many renames, the program killed at every changing request",
    2: "rclone killed between a copy and its delete",
    3: "the reply to a change that was done is lost",
    4: "rclone killed in the middle of a download",
    5: "a download is synced before its source goes",
    6: "the target's disk fills up",
    7: "the journal's disk fills up",
    8: "a file in the way, equal in size and time",
    9: "one name in two Unicode forms",
    10: "killed between the two halves of a rename of case only",
    11: "swaps and rings, killed at every step",
    12: "two runs at the same moment",
    13: "the lock of a killed process",
    14: "a plan that was tampered with",
    15: "a source replaced under its size and time",
    16: "a source gone, or a destination there, by now",
    17: "a listing that came back empty or short",
    18: "a line that refuses, breaks, stalls or crawls",
    19: "a server that asks to be asked later",
    20: "credentials refused in mid-run",
    21: "clocks apart",
    22: "tags that would leave the root or run something",
    23: "files that are not what they seem",
    24: "an upload that is stored cut",
    25: "twins, killed at every step of deduplication",
    26: "another program takes the destination's name while the copy is under way",
    27: "a second run under another name of the place",
    28: "a file appears at the destination of a rename on a disk, after the last look",
    29: "killed during uploads over a slow line",
    30: "one file under two names",
    31: "one request that always fails, with each error",
    32: "tidying that fails for good",
    33: "every delete refused",
    34: "a damaged copy of a good file, in 16 formats",
    35: "a disk that ignores case",
    36: "a stop while large files are sent over a slow line",
    37: "another client renames or trashes a folder on Google Drive",
    38: "a source that changes while it is sent",
    39: "a location inside another one, each with its own quarantine",
    40: "two machines with one job; a folder, a dangling link or another file system at the destination",
}

# Parts of some cases need features that this version lacks: 17 and 21 two-way sync, 18 a queue of uploads.

_NAMED = re.compile(r"[Ff]ault cases? (\d+(?:(?:, | and )\d+)*)")


_NIGHTLY = "pytest.mark.nightly"


def docstrings() -> Iterator[str]:
    """Those of the tests that run in CI: a case that only the nightly run tries is a gap."""
    for file in sorted(Path(__file__).parent.rglob("test_*.py")):
        tree = ast.parse(file.read_text())
        if any(ast.unparse(node) == f"pytestmark = {_NIGHTLY}" for node in tree.body):
            continue
        yield from (
            text
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and (text := ast.get_docstring(node))
            if _NIGHTLY not in map(ast.unparse, node.decorator_list)
        )


def test_every_fault_case_has_a_test() -> None:
    shown = {int(number) for text in docstrings() for named in _NAMED.findall(text) for number in re.findall(r"\d+", named)}
    assert shown == CASES.keys(), "these have no test, or are unknown"


def test_every_fault_case_is_documented_with_tests_that_exist() -> None:
    text = (Path(__file__).parents[1] / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", text, re.MULTILINE)
    assert {int(number) for number, _ in rows} == CASES.keys()
    files = {path.stem for path in Path(__file__).parent.rglob("test_*.py")}
    assert {name.rpartition("/")[2] for _, tests in rows for name in re.findall(r"`(.+?)`", tests)} <= files
