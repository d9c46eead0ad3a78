"""Texts for tags and file names that break careless programs."""

from __future__ import annotations

HOSTILE_TAGS = (
    "../../x",
    "/abs/olute",
    "..",
    ".",
    "CON",
    "AC/DC",
    "back\\slash",
    "-rf",
    "line\nfeed",
    "nul\0byte",
    "\x1b[31mred\x07",
    "\u202egnp.exe",
    "é" * 150,
    "{}",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "  spaced  ",
    "trailing...",
    "$(touch PWNED)",
    "lpt1.txt",
    "zero\u200bwidth",
    "e\u0301te\u0301",
    "🎵" * 80,
    '<>:"|?*',
    "~user",
    ".hidden",
    "`touch PWNED`",
    "%s%n%2e%2e%2f",
    "com¹",
    "\x7f\x85",
)
"""Titles, artists and albums that try to leave the root, to run, to hide or to break something."""

HOSTILE_NAMES = (
    "-rf",
    "it's 'quoted'",
    'say "hi"',
    "closing]bracket",
    "[brackets]",
    "hash#question?percent%41",
    "emoji 🎵",
    "$(touch PWNED)",
    "`touch PWNED`",
    " leading space",
    "trailing space ",
    "trailing dot.",
    "col:on",
    "star*",
    "%2e%2e%2f",
    "a&b=c+d",
    "{curly}",
    "~tilde",
    "!bang",
    "CON",
    "x" * 240,
    "caf\u00e9 composed",
    "cafe\u0301 decomposed",
    "\u202efdp",
    "..dots",
    "pipe|d",
    "<angle>",
    "@at,comma",
)
"""Names (without extension) that every test server accepts."""

UNPORTABLE_NAMES = ("new\nline", "semi;colon", "tab\there", "\x01control", "back\\slash", "del\x7f")
"""Names that a disk accepts and some servers do not."""
