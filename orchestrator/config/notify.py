"""`notify:` in the config, and of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from orchestrator.config.references import Reference, reference_problem
from orchestrator.wording import repeated

Event = Literal["success", "news", "failure"]


class Notify(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to report the end of a job. Addresses are secrets: anyone who knows one can write there."""

    urls: Annotated[
        list[str | Reference],
        Meta(
            description="Where to send messages: addresses of apprise, each written here, or where it is, as for `secrets`.",
            examples=[["mailtos://user:password@example.org", {"env": "NTFY_URL"}]],
            extra={"secret": True},
        ),
    ] = []
    on: Annotated[
        list[Event],
        Meta(
            description="Of what to send messages: success (nothing was to be done), news (something changed, or new problems), "
            "failure.",
            examples=[["failure"]],
        ),
    ] = msgspec.field(default_factory=lambda: ["news", "failure"])
    healthcheck: Annotated[
        str | Reference | None,
        Meta(
            description="The address to call when a job begins (URL/start), was done (URL) or has failed (URL/CODE); or with "
            "{status}, {code} or {up} in it.",
            examples=["https://hc.example.org/uuid"],
            extra={"secret": True},
        ),
    ] = None


def notify_problems(notify: Notify) -> Iterator[tuple[tuple[str, ...], str]]:
    """The keys that cannot be used, and why. Repeats no address: it is a secret."""
    for number, url in enumerate(notify.urls):
        if reason := url_problem(url):
            yield ("urls", str(number)), reason
    if notify.healthcheck is not None and (reason := healthcheck_problem(notify.healthcheck)):
        yield ("healthcheck",), reason


def url_problem(url: str | Reference) -> str | None:
    """Why this is no address for messages, as far as its form says."""
    if isinstance(url, Reference):
        return reference_problem(url)
    scheme, separator, rest = url.partition("://")
    if separator and scheme.isascii() and scheme.isalnum() and rest and url.isprintable():
        return None
    return "not an address of apprise, such as ntfys://ntfy.sh/topic"


def healthcheck_problem(url: str | Reference) -> str | None:
    """Why this is no address to call, as far as its form says."""
    if isinstance(url, Reference):
        return reference_problem(url)
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        right = False
    if right and url.isascii() and url.isprintable() and " " not in url:
        return None
    return "not an address that begins with https:// or http://"


def prometheus_problem(path: str) -> str | None:
    """Why node_exporter would not read a file with this name; None if it would."""
    return None if path.endswith(".prom") else f"node_exporter reads only names that end in .prom, not {repeated(path)}"
