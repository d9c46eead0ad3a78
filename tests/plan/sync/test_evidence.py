"""What tells two files apart that have no hash in common."""

from __future__ import annotations

from orchestrator.plan.planners.sync.evidence import Comparison
from orchestrator.plan.planners.sync.records import File, Side, Sound
from orchestrator.records import Capabilities, Entry


def test_other_tags_are_another_content_even_if_size_and_time_are_equal_and_the_sound_is_unknown() -> None:
    side = Side(fs="remote:", capabilities=Capabilities(), files=())
    comparison = Comparison((side, side), None, answered=True)
    one, other = (
        File(Entry("1.mp3", 5, mtime_ns=1_709_294_400 * 10**9), sound=Sound(None, tags)) for tags in ("its tags", "other tags")
    )
    assert comparison.alike((one, one)) is True
    assert comparison.alike((one, other)) is False
