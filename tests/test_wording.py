"""Texts for people agree with their numbers."""

from __future__ import annotations

from orchestrator.wording import counted


def test_only_one_thing_is_singular() -> None:
    assert [counted(number, "link") for number in (0, 1, 2)] == ["0 links", "1 link", "2 links"]
