"""Removes secrets and control characters from rclone's messages before anybody sees them."""

from __future__ import annotations

import re

from orchestrator.rclone.known_secrets import without_known_secrets

_SECRET_WORD = r"[A-Za-z0-9_-]*(?:pass(?:word|wd)?|key(?!s)|secret|token|signature|credential)[A-Za-z0-9_-]*"  # noqa: S105 because it is a pattern
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # An option in a connection string, `:s3,secret_access_key=...:bucket`.
    (re.compile(rf"(,{_SECRET_WORD}=)(\"[^\"]*\"|'[^']*'|[^,:\s]*)", re.IGNORECASE), r"\1***"),
    # A presigned link, or any URL query with a secret in it.
    (re.compile(rf"([?&;](?:{_SECRET_WORD}|sig|code)=)[^&\s\"'<>]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/@\s\"']*:[^/@\s\"']*@", re.IGNORECASE), r"\1***@"),
    (
        re.compile(
            r"(\bauthorization[\"']?\s*[:=]\s*\[?[\"']?)(?:(?:basic|bearer|aws4-hmac-sha256)\s+)?[^\"'\]\r\n]+", re.IGNORECASE
        ),
        r"\1***",
    ),
    (re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9+/._~=-]{8,}", re.IGNORECASE), r"\1***"),
    (re.compile(rf"(\"{_SECRET_WORD}\"\s*:\s*)\"[^\"]*\"", re.IGNORECASE), r'\1"***"'),
    (re.compile(rf"(\b{_SECRET_WORD}=)[^\s,:&\"']+", re.IGNORECASE), r"\1***"),
    # A malformed line of rclone's config: `secret_access_key ...`.
    (re.compile(r"(could not parse line: )[^\r\n]*"), r"\1***"),
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def redact(text: str) -> str:
    """The text without passwords, keys, tokens and signatures, and without any secret that this process has read."""
    text = without_known_secrets(text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def one_line(text: str) -> str:
    """The text without secrets, each run of control characters replaced by one space."""
    return _CONTROL.sub(" ", redact(text)).strip()
