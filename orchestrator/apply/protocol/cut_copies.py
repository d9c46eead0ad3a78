"""Cut copies of ours under final names: older versions of this program uploaded straight to these, and a kill cut them off there.

Copies to storages where no other way is possible still do so (`Naming.REPLACES`).
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.own_paths import damaged_copy_of
from orchestrator.apply.protocol.move_file import move_file
from orchestrator.apply.protocol.next_action import Action
from orchestrator.apply.protocol.request_budget import LOOK
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import ExitCode, OrchestratorError
from orchestrator.storage.protocol import Naming


def settle_cut_copy(task: Task, action: Action) -> None:
    """If what lies at the destination is a part of the source that we sent, move it to the quarantine, and set the verdict."""
    taken = action is Action.SKIP_DESTINATION_EXISTS or (action is Action.CONFLICT and not task.affords(LOOK))
    message = _taken_away(task) if taken else None
    if message is not None:
        task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)


def _taken_away(task: Task) -> str | None:
    """What was done with the cut copy; None if it is none.

    The journal must say that it may have been sent there, and its bytes must be the beginning of the source.
    """
    there, source = task.at_target, task.at_source
    sent_there = task.begun and (task.began_unstaged or task.naming is Naming.REPLACES)
    if not sent_there or there is None or source is None or there.size is None or there.size >= (source.size or 0):
        return None
    message = f"{task.name}: {task.dst} is a cut copy of it, left by a run that was killed"
    try:
        if not _is_beginning(task.target.read(task.dst), task.source.read(task.src)):
            return None
        away = damaged_copy_of(task.run_id, task.attempt, task.dst)
        move_file(task.target, task.dst, away, "", was=there)
    except OrchestratorError as error:
        return f"{message}, by its size, and could not be moved away ({error.message}): delete it, and run the command again"
    return f"{message}; it was moved to {away}. Run the command again to send the file"


def _is_beginning(part: Iterator[bytes], whole: Iterator[bytes]) -> bool:
    rest = b""
    for block in part:
        while len(rest) < len(block):
            more = next(whole, None)
            if more is None:
                return False
            rest += more
        if not rest.startswith(block):
            return False
        rest = rest[len(block) :]
    return True
