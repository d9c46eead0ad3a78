"""Whether this is the nightly run; `pytest_configure` in tests/conftest.py has read the option and the environment."""

from __future__ import annotations

import os

NIGHTLY = os.environ["HYPOTHESIS_PROFILE"] == "nightly"
"""Be thorough: every kill instead of a sample, thousands of random plans. Tests that only run then are marked `nightly`."""
