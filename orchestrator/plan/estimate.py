"""What a plan will cost, given what the remotes can do: requests by kind, bytes each way, time and money."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from orchestrator.paths import parent_of, parents_of, remote_of
from orchestrator.plan.folder_moves import movable_directories
from orchestrator.plan.model import LEAVING_THE_SOURCE, Operation, Verb, changed_locations
from orchestrator.plan.request_rates import Requests, listing_requests, looks_cost_less, pages_of, request_rates
from orchestrator.prices import GB, REQUEST_KINDS, Quotas
from orchestrator.records import OWN_DIRECTORY, Capabilities

_REQUEST_SECONDS = 0.1
_LOCAL_SECONDS = 0.001
_STREAMS = 8
_BYTES_PER_SECOND = 10_000_000
"""Of a line without a limit."""
_DAY_S = 86_400
_WINDOW = 100
"""So many operations are carried out together."""
_SAME_BYTES = "T0"
"""The tier of duplicates with the same bytes."""
_ASIDE = f"{OWN_DIRECTORY}/trash/run/1"
"""What is quarantined has about the same path."""
_SETTING_ASIDE = frozenset({Verb.QUARANTINE, Verb.DELETE, Verb.REPLACE})
"""A file goes to the quarantine or the trash."""

Estimate = dict[str, float | int | str | None]


class Load(msgspec.Struct):
    """What one location is asked for."""

    requests: defaultdict[str, float] = msgspec.field(default_factory=lambda: defaultdict(float))
    up: int = 0
    """Bytes that this machine sends there."""
    down: int = 0
    """Bytes that come from there to this machine."""
    copied: int = 0
    """Bytes that its server copies by itself."""
    compared: int = 0
    """Those of `down` that are only read to be compared."""
    changed: bool = False
    """Whether something changes there."""
    uploads: bool = False
    """Whether content arrives there through this machine."""

    def add(self, requests: Requests, times: float = 1) -> None:
        """Add so many times these requests."""
        for kind, number in requests.items():
            self.requests[kind] += number * times

    def compare(self, requests: Requests, size: int) -> None:
        """Add a file that is read in full to be compared."""
        self.add(requests)
        self.down += size
        self.compared += size

    @property
    def number(self) -> int:
        """All requests."""
        return round(sum(self.requests.values()))

    def seconds(self, storage: Capabilities) -> tuple[float, float]:
        """How long it takes at the pace of the provider and the bandwidth in force; and how much of that is only assumed.

        Nobody knows how fast a remote answers, and how fast a line without a limit is.
        """
        if storage.local:
            return self.number * _LOCAL_SECONDS / _STREAMS, 0.0
        limits = storage.quotas or Quotas()
        pace, slowest = _STREAMS / _REQUEST_SECONDS, limits.requests_per_second or math.inf
        ways = (
            (self.up, storage.upload_bytes_per_second, limits.upload_gb_per_day),
            (self.down, storage.download_bytes_per_second, limits.download_gb_per_day),
        )
        parts = [(self.number, pace, slowest)]
        for size, rate, daily in ways:
            parts.append((size, _BYTES_PER_SECOND, min(rate or math.inf, (daily or math.inf) * GB / _DAY_S)))
        total = sum(number / min(assumed, limit) for number, assumed, limit in parts)
        return total, sum(number / assumed for number, assumed, limit in parts if limit > assumed)


def passes_through(operation: Operation, capabilities: Mapping[str, Capabilities]) -> bool:
    """Whether an operation transfers the content from or to a remote through this machine."""
    if operation.verb is Verb.REWRITE or operation.finishes_move:
        return False  # only the new text of a list is sent, or nothing; a file that has no hash is counted by the planner
    source, target = capabilities[operation.src.fs], capabilities[operation.dst.fs]
    if source.local and target.local:
        return False
    if remote_of(operation.src.fs) != remote_of(operation.dst.fs):
        return True
    if operation.verb in {Verb.COPY, Verb.REPLACE}:
        return not target.copy
    return not (target.move or target.copy)


def estimate(
    operations: Sequence[Operation],
    capabilities: Mapping[str, Capabilities],
    *,
    listed: int | None = None,
    begun: bool = False,
    verify_full: bool = False,
) -> Estimate:
    """What the header of a plan says: see `Header.estimate`.

    `listed`: the number of files that the plan was made from. `begun`: without what each run takes once. `verify_full`: copies
    that no hash proves are read again.
    """
    found = loads(operations, capabilities, listed=listed, begun=begun, verify_full=verify_full)
    remotes = [load for fs, load in found.items() if not capabilities[fs].local]
    content = sum(one.size or 0 for one in operations if passes_through(one, capabilities))
    content += sum(_written(one) for one in operations if one.verb is Verb.REWRITE)
    return said_of(found, capabilities, content + sum(load.compared for load in remotes))


def said_of(found: Mapping[str, Load], capabilities: Mapping[str, Capabilities], content: int) -> Estimate:
    """What is said of these loads, of which so many bytes go through this machine."""
    remotes = {fs: load for fs, load in found.items() if not capabilities[fs].local}
    requests = {kind: round(sum(load.requests[kind] for load in remotes.values())) for kind in REQUEST_KINDS}
    cost, currency = _cost(remotes, capabilities)
    times = [load.seconds(capabilities[fs]) for fs, load in found.items()]
    return {
        "requests": sum(requests.values()),
        "bytes": content,
        "cost": cost,
        "seconds": round(sum(seconds for seconds, _ in times), 1),
        "seconds_assumed": round(sum(assumed for _, assumed in times), 1),
        "currency": currency,
        **requests,
        "bytes_up": sum(load.up for load in remotes.values()),
        "bytes_down": sum(load.down for load in remotes.values()),
        "bytes_copied": sum(load.copied for load in remotes.values()),
    }


def requests_at(operations: Sequence[Operation], capabilities: Mapping[str, Capabilities]) -> Counter[str]:
    """How many requests each location gets."""
    found = loads(operations, capabilities).items()
    return Counter({fs: load.number for fs, load in found if not capabilities[fs].local})


def loads(
    operations: Sequence[Operation],
    capabilities: Mapping[str, Capabilities],
    *,
    listed: int | None = None,
    begun: bool = False,
    verify_full: bool = False,
) -> dict[str, Load]:
    """What each location is asked for. The options are those of `estimate`."""
    found = {fs: Load() for one in operations for fs in (one.src.fs, one.dst.fs)}
    folders = movable_directories(operations, {fs: capabilities[fs] for fs in found})
    with_folder = {one.id for folder in folders for one in folder.operations}
    for operation in operations:
        if operation.id not in with_folder:
            _add(operation, found, capabilities)
        for fs, size in _full_reads(operation, capabilities, verify_full=verify_full):
            found.setdefault(fs, Load()).compare(request_rates(capabilities[fs]).full_read, size)
    changed = changed_locations(operations)
    for folder in folders:
        found[folder.fs].add(request_rates(capabilities[folder.fs]).folder_moved)
    for fs, load in found.items():
        rates = request_rates(capabilities[fs])
        moved = [(folder.source, folder.target) for folder in folders if folder.fs == fs]
        made, emptied = _folders(fs, operations, moved, capabilities[fs])
        load.add(rates.folder_made, made)
        load.add(rates.folder_emptied, emptied)
        _add_shared_looks(load, fs, operations, capabilities, listed)
        if not begun:
            alone = [operation for operation in operations if operation.id not in with_folder]
            _add_final_check(load, fs, alone, capabilities[fs], listed)
            load.add(rates.run if fs in changed else rates.run_that_reads)
            load.add(rates.uploads, times=1 if load.uploads else 0)
    return found


def _add(operation: Operation, found: Mapping[str, Load], capabilities: Mapping[str, Capabilities]) -> None:
    """Add one operation to what its locations are asked for."""
    source, target = capabilities[operation.src.fs], capabilities[operation.dst.fs]
    at_target, rates = found[operation.dst.fs], request_rates(target)
    kept = operation.expect.kept or None
    if operation.finishes_move:
        found[operation.src.fs].add(request_rates(source).leave)
        at_target.add(rates.kept)
        return
    if kept is not None and kept.fs in found:
        found[kept.fs].add(request_rates(capabilities[kept.fs]).kept)
    on_one_remote = remote_of(operation.src.fs) == remote_of(operation.dst.fs) or (source.local and target.local)
    leaves = operation.verb not in LEAVING_THE_SOURCE
    if operation.verb is Verb.REWRITE:
        at_target.add(rates.rewrite)
        at_target.up += _written(operation)
    elif on_one_remote and (target.copy or (leaves and target.move)):
        at_target.add(rates.rename if leaves else rates.copy)
        at_target.copied += 0 if leaves and target.move else operation.size or 0
    else:
        _transfer(operation, found[operation.src.fs], source, at_target, target)
        return
    if operation.verb is Verb.REPLACE:
        at_target.add(rates.rename)  # the old content goes to the trash


def _transfer(operation: Operation, at_source: Load, source: Capabilities, at_target: Load, target: Capabilities) -> None:
    """Add an operation whose content passes through this machine."""
    there, rates = request_rates(source), request_rates(target)
    at_source.add(there.download if operation.verb in LEAVING_THE_SOURCE else there.leave)
    at_source.down += 0 if source.local else operation.size or 0
    at_target.up += 0 if target.local else operation.size or 0
    at_target.uploads = True
    if operation.verb not in LEAVING_THE_SOURCE:
        at_target.add(rates.moved_there)
    if operation.verb is not Verb.REPLACE:
        at_target.add(rates.upload)
    elif target.replaces_in_place:
        at_target.add(rates.replace)
        at_target.copied += (operation.expect.replaced.size or 0) if operation.expect.replaced else 0
    else:
        at_target.add(rates.upload)
        at_target.add(rates.rename)  # the old content goes to the trash
        at_target.add(rates.replace)


def _add_shared_looks(
    load: Load, fs: str, operations: Collection[Operation], capabilities: Mapping[str, Capabilities], listed: int | None
) -> None:
    """In a bucket, listings stand for our looks at the files of each window, where they cost less."""
    storage, rates = capabilities[fs], request_rates(capabilities[fs])
    own, a_listing = rates.own_looks, {"list": 1, "look": 1}
    if listed is None or not own or not storage.current_listings:
        return
    counted = Counter(
        one.verb
        for one in operations
        if fs == one.src.fs == one.dst.fs
        and one.verb not in LEAVING_THE_SOURCE
        and not {*one.expect.hash}.isdisjoint(storage.hashes)
    )
    files, aside = counted.total(), counted[Verb.QUARANTINE] + counted[Verb.DELETE]
    windows, pages = math.ceil(files / _WINDOW), pages_of(storage, listed)
    if not looks_cost_less(storage, round(min(files, _WINDOW) * (2 - aside / max(1, files))), listed):
        load.add(own, times=-files)
        load.add({"look": 1}, times=aside)  # at the copies in our own folder
        load.add(a_listing, times=2 * windows * pages)
    if not looks_cost_less(storage, in_window := min(aside, _WINDOW), in_window):  # there, where nothing else is
        load.add({"look": -1}, times=aside)
        load.add(a_listing, times=windows)
    kept = sum(
        one.expect.kept.fs == fs and not {*one.expect.kept.hash}.isdisjoint(storage.hashes)
        for one in operations
        if one.expect.kept and not one.finishes_move
    )
    if not looks_cost_less(storage, min(kept, _WINDOW), listed):
        load.add(rates.kept, times=-kept)
        load.add(a_listing, times=2 * math.ceil(kept / _WINDOW) * pages)


def _add_final_check(load: Load, fs: str, operations: Iterable[Operation], storage: Capabilities, listed: int | None) -> None:
    """At the end of a run, every file is looked at where it was put and where it was, or the location is listed.

    Where requests are scarce, a look into the folders that were emptied shows what is gone, and folders that moved are not looked
    at again.
    """
    there, gone = set[str](), set[str]()
    for one in operations:
        if one.dst.fs == fs:
            there.add(f"{_ASIDE}/{one.dst.path}" if one.verb in {Verb.QUARANTINE, Verb.DELETE} else one.dst.path)
        if one.src.fs == fs and one.verb not in LEAVING_THE_SOURCE and not storage.by_directory:
            gone.add(one.src.path)
    paths = there | gone
    if looks_cost_less(storage, len(paths), listed):
        load.add(request_rates(storage).final_look, len(paths))
    else:
        load.add(listing_requests(storage, max(listed or 0, len(there)), len({parent_of(path) for path in paths})))


def _full_reads(
    operation: Operation, capabilities: Mapping[str, Capabilities], *, verify_full: bool
) -> Iterator[tuple[str, int]]:
    """Location and size of each file on a remote that is read in full, because no hash tells enough (see `apply.protocol`)."""
    if operation.finishes_move or operation.verb is Verb.REWRITE:
        return
    kept, size = operation.expect.kept or None, operation.size or 0
    source, target = capabilities[operation.src.fs], capabilities[operation.dst.fs]
    renamed = target.move and remote_of(operation.src.fs) == remote_of(operation.dst.fs)
    read: list[tuple[str, int]] = []
    if verify_full and not (renamed and operation.verb not in LEAVING_THE_SOURCE) and not _comparable(source, target):
        read += [(operation.src.fs, size), (operation.dst.fs, size)]  # a copy, which in a bucket is a rename as well
    if kept is not None:
        unproven = kept.tier == _SAME_BYTES and not operation.expect.hash.keys() & kept.hash.keys()
        doubted = (verify_full or kept.mtime is None) and not kept.hash.keys() & {*capabilities[kept.fs].hashes}
        read += [(operation.src.fs, size)] if unproven else []
        read += [(kept.fs, kept.size or 0)] if unproven or doubted else []
    yield from ((fs, number) for fs, number in read if not capabilities[fs].local)


def _comparable(source: Capabilities, target: Capabilities) -> bool:
    """Whether hashes prove a copy: both list one, or one end is a disk, where any can be computed."""
    if source.local or target.local:
        return bool(source.hashes or target.hashes)
    return not {*source.hashes}.isdisjoint(target.hashes)


def _folders(
    fs: str, operations: Iterable[Operation], moved: Sequence[tuple[str, str]], storage: Capabilities
) -> tuple[int, int]:
    """How many folders are made at a location, and how many lose all their files, as far as the plan shows."""
    sources = {source for source, _ in moved}
    before: set[str] = set()
    left: set[str] = set()
    passing: set[str] = set()
    """Folders of our trash, for files that wait there until they are deleted."""
    after: set[str] = {folder for _, target in moved for folder in parents_of(target)}
    for one in operations:
        leaves = one.verb not in LEAVING_THE_SOURCE
        if one.src.fs == fs:
            above = [*parents_of(one.src.path)]
            before.update(above)
            if leaves and sources.isdisjoint(above):
                left.update(above)
            if leaves and one.dst.fs != fs and storage.move:
                passing.update(parents_of(f"{_ASIDE}/{one.src.path}"))
        if one.dst.fs == fs and not (one.src.fs == fs and not sources.isdisjoint(parents_of(one.src.path))):
            if one.verb in _SETTING_ASIDE:
                after.update(parents_of(f"{_ASIDE}/{one.dst.path}"))
            if one.verb not in {Verb.QUARANTINE, Verb.DELETE}:
                after.update(parents_of(one.dst.path))
    return len(after - before) + len(passing), len(left - after)


def _written(operation: Operation) -> int:
    """The bytes of a text that a rewrite writes."""
    return len(operation.content) * 3 // 4 if operation.content is not msgspec.UNSET else 0


def _cost(found: Mapping[str, Load], capabilities: Mapping[str, Capabilities]) -> tuple[float | None, str | None]:
    """The money, and its currency; None for unknown, and for several currencies."""
    charged = [(load, prices) for fs, load in found.items() if (prices := capabilities[fs].prices) is not None]
    free = sum(1 for fs in found if capabilities[fs].prices is None and capabilities[fs].quotas is not None)
    currencies = {prices.currency for _, prices in charged}
    if len(charged) + free < len(found) or len(currencies) > 1:
        return None, None
    cost = sum(prices.of_requests(load.requests) + prices.of_bytes(load.down, load.copied) for load, prices in charged)
    return round(cost, 6), next(iter(currencies), None)
