"""What runs of this program have renamed inside a location, by the journal: evidence for `sync` where a remote has no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from orchestrator.actions.session import Session
from orchestrator.errors import UsageError
from orchestrator.location import Location
from orchestrator.paths import join_path
from orchestrator.plan.model import Verb
from orchestrator.records import Ref

Place = str | Ref
"""A path below the location; a file elsewhere, as the journal names it."""


def own_renames(session: Session, location: Location, synced: Mapping[str, str]) -> dict[str, str]:
    """Old path -> new path of the files of a location that runs of this state directory have renamed, step by step.

    `synced`: old path -> the run that was the newest one when the file was there; "" if there was none.
    """
    paths = _Paths(session, location)
    files: dict[str, list[str]] = defaultdict(list)
    for path, newest in synced.items():
        files[newest].append(path)
    renamed: dict[str, str] = {}
    now: dict[Place, Place] = {}
    """Where a file was after the run that is looked at -> where it is now. From the newest run back."""

    def note(newest: str) -> None:
        found = ((path, now.get(path)) for path in files.pop(newest, ()))
        renamed.update((path, new) for path, new in found if isinstance(new, str) and new != path)

    for run in reversed(session.journal.runs()):
        note(run.id)
        if not files:
            break
        if run.header.counts.get(Verb.MOVE) and any(map(paths.concerns, run.header.locations)):
            for one in reversed(session.journal.completed(run.id)):
                old, new = paths.of(one.operation.src), paths.of(one.destination)
                then = now.pop(new, new)
                if one.operation.verb is Verb.MOVE:
                    now[old] = then
    note("")
    return renamed


class _Paths:
    """The paths of the journal's files below one location, whatever name it has there."""

    def __init__(self, session: Session, location: Location) -> None:
        self._session = session
        self._location = location
        self._found: dict[str, tuple[str | None, str | None]] = {}
        """Another location -> its path below ours, and the path of ours below it."""

    def concerns(self, fs: str) -> bool:
        """Whether a location and ours have files in common."""
        return self._below(fs) != (None, None)

    def of(self, ref: Ref) -> Place:
        """Where a file is below our location; the file itself if it is elsewhere."""
        inside, around = self._below(ref.fs)
        if inside is not None:
            return join_path(inside, ref.path)
        if around is not None and ref.path.startswith(f"{around}/"):
            return ref.path[len(around) + 1 :]
        return Ref(ref.fs, ref.path)

    def _below(self, fs: str) -> tuple[str | None, str | None]:
        if fs not in self._found:
            self._found[fs] = ("", None) if fs == self._location.fs else self._looked_up(fs)
        return self._found[fs]

    def _looked_up(self, fs: str) -> tuple[str | None, str | None]:
        try:
            (other,) = self._session.locations(fs)
        except UsageError:
            return None, None  # the remote of an old run is not configured any more
        return self._session.path_below(other, self._location), self._session.path_below(self._location, other)
