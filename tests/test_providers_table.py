"""docs/providers.md says of every provider what tests show, and why they do not show the rest."""

from __future__ import annotations

import re
from itertools import product

from tests.providers import ABILITIES, DOCS, NOTES, PROVIDERS, collected, read


def test_the_table_names_what_tests_are_there_for() -> None:
    filled, tests = read()
    shown = collected()
    assert filled == {one[:2] for one in shown}
    assert tests == {(one.ability, one.test) for one in shown}
    assert {*product(PROVIDERS, ABILITIES)} == filled | NOTES.keys(), "what is not filled has a reason"


def test_the_notes_are_numbered_as_they_stand_in_the_table() -> None:
    table = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    first_uses = dict.fromkeys(re.findall(r"\((\d+)\)", "\n".join(table)))
    assert list(first_uses) == [str(number) for number in range(1, len({*NOTES.values()}) + 1)]
