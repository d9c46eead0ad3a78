"""The option and the variable both select the nightly run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.nightly


def collected(*options: str, **environment: str) -> list[str]:
    """The names of a module's tests; the module has more of them in the nightly run."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", *options]
    inherited = {name: value for name, value in os.environ.items() if name != "HYPOTHESIS_PROFILE"}
    ended = subprocess.run(
        [*command, str(HERE / "end_to_end" / "test_faults_line.py")],
        cwd=HERE.parent,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in ended.stdout.splitlines() if "::" in line]


def test_the_option_and_the_variable_select_the_same() -> None:
    nightly = collected("--hypothesis-profile=nightly")
    assert nightly == collected(HYPOTHESIS_PROFILE="nightly")
    assert len(nightly) > len(collected())
