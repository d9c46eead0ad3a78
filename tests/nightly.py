"""Whether this is the long run; `pytest_configure` in tests/conftest.py has made one of the two ways to ask for it."""

from __future__ import annotations

import os

NIGHTLY = os.environ["HYPOTHESIS_PROFILE"] == "nightly"
