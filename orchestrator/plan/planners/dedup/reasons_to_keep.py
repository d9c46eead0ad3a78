"""Reasons to keep a file although it is the same as another one. Each prevents a loss that other programs have caused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from orchestrator.paths import parent_of
from orchestrator.plan.music.cut import may_be_cut
from orchestrator.plan.music.lost_end import lost_end
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import joined
from orchestrator.plan.planners.dedup.candidates import Candidate, states_several_discs
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.plan.planners.dedup.stated_facts import facts_agree
from orchestrator.plan.planners.dedup.version_words import edition_words, title_version_words, version_words
from orchestrator.tags.written_dates import date_of, year_of
from orchestrator.track import Track

OTHER_ALBUM = "they are on different albums, which share recordings on purpose"
OTHER_SLOT = "they are two different tracks of one album"
OTHER_VERSION = "their tags name different versions"
OTHER_FORMAT = "they have different formats, and only copies in the same format count"
LOSSY = "a lossless file is not replaced by a lossy one"
FEWER_TAGS = "the other file has fewer tags: no album or no track number"
SHORTER = "the other file has fewer bytes for the same sound and may be cut"
LOST_END = "the other file may have lost its end"
ONE_FILE = "they are one file under two names (hard links)"
DAMAGED = "they have the same size, sound and tags but different bytes, so one of them is damaged"
ONE_FOLDER = "they are equally good in one folder, but sound different: their tags may be of only one of them"
REFERENCE = "both are under a reference"
DECIDED = "it was decided to keep them all"

_AS_GOOD = 1.2
"""The bitrates of two recordings by one encoder may differ by this much; a better copy has more."""
_NUMBERED = re.compile(r"(?:track|titel|piste|audiotrack)?[\s._-]*(\d{1,3})(?!\d)", re.IGNORECASE)


_RELEASE: tuple[tuple[str, Callable[[Track], object]], ...] = (
    ("year", lambda track: year_of(track.date)),
    ("release month", lambda track: _month_or_day(track.date, 7)),
    ("release date", lambda track: _month_or_day(track.date, 10)),
    ("release type", lambda track: fold(joined(track.release_type))),
    ("catalogue number", lambda track: fold(track.catalogue_number or "")),
    ("barcode", lambda track: fold(track.barcode or "")),
    ("label", lambda track: fold(track.label or "")),
    ("medium", lambda track: fold(track.media or "")),
    ("edition", lambda track: fold(track.edition or "")),
    ("venue", lambda track: fold(track.venue or "")),
    ("total of tracks", lambda track: track.track_total),
    ("total of discs", lambda track: track.disc_total),
)
RELEASE_FACTS = tuple(name for name, _ in _RELEASE)
"""What `release_facts` gives, in words."""


def release_facts(track: Track) -> tuple[object, ...]:
    """The facts that distinguish releases of one album; empty values where the tags do not say."""
    return tuple(fact(track) for _, fact in _RELEASE)


def _month_or_day(date: str | None, length: int) -> str:
    """A date up to its month (7 characters) or day (10); "" if it is less exact. Two nights of one tour are two concerts."""
    exact = date_of(date)
    return exact[:length] if len(exact) >= length else ""


def agree(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether all facts that both state are equal."""
    return all(map(facts_agree, one, other))


def contradicting(one: tuple[object, ...], other: tuple[object, ...], names: Iterable[str]) -> list[str]:
    """The names of the facts that both state and that differ."""
    stated = zip(names, one, other, strict=True)
    return [name for name, mine, theirs in stated if not facts_agree(mine, theirs)]


def reason_to_keep(file: Candidate, kept: Candidate, tier: Tier, *, same_format_only: bool, lossless_first: bool) -> str | None:
    """Why a file must be kept beside a kept one that is the same; None if it may be quarantined.

    The search itself checks that albums stay complete.
    """
    if file.item.one_file is not None and file.item.one_file == kept.item.one_file:
        return ONE_FILE
    if same_format_only and file.track.codec != kept.track.codec:
        return OTHER_FORMAT
    if tier is not Tier.BYTES and lossless_first and file.track.lossless and not kept.track.lossless:
        return LOSSY
    if tier is Tier.TAGS and _two_recordings(file, kept):
        return ONE_FOLDER
    if tier is Tier.AUDIO and not _same_version(file.track, kept.track):
        return OTHER_VERSION
    return _damage(file, kept, tier) or _album_reason(file, kept)


def _damage(file: Candidate, kept: Candidate, tier: Tier) -> str | None:
    if may_be_cut(kept.reading, file.reading):
        return SHORTER
    lost = lost_end(kept.reading, file.reading) if tier is not Tier.BYTES else None
    if lost is not None:
        return f"{LOST_END}: {lost}"
    return DAMAGED if _one_is_damaged(file, kept) else None


