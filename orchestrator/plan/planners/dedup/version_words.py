"""Texts of tags as keys: what makes two spellings one title, and the words that make two versions of one song.

Nothing is ever stripped: brackets and digits are part of a title. Only what has no meaning of its own - kinds of brackets,
quotes and dashes, case, spaces - does not count.
"""

from __future__ import annotations

import re
from functools import lru_cache

from orchestrator.plan.music.spelling import fold, guest_of
from orchestrator.plan.music.values import MAX_VALUE
from orchestrator.track import Track

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("()[]{}<>（）［］【】「」『』", " "),  # noqa: RUF001 - these are meant
        **dict.fromkeys("‘’‛´`ʼ", "'"),  # noqa: RUF001
        **dict.fromkeys('“”„‟"', " "),
        **dict.fromkeys("‐‑‒–—―−", "-"),  # noqa: RUF001
        **dict.fromkeys(",;:", " "),
    }
)

_VERSIONS = {
    "live": r"live|en vivo|ao vivo|en directo|dal vivo|concert|unplugged live",
    "remix": r"re-?mix(?:es|ed)?|rmx|remezcla",
    "mix": r"mix(?:es|ed)?|mixtape",
    "edit": r"edit(?:ed)?",
    "radio": r"radio",
    "single": r"single",
    "extended": r"extended|long version|full length|12\"|12 inch",
    "short": r"short version|7\"|7 inch",
    "acoustic": r"acoustic|acústic[oa]|acoustique|akustik",
    "unplugged": r"unplugged",
    "demo": r"demos?",
    "instrumental": r"instrumentals?",
    "acapella": r"a ?cap+ell?a",
    "karaoke": r"karaoke|backing track",
    "remaster": r"(?:digital(?:ly)? )?re-?master(?:ed|ing|s)?|remasteris\w+|remasteriz\w+",
    "mono": r"mono(?:phonic|aural)?",
    "stereo": r"stereo(?:phonic)?",
    "surround": r"surround|5\.1|quad(?:raphonic)?|atmos|binaural",
    "explicit": r"explicit|uncensored|dirty",
    "clean": r"clean|censored",
    "deluxe": r"deluxe|super deluxe",
    "expanded": r"expanded",
    "anniversary": r"anniversary",
    "special": r"special|limited|collector'?s",
    "bonus": r"bonus",
    "session": r"sessions?",
    "alternate": r"alternat(?:e|ive)|alt",
    "take": r"take \d+|outtakes?",
    "rehearsal": r"rehearsals?",
    "reprise": r"reprise",
    "cover": r"cover(?:ed)?",
    "dub": r"dub",
    "rerecorded": r"re-?record(?:ed|ing)|taylor's version",
    "orchestral": r"orchestral|symphonic",
    "speed": r"sped up|slowed|nightcore|8d",
    "version": r"version",
    "edition": r"edition",
}
_VERSION = re.compile("|".join(rf"(?P<{name}>(?<!\w)(?:{pattern})(?!\w))" for name, pattern in _VERSIONS.items()), re.IGNORECASE)
_NAMELESS = (
    "unknown|unknown artist|unknown album|unknown title|no artist|no album|no title|none|null|n/a|untitled|"
    "artiste inconnu|album inconnu|unbekannter künstler|unbekannter interpret|unbekanntes album|unbekannt|artista desconocido|"
    "álbum desconocido|desconocido|artista desconhecido|álbum desconhecido|desconhecido|artista sconosciuto|album sconosciuto|"
    "sconosciuto|onbekende artiest|onbekend album|onbekend|okänd artist|okänt album|ukendt kunstner|ukjent artist|"
    "nieznany wykonawca|nieznany album|неизвестный исполнитель|неизвестный альбом|неизвестен|άγνωστος καλλιτέχνης|"
    "未知艺术家|未知专辑|不明なアーティスト|不明なアルバム|アーティスト情報なし|알 수 없는 아티스트|알 수 없는 앨범"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_BETWEEN_GUESTS = re.compile(r"\s*(?:,|;|&|\+|/|(?<!\w)(?:and|with|y|et|und)(?!\w))\s*", re.IGNORECASE)


@lru_cache(maxsize=65536)
def key(text: str) -> str:
    """What makes two spellings one: case, spaces, and the kinds of brackets, quotes and dashes do not count."""
    return fold(text.translate(_PLAIN).replace(" - ", " "))


def name_key(text: str) -> str:
    """The key of an artist or album; "" for what programs write where they know no name."""
    found = key(text)
    return "" if found in NAMELESS else found


@lru_cache(maxsize=65536)
def versions(text: str) -> frozenset[str]:
    """The version words of one text, each by its name, with the years that stand beside them."""
    text = text[:MAX_VALUE]
    found = frozenset(match.lastgroup or "" for match in _VERSION.finditer(text.translate(_PLAIN)))
    return found.union(_YEAR.findall(text)) if found else found


@lru_cache(maxsize=65536)
def guests(text: str) -> frozenset[str]:
    """The names after "feat." in one text."""
    return frozenset(filter(None, map(key, _BETWEEN_GUESTS.split(guest_of(text)))))


def version_words(track: Track) -> frozenset[str]:
    """The version words of a track, wherever they stand: in what names the track, and in album and disc subtitle."""
    return title_version_words(track).union(*(versions(text) for text in (*track.album, track.disc_subtitle or "") if text))


def title_version_words(track: Track) -> frozenset[str]:
    """The version words of title, subtitle and version; what has a remixer is a remix."""
    remix = _REMIX if track.remixer else frozenset[str]()
    return remix.union(*(versions(text) for text in (*track.title, track.subtitle or "", *track.version) if text))


def edition_words(track: Track) -> frozenset[str]:
    """The version words of the edition."""
    return versions(track.edition or "")


def kinds(track: Track) -> frozenset[str]:
    """The release types that tell one version from another; that it is an album, or a compilation, does not."""
    return frozenset(map(key, track.release_type)) - _PLAIN_TYPES


def guest_names(track: Track) -> frozenset[str]:
    """The guests that title and artist name."""
    return frozenset[str]().union(*(guests(text) for text in (*track.title, *track.artist)))


_REMIX = frozenset({"remix"})
_PLAIN_TYPES = frozenset({"", "album", "compilation", "other"})

NAMELESS = frozenset(map(key, _NAMELESS.split("|")))
"""What rippers and players write for an artist or an album that they do not know: no more than an empty field."""
