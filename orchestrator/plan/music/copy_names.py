"""Names that file managers and clouds give to copies of a file."""

from __future__ import annotations

import re

_COPY = "copy|kopie|copie|copia|c[oó]pia|kopia|kopi|kopio|копия|копія|コピー|副本|사본"
"""As Windows, macOS and Linux write it in English, German, French, Spanish, Italian, Portuguese, Swedish, Danish, Russian ..."""
_COPY_NAME = re.compile(
    rf"""
    \A(?:{_COPY})\ (?:\(\d{{1,3}}\)\ )?(?:of|von|de|di|van|av|af)\    # Copy of song, Kopie (2) von song
    | (?:\ [-—]\ |\ |_)(?:{_COPY})(?:\ ?\(?\d{{1,3}}\)?)?(?:\.[^.]*)?\Z  # song - Copy (2), song copy 2
    | \ \([^()]*\b(?:{_COPY})(?:\ \d[\d-]*)?\)(?:\.[^.]*)?\Z  # song (another copy), song (Ann's conflicted copy 2020-01-31)
    | (?:のコピー|的副本)(?:\.[^.]*)?\Z
    | \.sync-conflict-\d{{8}}-
    | (?:\ ?\(\d{{1,3}}\)|_\d|\ \d{{1,2}})(?:\.[^.]*)?\Z  # song (1), song_2, song 2
    """,
    re.IGNORECASE | re.VERBOSE,
)


def looks_like_copy(name: str) -> bool:
    """Whether a file's name looks like that of a copy. A title may end so as well: it only breaks ties."""
    return _COPY_NAME.search(name) is not None
