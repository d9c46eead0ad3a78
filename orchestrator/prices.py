"""What providers charge for, and what they limit instead. A GB is 10^9 bytes here, and free tiers are not counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

GB = 10**9
"""Bytes of a GB in every price and quota."""

REQUEST_KINDS = ("list", "look", "read", "write", "copy", "delete")
"""The kinds of requests: a page of a listing; the facts of one file; (a part of) its content; an upload, or a change of a name; a
copy by the server; a deletion."""

Price = Annotated[float, Meta(ge=0)]


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price list of a provider."""

    list: Annotated[Price, Meta(description="The price of 1,000 requests for a page of a listing.", examples=[0.005])]
    look: Annotated[Price, Meta(description="The price of 1,000 requests for the facts of a file.", examples=[0.0004])]
    read: Annotated[Price, Meta(description="The price of 1,000 requests for content, beside its bytes.", examples=[0.0004])]
    write: Annotated[Price, Meta(description="The price of 1,000 uploads.", examples=[0.005])]
    copy: Annotated[Price, Meta(description="The price of 1,000 copies by the server.", examples=[0.005])]
    delete: Annotated[Price, Meta(description="The price of 1,000 deletions.", examples=[0.0])]
    storage: Annotated[Price, Meta(description="The price of a GB (10^9 bytes) stored for a month.", examples=[0.023])]
    egress: Annotated[Price, Meta(description="The price of a GB sent to this machine.", examples=[0.09])]
    retrieval: Annotated[
        Price, Meta(description="The price of a GB that is read or copied, beside the egress: storage classes of rare access.")
    ] = 0.0
    least_storage: Annotated[Price, Meta(description="The GB that are charged for even if fewer are stored.")] = 0.0
    currency: Annotated[str, Meta(description="The currency of these prices.", examples=["EUR"])] = "USD"
    date: Annotated[str, Meta(description="The day when they were looked up.", examples=["2026-11-30"])] = ""
    source: Annotated[str, Meta(description="Where they come from, and for which region.")] = ""

    def of_requests(self, requests: Mapping[str, float]) -> float:
        """What so many requests of each kind cost."""
        return float(sum(number * getattr(self, kind) for kind, number in requests.items())) / 1000

    def of_a_month(self, stored: float) -> float:
        """What storing so many bytes costs a month."""
        return max(stored / GB, self.least_storage) * self.storage

    def of_bytes(self, down: float, copied: float = 0) -> float:
        """What bytes cost that come to this machine, and those that the server copies."""
        return (down * (self.egress + self.retrieval) + copied * self.retrieval) / GB


class Spent(msgspec.Struct):
    """What the runs of one command have spent so far: --max-cost and --max-transfer hold for all of them together."""

    cost: float = 0.0
    """In the currency of the prices."""
    transfer: int = 0
    """Bytes that were sent and received."""


class Quotas(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a provider with a flat rate limits instead of charging for it. None: no limit is known."""

    requests_per_second: float | None = None
    """The pace that rclone or the provider sets for one account."""
    upload_gb_per_day: float | None = None
    download_gb_per_day: float | None = None
    date: str = ""
    source: str = ""
