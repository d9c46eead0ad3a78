"""docs/providers.md says of every provider what tests show, and why they do not show the rest."""

from __future__ import annotations

from itertools import product

from tests.providers import ABILITIES, NOTES, PROVIDERS, collected, read


def test_the_table_names_what_tests_are_there_for() -> None:
    filled, tests = read()
    shown = collected()
    assert filled == {one[:2] for one in shown}
    assert tests == {(one.ability, one.test) for one in shown}
    assert {*product(PROVIDERS, ABILITIES)} == filled | NOTES.keys(), "what is not filled has a reason"
