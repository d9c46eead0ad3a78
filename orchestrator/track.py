"""What an audio file says of itself: the records that the tags room makes and every later room uses."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Track(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The tags and the stream facts of one audio file.

    Texts are as the file holds them: untrimmed, in the file's order, empty strings dropped, at most 16 values. An absent text is
    `()` or None, an absent number None, a number of 0 counts as absent.
    """

    title: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    album_artist: tuple[str, ...] = ()
    album: tuple[str, ...] = ()
    track: int | None = None
    track_total: int | None = None
    disc: int | None = None
    disc_total: int | None = None
    disc_subtitle: str | None = None
    compilation: bool | None = None
    """None where the file does not say."""
    release_type: tuple[str, ...] = ()
    """MusicBrainz' words in lower case: album, single, ep, live, compilation, remix, soundtrack ..."""
    release_status: str | None = None
    """MusicBrainz' word in lower case: official, promotion, bootleg, pseudo-release."""
    edition: str | None = None
    """What tells this release from others of its name: "deluxe edition", "2009 remaster" (MusicBrainz' disambiguation)."""
    venue: str | None = None
    """Where a concert took place."""
    date: str | None = None
    """The first date as it stands ("1997", "1997-05-21")."""
    original_date: str | None = None
    genre: tuple[str, ...] = ()
    composer: tuple[str, ...] = ()
    label: str | None = None
    catalogue_number: str | None = None
    barcode: str | None = None
    media: str | None = None
    subtitle: str | None = None
    version: tuple[str, ...] = ()
    """Which version of its title it is, where a tag of its own says so: "Live at Wembley", "Club Mix"."""
    remixer: tuple[str, ...] = ()
    """Who made another version of it."""
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
    duration_s: float | None = None
    """Seconds as the container states them."""
    codec: str | None = None
    """"mp3", "flac", "alac", "aac", "vorbis", "opus", "speex", "pcm", "wma", "ape", "wavpack", "musepack", "dsd", "tta"."""
    bitrate: int | None = None
    """Bits a second."""
    sample_rate: int | None = None
    """Hz."""
    bit_depth: int | None = None
    channels: int | None = None
    lossless: bool | None = None

    @property
    def has_tags(self) -> bool:
        """Whether any of the fields that place a file (title, artist, album) is there."""
        return bool(self.title or self.artist or self.album or self.album_artist)


class Strength(StrEnum):
    """How far two files of one audio identity hold the same sound."""

    SURE = "sure"
    """A checksum of 128 bits over all of the sound."""
    STRONG = "strong"
    """Facts of the whole stream that two recordings do not share by chance."""
    HINT = "hint"
    """Lengths, and a checksum of a part: needs agreeing tags or a full read."""


class AudioIdentity(msgspec.Struct, frozen=True, gc=False):
    """Which sound a file holds, whatever its tags, pictures and padding, and however it was read. Different kinds never compare.

    It is what the file says of its sound: a file cut short without a sign of it says the same as the whole one.
    """

    kind: str
    """The namespace: "pcm-md5", "ape-md5", "lame", "xing", "vbri", "mp4-samples", "tta-frames", "ogg-pages", "asf", "bytes"."""
    value: str
    strength: Strength


class Cover(msgspec.Struct, frozen=True, gc=False):
    """A picture in a file, as far as its first bytes tell: the picture itself is not read."""

    kind: int
    """What it shows, as ID3 and FLAC number it: 3 the front, 4 the back, 0 something else."""
    mime: str
    """By its first bytes, else as the file says: "image/jpeg"."""
    size: int
    """Bytes."""
    width: int | None = None
    """Pixels; None where the first bytes do not say."""
    height: int | None = None


class Status(StrEnum):
    """What reading a file came to."""

    TAGGED = "tagged"
    UNTAGGED = "untagged"
    """Read in full, and there are no tags that place it."""
    UNREADABLE = "unreadable"
    """Could not be read: never treated as untagged. `reason` says why."""


class Reading(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The result of reading one file. The reader never raises for what a file holds; storage errors do pass."""

    status: Status
    track: Track | None = None
    """None when unreadable."""
    identity: AudioIdentity | None = None
    """None is unknown, as it is for a suspect file."""
    suspect: str | None = None
    """Why the sound is thought to be cut or damaged, in words."""
    whole: bool = False
    """Its end was looked at and is there. False says nothing: most containers tell it at their head, or nobody looked."""
    covers: tuple[Cover, ...] | None = None
    """The pictures whose beginning was in hand; () where there is none, None where nobody looked."""
    reason: str | None = None
    """Why it could not be read, in words."""
    requests: int = 0
    """Ranges asked for."""
    bytes_read: int = 0
