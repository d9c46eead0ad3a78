"""What reading costs before there is a plan: said before it begins, and counted for --max-cost and --max-transfer."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.actions.session import Session
from orchestrator.errors import SafetyLimitError
from orchestrator.location import Location
from orchestrator.plan.estimate import Estimate
from orchestrator.plan.scan_estimate import ExpectedReads, full_read_estimate, scan_estimate
from orchestrator.rclone.vfs_reads import another_listing_pays
from orchestrator.report.bill_view import TIME_UNKNOWN, by_kind, time_text
from orchestrator.storage.protocol import Storage
from orchestrator.wording import counted, money_text, number_text, size_text

_MANY = 1000
"""For so many files, every command says what reading their tags takes, and not only `scan`."""


def bill_of_scan(session: Session, location: Location, reads: ExpectedReads, *, alone: bool = False) -> None:
    """Say what a scan takes, if it reads much or is the command, and count it.

    Raises SafetyLimitError before it exceeds a limit.
    """
    storage = session.storage(location)
    way = session.rclone_storage(location).profile.read
    listing_pays = another_listing_pays(reads.files, reads.listed)
    if way == "heads" and not listing_pays:
        way = "rclone"
    said = scan_estimate(reads, storage.capabilities, way, listed_first=listing_pays)
    what = f"reading the tags of {counted(reads.files, 'file')} of {location.typed}"
    if alone:
        session.summary.estimate = said
    if reads.files >= (1 if alone else _MANY):
        session.reporter.note(f"{what}: {_in_words(said)}")
    _count(session, said, what if reads.files else f"listing {location.typed}")


def bill_of_full_reads(session: Session, files: Sequence[tuple[Storage, int]], why: str, *, priced: bool = False) -> None:
    """Say that files of remotes, each with its bytes, are downloaded, and count them. `priced`: also say what that takes.

    Raises as `bill_of_scan`.
    """
    if not files:
        return
    what = f"downloading {counted(len(files), 'file')} ({size_text(sum(size for _, size in files))}) {why}"
    bills = []
    for storage in dict.fromkeys(storage for storage, _ in files):
        sizes = [size for one, size in files if one is storage]
        bills.append((storage.fs, full_read_estimate(len(sizes), sum(sizes), storage.capabilities)))
    session.reporter.note(what + "".join(f"; from {fs}: {_in_words(said)}" for fs, said in bills if priced))
    for _, said in bills:
        _count(session, said, what)


def _in_words(said: Estimate) -> str:
    parts = [f"about {said['requests']:,} requests ({by_kind(said)})", f"{size_text(float(said['bytes'] or 0))} received"]
    if said["cost"]:
        parts.append(f"about {money_text(float(said['cost']), str(said['currency']))}, free tiers not counted")
    time = time_text(said)
    return ", ".join(parts if time == TIME_UNKNOWN else [*parts, time])  # the progress will say it


def _count(session: Session, said: Estimate, what: str) -> None:
    """Add it to what the command has spent, unless that would exceed a limit. Raises SafetyLimitError."""
    spent, cost, size = session.spent, said["cost"], int(said["bytes"] or 0)
    if session.max_cost is not None and cost is not None and spent.cost + float(cost) > session.max_cost:
        money = money_text(spent.cost + float(cost), str(said["currency"] or "USD"))
        raise SafetyLimitError(
            f"{what} would bring the costs to {money}, more than --max-cost {number_text(session.max_cost)} allows; "
            "nothing was changed"
        )
    if session.max_transfer is not None and size and spent.transfer + size > session.max_transfer:
        raise SafetyLimitError(
            f"{what} would bring what is received to {size_text(spent.transfer + size)}, more than "
            f"--max-transfer {size_text(session.max_transfer)} allows; nothing was changed"
        )
    spent.cost += float(cost or 0)
    spent.transfer += size
