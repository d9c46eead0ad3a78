"""What two tags must not contradict each other about, each fact in a form in which different spellings are equal.

Case, accents, punctuation, the order of names and of several values do not count. A placeholder such as "unknown" or "und" states
nothing. A fact that is only stated by one of two files separates nothing, but for a genre such as Karaoke.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from orchestrator.plan.music.stand_ins import is_various
from orchestrator.plan.music.tag_values import MAX_VALUE
from orchestrator.plan.planners.dedup.musical_keys import musical_key
from orchestrator.plan.planners.dedup.named_apart import NameOfFile
from orchestrator.plan.planners.dedup.version_words import NAMELESS, key
from orchestrator.tags.written_dates import date_of
from orchestrator.tags.written_numbers import roman
from orchestrator.track import Facts, Track

_BPM_TOLERANCE = 1.0
"""Programs that measure the same track differ by less than this; so does one that only writes whole numbers."""
_NOTHING_SAID = Facts()


class Tempo(NamedTuple):
    """Beats per minute, as measured."""

    bpm: float


def facts_agree(one: object, other: object) -> bool:
    """Whether two forms of one fact are equal, or one of them states nothing."""
    if isinstance(one, NameOfFile) and isinstance(other, NameOfFile):
        return one.agrees(other)
    if not one or not other or one == other:
        return True
    return isinstance(one, Tempo) and isinstance(other, Tempo) and abs(one.bpm - other.bpm) <= _BPM_TOLERANCE


def stated_facts(track: Track) -> dict[str, object]:
    """The facts in which two files with the same tags must agree, by their names; empty values where the tags do not say."""
    facts = track.facts or _NOTHING_SAID
    year, month, day = _date(facts.recording_date)
    return {
        **{field: _people(getattr(facts, field)) for field in ("conductor", "orchestra", "ensemble", "performer")},
        "composer": _people(track.composer),
        "work": _texts(facts.work),
        # Some programs write the name of a movement where others write its number.
        "movement": _texts((*facts.movement, *(text for text in facts.movement_number if not _number([text])))),
        "movement number": _number(facts.movement_number),
        "total of movements": _number(facts.movement_total),
        "language": _codes(facts.language, _LANGUAGES),
        "language of the lyrics": _codes(facts.lyrics_language, _LANGUAGES),
        "country": _codes(facts.country, _COUNTRIES),
        "AcoustID": acoustid(track),
        "MusicBrainz artist": _ids(track.musicbrainz_artist_ids),
        "MusicBrainz album artist": _ids(track.musicbrainz_album_artist_ids),
        "MusicBrainz work": _ids(facts.musicbrainz_work_ids),
        "Discogs id": _discogs_id(facts.discogs_id),
        "ASIN": _texts(facts.asin),
        "recording year": year,
        "recording month": month,
        "recording date": day,
        "recording place": _texts(facts.recording_place),
        "key": musical_key(next(iter(facts.key), "")),
        "BPM": _tempo(facts.bpm),
        "grouping": _texts(facts.grouping),
        "genre": _without_a_singer(track.genre),
    }


def acoustid(track: Track) -> frozenset[str]:
    """The AcoustID of a track, in a form that can be compared."""
    return _ids((track.acoustid_id or "",))


def language_named(text: str) -> str:
    """The language that a text is the name of, such as that of a folder; "" for anything else."""
    return _LANGUAGES.get(" ".join(_words(text)), "")


# ------------------------------------------------------------ one fact each

_UNKNOWN = NAMELESS | {"", "0", "und", "xxx", "mis", "?", "-", "--", "not set", "undefined", "unspecified", "other"}
_SEPARATOR = re.compile(r"[;/|\0]|(?<=\w)\\")
_ROLE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*\Z")
_JOINING = frozenset({"and", "und", "et", "with"})
_WORD = re.compile(r"\w+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_UNKNOWN_IDS = frozenset({"125ec42a-7229-4250-afc5-e057484327fe"})  # MusicBrainz' artist "[unknown]"
_DISCOGS = re.compile(r"(?:release/|\br?)0*([1-9]\d*)", re.IGNORECASE)
_DECIMAL = re.compile(r"\s*(\d{1,4}(?:[.,]\d+)?)")
_COUNT = re.compile(r"\s*0*([1-9]\d{0,3})\s*(?:(?:/|of)\s*\d*\s*)?\Z", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"\s*(?:\d{1,3}|[ivxl]{1,6})\s*[.):]\s+", re.IGNORECASE)
_INSTRUMENTAL = frozenset({"instrumental", "instrumentals"})


@lru_cache(maxsize=65536)
def _words(text: str) -> tuple[str, ...]:
    """The words of a text without case and accents; () for a placeholder."""
    if _states_nothing(text):
        return ()
    plain = unicodedata.normalize("NFKD", text[:MAX_VALUE].casefold())
    return tuple(_WORD.findall("".join(char for char in plain if not unicodedata.combining(char))))


def _states_nothing(text: str) -> bool:
    return key(text[:MAX_VALUE]) in _UNKNOWN or is_various(text[:MAX_VALUE])


def _values(texts: Iterable[str]) -> Iterable[str]:
    known = (text[:MAX_VALUE] for text in texts if not _states_nothing(text))
    return (part for text in known for part in _SEPARATOR.split(text))


def _people(texts: Iterable[str]) -> frozenset[str]:
    """The words of all names: "Last, First" and other orders are equal. Instruments do not count."""
    return frozenset(word for name in _values(texts) for word in _words(_ROLE.sub("", name))) - _JOINING


def _texts(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(None, (" ".join(_words(_LEADING_NUMBER.sub("", text))) for text in _values(texts))))


def _number(texts: Iterable[str]) -> int:
    """The first number, Arabic or Roman; 0 if there is none."""
    for text in texts:
        found = _COUNT.match(text)
        number = int(found[1]) if found is not None else roman(text)
        if number:
            return number
    return 0


def _codes(texts: Iterable[str], codes: dict[str, str]) -> frozenset[str]:
    """Codes of languages or countries. Of a language with a region ("en-GB"), only the language counts."""
    found = set()
    for text in _values(texts):
        for part in text.split(","):
            words = " ".join(_words(part))
            shortest = words.split(" ")[0] if codes is _LANGUAGES else words
            found.add(codes.get(words, codes.get(shortest, shortest)))
    return frozenset(found - {""})


def _ids(texts: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for text in texts:
        uuids = _UUID.findall(text)
        found.update(map(str.lower, uuids) if uuids else ["".join(_words(text))])
    return frozenset(one for one in found if one.strip("0-")) - _UNKNOWN_IDS


def _discogs_id(texts: Iterable[str]) -> int:
    return next((int(found[1][:18]) for text in texts if (found := _DISCOGS.search(text))), 0)


def _date(texts: Iterable[str]) -> tuple[str, str, str]:
    """Year, month and day, each with what is above it, so that dates are compared as exactly as both are."""
    for text in texts:
        date = date_of(text)
        if date:
            return date[:4], date[:7] if len(date) >= 7 else "", date if len(date) == 10 else ""
    return "", "", ""


def _tempo(texts: Iterable[str]) -> Tempo | None:
    for text in texts:
        found = _DECIMAL.match(text)
        if found is not None and (bpm := float(found[1].replace(",", "."))) > 0:
            return Tempo(bpm)
    return None


def _without_a_singer(genres: Iterable[str]) -> str:
    """Whether a genre says that nobody sings: "karaoke", "instrumental", otherwise "no": a song without a genre has a singer."""
    words = [set(_words(part)) for genre in genres for part in re.split("[;/,|]", genre)]
    if any("karaoke" in found for found in words):
        return "karaoke"
    if any(found and found <= _INSTRUMENTAL for found in words):
        return "instrumental"
    return "no"


def _spellings(text: str) -> dict[str, str]:
    """Every spelling -> the first of its line."""
    return {" ".join(_words(name)): line.split(",")[0].strip() for line in text.split("\n") for name in line.split(",")}


_LANGUAGES = _spellings(
    """ara, ar, arabic
