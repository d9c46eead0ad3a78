"""Many requests to rclone in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from orchestrator.errors import OrchestratorError
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.rc_client import DaemonLostError, RcClient

Request: TypeAlias = tuple[str, rc_bodies.Body]
"""The rc method and the body."""
Answer: TypeAlias = dict[str, Any] | OrchestratorError


def send_all(client: RcClient, requests: Sequence[Request], concurrency: int, *, repeatable: bool = False) -> list[Answer]:
    """Each answer, or the error of the request; in the order of the requests.

    Raises what fails the whole batch, such as DaemonLostError.
    """
    if not requests:
        return []
    if len(requests) == 1:
        ((method, body),) = requests
        try:
            return [client.call(method, body, repeatable=repeatable or None)]
        except DaemonLostError:
            raise
        except OrchestratorError as error:
            return [error]
    results = client.call("job/batch", rc_bodies.batch(requests, concurrency), repeatable=repeatable)["results"]
    answered = zip(requests, results, strict=True)
    return [client.refusal(result, body) if "error" in result else result for (_, body), result in answered]
