"""Write a page: its frame with what matters, its facts, and its long lists, compressed piece by piece.

A Content-Security-Policy in the page allows this style and this script, by their hashes, and nothing else: a name that got
through as markup could load and run nothing.
"""

from __future__ import annotations

import os
import re
import secrets
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

import msgspec

from orchestrator.atomic_file import check_replaceable
from orchestrator.errors import UsageError
from orchestrator.report.html.document import STATES, Document, Remark, Section
from orchestrator.report.html.rows import VERBS, Rows
from orchestrator.report.reporter import printable

_SCRIPTS = ("data.js", "tree.js", "table.js", "charts.js", "page.js")
_PIECE = 3 * 2**18
"""Compressed bytes in one element of the page: a multiple of three, so that no piece but the last is padded."""
_TYPED = re.compile("`([^`]+)`")
_NUMBER = re.compile(r"^[\d,]+(?= )")
_PLACE = re.compile("@@([a-z]+)@@")


def write_page(document: Document, file: Path) -> None:
    """Write the page, readable as the user's umask says. The file appears complete or not at all. Raises UsageError."""
    try:
        check_replaceable(file, "web page")
        with _replaced(file) as stream:
            before, _, after = frame(document).partition("@@rows@@")
            stream.write(before.encode())
            pieces = _Pieces(stream)
            document.rows(Rows(pieces.write))
            pieces.close()
            stream.write(after.encode())
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def frame(document: Document) -> str:
    """The page without its rows, which belong where it says `@@rows@@`."""
    style, script = asset("page.css"), "".join(map(asset, _SCRIPTS))
    return _filled(
        asset("page.html"),
        {
            "policy": f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
            "base-uri 'none'; form-action 'none'",
            "title": _safe(document.title),
            "kind": _safe(document.kind),
            "style": style,
            "script": script,
            "content": "\n".join(_content(document)),
            "facts": _facts(document),
            "footer": _safe(document.footer),
        },
    )


@cache
def asset(name: str) -> str:
    """A file of page/."""
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with each place filled once: values that look like places stay as they are."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), template)


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _safe(text: str) -> str:
    # A name may look like the place of the rows.
    return escape(printable(text)).replace("@@", "&#64;&#64;")


def _prose(text: str) -> str:
    """A text of ours, with what is to be typed set apart. Names in it are escaped like all others."""
    return _TYPED.sub(r"<code>\1</code>", _safe(text))


def _remark(remark: Remark) -> str:
    text = _NUMBER.sub(r"<b>\g<0></b>", _prose(remark.text))
    if remark.search:
        text += f' <button type="button" class="find" data-search="{_safe(remark.search)}" hidden>Show them</button>'
    return f'<li class="careful">{text}</li>' if remark.careful else f"<li>{text}</li>"


def _facts(document: Document) -> str:
    """What the script needs at once, as JSON that cannot end its element."""
    facts = {
        "verbs": [str(verb) for verb in VERBS],
        "states": STATES if document.results else (),
        "codes": {code: {"title": one.title, "remedy": one.remedy} for code, one in document.codes.items()},
        "several": document.several,
        "charts": document.charts,
        "tables": [section.table for section in document.sections if section.table is not None],
    }
    text = msgspec.json.encode(_printable(msgspec.to_builtins(facts))).decode()
    return text.replace("<", "\\u003c").replace("@", "\\u0040")


def _printable(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case list() | tuple():
            return [*map(_printable, value)]
        case dict():
            return {printable(str(key)): _printable(one) for key, one in value.items()}
        case _:
            return value


def _content(document: Document) -> Iterator[str]:
    """The summary and the sections."""
    yield f'<p class="lead">{_safe(document.lead)}</p>'
    if document.remarks:
        yield f'<ul class="points">{"".join(map(_remark, document.remarks))}</ul>'
    if len(document.sections) > 1:
        links = (f'<li><a href="#{_safe(one.name)}">{_safe(one.heading)}</a></li>' for one in document.sections)
        yield f'<nav aria-label="Sections"><ul class="jumps">{"".join(links)}</ul></nav>'
    tables = 0
    for section in document.sections:
        view = section.view
        yield "".join(_section(section, view or (f"table-{tables}" if section.table is not None else "")))
        tables += section.table is not None


def _section(section: Section, view: str) -> Iterator[str]:
    name = _safe(section.name)
    yield f'<section id="{name}" aria-labelledby="{name}-heading"><h2 id="{name}-heading">{_safe(section.heading)}</h2>'
    if section.intro:
        yield f'<p class="intro">{_prose(section.intro)}</p>'
    if section.facts:
        rows = (f'<tr><th scope="row">{_safe(key)}</th><td>{_prose(value)}</td></tr>' for key, value in section.facts)
        yield f'<table class="facts"><tbody>{"".join(rows)}</tbody></table>'
    if section.sentences:
        yield f'<ul class="plain">{"".join(f"<li>{_prose(one)}</li>" for one in section.sentences)}</ul>'
    if view:
        kind = ' class="charts"' if view == "charts" else ""
        yield f'<div{kind} data-view="{view}"><p class="waiting">Reading …</p></div>'
    yield "</section>"


class _Pieces:
    """Compresses what is written into elements of the page."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._gzip = zlib.compressobj(wbits=31)
        self._waiting = bytearray()

    def write(self, line: bytes) -> None:
        self._waiting += self._gzip.compress(line)
        while len(self._waiting) >= _PIECE:
            self._piece(bytes(self._waiting[:_PIECE]))
            del self._waiting[:_PIECE]

    def close(self) -> None:
        self._waiting += self._gzip.flush()
        self._piece(bytes(self._waiting))

    def _piece(self, content: bytes) -> None:
        self._stream.write(b'<script type="application/gzip" class="rows">' + b64encode(content) + b"</script>\n")


@contextmanager
def _replaced(file: Path) -> Iterator[BinaryIO]:
    """A stream whose content replaces the file once it is complete; a pipe or a device is written to as it is."""
    if file.exists() and not file.is_file():
        with file.open("wb") as stream:
            yield stream
        return
    real = Path(os.path.realpath(file))
    # Not by `tempfile`: its files are for their owner alone, whatever the umask.
    temporary = real.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(real)
    finally:
        temporary.unlink(missing_ok=True)
