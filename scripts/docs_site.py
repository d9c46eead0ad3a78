"""A hook of MkDocs for the site of docs/: what the same files need on a site and not on a code host."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.exceptions import PluginError

_LEAVING = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#\s]+)(?:#[^)\s]*)?\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Show links to files of the checkout, such as tests, as text: the site does not hold those files."""
    return _LEAVING.sub(lambda link: link[1] if link[1].strip("`") == link[2] else f"{link[1]} (`{link[2]}`)", markdown)


_LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")


def on_post_page(output: str, **_: Any) -> str:
    """Refuse a page that loads anything from another server."""
    if found := _LOADED.search(output):
        raise PluginError(f"a page must not load anything from another server: {found[0]}")
    return output
