"""What cannot be looked at or tidied up at the end of a run: each is a problem with a name, and the run is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.apply.protocol.task import worth_another_try
from orchestrator.apply.results import Problem
from orchestrator.errors import AuthError, ExitCode, NotFoundError, OrchestratorError, RemoteError, UsageError


class Obstacles:
    """The problems of one try. Errors that may pass are raised, for another try, except in the last one; AuthError always is."""

    def __init__(self, *, last_try: bool = False) -> None:
        self.problems: list[Problem] = []
        self._last_try = last_try

    @contextmanager
    def named(self, path: str, what: str) -> Iterator[None]:
        """Around requests about one path; `what` could not be done with it. What does not exist is in nobody's way."""
        try:
            yield
        except NotFoundError:
            return
        except (RemoteError, UsageError) as error:  # rclone says "is a file not a directory" of a single path as well
            if isinstance(error, AuthError) or (worth_another_try(error) and not self._last_try):
                raise
            self.note(path, what, error)

    def note(self, path: str, what: str, error: OrchestratorError) -> None:
        """Add a problem."""
        self.problems.append(Problem(path, ExitCode.SOME_FAILED, f"{path}: {what}: {error.message}"))
