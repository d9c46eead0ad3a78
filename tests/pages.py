"""Read a saved page as a browser would: what it shows at once, and the rows that its script unpacks."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

VOID = frozenset({"meta", "input", "br", "link"})


class Page(NamedTuple):
    """A page, taken apart."""

    source: str
    text: str
    """What is read without the script."""
    facts: dict[str, Any]
    rows: dict[str, list[list[Any]]]
    """By their kind: see orchestrator/report/html/rows.py."""
    elements: list[tuple[str, dict[str, str | None]]]
    policy: dict[str, str]
    hashes: dict[str, set[str]]
    """Element -> the hashes of what stands in the elements of that name and may run or apply."""

    def path(self, folder: int, name: str) -> tuple[str, ...]:
        """A file: its location, its folders, its name."""
        above, own = self.rows["f"][folder][1:]
        return (*(self.path(above, own) if above >= 0 else (own,)), name)

    def files(self, side: str) -> Iterator[tuple[str, ...]]:
        """The changes "before" or "after"."""
        for _, _, folder, name, new_folder, new_name, *_ in self.rows["o"]:
            yield self.path(folder, name) if side == "before" else self.path(new_folder, new_name or name)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.contents: dict[str, list[str]] = defaultdict(list)
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        kind = dict(attrs).get("type") or ""
        if tag not in VOID:
            self._open.append(f"{tag} {kind}".strip())

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().partition(" ")[0] == tag

    def handle_data(self, data: str) -> None:
        where = self._open[-1] if self._open else ""
        if where.startswith(("script", "style")):
            self.contents[where].append(data)
        else:
            self.text.append(data)


def read_page(file: Path) -> Page:
    """Take a page apart. Each element that is opened must be closed."""
    source = file.read_text(encoding="utf-8")
    reader = _Reader()
    reader.feed(source)
    reader.close()
    rows: dict[str, list[list[Any]]] = defaultdict(list)
    packed = b"".join(b64decode(piece, validate=True) for piece in reader.contents["script application/gzip"])
    for line in gzip.decompress(packed).splitlines():
        row = json.loads(line)
        rows[row[0]].append(row)
    (policy,) = (attributes["content"] for _, attributes in reader.elements if "http-equiv" in attributes)
    directives = (one.strip().partition(" ") for one in str(policy).split(";"))
    return Page(
        source=source,
        text="".join(reader.text),
        facts=json.loads(reader.contents["script application/json"][0]),
        rows=rows,
        elements=reader.elements,
        policy={name: value for name, _, value in directives},
        hashes={name: {_hash(one) for one in reader.contents[name]} for name in ("script", "style")},
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def links_out(page: Page) -> list[str]:
    """What could load something or lead elsewhere."""
    found = [
        str(value) for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "href", "action")
    ]
    return [one for one in found if not re.fullmatch(r"#[\w-]+", one)]
