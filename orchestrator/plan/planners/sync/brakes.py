"""What stops a sync before it changes anything: a side that has lost too much, or changed altogether."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from orchestrator.errors import SafetyLimitError
from orchestrator.plan.planners.sync.matching import Now, SideState
from orchestrator.plan.planners.sync.records import DEFAULT_MAX_DELETE, SIDES, Row, Side, SyncSettings

Entries = Mapping[int, tuple[Now | None, Now | None]]
"""Row -> what has become of its files."""
_FEW = 4
"""So few files may all be deleted or changed at once: more looks like an accident."""


def remedy_to_start_over(rows: Iterable[Row]) -> str:
    """What --resync would do; it is no remedy where --delete-after has moved files away."""
    if any(row.moved_away_from is not None for row in rows):
        return "--resync would copy back what --delete-after has moved away"
    return "--resync forgets the last common state and deletes nothing"


def check_listings(
    sides: tuple[Side, Side], states: tuple[SideState, SideState], rows: Collection[Row], settings: SyncSettings
) -> None:
    """Compare each side with its part of the last common state (`rows`). Raises SafetyLimitError."""
    limit, start_over = settings.max_delete, remedy_to_start_over(rows)
    for number in SIDES:
        if number == settings.emptied:
            continue  # what it had lost before is no deletion either
        had = {row.number for row in rows if row.moved_away_from != number}
        side, known = sides[number], had & states[number].known.keys()
        is_empty = bool(had) and not (side.files or side.left_out or side.waiting)
        # Where --delete-after has emptied a side, that it is empty says nothing of its disk.
        moved_away = any(row.moved_away_from == number for row in rows)
        if is_empty and not moved_away:
            raise SafetyLimitError(
                f"{side.fs} is empty, and had {len(had):,} files at the last sync: is the disk mounted? "
                f"Nothing was changed; if the files are really gone, {start_over}"
            )
        missing = len(had) - len(known)
        if limit is None and (is_empty or (missing > _FEW and len(known) <= len(had) / 2)):
            those = " that --delete-after has not moved away" if moved_away else ""
            raise SafetyLimitError(
                f"{side.fs} has lost {missing:,} of {len(had):,} files{those} since the last sync; nothing was changed. "
                f"If that is right, --max-delete {missing} allows it; {start_over}"
            )


def check_changes(
    sides: tuple[Side, Side], entries: Entries, changed: Collection[int], settings: SyncSettings, *, start_over: str
) -> None:
    """Stop if all files of a side have another content. `changed`: the rows whose content changes on some side.

    `start_over`: see `remedy_to_start_over`. Raises SafetyLimitError.
    """
    limit = settings.max_delete
    if limit is not None and limit.percent and limit.number >= 100:
        return
    for number in SIDES:
        side, known = sides[number], {row: now for row, both in entries.items() if (now := both[number]) is not None}
        if len(known) > _FEW and all(now.edited and row in changed for row, now in known.items()):
            raise SafetyLimitError(
                f"all {len(known):,} files of {side.fs} have another content than at the last sync; nothing was changed. "
                f"If that is right, --max-delete 100% allows it; {start_over}"
            )


def check_deletions(sides: tuple[Side, Side], deleted: Sequence[int], settings: SyncSettings, *, start_over: str) -> None:
    """Compare the deletions on each side with the limit. `start_over`: see `remedy_to_start_over`. Raises SafetyLimitError."""
    limit = settings.max_delete or DEFAULT_MAX_DELETE
    for side, number in zip(sides, deleted, strict=True):
        if not limit.allows(number, len(side.files)):
            raise SafetyLimitError(
                f"{number:,} of {len(side.files):,} files of {side.fs} would be deleted, more than --max-delete {limit} allows; "
                f"nothing was changed. If that is right, --max-delete {number} allows it; {start_over}"
            )
