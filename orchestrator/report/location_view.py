"""What a location can do, for people: what `remotes check` found."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from orchestrator.prices import REQUEST_KINDS, Quotas
from orchestrator.profiles import price_lists
from orchestrator.report.reporter import duration_text, printable
from orchestrator.wording import money_text, number_text, size_text

_NO_LIMITS = msgspec.to_builtins(Quotas())
_WIDTH = 80
_TITLE = 16
_NAMING = {
    "exclusive": "the server refuses to replace it",
    "upload": "the server refuses to replace it",
    "twins": "both have the name then; their ids tell them apart",
    "caught": "seen before each change; one that comes meanwhile goes to the trash",
    "replaces": "seen before each change; one that comes meanwhile is replaced",
}
_UNITS = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"), (1, "ns"))


def facts_text(facts: Mapping[str, Any]) -> str:
    """The facts of `remotes check` as lines of at most 80 characters, a title before each."""
    lines = []
    for title, text in _rows(facts):
        wrapped = textwrap.wrap(printable(text), _WIDTH - _TITLE - 2, break_on_hyphens=False) or [""]
        lines += [f"{name:<{_TITLE}}  {line}" for name, line in zip([title, *[""] * len(wrapped)], wrapped, strict=False)]
    return "\n".join(lines)


def state_text(facts: Mapping[str, Any]) -> str:
    """Whether a location can be used, in one line."""
    states = [f"answers in {duration_text(facts['answered_s'])}"]
    states += [f"{word}: {text}" for word, text in (("reading", _readable(facts)), ("writing", _writable(facts)))]
    if facts["clock_s"]:
        states.append(f"clock: {_clock(facts['clock_s'])}")
    if (facts["quota"] or {}).get("free") is not None:
        states.append(f"{size_text(facts['quota']['free'])} free")
    return "; ".join(states)


def _rows(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "location", facts["location"]
    yield "reachable", f"yes, in {duration_text(facts['answered_s'])}{'; no file is there yet' if facts['empty'] else ''}"
    yield "reading", _readable(facts)
    yield "writing", _writable(facts)
    yield from _changes(facts)
    yield from _files(facts)
    yield "clock", "unknown" if facts["clock_s"] is None else _clock(facts["clock_s"])
    yield "space", _space(facts["quota"])
    if facts["without_tls"] is not None:
        yield "connection", f"plain http to {facts['without_tls']}: others on the way can read and change the files"
    yield "encryption", f"{_encryption(facts['encryption'])}; {_server_encryption(facts['server_encryption'])}"
    yield "profile", _profile(facts)
    yield "prices", _prices(facts)


def _readable(facts: Mapping[str, Any]) -> str:
    if facts["readable"] is None:
        return "not tried, because no file is there"
    if facts["not_readable"] is None:
        return "yes"
    return f"{'yes, but not every file' if facts['readable'] else 'no'}: {facts['not_readable']}"


def _writable(facts: Mapping[str, Any]) -> str:
    if not facts["writable"]:
        reason = (facts["not_writable"] or "").removeprefix(facts["location"] + ": ")
        return f"{'not tried' if facts['writable'] is None else 'no'}: {reason}"
    refused = facts["not_deletable"]
    return "yes, and deleting" if refused is None else f"yes, but files cannot be deleted: {refused}"


def _changes(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    through_us = "through this machine: a download, an upload"
    copied = "on the server" if facts["copy"] else through_us
    yield "a file is moved", "on the server" if facts["move"] else f"by a copy {copied}, then deleted"
    yield "a file is copied", copied
    yield "a folder moves", "in one request" if facts["directory_move"] else "file by file"
    in_place = "in one step: until the new file is complete, the old one is there"
    yield "replacing", in_place if facts["replaces_in_place"] else "the new file gets another name first"
    if facts["naming"] is not None:
        yield "file in the way", _NAMING[facts["naming"]]


def _files(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "upper, lower", f"A.mp3 and a.mp3 are {'one file' if facts['case_insensitive'] else 'two files'}"
    yield "shared names", "several files may have one name" if facts["duplicate_names"] else "no: one file per name"
    yield "empty folders", "possible" if facts["empty_directories"] else "not possible: folders are only parts of names"
    path = facts["max_path_bytes"]
    whole = "" if path is None else f", whole paths {path}{' once encrypted' if facts['encrypted_names'] else ''}"
    yield "names", f"at most {facts['max_component_bytes']} bytes{whole}"
    hashes = ", ".join(facts["hashes"])
    yield "hashes", f"{hashes}, without reading the files" if hashes else "none, unless the files are read"
    yield "times of files", _times(facts)


def _times(facts: Mapping[str, Any]) -> str:
    precision = facts["mtime_precision_ns"]
    if not facts["mtime"] or precision is None:
        return "none"
    size, unit = next((size, unit) for size, unit in _UNITS if precision >= size)
    kind = "their own" if facts["own_mtime"] else "listings give the time of the upload; their own take a request each"
    return f"{kind}, to {number_text(precision / size)} {unit}"


def _clock(ahead_s: float) -> str:
    if not ahead_s:
        return "as on this machine"
    return f"{duration_text(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'} this machine"


def _space(quota: Mapping[str, int | None] | None) -> str:
    known = {name: size for name, size in (quota or {}).items() if size is not None}
    return ", ".join(f"{size_text(size)} {name}" for name, size in known.items()) or "not stated"


def _encryption(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "none by rclone"
    names = {"off": "; names stay readable", "obfuscate": "; names are only obfuscated", "standard": " and names"}
    return f"by rclone (crypt), before files are sent: contents{names.get(found['names'], '')}"


def _server_encryption(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "the server states none"
    if found["by"] == "server":
        return "by the server"
    key = f", key {found['key']}" if found["key"] else ""
    return f"on the server {found['by']}{key}"


def _profile(facts: Mapping[str, Any]) -> str:
    saved = "requests" if facts["policy"] == "few-requests" else "bytes"
    pace = facts["requests_per_second"] or (facts["quotas"] or {}).get("requests_per_second")
    means = [
        f"tags are read with few {saved}",
        *(["whole folders are moved and listed where that saves requests"] if facts["by_directory"] else []),
        "no limit of requests is known" if pace is None else f"at most {number_text(pace)} requests a second",
    ]
    return f"{facts['profile']}: {'; '.join(means)}"


def _prices(facts: Mapping[str, Any]) -> str:
    prices, quotas = facts["prices"], facts["quotas"]
    if prices is not None:
        currency = prices["currency"]
        requests = ", ".join(f"{kind} {money_text(prices[kind], currency)}" for kind in REQUEST_KINDS)
        day = f" (of {prices['date']})" if prices["date"] else ""
        month, sent = (money_text(prices[key], currency) for key in ("storage", "egress"))
        return f"1,000 requests: {requests}; a GB: {month} a month, {sent} for a download{day}"
    if facts["local"] or quotas == _NO_LIMITS:
        return "nothing to pay"
    if quotas is not None:
        ways = (("upload_gb_per_day", "up"), ("download_gb_per_day", "down"))
        limits = [f"{quotas[key]:,.0f} GB {way} a day" for key, way in ways if quotas[key] is not None]
        return f"a flat rate{', at most ' if limits else ''}{', '.join(limits)}"
    remote = facts["location"].partition(":")[0]
    return f"unknown; `music-orchestrator config set remotes.{remote}.prices LIST` sets them: {', '.join(price_lists())}"
