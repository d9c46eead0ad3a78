"""How an operation is carried out between its two storages: rename, copy and delete, copy only, write, or delete."""

from __future__ import annotations

from enum import StrEnum

from orchestrator.apply.local_disk import on_one_file_system
from orchestrator.apply.own_paths import deletes_for_good
from orchestrator.paths import remote_of
from orchestrator.plan.model import Operation, Verb
from orchestrator.records import Ref
from orchestrator.storage.local_path import local_path
from orchestrator.storage.protocol import Storage


class Route(StrEnum):
    """How an operation is carried out."""

    RENAME = "rename"
    """One request on one remote."""
    TRANSFER = "transfer"
    """Copy, verify, delete the source: between remotes, or where the remote cannot rename."""
    COPY = "copy"
    """Copy and verify; keep the source."""
    WRITE = "write"
    """Write the content that the plan holds to a temporary name; keep the source, which the content was made from."""
    REMOVE = "remove"
    """Delete for good; only files in the quarantine or the trash."""


COPIES = frozenset({Route.COPY, Route.TRANSFER})
"""The routes that copy a file."""


def route_of(operation: Operation, source: Storage, target: Storage, destination: Ref) -> Route:
    """The route of an operation between these two storages."""
    if deletes_for_good(operation):
        return Route.REMOVE
    if operation.verb is Verb.REWRITE:
        return Route.WRITE
    if operation.verb in {Verb.COPY, Verb.REPLACE}:
        return Route.COPY
    if operation.finishes_move or not (on_one_remote(source, target) and source.capabilities.move and target.capabilities.move):
        return Route.TRANSFER
    if source.capabilities.local and not on_one_file_system(
        local_path(source, operation.src.path), local_path(target, destination.path)
    ):
        return Route.TRANSFER  # such a rename is a copy and a delete too, but without an fsync in between
    return Route.RENAME


def is_copied_by_bucket(source: Storage, target: Storage) -> bool:
    """Whether a copy between the two is made by a server that cannot rename, as buckets cannot.

    Such a copy appears complete or not at all, and to give it another name afterwards would be one more copy.
    """
    return on_one_remote(source, target) and not target.capabilities.move


def has_common_hash(operation: Operation, source: Storage, target: Storage) -> bool:
    """Whether a hash of the source is known, of a kind that a look shows at both ends."""
    return not operation.expect.hash.keys().isdisjoint({*source.capabilities.hashes} & {*target.capabilities.hashes})


def is_replaced_in_place(operation: Operation, source: Storage, target: Storage) -> bool:
    """Whether an upload to its name replaces the content, after the server has copied the old one to the trash.

    Not where the server itself copies: Drive and Dropbox then delete the file first, and its id is lost.
    """
    return operation.verb is Verb.REPLACE and target.capabilities.replaces_in_place and not on_one_remote(source, target)


def on_one_remote(source: Storage, target: Storage) -> bool:
    """Whether the server itself can carry a file from one to the other."""
    return source is target or remote_of(source.fs) == remote_of(target.fs)
