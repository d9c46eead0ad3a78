"""What a location really is, and which locations are around it and in it, for the locks and markers of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from orchestrator.actions.session import Session
from orchestrator.apply.guard.surroundings import MARKER, MARKER_NAME, Spot, Surroundings
from orchestrator.errors import UsageError
from orchestrator.paths import is_local, join_path, parents_of
from orchestrator.profiles import load_profile
from orchestrator.rclone.location_identity import Place
from orchestrator.storage.protocol import Storage


def surroundings_of(session: Session, storage: Storage) -> Surroundings:
    """The surroundings of a location. Those inside it are known if this session has listed it."""
    places = session.places_of(storage.fs)
    own, others = (
        [Spot(storage)],
        [Spot(storage, f"{inner}/{MARKER_NAME}") for inner in session.own_directories.get(storage.fs, ())],
    )
    for place in places:
        if place.named and place.fs != storage.fs and not is_local(storage.fs):
            # Other names of it may hide what was written under this one (crypt), and the other way round.
            with contextlib.suppress(UsageError):
                (others if place.read_only else own).append(Spot(session.storages(place.fs)[place.fs]))
        others += _around(session, place)
    return Surroundings(
        tuple(place.identity for place in places),
        tuple(place.fs for place in places if is_local(place.fs)),
        tuple(own),
        tuple(others),
        keys_only=not storage.capabilities.empty_directories,
    )


def _around(session: Session, place: Place) -> Iterator[Spot]:
    """The markers of the locations around a place, up to the root of its remote."""
    if is_local(place.fs):
        storage = session.storages("/")["/"]
        yield from (Spot(storage, join_path(above, MARKER)) for above in parents_of(place.fs[1:], root=True))
        return
    remote, _, path = place.fs.partition(":")
    if not (place.named and path.strip("/")):
        return
    root = f"{remote}:/" if path.startswith("/") else f"{remote}:"
    path = path.strip("/")
    if load_profile(session.rclone.remote_type(place.fs)).has_buckets:
        bucket, _, path = path.partition("/")
        root = root + bucket
    with contextlib.suppress(UsageError):  # a remote of the user's that we cannot name
        storage = session.storages(root)[root]
        yield from (Spot(storage, join_path(above, MARKER)) for above in parents_of(path, root=True))
