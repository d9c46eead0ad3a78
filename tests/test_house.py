"""The table of rooms in CONTRIBUTING.md matches the contracts, and rooms stay small enough to know."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from radon.complexity import cc_rank, cc_visit

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "orchestrator"
MODULES = sorted(PACKAGE.rglob("*.py"))
LARGEST_ROOM = 0.15
"""Share of all lines. A folder in a room counts as a room."""
LONGEST_MODULE = 400
TOO_COMPLEX = "DEF"


def contracts() -> dict[str, list[set[str]]]:
    """Name of a contract -> its floors, top to bottom, each with the rooms on it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layered = [one for one in settings["contracts"] if one["type"] == "layers"]
    return {one["id"]: [{room.strip(" ()") for room in floor.split("|")} for floor in one["layers"]] for one in layered}


def tables() -> dict[str, list[set[str]]]:
    """The same, as CONTRIBUTING.md shows it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.findall(r"<!-- rooms: (\S+) -->\n(.*?)\n\n", text, re.DOTALL)
    return {name: [set(re.findall(r"`([^`]+)`", row.split("|")[1])) for row in table.splitlines()[2:]] for name, table in found}


def lines_of(module: Path) -> int:
    return len(module.read_text(encoding="utf-8").splitlines())


def test_the_table_of_rooms_and_the_contracts_say_the_same() -> None:
    assert tables() == contracts()


def test_the_contracts_have_no_exceptions() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignored = re.findall(r'"(orchestrator[\w.]*) -> ([\w.]+)"', text)
    assert {importer for importer, _ in ignored} <= {"orchestrator.plan.plan_file"}, "plan_file reads and writes the plan file"
    assert not [imported for _, imported in ignored if imported.startswith("orchestrator")]


def test_no_room_is_too_large() -> None:
    sizes: Counter[Path] = Counter()
    for module in MODULES:
        sizes[module.parent] += lines_of(module)
    del sizes[PACKAGE]  # the ground floor: single modules
    room, lines = sizes.most_common(1)[0]
    assert lines <= LARGEST_ROOM * sum(map(lines_of, MODULES)), f"{room.relative_to(ROOT)} has {lines} lines"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_every_module_is_small_enough_to_know(module: Path) -> None:
    assert lines_of(module) <= LONGEST_MODULE
    text = module.read_text(encoding="utf-8")
    lines = text.splitlines()
    complex_ones = [block for block in cc_visit(text) if cc_rank(block.complexity) in TOO_COMPLEX]
    without_reason = [block.name for block in complex_ones if "# complex:" not in lines[block.lineno - 1]]
    assert not without_reason, "split it, or give the reason beside it: `# complex: ...`"
