"""Addresses with plain http on other machines: others on the way can read and change what is sent there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

_PLAIN_HTTP = re.compile(r"\bhttp://(?:[^/@\s]*@)?(\[[^\]]*\]|[^/:;?\s]*)", re.IGNORECASE)


def host_without_tls(text: str) -> str | None:
    """The host of another machine that a text has with plain http; None if it has none."""
    for found in _PLAIN_HTTP.finditer(text):
        host = found[1].strip("[]").lower().rstrip(".")
        try:
            here = ipaddress.ip_address(host).is_loopback
        except ValueError:
            here = host == "localhost" or host.endswith(".localhost")
        if not here:
            return found[1]
    return None


def hosts_without_tls(options: Mapping[str, str]) -> dict[str, str]:
    """The options of a remote that lead to such a host -> the host. A proxy is none: TLS passes through it."""
    found = {option: host_without_tls(value) for option, value in options.items() if not option.endswith("proxy")}
    return {option: host for option, host in found.items() if host is not None}
