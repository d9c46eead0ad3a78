"""What a plan costs, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.plan.model import Header
from orchestrator.prices import REQUEST_KINDS
from orchestrator.report.reporter import duration_text, printable
from orchestrator.wording import money_text, size_text

_WAYS = (("bytes_up", "sent"), ("bytes_down", "received"), ("bytes_copied", "copied by servers"))


def bill(header: Header) -> Iterator[tuple[str, str]]:
    """The lines of the summary: requests by kind, bytes each way, money, time."""
    estimate = header.estimate
    if (requests := estimate.get("requests")) is not None:
        kinds = by_kind(estimate)
        yield "requests", f"about {requests:,.0f}{f' ({kinds})' if kinds else ''}"
    if (size := estimate.get("bytes")) is not None:
        yield "through this machine", size_text(float(size))
    if ways := [f"{size_text(float(size))} {word}" for key, word in _WAYS if (size := estimate.get(key))]:
        yield "bytes", ", ".join(ways)
    if (cost := estimate.get("cost")) is not None:
        if cost or estimate.get("currency"):
            yield "cost", f"about {money_text(float(cost), str(estimate.get('currency') or 'USD'))}{_not_counted(estimate)}"
    elif requests and (unknown := without_prices(header)):
        yield "cost", f"unknown: no prices of {printable(', '.join(unknown))} ({PRICES_REMEDY})"
    if time := time_text(estimate):
        yield "time", time


PRICES_REMEDY = "`remotes check` says how to set them"
TIME_UNKNOWN = "time unknown"
_MOST_ASSUMED = 0.1
"""A time is only said if no larger share of it is assumed."""


def time_text(estimate: Mapping[str, Any]) -> str:
    """How long it takes, as far as that is known; "" for a plan that does not say it."""
    if (seconds := estimate.get("seconds")) is None:
        return ""
    assumed = float(estimate.get("seconds_assumed", 0))
    return TIME_UNKNOWN if assumed > float(seconds) * _MOST_ASSUMED else f"about {duration_text(float(seconds))}"


def by_kind(numbers: Mapping[str, Any]) -> str:
    """The requests of each kind, without those of which there are none."""
    return ", ".join(f"{numbers[kind]:,} {kind}" for kind in REQUEST_KINDS if numbers.get(kind))


def _not_counted(estimate: Mapping[str, Any]) -> str:
    return ", free tiers not counted" if estimate.get("currency") else ""


def without_prices(header: Header) -> list[str]:
    """The locations of a plan whose prices are unknown."""
    keys = ("local", "prices", "quotas")
    return sorted(fs for fs, storage in header.capabilities.items() if not any(storage.get(key) for key in keys))
