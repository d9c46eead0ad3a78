r"""The search language of Google Drive (`q` of files.list), as far as clients use it, with Drive's rules for matching.

    ('ID1' in parents or 'ID2' in parents) and name = 'it\'s' and mimeType != 'application/...' and trashed = false

Like Drive, it refuses what it cannot parse, so that a mistake in a client does not return everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from tests.servers.drive_files import DriveError, DriveTree, Item

Test = Callable[[DriveTree, Item], bool]

_TOKEN = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|(<=|>=|!=|[()=<>])|([A-Za-z]\w*))", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Query:
    """A parsed `q`."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0
        self.test, self._parents = self._alternatives()
        if self._position < len(self._tokens):
            raise _invalid(text)

    def find(self, tree: DriveTree) -> list[Item]:
        """All matching items."""
        if self._parents is None:
            candidates: Iterable[Item] = [*tree.items.values()]
        else:
            candidates = (item for parent in self._parents for item in tree.children(parent))
        return [item for item in candidates if self.test(tree, item)]

    # Each returns the test, and the only folders in which something can match (None: all).

    def _alternatives(self) -> tuple[Test, list[str] | None]:
        tests, parents = zip(*self._separated("or", self._conditions), strict=True)
        if len(tests) == 1:
            return tests[0], parents[0]
        known = None if None in parents else [*dict.fromkeys(parent for some in parents for parent in some)]
        return (lambda tree, item: any(test(tree, item) for test in tests)), known

    def _conditions(self) -> tuple[Test, list[str] | None]:
        tests, parents = zip(*self._separated("and", self._condition), strict=True)
        known = next((some for some in parents if some is not None), None)
        return (tests[0] if len(tests) == 1 else lambda tree, item: all(test(tree, item) for test in tests)), known

    def _separated(self, word: str, part: Callable[[], tuple[Test, list[str] | None]]) -> list[tuple[Test, list[str] | None]]:
        found = [part()]
        while self._peek() == ("word", word):
            self._position += 1
            found.append(part())
        return found

    def _condition(self) -> tuple[Test, list[str] | None]:
        match self._next():
            case ("sign", "("):
                inside = self._alternatives()
                self._expect("sign", ")")
                return inside
            case ("word", "not"):
                test, _ = self._condition()
                return (lambda tree, item: not test(tree, item)), None
            case ("text", parent):
                self._expect("word", "in")
                self._expect("word", "parents")
                return _in_parents(parent), [parent]
            case ("word", name):
                return self._comparison(name), None
        raise _invalid("")

    def _comparison(self, name: str) -> Test:
        operator, value = self._next(), self._next()
        match name, operator[1], value:
            case "trashed", "=", ("word", "true" | "false" as word):
                return lambda tree, item: tree.in_trash(item) == (word == "true")
            case "mimeType", "=", ("text", wanted):
                return lambda _, item: item.mime_type == wanted
            case "mimeType", "!=", ("text", wanted):
                return lambda _, item: item.mime_type != wanted
            case "mimeType", "contains", ("text", wanted):
                return lambda _, item: item.mime_type.startswith(wanted)
            case "name", "=", ("text", wanted):  # Drive ignores case here
                folded = wanted.casefold()
                return lambda _, item: item.name.casefold() == folded
            case "name", "contains", ("text", wanted):  # the beginning of the name, or of a word in it
                pattern = re.compile(rf"(?:^|(?<=\W)){re.escape(wanted)}", re.IGNORECASE)
                return lambda _, item: pattern.search(item.name) is not None
            case "modifiedTime", "=" | "<" | ">" | "<=" | ">=" as sign, ("text", wanted):
                return _COMPARED[sign](wanted)
        raise _invalid(f"{name} {operator[1]} {value[1]}")

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token is None:
            raise _invalid("")
        self._position += 1
        return token

    def _expect(self, kind: str, text: str) -> None:
        if self._next() != (kind, text):
            raise _invalid(text)


_COMPARED: dict[str, Callable[[str], Test]] = {
    "=": lambda wanted: lambda _, item: item.modified == wanted,
    "<": lambda wanted: lambda _, item: item.modified < wanted,
    ">": lambda wanted: lambda _, item: item.modified > wanted,
    "<=": lambda wanted: lambda _, item: item.modified <= wanted,
    ">=": lambda wanted: lambda _, item: item.modified >= wanted,
}


@lru_cache(maxsize=1024)
def parse(text: str) -> Query:
    """Parse a query. Raises DriveError 400."""
    return Query(text)


def _in_parents(parent: str) -> Test:
    return lambda tree, item: item.parent == (tree.root if parent == "root" else parent)


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    position = 0
    while position < len(text.rstrip()):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _invalid(text)
        quoted, sign, word = token.groups()
        if quoted is not None:
            found.append(("text", _ESCAPED.sub(r"\1", quoted)))
        else:
            found.append(("sign", sign) if sign else ("word", word))
        position = token.end()
    return found


def _invalid(text: str) -> DriveError:
    return DriveError(400, "invalid", f"Invalid Value: {text}")
