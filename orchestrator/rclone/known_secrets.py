"""The secrets that this process has read, hidden wherever a message repeats them: a server may echo them in any form.

Rules by the words around a secret (`redact`) do not see one that stands alone, in a path or in base64. As with the masks of build
servers, short secrets are the trouble: replaced everywhere, a password such as "music" makes messages unreadable, and shows what
it is. So a short one is hidden only as a word of its own, and one of less than four characters not at all.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

from orchestrator.config.masking import is_secret

_SHORTEST = 4
_SHORT = 8
"""Below this length, only whole words are hidden; base64 of less is not looked for."""
_LINE = 16
"""A shorter line of a key in PEM says nothing."""
_HIDDEN = "***"

_lock = threading.Lock()
_secrets: set[str] = set()
_pattern: re.Pattern[str] | None = None


def hide(secret: str) -> None:
    """Hide a secret from now on: a text, JSON that has secrets in it, or a key in PEM."""
    global _pattern  # noqa: PLW0603 - what this process knows is hidden in all that it prints
    new = {one for one in _parts(secret) if len(one) >= _SHORTEST}
    with _lock:
        if new <= _secrets:
            return
        _secrets.update(new)
        forms = {form: len(one) < _SHORT for one in _secrets for form in _forms(one)}
        texts = [_word(form) if short else re.escape(form) for form, short in forms.items()]
        encoded = [rf"[\w+/-]?{re.escape(core)}[\w+/=-]{{0,4}}" for one in _secrets for core in _in_base64(one)]
        _pattern = re.compile("|".join(sorted({*texts, *encoded}, key=len, reverse=True)))


def hide_options(options: Mapping[str, str]) -> None:
    """Hide what the options of a remote, or variables of the environment, hold in secret."""
    for option, value in options.items():
        if is_secret(option):
            hide(value)


def without_known_secrets(text: str) -> str:
    """The text without any secret that was hidden."""
    return text if _pattern is None else _pattern.sub(_HIDDEN, text)


def _word(form: str) -> str:
    return rf"(?<!\w){re.escape(form)}(?!\w)"


def _parts(secret: str) -> Iterator[str]:
    yield secret
    if "\n" in secret:
        yield from (line.strip() for line in secret.splitlines() if len(line.strip()) >= _LINE and "-----" not in line)
    if secret.startswith("{"):
        try:
            document = json.loads(secret, strict=False)
        except (ValueError, RecursionError):
            return
        for key, value in document.items():
            if isinstance(value, str) and is_secret(key):
                yield from _parts(value)


def _forms(secret: str) -> Iterator[str]:
    """How a secret may be written in a URL, in JSON (also in a text in JSON, and as Go and PHP write it), in XML."""
    yield secret
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    for ascii_only in (False, True):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
        yield escaped.replace("/", "\\/")
        yield escaped.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    yield html.escape(secret).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def _in_base64(secret: str) -> Iterator[str]:
    """What base64 makes of a secret, wherever in the encoded text it begins: alone, or after `user:`.

    Without the characters that also depend on what stands before and after it.
    """
    content = secret.encode("utf-8", "surrogateescape")
    for before, dependent in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + content).decode().rstrip("=")
        core = encoded[dependent : len(encoded) - (1 if (before + len(content)) % 3 else 0)]
        if len(core) >= _SHORT:
            yield core
            yield core.replace("+", "-").replace("/", "_")
