"""Numbers in messages have no exponent."""

from __future__ import annotations

import pytest

from orchestrator.config.setting_syntax import parse_limit
from orchestrator.wording import number_text


@pytest.mark.parametrize(
    ("number", "text"), [(0.00001, "0.00001"), (1e7, "10000000"), (12.5, "12.5"), (0, "0"), (100, "100"), (0.1, "0.1")]
)
def test_a_number_is_written_out(number: float, text: str) -> None:
    assert number_text(number) == text


def test_a_limit_is_repeated_as_it_was_written() -> None:
    assert [str(parse_limit(text)) for text in ("2000000", "0.5%", "10%")] == ["2000000", "0.5%", "10%"]
