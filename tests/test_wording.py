"""Texts for people agree with their numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import orchestrator
from orchestrator.wording import counted, money_text, size_text

_PACKAGE = Path(orchestrator.__file__).parent
_OUR_DOCS = re.compile(r"(?<![\w./])docs/|\b(README|CHANGELOG)\b")


def test_the_next_unit_begins_where_the_number_would_be_1024() -> None:
    shown = {0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1024**2 - 1: "1.0 MiB", 1024**4 - 1: "1.0 TiB", 1024**5: "1024.0 TiB"}
    assert {size: size_text(size) for size in shown} == shown


def _texts(module: Path) -> Iterator[str]:
    """The texts of a module that the program may print: all strings that are no docstring."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_no_text_sends_people_to_files_that_are_not_installed() -> None:
    texts = [text for module in _PACKAGE.rglob("*.py") for text in _texts(module)]
    assert len(texts) > 1000
    assert not [text for text in texts if _OUR_DOCS.search(text)], "say the remedy itself"


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
