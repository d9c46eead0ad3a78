"""What stops a sync before it changes anything: a side that has lost too much, or changed altogether."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from orchestrator.errors import SafetyLimitError
from orchestrator.plan.planners.sync.matching import Now, SideState
from orchestrator.plan.planners.sync.records import DEFAULT_MAX_DELETE, SIDES, Row, Side, SyncSettings

Entries = Mapping[int, tuple[Now | None, Now | None]]
"""Row -> what has become of its files."""
_FEW = 4
"""So few files may all be deleted or changed at once: more looks like an accident."""
_START_ANEW = "--resync forgets the last common state and deletes nothing"


def check_listings(
    sides: tuple[Side, Side], states: tuple[SideState, SideState], rows: Collection[Row], settings: SyncSettings
) -> None:
    """Compare each side with its part of the last common state (`rows`). Raises SafetyLimitError."""
    limit = settings.max_delete
    for number in SIDES:
        if number == settings.emptied:
            continue  # what it had lost before is no deletion either
        had = {row.number for row in rows if row.moved_away_from != number}
        side, known = sides[number], had & states[number].known.keys()
        if had and not (side.files or side.left_out or side.waiting):
            raise SafetyLimitError(
                f"{side.fs} is empty, and had {len(had)} files at the last sync: is the disk mounted? "
                f"Nothing was changed; if the files are really gone, {_START_ANEW}"
            )
        missing = len(had) - len(known)
        if limit is None and missing > _FEW and len(known) <= len(had) / 2:
            raise SafetyLimitError(
                f"{side.fs} has lost {missing} of {len(had)} files since the last sync; nothing was changed. "
                f"If that is right, --max-delete {missing} allows it; {_START_ANEW}"
            )


def check_changes(sides: tuple[Side, Side], entries: Entries, changed: Collection[int], settings: SyncSettings) -> None:
    """Stop if all files of a side have another content. `changed`: the rows whose content changes on some side.

    Raises SafetyLimitError.
    """
    limit = settings.max_delete
    if limit is not None and limit.percent and limit.number >= 100:
        return
    for number in SIDES:
        side, known = sides[number], {row: now for row, both in entries.items() if (now := both[number]) is not None}
        if len(known) > _FEW and all(now.edited and row in changed for row, now in known.items()):
            raise SafetyLimitError(
                f"all {len(known)} files of {side.fs} have another content than at the last sync; nothing was changed. "
                f"If that is right, --max-delete 100% allows it; {_START_ANEW}"
            )


def check_deletions(sides: tuple[Side, Side], deleted: Sequence[int], settings: SyncSettings) -> None:
    """Compare the deletions on each side with the limit. Raises SafetyLimitError."""
    limit = settings.max_delete or DEFAULT_MAX_DELETE
    for side, number in zip(sides, deleted, strict=True):
        if not limit.allows(number, len(side.files)):
            raise SafetyLimitError(
                f"{number} of {len(side.files)} files of {side.fs} would be deleted, more than --max-delete {limit} allows; "
                f"nothing was changed. If that is right, --max-delete {number} allows it; {_START_ANEW}"
            )
