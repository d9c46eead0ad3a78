"""Takes the lines of one key out of a YAML text, and leaves all others as they are."""

from __future__ import annotations

from collections.abc import Sequence

import yaml


def without_lines_of(text: str, parts: Sequence[str]) -> str | None:
    """The text without the lines of a key or entry, part by part; None if other things stand in these lines as well.

    Comments above it stay, and so does a blank line. The key must exist.
    """
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    first: yaml.Node | None = None
    for part in parts:
        if isinstance(node, yaml.MappingNode):
            first, node = next((key, value) for key, value in node.value if key.value == part)
        elif isinstance(node, yaml.SequenceNode):
            first = node = node.value[int(part)]
    if first is None or node is None:
        return None
    lines = text.splitlines(keepends=True)
    begin, end = first.start_mark.line, _last_line(node)
    before = lines[begin][: first.start_mark.column].strip()
    if before != ("" if first is not node else "-") or _is_shared(lines[end], node, end):
        return None
    return "".join([*lines[:begin], *lines[end + 1 :]])


def _last_line(node: yaml.Node) -> int:
    """The number of the last line of a value, from 0. That of a block ends where the next thing begins, below comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.line - (1 if node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line else 0)


def _is_shared(line: str, node: yaml.Node, number: int) -> bool:
    """Whether something else than a comment follows a value in its last line."""
    if node.end_mark.line != number:
        return False
    rest = line[node.end_mark.column :].strip()
    return bool(rest) and not rest.startswith("#")