ces, cze, cs, czech
dan, da, danish, dansk
deu, ger, de, german, deutsch
ell, gre, el, greek
eng, en, english
fin, fi, finnish, suomi
fra, fre, fr, french, français
heb, he, iw, hebrew
hin, hi, hindi
hun, hu, hungarian, magyar
ita, it, italian, italiano
jpn, ja, jp, japanese, 日本語
kor, ko, korean
lat, la, latin
nld, dut, nl, dutch, nederlands
nor, no, norwegian, nob, nb
pol, pl, polish, polski
por, pt, portuguese, português
ron, rum, ro, romanian
rus, ru, russian, русский
spa, es, spanish, español, castellano
swe, sv, swedish, svenska
tur, tr, turkish, türkçe
ukr, uk, ukrainian
zho, chi, zh, chinese, 中文
zxx, instrumental, no linguistic content"""
)
_COUNTRIES = _spellings(
    """ar, arg, argentina
at, aut, austria, österreich
au, aus, australia
be, bel, belgium
br, bra, brazil, brasil
ca, can, canada
ch, che, switzerland, schweiz
cn, chn, china
cz, cze, czech republic, czechia
de, deu, ger, germany, deutschland
dk, dnk, denmark
es, esp, spain, españa
fi, fin, finland
fr, fra, france
gb, gbr, uk, united kingdom, great britain, england
gr, grc, greece
hu, hun, hungary
ie, irl, ireland
it, ita, italy, italia
jp, jpn, japan
kr, kor, south korea
mx, mex, mexico, méxico
nl, nld, netherlands, the netherlands, holland
no, nor, norway
nz, nzl, new zealand
pl, pol, poland
pt, prt, portugal
ru, rus, russia
se, swe, sweden
us, usa, united states, united states of america
xe, europe
xw, worldwide"""
) | {"xu": ""}
"""Common spellings; others are compared as they are. "xu" is MusicBrainz' unknown country."""
