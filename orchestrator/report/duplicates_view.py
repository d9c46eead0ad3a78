"""Duplicates for people and programs: which copy is kept, which pairs are kept on purpose, and the totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.keep_order import because
from orchestrator.plan.planners.dedup.records import ACTING, Alike, Decision, Duplicates, Tier
from orchestrator.plan.shared_names import display_name
from orchestrator.records import Ref
from orchestrator.report.reporter import Column, Reporter
from orchestrator.wording import counted, size_text


def report_duplicates(reporter: Reporter, found: Duplicates, *, everything: bool, in_plan: bool) -> None:
    """Report duplicates. People see files that only look alike if `everything` is set. `in_plan`: a plan lists the duplicates."""

    def named(row: Mapping[str, Any], prefix: str = "") -> str:
        location = row[f"{prefix}location"]
        return display_name(Ref(location, row[f"{prefix}path"], row[f"{prefix}id"] or msgspec.UNSET), "" if several else location)

    several = len({file.fs for file in _files(found)}) > 1
    if not in_plan:
        columns = (
            Column("tier", "what is the same", whole=True, text=lambda row: tier_words(row["tier"])),
            Column("path", "duplicate", text=named),
            Column("size", "size", right=True, whole=True, text=lambda row: size_text(row["size"])),
            Column("kept_path", "kept copy", heading=True, text=lambda row: named(row, "kept_")),
            Column("criterion", "kept because", heading=True, text=lambda row: f"kept because {because(row['criterion'])}"),
        )
        reporter.table("duplicate", columns, list(map(_duplicate_row, found.decisions)), empty="")
    shown = [one for one in found.alike if everything or one.tier is not Tier.ALIKE]
    if shown:
        of_groups = (
            Column("tier", "what is the same", heading=True, text=lambda row: tier_words(row["tier"])),
            Column("files", "files", text=lambda row: " = ".join(map(named, row["files"]))),
            Column("why", "all kept because", heading=True),
        )
        reporter.table("alike", of_groups, list(map(_alike_row, shown)), empty="")
    fields = totals(found)
    reporter.document("duplicates", _sentence(fields, everything=everything), fields)


def totals(found: Duplicates) -> dict[str, Any]:
    """The totals, in files and bytes."""
    tiers = {
        str(tier): {
            "files": sum(1 for one in found.decisions if one.tier is tier),
            "bytes": sum(one.duplicate.size for one in found.decisions if one.tier is tier),
        }
        for tier in ACTING
    }
    staying = sum(1 for one in found.alike if one.tier is not Tier.ALIKE)
    return {
        "files": len(found.decisions),
        "bytes": found.duplicate_bytes,
        "tiers": tiers,
        "staying": staying,
        "alike": len(found.alike) - staying,
    }


def _sentence(fields: Mapping[str, Any], *, everything: bool) -> str:
    parts = [f"{Tier(tier).words}: {one['files']:,}" for tier, one in fields["tiers"].items() if one["files"]]
    text = "no duplicates"
    if parts:
        text = f"{counted(fields['files'], 'duplicate')}, {size_text(fields['bytes'])} ({', '.join(parts)})"
    if fields["staying"]:
        text += f"; kept on purpose: {fields['staying']:,}"
    if fields["alike"]:
        text += f"; only look alike: {fields['alike']:,}" + ("" if everything else " (-v lists them)")
    return text


def tier_words(tier: str) -> str:
    """What a tier means."""
    return Tier(tier).words


def _duplicate_row(one: Decision) -> dict[str, Any]:
    return {
        "tier": str(one.tier),
        "location": one.duplicate.fs,
        "path": one.duplicate.path,
        "id": one.duplicate.ref.object_id,
        "size": one.duplicate.size,
        "kept_location": one.kept.fs,
        "kept_path": one.kept.path,
        "kept_id": one.kept.ref.object_id,
        "criterion": one.criterion,
    }


def _alike_row(one: Alike) -> dict[str, Any]:
    files = [{"location": file.fs, "path": file.path, "id": file.ref.object_id, "size": file.size} for file in one.files]
    return {"tier": str(one.tier), "files": files, "why": one.why}


def _files(found: Duplicates) -> Iterator[Candidate]:
    for decision in found.decisions:
        yield from (decision.duplicate, decision.kept)
    for alike in found.alike:
        yield from alike.files
