"""Of one recording in two qualities, the copy stays that docs/duplicates.md says, though all else favours the other one."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.program import Program
from tests.quality_pairs import BOTH, EITHER, KINDS, Pair, outcomes, pairs

DOCUMENT = Path(__file__).parents[2] / "docs" / "duplicates.md"


def documented() -> dict[tuple[str, str], str]:
    """(first kind, second kind) -> which stays, from the half of the table that is filled."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| beside | "))
    header = [cell.strip() for cell in lines[start].strip("|").split("|")][1:]
    found = {}
    for line in lines[start + 2 : lines.index("", start)]:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        for other, cell in zip(header, cells, strict=True):
            if cell:
                found[name, other] = {"this": name, "that": other}.get(cell, cell)
    return found


def test_which_of_two_qualities_stays_is_what_the_table_says(tmp_path: Path) -> None:
    """325 pairs: every two of 13 qualities, mono and stereo, of one recording."""
    table = documented()
    names = list(KINDS)
    assert set(table) == {(one, other) for number, one in enumerate(names) for other in names[number + 1 :]}

    def says(pair: Pair) -> str:
        one, other, channels, others = pair
        return BOTH if channels != others else table[one, other]

    program, library, inbox = Program(tmp_path / "state"), tmp_path / "library", tmp_path / "inbox"
    found = outcomes(lambda: program("dedup", str(library), str(inbox)), library, inbox, says)
    assert len(found) == len([*pairs()]) == 325
    wrong = {
        pair: (stays, says(pair))
        for pair, stays in found.items()
        if (stays not in pair[:2] if says(pair) == EITHER else stays != says(pair))
    }
    assert not wrong


@pytest.mark.parametrize("extension", ["flac", "wv", "ape"])
def test_a_copy_is_not_called_whole_for_the_tags_behind_its_sound(tmp_path: Path, extension: str) -> None:
    """32 bytes for a header of APEv2, 128 for ID3v1: the copy in the first location stays."""
    tags = Track(title=("Song",), artist=("Band",), album_artist=("Band",), album=("Album",), track=1, disc=1)
    plain = track_bytes(extension, tags, seconds=20)
    library, inbox = tmp_path / "library" / f"1.{extension}", tmp_path / "inbox" / f"1.{extension}"
    for path, content in ((library, plain), (inbox, plain + b"TAG" + b"Song".ljust(125, b"\0"))):
        path.parent.mkdir()
        path.write_bytes(content)
    ended = Program(tmp_path / "state")("dedup", str(library.parent), str(inbox.parent))
    assert [(event["location"], event["criterion"]) for event in ended.events if event["type"] == "duplicate"] == [
        (str(inbox.parent), "first_location")
    ]
