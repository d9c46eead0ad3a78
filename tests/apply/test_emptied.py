"""Removing the folders that a run has emptied, on remotes that refuse a request."""

from __future__ import annotations

import pytest

from orchestrator.apply.directories.emptied import remove_if_empty
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.errors import RateLimitError
from orchestrator.records import Capabilities
from orchestrator.storage.fake.memory import MemoryStorage

REMOTES = {
    "remove_directory": Capabilities(by_directory=True, empty_directories=True),
    "move_directory": Capabilities(rmdir_is_recursive=True, directory_move=True, empty_directories=True),
}


@pytest.mark.parametrize("verb", REMOTES)
def test_what_was_refused_once_is_sent_again(verb: str) -> None:
    storage = MemoryStorage(capabilities=REMOTES[verb])
    storage.make_directory("a")
    refused: list[str] = []

    def once(call: object) -> bool:
        return getattr(call, "verb", "") == verb and not refused

    def refuse(call: object) -> RateLimitError:
        refused.append(str(call))
        return RateLimitError("429")

    storage.fail_always(once, refuse)
    obstacles = Obstacles()
    remove_if_empty(storage, ["a"], "run", obstacles)
    assert refused
    assert not obstacles.problems
    assert "a" not in storage.directories()


@pytest.mark.parametrize("verb", REMOTES)
@pytest.mark.parametrize(("retry_after", "tries"), [(None, 2), (86_400, 1)])
def test_a_remote_that_goes_on_refusing_is_asked_twice_and_after_a_day_not_at_once(
    verb: str, retry_after: float | None, tries: int
) -> None:
    storage = MemoryStorage(capabilities=REMOTES[verb])
    storage.make_directory("a")
    storage.fail_always(lambda call: call.verb == verb, lambda _: RateLimitError("429", retry_after=retry_after))
    with pytest.raises(RateLimitError):
        remove_if_empty(storage, ["a"], "run", Obstacles())
    assert storage.call_counts[verb] == tries
