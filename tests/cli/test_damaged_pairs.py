"""Of a good file and a damaged copy the good one stays, though everything else speaks for the damaged one: docs/duplicates.md."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from tests.damaged_pairs import DAMAGES, KINDS, Outcome, outcomes, pairs
from tests.program import Program

DOCUMENT = Path(__file__).parents[2] / "docs" / "duplicates.md"
COLUMNS = ("end zeroed", "cut by 1 to 5,000 bytes", "junk behind", "middle zeroed", "middle zeroed, more tags")
SAID = {"damaged goes": Outcome.DAMAGED_GOES, "both stay": Outcome.BOTH_STAY, "**good goes**": Outcome.GOOD_GOES}


def documented() -> dict[tuple[str, str], set[Outcome]]:
    """(format, column) -> what the table says."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"| format | {' | '.join(COLUMNS)} |") + 2
    found = {}
    for line in lines[start : lines.index("", start)]:
        formats, *cells = line.strip("| ").split(" | ")
        for name in formats.split(", "):
            for column, cell in zip(COLUMNS, cells, strict=True):
                found[name.removeprefix("Ogg ").partition(" (")[0], column] = {SAID[said] for said in cell.split(", ")}
    return found


def column_of(damage: str, *, more_tags: bool) -> str:
    if damage == "middle zeroed" and more_tags:
        return COLUMNS[-1]
    return next(
        column for column in COLUMNS if column.startswith("cut by" if damage.startswith("cut by") else damage.partition(":")[0])
    )


def test_what_happens_to_damaged_copies_is_what_the_table_says(tmp_path: Path) -> None:
    """Fault case 34: 320 pairs, 16 formats: end zeroed, middle zeroed, cut by 1 to 5,000 bytes, junk behind.

    Where the table says that the good one goes, only a full read would show what is damaged.
    """
    seen = defaultdict(set)
    for more_tags in (False, True):
        folder = tmp_path / str(more_tags)
        program, library, inbox = Program(folder / "state"), folder / "library", folder / "inbox"
        made = [*pairs(more_tags=more_tags)]
        assert len(made) == len(KINDS) * len(DAMAGES) == 160
        found = outcomes(lambda: program("dedup", str(library), str(inbox), codes=(0, 3)), library, inbox, made)  # noqa: B023
        for (kind, damage), outcome in found.items():
            seen[kind, column_of(damage, more_tags=more_tags)].add(outcome)
    assert seen == documented()
    assert {column for (_, column), outcomes in seen.items() if Outcome.GOOD_GOES in outcomes} == {COLUMNS[-1]}
