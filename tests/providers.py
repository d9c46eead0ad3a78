"""docs/providers.md: what is shown on which provider, and by which tests.

A test with a provider as parameter says what it shows: `@pytest.mark.shows("dedup")`; others name theirs: `provider="drive"`.
The nightly run writes the table: a cell is filled if all tests for it passed. In every run, tests/test_providers_table.py checks
that the table names what tests are there for.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "providers.md"
PROVIDERS = {
    "local": "disk",
    "s3_moto": "S3 (moto)",
    "s3_serve": "S3 (rclone)",
    "gcs": "Google Cloud Storage (fake-gcs-server)",
    "azure": "Azure Blob Storage (Azurite)",
    "drive": "Google Drive (emulated)",
    "dropbox": "Dropbox (emulated)",
    "openssh": "SFTP (OpenSSH)",
    "sftp": "SFTP (rclone)",
    "wsgidav": "WebDAV (WsgiDAV)",
    "webdav": "WebDAV (rclone)",
    "ftp": "FTP (pyftpdlib)",
    "crypt": "`crypt` over S3 (moto)",
    "alias": "`alias` over a disk",
    "combine": "`combine` over a disk",
    "chunker": "`chunker` over a disk",
}
"""Kinds of storage in tests -> what the table calls them: the provider or protocol, and the server that stands for it."""
ABILITIES = (
    *("list", "ranged tags", "organize in place", "to another provider", "cloud-only", "dedup", "sync"),
    *("resume after a kill", "undo", "case-only rename", "hostile names", "NFC and NFD"),
)
_RCLONE = (
    "rclone's servers find a folder under both forms while only one exists; a name that `undo` cannot give back is reported."
)
_DROPBOX = "Without names that Dropbox refuses, such as `.DS_Store`, and without two that differ only in case."
NOTES: dict[tuple[str, str], str] = {
    **{(provider, "NFC and NFD"): _RCLONE for provider in ("s3_serve", "webdav", "sftp")},
    **{("dropbox", ability): _DROPBOX for ability in ("organize in place", "case-only rename")},
    ("wsgidav", "hostile names"): "Without `?` and `;`, at which WsgiDAV cuts the new name of a file that moves.",
    ("chunker", "hostile names"): "Names of up to 228 bytes: the name of a chunk is longer.",
    ("crypt", "hostile names"): "Names of up to 143 bytes: an encrypted name is longer.",
}
"""Provider and ability -> what a cell does not say, or why no test shows it."""
_YES = "yes"
_BEGIN, _END = "<!-- providers: what the tests show -->\n", "<!-- end of what the tests show -->\n"


class Shown(NamedTuple):
    """That a test shows one ability of one provider."""

    provider: str
    ability: str
    test: str


def everywhere(*in_every_run: str) -> list[object]:
    """Every provider as a parameter of a test: these in every run, all others at night."""
    return [kind if kind in in_every_run else pytest.param(kind, marks=pytest.mark.nightly) for kind in PROVIDERS]


def shown_by(item: pytest.Item) -> Iterator[Shown]:
    """What a test shows, by its marks and its parameters."""
    parameters = getattr(item, "callspec", None)
    kinds = [one for one in parameters.params.values() if isinstance(one, str) and one in PROVIDERS] if parameters else []
    for mark in item.iter_markers("shows"):
        for ability in mark.args:
            assert ability in ABILITIES, ability
            for kind in [mark.kwargs["provider"]] if mark.kwargs else kinds:
                yield Shown(kind, ability, re.sub(r"\[.*", "", item.nodeid.rpartition("/")[2]))


class Table:
    """A plugin of the nightly run that writes the table."""

    def __init__(self) -> None:
        self._passed: set[Shown] = set()
        self._failed: set[tuple[str, str]] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a test has shown, or has not."""
        shown = {Shown(*value) for name, value in report.user_properties if name == "shows"}
        if report.passed and report.when == "call":
            self._passed |= shown
        elif report.failed:
            self._failed |= {one[:2] for one in shown}

    def pytest_sessionfinish(self) -> None:
        """Write what this run tried; the rest of the table stays."""
        if self._passed or self._failed:
            write((read()[0] | {one[:2] for one in self._passed}) - self._failed, collected())


def read() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The filled cells of the table, and the tests of each ability."""
    text = DOCS.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0]
    names = {name: kind for kind, name in PROVIDERS.items()}
    rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|"))
    by_kind = {names[first]: cells for first, *cells in rows if first in names}
    filled = {(kind, one) for kind, cells in by_kind.items() for one, cell in zip(ABILITIES, cells, strict=True) if _YES in cell}
    listed = (line[2:].partition(": ") for line in text.splitlines() if line.startswith("- "))
    return filled, {(ability, test) for ability, _, tests in listed for test in re.findall(r"`([^`]+)`", tests)}


def write(filled: set[tuple[str, str]], shown: set[Shown]) -> None:
    """Write the table: what was shown, and which tests there are for it."""
    noted = (NOTES[kind, one] for kind in PROVIDERS for one in ABILITIES if (kind, one) in NOTES)
    notes = {reason: f"({number})" for number, reason in enumerate(dict.fromkeys(noted), 1)}  # as they stand in the table
    lines = [f"| provider | {' | '.join(ABILITIES)} |", f"|---|{'---|' * len(ABILITIES)}"]
    for kind, name in PROVIDERS.items():
        said = [(_YES * ((kind, one) in filled), notes.get(NOTES.get((kind, one), ""), "")) for one in ABILITIES]
        cells = [" ".join(filter(None, one)) for one in said]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", *(f"{number} {reason}  " for reason, number in notes.items()), "", "The tests:", ""]
    for ability in ABILITIES:
        tests = sorted({f"`{one.test}`" for one in shown if one.ability == ability})
        lines.append(f"- {ability}: {', '.join(tests)}")
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(_BEGIN)
    DOCS.write_text(f"{before}{_BEGIN}\n" + "\n".join(lines) + f"\n\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")


def collected() -> set[Shown]:
    """What all tests would show, those of the nightly run included."""
    command = [sys.executable, "-m", "tests.providers"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {Shown(*line.split("\t")[1:]) for line in said.splitlines() if line.startswith("shows\t")}


class _Collected:
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for one in shown_by(item):
                print("shows", *one, sep="\t")  # noqa: T201 - what it is there for


if __name__ == "__main__":
    marked = [str(file) for file in (ROOT / "tests").rglob("test_*.py") if "mark.shows(" in file.read_text(encoding="utf-8")]
    options = ["-q", "--collect-only", "-p", "no:cacheprovider", "--hypothesis-profile=nightly"]
    sys.exit(pytest.main([*options, *marked], [_Collected()]))
