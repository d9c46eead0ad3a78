"""What an audio file says about itself: the records that the tags room makes and later rooms use."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Facts(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the tags of a file say about its recording and release that no layout uses: it tells recordings apart.

    All texts as in Track, in any of the forms that programs write; `()` where the file does not say.
    """

    conductor: tuple[str, ...] = ()
    orchestra: tuple[str, ...] = ()
    ensemble: tuple[str, ...] = ()
    performer: tuple[str, ...] = ()
    """Musicians, some with their instruments in brackets."""
    work: tuple[str, ...] = ()
    movement: tuple[str, ...] = ()
    """The name of a movement."""
    movement_number: tuple[str, ...] = ()
    movement_total: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    lyrics_language: tuple[str, ...] = ()
    musicbrainz_work_ids: tuple[str, ...] = ()
    discogs_id: tuple[str, ...] = ()
    """Of the release."""
    asin: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    """Where it was released."""
    recording_date: tuple[str, ...] = ()
    recording_place: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    bpm: tuple[str, ...] = ()
    grouping: tuple[str, ...] = ()


class Track(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The tags and the stream properties of one audio file.

    Texts are as in the file: untrimmed, in the file's order, without empty strings, at most 16 values. A missing text is `()` or
    None, a missing number None. Only a track before the first of its disc has the number 0.
    """

    title: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    album_artist: tuple[str, ...] = ()
    album: tuple[str, ...] = ()
    track: int | None = None
    track_total: int | None = None
    track_text: str | None = None
    """The track number as the tag has it, where that is not just `track`: "03/12", "A1"."""
    position: str | None = None
    """The position on a record, such as "A1" or "AA1", if that stands for a track number; no reading has it, only the planner."""
    disc: int | None = None
    disc_total: int | None = None
    disc_text: str | None = None
    """The disc number as the tag has it, where that is not just `disc`."""
    disc_subtitle: str | None = None
    compilation: bool | None = None
    """None where the file does not say."""
    release_type: tuple[str, ...] = ()
    """MusicBrainz' terms in lower case: album, single, ep, live, compilation, remix, soundtrack ..."""
    release_status: str | None = None
    """MusicBrainz' term in lower case: official, promotion, bootleg, pseudo-release."""
    edition: str | None = None
    """Distinguishes releases with the same name: "deluxe edition", "2009 remaster" (MusicBrainz' disambiguation)."""
    venue: str | None = None
    """Where a concert took place."""
    date: str | None = None
    """The first date with a year, as in the file ("1997", "1997-05-21", "21/05/1997")."""
    original_date: str | None = None
    genre: tuple[str, ...] = ()
    composer: tuple[str, ...] = ()
    label: str | None = None
    catalogue_number: str | None = None
    barcode: str | None = None
    media: str | None = None
    subtitle: str | None = None
    version: tuple[str, ...] = ()
    """Which version of its title it is, if a separate tag says so: "Live at Wembley", "Club Mix"."""
    remixer: tuple[str, ...] = ()
    """Who remixed it."""
    comment: str | None = None
    isrc: tuple[str, ...] = ()
    musicbrainz_recording_id: str | None = None
    musicbrainz_track_id: str | None = None
    musicbrainz_release_id: str | None = None
    musicbrainz_release_group_id: str | None = None
    musicbrainz_artist_ids: tuple[str, ...] = ()
    musicbrainz_album_artist_ids: tuple[str, ...] = ()
    acoustid_id: str | None = None
    title_sort: str | None = None
    artist_sort: tuple[str, ...] = ()
    album_artist_sort: tuple[str, ...] = ()
    album_sort: str | None = None
    advisory: str | None = None
    """"explicit" or "clean"; None where the file does not say."""
    media_kind: str | None = None
    """"podcast", "audiobook", "video" or "memo" (a voice memo) if its tags say that it is one; None otherwise."""
    cue_sheet: bool = False
    """Whether the file holds a cue sheet: it is the image of a whole album or disc."""
    facts: Facts | None = None
    """None if the file states none of them."""
    duration_s: float | None = None
    """Seconds as the container states them."""
    codec: str | None = None
    """"mp3", "flac", "alac", "aac", "vorbis", "opus", "speex", "pcm", "wma", "ape", "wavpack", "musepack", "dsd", "tta", "tak",
    "optimfrog", "mp2", "mp1", "ac3", "eac3", "xhe-aac", "als", "alaw", "mulaw", "adpcm", "gsm" ...; HE-AAC is "aac"."""
    bitrate: int | None = None
    """Bits per second."""
    sample_rate: int | None = None
    """Hz."""
    bit_depth: int | None = None
    channels: int | None = None
    lossless: bool | None = None
    video: bool = False
    """Whether it has moving pictures: not a cover, pictures of chapters or one still picture."""

    @property
    def has_tags(self) -> bool:
        """Whether the file has any of the tags that decide its destination: title, artist, album."""
        return bool(self.title or self.artist or self.album or self.album_artist)


class Strength(StrEnum):
    """How sure it is that two files with the same audio identity hold the same sound."""

    SURE = "sure"
    """A checksum of 128 bits over all of the sound."""
    STRONG = "strong"
    """Properties of the whole stream that two recordings do not share by chance."""
    HINT = "hint"
    """Lengths and a checksum of a part: needs matching tags or a full read as well."""


class AudioIdentity(msgspec.Struct, frozen=True, gc=False):
    """Which sound a file holds, regardless of tags, pictures and padding, and of how it was read. Kinds are not comparable.

    It is what the file says about its sound: a file that was cut without a trace still says the same as the complete one.
    """

    kind: str
    """The namespace: "pcm-md5", "ape-md5", "lame", "xing", "vbri", "mp4-samples", "tta-frames", "ogg-pages", "asf", "bytes"."""
    value: str
    strength: Strength


class Cover(msgspec.Struct, frozen=True, gc=False):
    """A picture in a file, known only by its first bytes."""

    kind: int
    """What it shows, by the numbers of ID3 and FLAC: 3 the front, 4 the back, 0 something else."""
    mime: str
    """By its first bytes, otherwise as the file says: "image/jpeg"."""
    size: int
    """Bytes."""
    width: int | None = None
    """Pixels; None where the first bytes do not say."""
    height: int | None = None


LEAST_ZEROS = 16
"""Fewer zero bytes at the end are no sign of a lost end: a few samples of silence, or the filling of the last word."""


class SoundEnd(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the last bytes of the sound look like. They are read only for files that are to be kept instead of others."""

    zeros: int = 0
    """How many zero bytes the sound ends with, among those that were looked at: silence, or an end that never arrived."""
    loose: int = 0
    """Bytes behind the sound that are neither sound nor tags."""
    doubt: str | None = None
    """Why the end of the sound may be lost although nothing proves it, in words."""


class Status(StrEnum):
    """The result of reading a file."""

    TAGGED = "tagged"
    UNTAGGED = "untagged"
    """Read completely, but it has no tags that decide its destination."""
    UNREADABLE = "unreadable"
    """Could not be read: never treated as untagged. `reason` says why."""


class Reading(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What was read from one file. The reader never raises an error because of a file's content, only storage errors."""

    status: Status
    track: Track | None = None
    """None when unreadable."""
    identity: AudioIdentity | None = None
    """None when unknown, as for a suspect file."""
    suspect: str | None = None
    """Why the sound seems to be cut or damaged, in words."""
    whole: bool = False
    """Its end was read and is proved to be there. False does not mean damage: the end is often not read."""
    covers: tuple[Cover, ...] | None = None
    """The pictures whose first bytes were read; () for none, None when they were not looked for."""
    reason: str | None = None
    """Why it could not be read, in words."""
    requests: int = 0
    """Ranges requested."""
    bytes_read: int = 0
    end: SoundEnd | None = None
    """What the end looks like; None if it was not looked at."""
    too_long: str | None = None
    """A text that was skipped because it is too long, in words, if title, artist or album is missing."""
