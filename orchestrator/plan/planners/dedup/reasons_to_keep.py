"""Why a file does not go although it is the same as another one. Each guard has cost somebody an album."""

from __future__ import annotations

import re
from collections.abc import Callable

from orchestrator.plan.music.spelling import fold, year_of
from orchestrator.plan.music.values import joined
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.plan.planners.dedup.version_words import edition_words, title_version_words, version_words
from orchestrator.track import Track

OTHER_ALBUM = "they belong to different albums, which share a recording on purpose"
OTHER_SLOT = "they are two tracks of one album"
OTHER_VERSION = "their tags name different versions"
OTHER_FORMAT = "they have different formats, and only copies of one format are asked for"
LOSSY = "a lossless file does not go for a lossy one"
FEWER_TAGS = "the other one does not name the album"
SHORTER = "the other one takes fewer bytes for the same sound and may be cut"
REFERENCE = "both are under a reference"

_NUMBERED = re.compile(r"(?:track|titel|piste|audiotrack)?[\s._-]*(\d{1,3})(?!\d)", re.IGNORECASE)

_DATE = re.compile(r"\d{4}-\d\d(?:\Z|-\d\d)")

_RELEASE: tuple[Callable[[Track], object], ...] = (
    lambda track: year_of(track.date),
    lambda track: _to(7, track.date),
    lambda track: _to(10, track.date),
    lambda track: fold(joined(track.release_type)),
    lambda track: fold(track.catalogue_number or ""),
    lambda track: fold(track.barcode or ""),
    lambda track: fold(track.label or ""),
    lambda track: fold(track.media or ""),
    lambda track: fold(track.edition or ""),
    lambda track: fold(track.venue or ""),
    lambda track: track.track_total,
    lambda track: track.disc_total,
)


def release_facts(track: Track) -> tuple[object, ...]:
    """What tells one release of an album from another; empty where the tags do not say."""
    return tuple(fact(track) for fact in _RELEASE)


def _to(length: int, date: str | None) -> str:
    """A date's month (7 characters) or day (10); "" where it is not that exact. Two nights of one tour are two concerts."""
    return date[:length] if date and _DATE.match(date) and len(date) >= length else ""


def agree(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether no fact that both state differs."""
    return all(mine == theirs or not mine or not theirs for mine, theirs in zip(one, other, strict=True))


def reason_to_keep(goes: Candidate, stays: Candidate, tier: Tier, *, same_format_only: bool, lossless_first: bool) -> str | None:
    """Why the one must not go for the other, None when it may. The completeness of albums is looked at elsewhere."""
    if same_format_only and goes.track.codec != stays.track.codec:
        return OTHER_FORMAT
    if tier is not Tier.BYTES and lossless_first and goes.track.lossless and not stays.track.lossless:
        return LOSSY
    if tier is Tier.AUDIO and not _same_version(goes.track, stays.track):
        return OTHER_VERSION
    if shortened(stays, goes):
        return SHORTER
    return _album_reason(goes, stays)


def _album_reason(goes: Candidate, stays: Candidate) -> str | None:
    mine, theirs = goes.track.musicbrainz_release_id, stays.track.musicbrainz_release_id
    if mine and theirs:  # ids count without an album's name, too
        if mine != theirs:
            return OTHER_ALBUM
        places = {goes.track.musicbrainz_track_id, stays.track.musicbrainz_track_id} - {None}
        if len(places) > 1 or _slot_reason(goes, stays) is OTHER_SLOT:
            return OTHER_SLOT
    if goes.album_copy is None:
        return OTHER_SLOT if stays.album_copy is None and _two_of_one_folder(goes, stays) else None
    if stays.album_copy is None:
        return FEWER_TAGS
    return _slot_reason(goes, stays) if _same_release(goes, stays) else OTHER_ALBUM


def shortened(one: Candidate, whole: Candidate) -> bool:
    """Whether a file has so much less sound in it than another of the same sound and codec that it may be cut.

    A lossless file still bears the checksum of the whole when it is cut: any byte less counts, unless its end was seen.
    The price: what a better encoder made takes less as well, and goes.
    """
    mine, theirs = one.track, whole.track
    if one.reading.identity is None or one.reading.identity != whole.reading.identity or one.reading.whole:
        return False
    if mine.codec != theirs.codec or not mine.bitrate or not theirs.bitrate:
        return False
    return mine.bitrate < (1.0 if mine.lossless else 0.9) * theirs.bitrate


def _slot_reason(goes: Candidate, stays: Candidate) -> str | None:
    if _other_disc(goes, stays):
        return OTHER_SLOT
    if goes.number and stays.number and goes.number != stays.number:
        return OTHER_SLOT
    if goes.number and not stays.number:
        return FEWER_TAGS
    return None


def _other_disc(one: Candidate, other: Candidate) -> bool:
    """Whether two tracks may be of two discs: no disc is neither disc 1 nor disc 2 of an album that has several."""
    if one.disc and other.disc:
        return one.disc != other.disc
    if one.album_copy is not None and one.album_copy is other.album_copy and one.album_copy.mixes_discs:
        return True
    stated = one if one.disc else other
    return bool(stated.disc) and max(stated.disc or 1, stated.track.disc_total or 1) > 1


def _same_version(mine: Track, theirs: Track) -> bool:
    """Whether what both tags say of the version agrees. A file without a title says nothing."""
    if mine.advisory and theirs.advisory and mine.advisory != theirs.advisory:
        return False
    if not mine.title or not theirs.title:
        return True
    one, other = version_words(mine), version_words(theirs)
    if not mine.musicbrainz_release_id or mine.musicbrainz_release_id != theirs.musicbrainz_release_id:
        one, other = one | edition_words(mine), other | edition_words(theirs)  # else both are of the edition that the id names
    return one == other or (not (mine.album and theirs.album) and title_version_words(mine) == title_version_words(theirs))


def _same_release(goes: Candidate, stays: Candidate) -> bool:
    mine, theirs = goes.track, stays.track
    if mine.musicbrainz_release_id and mine.musicbrainz_release_id == theirs.musicbrainz_release_id:
        return True
    if goes.album_copy is None or stays.album_copy is None or goes.album_copy.album is not stays.album_copy.album:
        return False
    return agree(release_facts(mine), release_facts(theirs))


def _two_of_one_folder(goes: Candidate, stays: Candidate) -> bool:
    """Whether two files without tags bear different numbers in one folder: silence, or a hidden track, that is there twice."""
    if goes.fs != stays.fs:
        return False
    mine, theirs = goes.path.rpartition("/"), stays.path.rpartition("/")
    if mine[0] != theirs[0]:
        return False
    one, other = _NUMBERED.match(mine[2]), _NUMBERED.match(theirs[2])
    return one is not None and other is not None and int(one[1]) != int(other[1])
