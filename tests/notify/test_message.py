"""What messages say: ten lines at most, the worst first, nothing secret, nothing that a terminal or a service obeys."""

from __future__ import annotations

import pytest

from orchestrator.job_history.store import JobRun
from orchestrator.notify.message import MOST_LINES, Ending, message_of
from orchestrator.rclone.known_secrets import hide


def run(code: int = 0, changed: int = 0, **more: object) -> JobRun:
    return JobRun(job="nightly", began=0.0, ended=9.0, exit_code=code, duration_s=9.0, changed=changed, number=1, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ending", "event", "title"),
    [
        (Ending(run=run()), "success", "nightly done: nothing to do"),
        (Ending(run=run(changed=1)), "news", "nightly done: 1 change"),
        (Ending(run=run(3)), "news", "nightly done, with problems"),
        (Ending(run=run(7, changed=5)), "failure", "nightly failed (7: a limit was reached)"),
        (
            Ending(run=run(7, changed=5), told=True, failed_before=2),
            "news",
            "nightly still fails (7: a limit was reached): 5 changes",
        ),
        (Ending(run=run(7), failed_before=2), "failure", "nightly still fails (7: a limit was reached)"),
        (Ending(run=run(), told=True, failed_before=2), "success", "nightly is back to normal after 2 failed runs"),
        (
            Ending(run=run(3, changed=1), told=True, failed_before=1),
            "news",
            "nightly is back to normal after 1 failed run, with problems: 1 change",
        ),
        (Ending(run=run(), killed_before="2026-11-30 02:30"), "failure", "nightly was killed before, and is done now"),
    ],
)
def test_what_happened_is_in_the_title(ending: Ending, event: str, title: str) -> None:
    message = message_of([ending], "nas")
    assert (message.event, message.title) == (event, f"music-orchestrator on nas: {title}")


def test_the_message_of_a_large_change_is_short() -> None:
    ending = Ending(
        run=run(3, changed=900, failed=7, bytes_moved=5 * 1024**2, runs=("20261130-1",)),
        changes=[(f"Band/Album {number}", 40 - number) for number in range(40)],
        errors=[f"gone{number}.mp3: cannot be read" for number in range(7)],
        error_count=12,
    )
    lines = message_of([ending], "nas").body.splitlines()
    assert len(lines) == MOST_LINES
    assert lines[0] == "900 changes, 7 failed, 5.0 MiB moved; took 9.0 s"
    assert lines[1:7] == [f"error: gone{number}.mp3: cannot be read" for number in range(5)] + ["... and 7 more errors"]
    assert lines[7:] == ["run 20261130-1", "Band/Album 0: 40 changes", "... and 39 more folders"]


def test_hostile_names_and_secrets_are_not_sent() -> None:
    hide("hunter2hunter2")
    ending = Ending(
        run=run(1),
        errors=["a\x1b[31m\nb\u202ec: https://u:pw@host/x?token=abc hunter2hunter2 " + "x" * 5000],
        error_count=1,
    )
    body = message_of([ending], "nas").body
    assert len(body) < 400
    assert all(text not in body for text in ("\x1b", "\u202e", "pw@", "abc", "hunter2"))
    assert len(body.splitlines()) == 2


def test_jobs_that_were_refused_together_share_a_message() -> None:
    refused = [
        Ending(run=JobRun(job=name, began=0.0, ended=0.0, exit_code=8), errors=["another run is in progress"], error_count=1)
        for name in ("a", "b")
    ]
    message = message_of(refused, "nas")
    assert message.title.endswith("nas: a, b failed (8: another run holds the lock)")
    assert message.body == "error: another run is in progress"
