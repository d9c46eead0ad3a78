"""The benchmarks still run and print what they measured. Nothing is timed here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LONGEST_S = 900
"""For a benchmark that hangs; one with a dozen processes took 326 s where a dozen other programs wanted the two cores."""

pytestmark = pytest.mark.nightly


def run(name: str, *options: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_LONGEST_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name",
    ["duplicates", "formats", "listing", "nothing", "organize", "planning", "report", "requests", "safety", "scan", "sync"],
)
def test_each_says_what_it_measures(name: str) -> None:
    assert f"python -m benchmarks.{name}" in run(name, "--help")


def test_listing() -> None:
    said = run("listing", "--objects", "1500", "--rounds", "1")
    assert "listing against the fastest plain lsjson" in said
    assert "program and rclone together" in said


def test_nothing_to_do() -> None:
    said = run("nothing", "--objects", "300", "--files", "30", "--rounds", "1")
    assert "beyond the listing" in said
    assert "a job with nothing to do" in said


def test_scan_without_a_mount() -> None:
    said = run("scan", "--files", "12", "--messy", "0", "--rtt", "1", "--mounted", "0")
    assert "12 files in" in said
    assert "ranges a file" in said


def test_duplicates_on_a_disk() -> None:
    said = run("duplicates", "--rounds", "1", "--locations", "local")
    assert "holds   false merges: 0.00" in said
    assert "holds   recall of T0, T1 and T2: 1.00" in said


def test_formats_without_a_mount() -> None:
    said = run("formats", "--no-mount", "--songs", "2")
    assert "M4A, moov last" in said
    assert "files of a library read in one wave" in said


def test_planning() -> None:
    said = run("planning", "--tracks", "2000")
    assert "holds   seconds with duplicates" in said
    assert "holds   memory with duplicates" in said


def test_safety() -> None:
    said = run("safety", "--files", "24", "--rounds", "1")
    for kind in ("local", "webdav", "s3"):
        assert f"rate on {kind} against bare moves" in said
    assert "requests a file on S3" in said


def test_sync() -> None:
    said = run("sync", "--files", "300", "--uploads", "4", "--tracks", "20")
    assert "beyond the two listings" in said
    assert "rate against rclone sync" in said
    assert "holds   bytes of a sync after organize" in said
    assert "holds   bytes of a sync after mv" in said


def test_requests() -> None:
    said = run("requests", "--only", "wsgidav", "--only", "drive", "--only", "albums", "--only", "nothing", "--files", "24")
    assert "wsgidav albums: " in said
    assert "drive another album: " in said
    assert "drive nothing to do, beside the listing" in said
