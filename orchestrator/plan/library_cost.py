"""What a library costs at a provider: its storage, one full download, one reorganization."""

from __future__ import annotations

import msgspec

from orchestrator.plan.request_rates import MOVE_AT_FLAT_RATE, MOVE_IN_BUCKET
from orchestrator.prices import GB, Prices, Quotas


class LibraryCost(msgspec.Struct, frozen=True, kw_only=True):
    """The costs of one library at one provider. None where the prices are unknown, or where a flat rate is paid instead."""

    prices: str | None
    """The name of the price list; the type of the remote for a flat rate, "own" for a list from the config."""
    currency: str | None = None
    month: float | None = None
    """Storing all files for a month."""
    download: float | None = None
    """Every byte once to this machine."""
    download_requests: float | None = None
    """The requests of that: a look and a read for each file."""
    reorganization: float | None = None
    """Every file once under another name, with all looks."""
    lists: float | None = None
    """1,000 pages of listings."""
    reorganization_hours: float | None = None
    """At the pace of a flat rate."""
    download_days: float | None = None
    """At the limit of a flat rate."""


def library_cost(name: str | None, prices: Prices | Quotas | None, files: int, size: int) -> LibraryCost:
    """What so many files of `size` bytes together cost under these prices or limits."""
    if isinstance(prices, Prices):
        move = {kind: number * files for kind, number in MOVE_IN_BUCKET.items()}
        return LibraryCost(
            prices=name,
            currency=prices.currency,
            month=prices.of_a_month(size),
            download=prices.of_bytes(size),
            download_requests=prices.of_requests({"look": files, "read": files}),
            reorganization=prices.of_requests(move) + prices.of_bytes(0, size),
            lists=prices.of_requests({"list": 1000}),
        )
    if isinstance(prices, Quotas):
        pace, down = prices.requests_per_second, prices.download_gb_per_day
        requests = files * sum(MOVE_AT_FLAT_RATE.values())
        return LibraryCost(
            prices=name,
            reorganization_hours=requests / pace / 3600 if pace else None,
            download_days=size / GB / down if down else None,
        )
    return LibraryCost(prices=name)
