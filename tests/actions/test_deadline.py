"""A scan after its deadline: it stops with 7, keeps what it has read, and the next one continues."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.actions.scan import scan
from orchestrator.actions.session import open_session
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.scan import ScanOptions
from orchestrator.deadline import Deadline
from orchestrator.errors import SafetyLimitError
from orchestrator.track import Track
from tests.audio import make_track


def test_a_scan_stops_at_its_deadline_and_the_next_one_continues(tmp_path: Path) -> None:
    for number in (1, 2):
        make_track(tmp_path / "music" / f"{number}.flac", "flac", Track(title=("a",)), seconds=0.1, serial=number)
    with open_session(CommonOptions(state_dir=str(tmp_path / "state"))) as session:
        session.deadline = Deadline(0.0, "4h")
        with pytest.raises(
            SafetyLimitError, match="--max-duration 4h: the time is up: the scan was stopped; what was read is kept"
        ):
            scan(ScanOptions(location=str(tmp_path / "music")), session)
        assert session.summary.files_read == 0
        session.deadline = None
        report = scan(ScanOptions(location=str(tmp_path / "music")), session)
        assert (report.exit_code, report.scan.audio_seen, session.summary.files_read) == (0, 2, 2)
