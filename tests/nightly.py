"""Whether this is the nightly run; `pytest_configure` in tests/conftest.py has read the option and the environment."""

from __future__ import annotations

import os

import pytest

NIGHTLY = os.environ["HYPOTHESIS_PROFILE"] == "nightly"
"""Be thorough: every kill instead of a sample, thousands of random plans. Tests that only run then are marked `nightly`."""


FIRST_HISTORY = int(os.environ.get("FIRST_HISTORY", "0"))
"""The number of the first random history; `pytest_configure` sets another one for each night."""


def some_at_night(kinds: tuple[str, ...], *, night: set[str]) -> list[object]:
    """The kinds as parameters of a test; those of `night` take too long for every run, and others show the same."""
    return [pytest.param(kind, marks=pytest.mark.nightly) if kind in night else kind for kind in kinds]
