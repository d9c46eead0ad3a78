"""From operations to a whole plan: the one place that makes a header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from orchestrator.plan.estimate import estimate
from orchestrator.plan.model import MOST_STAYING, Header, Operation, Plan, Skipped, Staying, locations_of
from orchestrator.records import Capabilities

_NOT_HASHED = frozenset({"created", "plan_id"})
_NO_COUNTS: Mapping[str, int] = {}


def build_plan(
    operations: Sequence[Operation],
    *,
    source: str,
    target: str,
    locations: Iterable[str] = (),
    options: Mapping[str, Any],
    capabilities: Mapping[str, Capabilities],
    counts: Mapping[str, int] = _NO_COUNTS,
    skipped: Sequence[Skipped] = (),
    tool_version: str,
    created: str,
    config_sha256: str = "",
) -> Plan:
    """The sealed plan of these operations, in their order.

    `locations` are those that the plan is about besides source, target and what its operations touch. `capabilities` holds one
    for each location that an operation touches. `counts` are the planner's own; operations and skipped files are counted here.
    """
    total = Counter(counts)
    total.update(str(operation.verb) for operation in operations)
    total.update(f"skipped.{one.code}" for one in skipped)
    header = Header(
        tool_version=tool_version,
        created=created,
        source=source,
        target=target,
        locations=tuple(dict.fromkeys([source, target, *locations, *locations_of(operations)])),
        options=dict(options),
        config_sha256=config_sha256,
        capabilities={fs: msgspec.to_builtins(capability) for fs, capability in capabilities.items()},
        counts=dict(sorted(total.items())),
        estimate=estimate(operations, capabilities, listed=total.get("files")),
        staying=_staying(skipped) or msgspec.UNSET,
    )
    # As it comes back from a plan file: lists in place of tuples, for example.
    as_read = msgspec.json.decode(msgspec.json.encode(header), type=Header)
    return seal(Plan(as_read, tuple(operations), tuple(skipped)))


def _staying(skipped: Iterable[Skipped]) -> tuple[Staying, ...]:
    """The first of them, by code and reason."""
    found = sorted((one.code, one.reason, one.path) for one in skipped)[:MOST_STAYING]
    return tuple(
        Staying(code, reason, tuple(path.encode(errors="backslashreplace").decode() for _, _, path in members))  # any bytes
        for (code, reason), members in groupby(found, key=itemgetter(0, 1))
    )


def with_full_reads(plan: Plan) -> Plan:
    """The plan, with an estimate for a run that reads copies again where no hash proves them (--verify full)."""
    capabilities = {fs: msgspec.convert(facts, Capabilities) for fs, facts in plan.header.capabilities.items()}
    said = estimate(plan.operations, capabilities, listed=plan.header.counts.get("files"), verify_full=True)
    return plan if said == plan.header.estimate else seal(replace(plan, header=replace(plan.header, estimate=said)))


def seal(plan: Plan) -> Plan:
    """The plan with the `plan_id` that belongs to its content."""
    identity = plan_id_of(plan.header, encoded(plan.operations))
    return replace(plan, header=replace(plan.header, plan_id=identity))


def with_option(plan: Plan, name: str, value: Any) -> Plan:
    """The same plan, sealed with one more entry, or another one, among the options of its header."""
    return seal(replace(plan, header=replace(plan.header, options={**plan.header.options, name: value})))


def encoded(operations: Iterable[Operation]) -> Iterator[bytes]:
    """The lines of operations in a plan file."""
    encode = msgspec.json.Encoder(order="deterministic").encode
    for operation in operations:
        yield encode(operation) + b"\n"


def plan_id_of(header: Header, lines: Iterable[bytes]) -> str:
    """sha256 over the header without `created` and `plan_id`, then all bytes after the header."""
    fields = {
        name: value for name, value in msgspec.to_builtins(header, order="deterministic").items() if name not in _NOT_HASHED
    }
    digest = sha256(msgspec.json.encode(fields) + b"\n")
    for line in lines:
        digest.update(line)
    return digest.hexdigest()