def _one_is_damaged(one: Candidate, other: Candidate) -> bool:
    """Whether two files differ in bytes although nothing that was read explains it. Changed tags of equal length do.

    Sound without an identity is not known to be another one: plain samples that begin with silence have none.
    """
    if one.size != other.size or one.reading.identity != other.reading.identity:
        return False
    mine, theirs = one.item.entry.hashes, other.item.entry.hashes
    if all(mine[kind].lower() == theirs[kind].lower() for kind in mine.keys() & theirs.keys()):
        return False
    return one.track == other.track and one.reading.covers == other.reading.covers


def _album_reason(file: Candidate, kept: Candidate) -> str | None:
    mine, theirs = file.track.musicbrainz_release_id, kept.track.musicbrainz_release_id
    if mine and theirs:  # ids count even without an album name
        if mine != theirs:
            return OTHER_ALBUM
        places = {file.track.musicbrainz_track_id, kept.track.musicbrainz_track_id} - {None}
        if len(places) > 1 or _slot_reason(file, kept) is OTHER_SLOT:
            return OTHER_SLOT
    if file.album_copy is None:
        return OTHER_SLOT if kept.album_copy is None and _two_of_one_folder(file, kept) else None
    if kept.album_copy is None:
        return FEWER_TAGS
    return _slot_reason(file, kept) if _same_release(file, kept) else OTHER_ALBUM


def _slot_reason(file: Candidate, kept: Candidate) -> str | None:
    if _other_disc(file, kept):
        return OTHER_SLOT
    if file.number and kept.number and file.number != kept.number:
        return OTHER_SLOT
    if file.number and not kept.number:
        return FEWER_TAGS
    return None


def _other_disc(one: Candidate, other: Candidate) -> bool:
    """Whether two tracks may be on different discs. On an album with several discs, no disc number may mean any of them."""
    if one.disc and other.disc:
        return one.disc != other.disc
    mine, theirs = one.album_copy, other.album_copy
    if mine is not None and mine is theirs and mine.mixes_discs:
        return True
    if one.disc or other.disc:
        stated = one if one.disc else other
        return states_several_discs(stated) or any(copy is not None and copy.several_anywhere for copy in (mine, theirs))
    if mine is None or theirs is None:
        return False
    if mine is theirs:
        return mine.several_anywhere
    # Two copies of an album that lack the same disc numbers are copies all the same.
    return mine.several_discs != theirs.several_discs or states_several_discs(one) != states_several_discs(other)


def _same_version(mine: Track, theirs: Track) -> bool:
    """Whether both tags name the same version. A file without a title names none."""
    if mine.advisory and theirs.advisory and mine.advisory != theirs.advisory:
        return False
    if not mine.title or not theirs.title:
        return True
    one, other = version_words(mine), version_words(theirs)
    if not mine.musicbrainz_release_id or mine.musicbrainz_release_id != theirs.musicbrainz_release_id:
        one, other = one | edition_words(mine), other | edition_words(theirs)  # with one id, both are of one edition
    return one == other or (not (mine.album and theirs.album) and title_version_words(mine) == title_version_words(theirs))


def _same_release(file: Candidate, kept: Candidate) -> bool:
    mine, theirs = file.track, kept.track
    if mine.musicbrainz_release_id and mine.musicbrainz_release_id == theirs.musicbrainz_release_id:
        return True
    if file.album_copy is None or kept.album_copy is None or file.album_copy.album is not kept.album_copy.album:
        return False
    return agree(release_facts(mine), release_facts(theirs))


def _two_recordings(file: Candidate, kept: Candidate) -> bool:
    """Whether two files of one folder sound different, but neither is a better copy: shows or parts with the same tags."""
    if file.fs != kept.fs or parent_of(file.path) != parent_of(kept.path):
        return False
    one, other, mine, theirs = file.reading.identity, kept.reading.identity, file.track, kept.track
    if one is None or other is None or one.kind != other.kind or one == other or mine.codec != theirs.codec:
        return False
    if mine.lossless or theirs.lossless:
        return (mine.sample_rate, mine.bit_depth) == (theirs.sample_rate, theirs.bit_depth)
    rates = sorted((mine.bitrate or 0, theirs.bitrate or 0))
    return rates[0] * _AS_GOOD >= rates[1]


def _two_of_one_folder(file: Candidate, kept: Candidate) -> bool:
    """Whether two untagged files in one folder have different numbers in their names: silence or a hidden track, not a copy."""
    if file.fs != kept.fs:
        return False
    mine, theirs = file.path.rpartition("/"), kept.path.rpartition("/")
    if mine[0] != theirs[0]:
        return False
    one, other = _NUMBERED.match(mine[2]), _NUMBERED.match(theirs[2])
    return one is not None and other is not None and int(one[1]) != int(other[1])
