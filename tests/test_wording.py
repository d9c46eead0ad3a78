"""Texts for people agree with their numbers."""

from __future__ import annotations

from orchestrator.wording import counted, money_text


def test_only_one_thing_is_singular() -> None:
    assert [counted(number, "link") for number in (0, 1, 2)] == ["0 links", "1 link", "2 links"]


def test_small_prices_are_shown_as_the_lists_have_them() -> None:
    shown = {
        0.0045: "$0.0045",
        0.005: "$0.005",
        0.00695: "$0.00695",
        0.0208: "$0.0208",
        0.05: "$0.050",
        0.0004: "$0.000400",
        7.99: "$7.99",
    }
    assert {amount: money_text(amount, "USD") for amount in shown} == shown
