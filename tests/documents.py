"""What the documents for users hold: their blocks of code, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = "music-orchestrator"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+")
_CODE = re.compile(r"`([^`\n]+)`")
_CONTROL = re.compile(r"[;&|()<>]+")


def name(document: Path) -> str:
    """Its path in the checkout."""
    return str(document.relative_to(ROOT))


def fenced(text: str) -> list[tuple[str, str]]:
    """Language and content of each fenced block, in their order."""
    return [(language, body) for _, language, body in _FENCED.findall(text)]


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of this language; "" for those without one, and those that are only indented."""
    found = [body for name, body in fenced(text) if name == language]
    return found if language else [*found, *_INDENTED.findall(_FENCED.sub("", text))]


def shell_lines(text: str) -> Iterator[str]:
    """Each command line of the shell blocks, with the lines that it goes on with; prompts and comments are left out."""
    for block in blocks(text, "sh"):
        yield from lines(block)
    for block in (*blocks(text, "text"), *blocks(text, "")):
        yield from (line for line in lines(block) if line.split()[0] in {PROGRAM, "scripts/migrate", "scripts/clean-up"})


def lines(block: str) -> list[str]:
    """The command lines of a block of code."""
    found = []
    for line in block.replace("\\\n", " ").splitlines():
        code = re.sub(r"(^|\s)#\s.*", "", line.strip().removeprefix("$ "))
        if code.strip():
            found.append(code.strip())
    return found


def simple_commands(line: str) -> Iterator[list[str]]:
    """The words of each command of a line, such as those on both sides of a pipe."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for word in lexer:
        if _CONTROL.fullmatch(word):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def arguments(words: list[str]) -> list[str] | None:
    """The words after our program's name, also where another program starts it; None if it is not started."""
    if PROGRAM not in words[:1] and words[:1] not in (["sudo"], ["docker"]) and not (words and "=" in words[0]):
        return None
    if words[:2] == ["docker", "build"] or PROGRAM not in words or "--entrypoint" in words:
        return None
    return words[words.index(PROGRAM) + 1 :]


def inline_code(text: str) -> list[str]:
    """What the text has in backticks, outside of blocks."""
    return _CODE.findall(_without_blocks(text))


def without_code(text: str) -> str:
    """The text without blocks of code, and without what it has in backticks."""
    return _CODE.sub("``", _without_blocks(text))


def _without_blocks(text: str) -> str:
    return _INDENTED.sub("", _FENCED.sub("", text))
