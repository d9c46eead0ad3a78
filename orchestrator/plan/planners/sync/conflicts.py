"""Both sides have changed one entry: which of the two files keeps the name, and how the other is called."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import msgspec

from orchestrator.paths import join_path, split_extension, split_path
from orchestrator.plan.music.lost_end import lost_end
from orchestrator.plan.planners.sync.evidence import Comparison
from orchestrator.plan.planners.sync.records import (
    LETTERS,
    SIDES,
    Answer,
    Conflict,
    File,
    Policy,
    SideNumber,
    SyncSettings,
    other,
)
from orchestrator.tags.formats import is_audio

_LONGEST_FRAME = 1441
"""Bytes, of MP3: the last frame of many files is padded with zeros."""
_HOUR_NS = 3600 * 10**9
_COPY = re.compile(r"(?P<before>.*) \(conflict (?P<who>[AB](?: \d{4}-\d\d-\d\d)?)(?: (?P<number>[1-9]\d{0,5}))?\)", re.DOTALL)
_MOST_BYTES = 255
_SIDE: tuple[Answer, Answer] = (Answer.A, Answer.B)


class Judge:
    """Decides who wins, by the policy of the run.

    `clocks_differ`: the times of most files of the two sides are whole hours apart, so such a difference says nothing.
    """

    def __init__(self, settings: SyncSettings, comparison: Comparison, *, clocks_differ: Callable[[], bool]) -> None:
        self._settings = settings
        self._comparison = comparison
        self._clocks_differ = cache(clocks_differ)

    def decide(self, files: tuple[File, File], answer: Answer | None) -> Conflict:
        """What becomes of a conflict: the answer of a person, otherwise the settings decide. No damaged file replaces another."""
        if answer is Answer.LATER:
            return Conflict(files, Answer.LATER, "it is left for later")
        for side in SIDES:
            self._comparison.ask_sound(side, files[side])
        for side in SIDES:
            damage = why_not_whole(files[side], files[other(side)])
            if damage:
                return Conflict(files, _SIDE[other(side)], f"{LETTERS[side]} has a damaged file: {damage}", damaged=side)
        if answer is not None:
            return Conflict(files, answer, "you chose it")
        winner = self._winner(files)
        return Conflict(files, Answer.BOTH if winner is None else _SIDE[winner], self._why(winner))

    def _why(self, winner: SideNumber | None) -> str:
        policy = self._settings.conflict
        if policy is None:
            return "both are kept by default" if winner is None else "only what players write differs, so the newer one is enough"
        if winner is None and policy is not Policy.KEEP_BOTH:
            return f"--conflict {policy} cannot tell, so both are kept"
        return f"--conflict {policy} says so"

    def _winner(self, files: tuple[File, File]) -> SideNumber | None:
        """The side whose content both get, by the settings; None if both files are kept."""
        policy = self._settings.conflict
        if policy is None:
            return self.newer(files) or SIDES[0] if self._only_players_differ(files) else None
        newer = self.newer(files) if policy in {Policy.NEWER, Policy.OLDER} else None
        return {
            Policy.KEEP_BOTH: None,
            Policy.A: SIDES[0],
            Policy.B: SIDES[1],
            Policy.LARGER: _larger(files),
            Policy.NEWER: newer,
            Policy.OLDER: None if newer is None else other(newer),
        }[policy]

    def keeper(self, files: tuple[File, File]) -> SideNumber:
        """Of two files that are both kept, the one that keeps the name: one way the source's, else the newer, else A's."""
        source = self._settings.source
        return source if source is not None else self.newer(files) or SIDES[0]

    def newer(self, files: tuple[File, File]) -> SideNumber | None:
        """The side of the newer file; None if the times are equal, unknown, or cannot be compared."""
        times = [self._comparison.own_time(side, files[side]) for side in SIDES]
        if times[0] is None or times[1] is None:
            return None
        difference = times[1] - times[0]
        tolerance = self._comparison.tolerance_ns
        if abs(difference) <= tolerance or (self._clocks_differ() and whole_hours(difference, tolerance)):
            return None
        return SIDES[difference > 0]

    def _only_players_differ(self, files: tuple[File, File]) -> bool:
        first, second = (file.sound for file in files)
        if not first or not second or first.identity != second.identity:
            return False
        for side in SIDES:
            self._comparison.ask_sound(side, files[side], lasting_tags=True)
        known = first.identity is not None and first.lasting_tags is not None
        return known and first.lasting_tags == second.lasting_tags


def why_not_whole(file: File, beside: File) -> str | None:
    """Why a file is damaged, or seems to have lost its end, while the one that it stands against is not; None otherwise."""
    damage = _damage(file)
    if damage or _damage(beside):
        return None if _damage(beside) else damage
    mine, theirs = (one.sound.reading if one.sound else None for one in (file, beside))
    if mine is None or theirs is None or mine.end is None:
        return None
    # Bytes behind the sound may be anything that a program has added.
    return lost_end(msgspec.structs.replace(mine, end=msgspec.structs.replace(mine.end, loose=0)), theirs)


def may_not_be_whole(file: File) -> bool:
    """Whether it is worth a look at the file that it stands against: many files end in a few zeros."""
    end = file.sound.reading.end if file.sound and file.sound.reading else None
    return bool(_damage(file) or (end and (end.doubt or end.zeros > _LONGEST_FRAME)))


def _damage(file: File) -> str | None:
    return file.damage or ("it is empty" if file.size == 0 and is_audio(file.path) else None)


def whole_hours(difference_ns: int, tolerance_ns: int) -> bool:
    """Whether two times are one or more whole hours apart, as times are that were written in another time zone."""
    off = difference_ns % _HOUR_NS
    return abs(difference_ns) > _HOUR_NS // 2 and min(off, _HOUR_NS - off) <= tolerance_ns


def _larger(files: tuple[File, File]) -> SideNumber | None:
    first, second = (file.size for file in files)
    return None if first is None or second is None or first == second else SIDES[second > first]


def conflict_name(path: str, side: SideNumber, time_ns: int | None, is_taken: Callable[[str], bool]) -> str:
    """`NAME (conflict B 2026-11-29).ext`: the side it comes from, and the date of its time in UTC, left out where it has none.

    With ` 2`, ` 3` before the bracket if the name is taken. A conflict copy gets the next number of its own suffix.
    """
    directory, name = split_path(path)
    stem, extension = split_extension(name)
    copy = _COPY.fullmatch(stem)
    who = LETTERS[side] + ("" if time_ns is None else f" {_date(time_ns)}")
    number = 1
    if copy is not None:
        stem, who, number = copy["before"], copy["who"], int(copy["number"] or 1) + 1
    while True:
        suffix = f" (conflict {who}{f' {number}' if number > 1 else ''})" + (f".{extension}" if extension else "")
        possible = join_path(directory, _cut(stem, _MOST_BYTES - len(suffix.encode())) + suffix)
        if not is_taken(possible):
            return possible
        number += 1


def _cut(stem: str, most_bytes: int) -> str:
    encoded = stem.encode()
    return stem if len(encoded) <= most_bytes else encoded[:most_bytes].decode("utf-8", "ignore").rstrip()


def _date(time_ns: int) -> str:
    """The day of a time in UTC, as 2026-11-29 (Howard Hinnant, "chrono-compatible low-level date algorithms")."""
    days = time_ns // (86_400 * 10**9) + 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return f"{year_of_era + era * 400 + (month <= 2):04d}-{month:02d}-{day:02d}"
