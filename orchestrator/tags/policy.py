"""How much of a file is requested at once: requests against bytes."""

from __future__ import annotations

import msgspec

KIB = 1024


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes that govern the reading of one file."""

    head: int
    """First range of formats with their texts at the very front: FLAC, Ogg, WMA."""
    short_head: int
    """First range of formats that keep little more than stream facts at the front."""
    large_head: int
    """First range of formats with more than texts before the needed part: MPEG audio (pictures, then the first frame), MP4."""
    tail: int
    """Last range of formats that keep tags after the sound."""
    ogg_tail: int
    """Last range of Ogg: enough to hold the beginning of the last page."""
    short_tail: int
    """Last range of formats with only a small tag there (MPEG audio)."""
    extra: int
    """The least that an unforeseen range requests; doubled each time within one file."""
    hole: int
    """Bulk shorter than this is read rather than split one range into two."""
    end_check: int = 0
    """How much of the end of the sound is read to check it; 0: it is not checked."""
    most_at_first: int = 0
    """The most that is requested first when other files of the album predict the need; 0: predictions are not used."""
    budget: int = 2048 * KIB
    """The most that may be read of one file."""
    requests: int = 24
    """The most ranges that may be requested of one file."""
    reads: int = 200_000
    """The most reads by the parser; two a text are normal."""
    memory: int = 64 * 1024 * KIB
    """The most bytes that one read by the parser may span, holes included."""

    @property
    def piece(self) -> int:
        """The longest first range."""
        return max(self.head, self.large_head, self.most_at_first)


FEW_BYTES = Policy(
    head=16 * KIB,
    short_head=8 * KIB,
    large_head=16 * KIB,
    tail=16 * KIB,
    ogg_tail=24 * KIB,
    short_tail=4 * KIB,
    extra=16 * KIB,
    hole=24 * KIB,
)
"""For remotes that charge for bytes (S3, GCS, Azure): the egress of 5 KiB costs as much as a request."""

FEW_REQUESTS = Policy(
    head=64 * KIB,
    short_head=16 * KIB,
    large_head=448 * KIB,
    tail=320 * KIB,
    ogg_tail=64 * KIB,
    short_tail=64 * KIB,
    extra=128 * KIB,
    hole=256 * KIB,
    most_at_first=1536 * KIB,
)
"""For remotes that limit requests (Drive, Dropbox, OneDrive)."""
