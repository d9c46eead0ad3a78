"""Whether a folder that only holds other folders is the folder of the album below it: `Downloads` is not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from orchestrator.paths import name_of
from orchestrator.plan.music.disc_folders import disc_folder
from orchestrator.plan.music.spelling import letters_of

FORMAT_WORDS: Final = frozenset(
    (
        *(
            "flac",
            "mp3",
            "wav",
            "wave",
            "aiff",
            "ape",
            "alac",
            "aac",
            "m4a",
            "ogg",
            "opus",
            "wv",
            "wavpack",
            "dsd",
            "dsf",
            "dff",
            "sacd",
        ),
        *("lossless", "lossy", "hires", "hi", "res", "hd", "bit", "khz", "kbps", "cbr", "vbr", "stereo", "mono", "multichannel"),
        *(
            "audio",
            "music",
            "musik",
            "musique",
            "tracks",
            "songs",
            "cd",
            "cdda",
            "web",
            "vinyl",
            "rip",
            "dvd",
            "album",
            "the",
            "and",
        ),
    )
)
"""Words in the name of a folder that only says in which form an album is in it: `FLAC`, `24bit 96kHz`, `Vinyl rip`."""
_WORD = re.compile(r"[^\W\d_]+")
_QUALITY = re.compile(r"\d\d\W\d{2,3}(?:\W\d)?")
"""Such as `24-96`."""
_SHORTEST = 3
"""Fewer letters occur in other names by chance."""


def is_album_folder(directory: str, title: str, folders: Iterable[str]) -> bool:
    """Whether `directory` is the folder of the album `title`, whose songs are in `folders` below it.

    It is if those folders are discs or formats by their names, or if it has the album's name.
    """
    letters = letters_of(title)
    if len(letters) >= _SHORTEST and letters in letters_of(name_of(directory)):
        return True
    start = len(directory) + 1 if directory else 0
    return all(map(_is_part, {part for folder in folders for part in folder[start:].split("/") if part}))


def _is_part(name: str) -> bool:
    words = [word.casefold() for word in _WORD.findall(name)]
    says_form = all(word in FORMAT_WORDS for word in words) if words else _QUALITY.fullmatch(name) is not None
    return says_form or disc_folder(name).disc is not None
