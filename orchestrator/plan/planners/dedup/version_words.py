"""Comparison keys for titles and names, and the words that name a version of a song: live, remix, remaster ...

Nothing is stripped: the words in brackets and digits are part of a title. Only case, spaces and the kinds of brackets, quotes and
dashes are ignored.
"""

from __future__ import annotations

import re
from functools import lru_cache

from orchestrator.paths import name_of, parent_of, split_extension
from orchestrator.plan.music.disc_folders import album_folder
from orchestrator.plan.music.spelling import fold, guest_of
from orchestrator.plan.music.stand_ins import is_nameless
from orchestrator.plan.music.tag_values import MAX_VALUE
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
_MASTER = re.compile(
    r"(?<!\w)(?:(?P<sacd>sacd|dsd\d*)|(?P<vinyl>needle[- ]?drop|vinyl)|(?P<cassette>cassette|kassette|tape rip)"
    r"|(?P<soundboard>soundboard|sbd)|(?P<audience>audience|aud)|fm broadcast|pre-?fm|bootlegs?|promo|advance"
    r"|dvd-?a(?:udio)?|blu-?ray|(?P<mofi>mfsl|mofi|mobile fidelity)|audio fidelity|dcc|xrcd|shm-?cd|k2 ?hd|hdcd|half[- ]speed"
    r"|432 ?hz)(?!\w)",
    re.IGNORECASE,
)
"""Where a sound comes from, by the names of folders: each of these is another master or recording."""
_EACH = "|".join(rf"(?P<{name}>(?:{pattern})(?!\w))" for name, pattern in _VERSIONS.items())
_VERSION = re.compile(rf"(?<!\w)(?:{_EACH})", re.IGNORECASE)
"""Where no word begins, none of them is tried."""
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
    """A text without its differences in case, spaces and kinds of brackets, quotes and dashes."""
    return fold(text.translate(_PLAIN).replace(" - ", " "))


def name_key(text: str) -> str:
    """The key of an artist or album; "" for placeholders such as "Unknown Artist"."""
    found = key(text)
    return "" if found in NAMELESS or is_nameless(text) else found


@lru_cache(maxsize=65536)
def words_of(text: str) -> frozenset[str]:
    """The version words in one text, normalized, and the years in it if there are any such words."""
    text = text[:MAX_VALUE]
    found = frozenset(match.lastgroup or "" for match in _VERSION.finditer(text.translate(_PLAIN)))
    return found.union(_YEAR.findall(text)) if found else found


@lru_cache(maxsize=65536)
def guests(text: str) -> frozenset[str]:
    """The names after "feat." in one text."""
    return frozenset(filter(None, map(key, _BETWEEN_GUESTS.split(guest_of(text)))))


def version_words(track: Track) -> frozenset[str]:
    """The version words of a track from all tags: title, subtitle, version, album and disc subtitle."""
    return title_version_words(track).union(*(words_of(text) for text in (*track.album, track.disc_subtitle or "") if text))


def title_version_words(track: Track) -> frozenset[str]:
    """The version words of title, subtitle and version. A track with a remixer is a remix."""
    remix = _REMIX if track.remixer else frozenset[str]()
    return remix.union(*(words_of(text) for text in (*track.title, track.subtitle or "", *track.version) if text))


def without_version_words(text: str) -> str:
    """A text without the words that `words_of` finds."""
    return _VERSION.sub(" ", text.translate(_PLAIN))


def folder_version_words(path: str, track: Track) -> frozenset[str]:
    """The words in the names of a file's folder and its album's that tell another recording or master, but not its tags' own."""
    said = (*track.artist, *track.album_artist)
    masters = frozenset[str]().union(*map(_masters, (*said, *track.album)))
    names = [name_of(folder) for folder in {parent_of(path), album_folder(path)}]
    versions = frozenset[str]().union(*map(words_of, names)) & _IN_FOLDERS
    return versions.union(*map(_masters, names)) - _own_words(track) - masters


def file_version_words(path: str, track: Track) -> frozenset[str]:
    """The same of the name of the file itself: "01 Song (instrumental)"."""
    return words_of(split_extension(name_of(path))[0]) & _IN_FILES - _own_words(track)


def _own_words(track: Track) -> frozenset[str]:
    return version_words(track).union(*map(words_of, (*track.artist, *track.album_artist)))


@lru_cache(maxsize=65536)
def _masters(name: str) -> frozenset[str]:
    return frozenset(found.lastgroup or fold(found.group()) for found in _MASTER.finditer(name[:MAX_VALUE].replace("_", " ")))


def edition_words(track: Track) -> frozenset[str]:
    """The version words of the edition."""
    return words_of(track.edition or "")


def distinctive_release_types(track: Track) -> frozenset[str]:
    """The release types that distinguish versions; "album" and "compilation" do not."""
    return frozenset(map(key, track.release_type)) - _PLAIN_TYPES


def guest_names(track: Track) -> frozenset[str]:
    """The guests that title and artist name."""
    return frozenset[str]().union(*(guests(text) for text in (*track.title, *track.artist)))


_IN_FOLDERS = frozenset(
    {
        *("live", "unplugged", "acoustic", "orchestral", "demo", "rehearsal", "alternate", "rerecorded", "remix", "dub", "speed"),
        *("instrumental", "acapella", "karaoke", "explicit", "clean"),
        *("remaster", "mono", "surround", "deluxe", "expanded", "anniversary"),
    }
)
"""Without those that folders have for other reasons: "Singles", "Radio", "Stereo" ..."""
_IN_FILES = _IN_FOLDERS | {"mix", "edit", "radio", "extended", "short", "session", "take", "reprise"}
"""Without those that say the same song in other words: "bonus track", "album version" ..."""
_REMIX = frozenset({"remix"})
_PLAIN_TYPES = frozenset({"", "album", "compilation", "other"})

NAMELESS = frozenset(map(key, _NAMELESS.split("|")))
"""Placeholders that rippers and players write for an unknown artist or album. They count as an empty field."""
