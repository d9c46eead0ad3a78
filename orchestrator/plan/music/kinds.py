"""What is no music: podcasts, audiobooks, videos and voice memos.

A file is one by what its tags say of it, by its extension, by its genre, or because it has moving pictures. An album is decided
once: it is a podcast or an audiobook if most of its files say so. A genre that music may have too counts only if all files of an
album have it. A video with a track number of its own on an album of music is a track of that album.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from orchestrator.paths import extension_of, name_of
from orchestrator.plan.music.spelling import fold, without_guest
from orchestrator.plan.music.stand_ins import is_no_album
from orchestrator.plan.music.tag_values import first, joined
from orchestrator.track import Track

PODCAST, AUDIOBOOK, VIDEO, MEMO = "podcast", "audiobook", "video", "memo"

KINDS: Final = {
    PODCAST: "marked as a podcast (iTunes' `pcst`, `stik`, `PCST`, `WFED`, `TGID`; `PODCAST`), or genre Podcast",
    AUDIOBOOK: "the extension `.m4b`, `.aax` or `.aa`, marked as an audiobook (`stik`, Windows Media's class), release type "
    "audiobook or audio drama, genre Audiobook, Hörbuch or the like; genre Speech in all tracks",
    VIDEO: "a music video, film or TV show: moving pictures, or marked as one (`stik`)",
    MEMO: "a voice memo: marked as one by Apple's recorder, or `.amr`; without artist, album and moving pictures also `.3gp`, "
    "`.3ga`, `.qta` and the names that phones give to recordings",
}
"""Kind -> the condition for it, the first that holds."""
ALBUM_KINDS: Final = frozenset({"", PODCAST, AUDIOBOOK})
"""Kinds, with music, whose albums have covers and other companions of their own."""

_NAMED: Final = {
    **dict.fromkeys(("m4b", "aax", "aaxc", "aa"), AUDIOBOOK),
    **dict.fromkeys(("amr", "3gp", "3ga", "qta"), MEMO),
}
_NOT_READ: Final = frozenset({"aaxc", "aa", "amr"})
"""Extensions of files without tags that can be read: their name is all that is known."""

_RELEASE_TYPES: Final = frozenset({"audiobook", "audio drama"})
_PODCAST_GENRES: Final = re.compile("podcast|подкаст|播客|ポッドキャスト|팟캐스트")
_AUDIOBOOK_WORDS: Final = (
    *("audiobooks?", "audio[- ]books?", "books & spoken", "audio theat(?:re|er)", "(?:audio|radio) (?:drama|play)s?"),
    *("livres?[- ]audio", "audiolivres?", "audiolibros?", "audiolibr[io]", "luisterboek(?:en)?", "hoorspel(?:en)?"),
    *("lydbog", "lydbøger", "lydbok", "lydbøker", "ljudbok", "ljudböcker", "äänikirjat?", "hljóðbók", "audiokni(?:ha|hy)"),
    *("książka audio", "hangoskönyv", "sesli kitap", "аудиокниг[аи]", "аудіокниг[аи]"),
)
_AUDIOBOOK_PARTS: Final = (
    "h(?:ö|oe)rb(?:u|ü|ue)ch",
    "h(?:ö|oe)rspiel",
    "有声书",
    "有声读物",
    "有聲書",
    "オーディオブック",
    "오디오북",
)
"""Also inside words: Kinderhörbuch."""
_AUDIOBOOK_GENRES: Final = re.compile(rf"\b(?:{'|'.join(_AUDIOBOOK_WORDS)})\b|{'|'.join(_AUDIOBOOK_PARTS)}")
_SPOKEN_GENRES: Final = frozenset({"speech", "lesung", "lesungen", "märchen", "fairy tale", "fairy tales"})
"""Genres of audiobooks (LibriVox writes Speech) that an intro of a concert may have, too."""
_SEVERAL = re.compile(r"[;,/|\\]")

_RECORDER_NAMES = re.compile(
    r"""
    (?: \d{8}\ \d{6} (?: -[0-9a-f]{8} )?                     # Apple: 20240131 093000-1A2B3C4D
    | new\ recording (?: \ \d+ )?                            # the titles that Apple's recorder gives, in some languages
    | neue\ aufnahme (?: \ \d+ )? | nouvel\ enregistrement (?: \ \d+ )?
    | nueva\ grabaci[oó]n (?: \ \d+ )? | nuova\ registrazione (?: \ \d+ )?
    | voice\ \d{3} ) \.m4a                                    # Samsung
    | ptt-\d{8}-wa\d+ \.opus                                # WhatsApp's voice messages
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Names that phones give to recordings."""


def kind_by_name(path: str) -> str:
    """The kind of a file that cannot be read, by its extension; "" for all others."""
    extension = extension_of(path)
    return _NAMED[extension] if extension in _NOT_READ else ""


def kind_of(path: str, track: Track) -> str:
    """What one file says that it is; "" for music."""
    if track.media_kind is not None and track.media_kind != VIDEO:
        return track.media_kind
    named, by_genre = _NAMED.get(extension_of(path)), _kind_of_genre(track.genre)
    if by_genre == PODCAST:
        return PODCAST
    if AUDIOBOOK in (named, by_genre) or not _RELEASE_TYPES.isdisjoint(track.release_type):
        return AUDIOBOOK
    if track.video or track.media_kind == VIDEO:
        return VIDEO
    if track.artist or track.album_artist or track.album:
        return ""
    return MEMO if named == MEMO or _RECORDER_NAMES.fullmatch(name_of(path)) else ""


def kinds_of(files: Sequence[tuple[str, Track]]) -> list[str]:
    """The kind of each file, decided once for each album; "" for music. `files`: path and tags."""
    kinds = [kind_of(path, track) for path, track in files]
    titles = {
        title
        for (_, track), kind in zip(files, kinds, strict=True)
        if (kind or _is_spoken(track.genre)) and (title := fold(first(track.album)))
    }
    for album in _albums(files, titles) if titles else ():
        _decide([files[index][1] for index in album], album, kinds)
    return kinds


def _decide(tracks: Sequence[Track], album: Sequence[int], kinds: list[str]) -> None:
    """Decide for one album. `album`: the indices of its files in `kinds`."""
    found = Counter(kinds[index] for index in album if kinds[index])
    kind = min(found, key=lambda kind: (-found[kind], list(KINDS).index(kind)), default="")
    if found.total() * 2 > len(album):
        for index in album if kind in (PODCAST, AUDIOBOOK) else ():
            kinds[index] = kind
        return
    spoken = len(album) > 1 and all(_is_spoken(track.genre) for track in tracks)
    places = Counter((track.disc or 1, track.track) for track in tracks)
    for index, track in zip(album, tracks, strict=True):
        has_place = track.track is not None and places[track.disc or 1, track.track] == 1
        if spoken:
            kinds[index] = AUDIOBOOK
        elif kinds[index] != VIDEO or has_place:
            kinds[index] = ""


def _albums(files: Sequence[tuple[str, Track]], titles: set[str]) -> Iterable[list[int]]:
    """The indices of the files of each album with one of these titles.

    One album has one album artist; without album artist one artist. Tracks of artists with a single one are one album: a sampler.
    Folders do not count, so a file is of the same kind wherever it is moved to.
    """
    by_artist: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
    for index, (_, track) in enumerate(files):
        title = fold(first(track.album))
        artist = joined(track.album_artist) or without_guest(first(track.artist))
        if title in titles and not is_no_album(title, artist):
            by_artist[title, fold(artist), bool(track.album_artist)].append(index)
    samplers: dict[str, list[int]] = defaultdict(list)
    for (title, _, is_stated), album in by_artist.items():
        if is_stated or len(album) > 1:
            yield album
        else:
            samplers[title] += album
    yield from samplers.values()


@lru_cache(maxsize=4096)
def _kind_of_genre(genres: tuple[str, ...]) -> str:
    words = [fold(genre).replace("_", " ") for genre in genres]
    if any(map(_PODCAST_GENRES.search, words)):
        return PODCAST
    return AUDIOBOOK if any(map(_AUDIOBOOK_GENRES.search, words)) else ""


@lru_cache(maxsize=4096)
def _is_spoken(genres: tuple[str, ...]) -> bool:
    return any(fold(word) in _SPOKEN_GENRES for genre in genres for word in _SEVERAL.split(genre))
