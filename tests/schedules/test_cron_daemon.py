"""Whether a cron runs, as the processes of a machine show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.actions import schedule_install
from orchestrator.schedules import cron_daemon
from orchestrator.schedules.cron_daemon import cron_is_missing
from orchestrator.schedules.files import Installed
from orchestrator.schedules.marks import Mark


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["systemd", "sshd"], True),
        (["tini", "python3"], True),
        (["systemd", "cron"], False),
        (["init", "crond"], False),
        ([None, "python3"], False),
        ([], False),
    ],
)
def test_no_cron_runs_only_if_all_processes_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str | None], *, missing: bool
) -> None:
    """The first process is hidden from users where /proc shows them their own alone."""
    monkeypatch.setattr(cron_daemon, "_BY_SYSTEMD", (tmp_path / "cron.target",))
    for number, name in enumerate(names, start=1):
        (tmp_path / str(number)).mkdir()
        if name is not None:
            (tmp_path / str(number) / "comm").write_text(f"{name}\n")
    (tmp_path / "self").mkdir()
    assert cron_is_missing(tmp_path) is missing
    (tmp_path / "cron.target").touch()
    assert not cron_is_missing(tmp_path), "systemd makes timers of crontabs"


@pytest.mark.parametrize("missing", [True, False])
def test_lines_of_a_crontab_that_nothing_reads_are_a_problem(monkeypatch: pytest.MonkeyPatch, *, missing: bool) -> None:
    monkeypatch.setattr(schedule_install, "cron_is_missing", lambda: missing)
    found = schedule_install.why_not_started(Installed("cron", None, "", Mark("nightly", (), True)))
    assert (found is not None) is missing
    assert found is None or "no cron runs on this machine" in found[0]
