"""Storages that ignore the case of names although rclone does not know it: a look has shown that, and the plan says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from orchestrator.records import Capabilities
from orchestrator.storage.protocol import Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage


class IgnoringCase(ForwardingStorage):
    """Says that `inner` ignores case."""

    @property
    def capabilities(self) -> Capabilities:
        """See Storage."""
        return replace(self.inner.capabilities, case_insensitive=True)


def as_planned(storages: Mapping[str, Storage], capabilities: Mapping[str, Mapping[str, Any]]) -> dict[str, Storage]:
    """The storages, by location, with what the header of a plan knows better about their names."""
    return {
        fs: IgnoringCase(storage)
        if capabilities.get(fs, {}).get("case_insensitive") and not storage.capabilities.case_insensitive
        else storage
        for fs, storage in storages.items()
    }
