"""Whether this is the nightly run; `pytest_configure` in tests/conftest.py has read the option and the environment."""

from __future__ import annotations

import os

NIGHTLY = os.environ["HYPOTHESIS_PROFILE"] == "nightly"
"""Look longer: every kill instead of a sample, thousands of random plans. A test that only runs then is marked `nightly`."""
