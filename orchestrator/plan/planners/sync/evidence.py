"""Is a file what it was, and do two files hold the same? Yes, no, or unknown until a file is read or looked at."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from orchestrator.plan.planners.sync.records import SIDES, File, Questions, Side, SideNumber, Sound, other
from orchestrator.records import Ref
from orchestrator.tags.formats import is_audio

_DAY_NS = 86_400 * 10**9
_EARLIEST_NS = _DAY_NS
"""Times before this are what programs write that know none."""


def unchanged(now: File, then: File) -> bool | None:
    """Whether a file still has the content that it had: by its hashes, else by its disk, else by size and listed time.

    None: it may have changed, and only reading it shows. Where a remote lists neither hashes nor times, equal size is all that
    can be seen.
    """
    if now.entry is then.entry and now.inode is then.inode:
        return True  # most files of a large library, of which nothing can be told apart
    if _sizes_differ(now, then):
        return False
    by_hash = _by_hash(now, then)
    if by_hash is not None:
        return by_hash
    same_time = now.entry.mtime_ns == then.entry.mtime_ns
    if now.inode is not None and then.inode is not None:
        same_inode = now.inode.number == then.inode.number and now.inode.ctime_ns == then.inode.ctime_ns
        # Disks without a time of change (FAT) have no inodes either: their numbers are others after each mount.
        return True if same_time and (same_inode or now.inode.ctime_ns is None) else None
    return same_time or now.entry.mtime_ns is None or then.entry.mtime_ns is None


def remembered(now: File, then: File) -> File:
    """A file that is unchanged, with what was known of it."""
    same_time = now.entry.mtime_ns == then.entry.mtime_ns
    known = msgspec.structs.replace(
        now,
        read_hashes={**then.hashes, **now.read_hashes},
        sound=now.sound or then.sound,
        own_mtime_ns=then.own_mtime_ns if now.own_mtime_ns is None and same_time else now.own_mtime_ns,
    )
    return then if known == then else known  # most files of a large library: they are in memory once


def content_keys(file: File) -> Iterator[tuple[str, str, int | None]]:
    """What two files with the same bytes have in common, one key a hash. Empty files are no evidence of anything."""
    if file.size != 0:
        for name, value in sorted(file.hashes.items()):
            yield name, value, file.size


class Comparison:
    """Compares files of the two sides, and notes what it would have to know."""

    def __init__(self, sides: tuple[Side, Side], now_ns: int | None, *, answered: bool) -> None:
        self._sides = sides
        self._answered = answered
        self._latest_ns = None if now_ns is None else now_ns + _DAY_NS
        self._hashes: set[tuple[SideNumber, str]] = set()
        self._times: set[tuple[SideNumber, str]] = set()
        self._sounds: set[tuple[SideNumber, str]] = set()
        self._lasting_tags: set[tuple[SideNumber, str]] = set()

    @property
    def questions(self) -> Questions:
        """What was asked so far."""
        asked = (self._hashes, self._times, self._sounds, self._lasting_tags)
        return Questions(*(tuple(Ref(self._sides[side].fs, path) for side, path in sorted(one)) for one in asked))

    def ask_hash(self, side: SideNumber, file: File) -> bool:
        """Note that the content of a file matters, unless it was read already or may not be read; whether it was noted."""
        wanted = self._sides[side].readable and not file.read_hashes
        if wanted:
            self._hashes.add((side, file.path))
        return wanted

    def ask_sound(self, side: SideNumber, file: File, *, lasting_tags: bool = False) -> bool:
        """Note that the sound of a file matters, unless it is known or the file is no audio; whether it was noted.

        `lasting_tags`: all of its tags as well.
        """
        known = file.damage or (file.sound and (file.sound.lasting_tags or not lasting_tags))
        if known or not file.size or not is_audio(file.path):
            return False
        (self._lasting_tags if lasting_tags else self._sounds).add((side, file.path))
        return True

    def unchanged(self, side: SideNumber, now: File, then: File) -> bool | None:
        """Whether a file has the content that it had, as `unchanged`; with --checksum only a hash shows that it has.

        A disk with times of change is believed where there is no earlier hash to compare with, and so is an unreadable file.
        """
        believed = unchanged(now, then)
        if not believed or not self._sides[side].checked or _by_hash(now, then) or now.size == 0:
            return believed
        if now.inode is not None and now.inode.ctime_ns is not None and not then.hashes:
            return believed
        asked = self.ask_hash(side, now)
        return believed if asked and self._answered else None

    def ask_before_sending(self, side: SideNumber, file: File | None) -> None:
        """Note a file of this machine that goes where nothing lists a hash: later, only its own tells a new time from an edit."""
        receiver = self._sides[other(side)]
        if file is not None and self._sides[side].capabilities.local and not (receiver.capabilities.hashes or receiver.readable):
            self.ask_hash(side, file)

    def same_bytes(self, files: tuple[File, File]) -> bool | None:
        """Whether a file of A and one of B hold the same bytes; None if that is unknown, or was asked for just now."""
        if differ(*files):
            return False
        if _by_hash(*files) or files[0].size == files[1].size == 0:
            return True
        for side in SIDES:
            if files[other(side)].hashes or self._sides[other(side)].readable:
                self.ask_hash(side, files[side])
        return None

    def alike(self, files: tuple[File, File]) -> bool | None:
        """Whether a file of A and one of B hold the same: by a hash, else by sound and tags, else by size and own time.

        None if none of that is known: then they count as different.
        """
        hashes = len(self._hashes)
        same = self.same_bytes(files)
        if same is not None or len(self._hashes) > hashes:
            return same
        for side in SIDES:
            self.ask_sound(side, files[side])
        if bool(files[0].damage) != bool(files[1].damage):
            return False
        one, two = files[0].sound, files[1].sound
        if one and two and one.identity and two.identity:
            return same_sound_and_tags(one, two)
        if one and two and one.tags != two.tags:
            return False
        times = [self.own_time(side, files[side]) for side in SIDES]
        if times[0] is None or times[1] is None:
            return None
        return abs(times[0] - times[1]) <= self.tolerance_ns or None

    def may_share_hash(self, side: SideNumber, one: File, two: File) -> bool:
        """Whether a file of a side and one of the other side have a hash in common, or will have once they are read."""
        first, second = one.hashes.keys(), two.hashes.keys()
        readable = self._sides[side].readable, self._sides[other(side)].readable
        return not first.isdisjoint(second) or bool((readable[0] and (second or readable[1])) or (readable[1] and first))

    def own_time(self, side: SideNumber, file: File) -> int | None:
        """When a file was last modified, nanoseconds since 1970; None if unknown, or more than a day in the future."""
        can = self._sides[side].capabilities
        keeps = can.mtime_precision_ns is not None
        known = file.own_mtime_ns
        if known is None and can.mtime and can.own_mtime and keeps:
            known = file.entry.mtime_ns
        if known is None:
            if keeps:
                self._times.add((side, file.path))
            return None
        late = self._latest_ns is not None and known > self._latest_ns
        return None if late or known < _EARLIEST_NS else known

    @property
    def tolerance_ns(self) -> int:
        """By how much the times of two copies of one file may differ: some remotes round, others cut."""
        return sum(side.capabilities.mtime_precision_ns or 0 for side in self._sides)


def same_sound_and_tags(one: Sound, two: Sound) -> bool:
    """Whether two files of one size hold the same sound and the same tags."""
    return (one.identity, one.tags) == (two.identity, two.tags) and (
        one.content == two.content or None in {one.content, two.content}
    )


def differ(one: File, two: File) -> bool:
    """Whether it is known, without reading anything, that two files hold different content."""
    return _sizes_differ(one, two) or _by_hash(one, two) is False


def _sizes_differ(one: File, two: File) -> bool:
    first, second = one.entry.size, two.entry.size
    return first != second and first is not None and second is not None


def _by_hash(one: File, two: File) -> bool | None:
    first, second = one.hashes, two.hashes
    if first == second:
        return True if first else None
    common = first.keys() & second.keys()
    return all(first[name] == second[name] for name in common) if common else None
