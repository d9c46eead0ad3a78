"""What a library costs: a text for the location itself, and a table of all providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.plan.library_cost import LibraryCost
from orchestrator.report.reporter import Column, Reporter, duration_text
from orchestrator.wording import money_text

_MONEY = (
    ("month", "a month"),
    ("download", "full download"),
    ("download_requests", "its requests"),
    ("reorganization", "reorganization"),
    ("lists", "1,000 lists"),
)
NOT_COUNTED = "a GB is 10^9 bytes; free tiers are not counted"


def show_costs(location: str, here: LibraryCost, everywhere: Sequence[LibraryCost], reporter: Reporter) -> None:
    """Report the costs at the location, and those at each provider."""
    lines = [f"{'costs by':<14}  {_by(here)}"]
    lines += [f"{title:<14}  {_money(_row(here), key)}" for key, title in _MONEY if here.currency is not None]
    if _limits(_row(here)):
        lines.append(f"{'at least':<14}  {_limits(_row(here))}")
    reporter.document("stats-cost", "\n".join(lines), {"location": location, **_row(here)})
    columns = [Column("prices", "prices")]
    columns += [Column(key, title, right=True, text=lambda row, key=key: _money(row, key)) for key, title in _MONEY]  # type: ignore[misc]
    columns.append(Column("reorganization_hours", "at least", text=_limits))
    reporter.table("stats-price", columns, [_row(one) for one in everywhere], empty="", title="costs by provider")


def _by(here: LibraryCost) -> str:
    if here.prices is None:
        return "unknown prices: `remotes: <remote>: {prices: NAME}` in the config names a list, or is one"
    if here.prices == "local":
        return "nothing: a disk of this machine"
    if here.currency is None:
        return f"{here.prices}: a flat rate, with limits"
    return f"the price list {here.prices} ({NOT_COUNTED})"


def _row(cost: LibraryCost) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in msgspec.structs.asdict(cost).items()}


def _money(row: Mapping[str, Any], key: str) -> str:
    if row[key] is None:
        return "flat rate" if key == "month" and row["currency"] is None else "-"
    return money_text(row[key], row["currency"])


def _limits(row: Mapping[str, Any]) -> str:
    """The time that the limits of a flat rate take at least."""
    times = (("reorganization_hours", 3600, "to reorganize"), ("download_days", 86400, "to download"))
    return ", ".join(f"{duration_text(row[key] * seconds)} {what}" for key, seconds, what in times if row[key] is not None)
