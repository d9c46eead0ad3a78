"""Replaces the content of files in place: a look right before each upload, and a condition where the server knows one."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.errors import AccessDeniedError, DestinationExistsError, NotFoundError, OrchestratorError, PermanentError
from orchestrator.rclone.rc_client import RcClient
from orchestrator.records import Entry
from orchestrator.storage.protocol import CallResult, CopyCall, StatCall
from orchestrator.storage.rclone_backed.rc_batches import send_all
from orchestrator.storage.rclone_backed.rc_calls import RcCalls, failure


def replace(client: RcClient, calls: RcCalls, copies: Sequence[CopyCall], concurrency: int) -> list[CallResult]:
    """The result of each copy (see `CopyCall.replaces`). A copy that meets something else is not sent."""
    results: list[CallResult] = []
    sent: list[int] = []
    looks = send_all(client, [("operations/stat", calls.stat(copy.dst)) for copy in copies], concurrency, repeatable=True)
    requests = []
    for number, (copy, look) in enumerate(zip(copies, looks, strict=True)):
        there = failure(StatCall(copy.dst), look) if isinstance(look, OrchestratorError) else calls.entry(look.get("item"))
        results.append(_refusal(copy, there))
        if isinstance(there, Entry) and results[-1] is None:
            sent.append(number)
            requests.append(calls.replacing_copy(copy, there))
    answers = send_all(client, requests, concurrency)
    for number, answer in zip(sent, answers, strict=True):
        results[number] = answer if isinstance(answer, OrchestratorError) else None
    refused = [number for number in sent if _may_mind_the_condition(results[number])] if calls.conditional_uploads else []
    if refused:
        # Some servers refuse every condition. If that is the reason, another look finds the same file, and it goes without one.
        calls.conditional_uploads = False
        for number, again in zip(refused, replace(client, calls, [copies[one] for one in refused], concurrency), strict=True):
            results[number] = again
        calls.conditional_uploads = all(results[number] is not None for number in refused)
    return results


def _may_mind_the_condition(result: CallResult) -> bool:
    return isinstance(result, PermanentError | DestinationExistsError) and not isinstance(result, AccessDeniedError)


def _refusal(copy: CopyCall, there: CallResult) -> CallResult:
    """Why a copy is not sent; None if it may be."""
    if there is None:
        return NotFoundError(f"{copy.dst}: is gone, so there is nothing to replace", path=copy.dst)
    if isinstance(there, Entry):
        still = copy.replaces is None or copy.replaces(there)
        return None if still else DestinationExistsError(f"{copy.dst}: has changed, so it is not replaced", path=copy.dst)
    return there
