"""What a plan means to a person: what changes, what stays and why, what it costs, whether it can be undone. Pure.

The terminal and the web page show the same outline. Its texts hold names as they are: the caller escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from orchestrator.paths import is_local, parent_of, remote_of
from orchestrator.plan.model import (
    ENTRIES_WITHOUT_FILE,
    NO_MUSIC,
    NUMBERED,
    Header,
    Operation,
    Plan,
    Skipped,
    Verb,
    bytes_to_locations,
    locations_of,
)
from orchestrator.records import OWN_DIRECTORY
from orchestrator.report.bill_view import PRICES_REMEDY, time_text, without_prices
from orchestrator.report.plan_changes import changes_of
from orchestrator.report.plan_view import KIND_WORDS, LEFT_BY_SYNC, NOT_COMPARED, nothing_to_do
from orchestrator.tags.formats import is_audio
from orchestrator.wording import counted, money_text, size_text


class Where(msgspec.Struct, frozen=True):
    """A folder, or one file, with how many files it stands for."""

    name: str
    """A folder ends with a slash."""
    number: int
    why: str = ""
    """What holds for this file alone, or for all of these in the folder."""


class Point(msgspec.Struct, frozen=True):
    """Something to know about so many files."""

    kind: str
    """"numbered", "suspect", "in-place" ..., or the code of skipped files (see `Skipped`)."""
    number: int
    text: str
    """What is read after the number."""
    remedy: str = ""
    """What would help, if something would."""
    where: tuple[Where, ...] = ()
    """The folders with the most files first; empty if a plan file does not say it."""


class Outline(msgspec.Struct, frozen=True):
    """The whole plan in a few lines."""

    changes: tuple[str, ...]
    """What is done, the most important first: "267 tracks go to 38 albums"."""
    points: tuple[Point, ...]
    cost: str
    """Requests, bytes, money and time in one sentence; of local disks, what is copied. "" for a plan without changes."""
    undo: str
    """Whether and how it can be taken back. "" for a plan without changes."""

    @property
    def headline(self) -> str:
        """All changes in one line."""
        return ", ".join(self.changes)


_STAYS: Mapping[str, tuple[str, str]] = {
    "untagged": ("no usable tags", "--untagged DIR gives them a folder"),
    "unreadable": ("cannot be read", ""),
    "unclear": ("no clear album in the folder", "an album artist in their tags would tell"),
    "doubtful-text": ("tags in an unknown encoding", "`tags.legacy_encoding` in the config says which"),
    "unsupported-name": ("names that cannot be used", "rename them"),
    "conflict": ("different on both sides", ""),
    "other-name": ("under two names", "--keep-names says whose to use"),
    "deleted": ("cannot be restored", ""),
    "ambiguous-sidecar": ("unclear which album it belongs to", "--leftovers DIR moves them"),
    "other": ("not part of a track or album", "--leftovers DIR moves them"),
    "left-alone": ("left alone: excluded, too new, or not readable", ""),
    "playlist": ("playlists that are not updated", ""),
}
"""Code of skipped files -> why they stay, and what would help. In the order in which they are shown."""
_OWN_REASONS = frozenset({"deleted", "conflict", "other", "left-alone", "playlist"})
"""Codes that stand for several reasons."""
_MANY_REASONS = 3
"""Of a code with more reasons, each is named only beside its file."""
_OF_ORGANIZE = frozenset({"other", "ambiguous-sidecar"})
"""Codes whose remedy is an option of `organize`."""


def outline(plan: Plan) -> Outline:
    """The outline of any plan."""
    changes, points = tuple(changes_of(plan)), _points(plan)
    if not plan.operations:
        changes = tuple(nothing_to_do(plan)[:1])
        points = (point for point in points if point.kind != "in-place")  # that is what the sentence says
    return Outline(changes, tuple(points), _cost(plan) if plan.operations else "", _undo(plan) if plan.operations else "")


def _undo(plan: Plan) -> str:
    if any(map(_deletes_for_good, plan.operations)):
        return "No undo brings it back."
    if plan.header.options.get("delete"):  # of `dedup`: those with the same bytes or audio
        return "What --delete then deletes, no undo brings back."
    return "`undo last` takes it back."


def _deletes_for_good(operation: Operation) -> bool:
    """Whether no undo brings back a file: what is deleted elsewhere goes to the trash."""
    return operation.verb is Verb.DELETE and operation.src.path.startswith(f"{OWN_DIRECTORY}/")


FEW = 3
"""So few files are named one by one."""


def by_folder(files: Iterable[tuple[str, str]]) -> tuple[Where, ...]:
    """The folders of files, given as path and reason, those with the most files first; a file that is alone there by itself."""
    files = list(files)
    if len(files) <= FEW:
        return tuple(Where(path, 1, why) for path, why in files)
    found: dict[str, list[tuple[str, str]]] = {}
    for path, why in files:
        found.setdefault(parent_of(path), []).append((path, why))
    return tuple(_where(folder, members) for folder, members in sorted(found.items(), key=lambda one: (-len(one[1]), one[0])))


def _where(folder: str, members: Sequence[tuple[str, str]]) -> Where:
    if len(members) == 1:
        return Where(members[0][0], 1, members[0][1])
    reasons = {why for _, why in members}
    return Where(f"{folder}/" if folder else "./", len(members), reasons.pop() if len(reasons) == 1 else "")


def _points(plan: Plan) -> Iterator[Point]:
    yield from _remarkable(plan)
    yield from _left_by_sync(plan)
    yield from _staying(plan)
    yield from _as_it_was(plan)


def _remarkable(plan: Plan) -> Iterator[Point]:
    """What is done and may not be what the person wants."""
    counts = plan.header.counts
    if numbered := counts.get("numbered"):
        share = (
            "shares a name with another file and gets a number"
            if numbered == 1
            else ("share a name with another file and get a number")
        )
        yield Point("numbered", numbered, share, _against_numbers(plan))
    if suspect := counts.get("suspect"):
        short = bool(plan.suspect) and all(why.startswith("cut short") for _, why in plan.suspect)
        what = "cut short" if short else "cut short or damaged"
        where = by_folder((path, "" if short else why) for path, why in plan.suspect)
        yield Point("suspect", suspect, f"{'is' if suspect == 1 else 'are'} {what}", where=where)
    if copies := counts.get("copies"):
        yield Point("copies", copies, "albums are copies of another one", "`dedup` finds duplicates")
    if entries := counts.get("entries_without_file"):
        lists = counts.get(f"skipped.{ENTRIES_WITHOUT_FILE}", 0)
        where = tuple(Where(one.path, 1, one.reason) for one in plan.skipped if one.code == ENTRIES_WITHOUT_FILE)
        text = "entry of {} leads nowhere" if entries == 1 else "entries of {} lead nowhere"
        yield Point("entries-without-file", entries, text.format(counted(lists, "playlist")), where=where)


def _against_numbers(plan: Plan) -> str:
    """What to do about music that would have one name; nothing about other files."""
    numbered = (one.dst.path for one in plan.operations if one.reason.startswith(NUMBERED))
    options = plan.header.options
    if not any(map(is_audio, numbered)) or options.get("dedup"):
        return ""
    same = "" if options.get("duplicates_reported") else "--dedup report shows which are the same"
    templates = [rule["template"] for rule in options.get("rules", ()) if not re.search(_WITHOUT_TRACKS, rule.get("when") or "")]
    if all(re.search(r"\btrack\b", template) for template in templates):
        return same
    return "; ".join(filter(None, ["add {{ track | pad(2) }} to the layout", same]))


_WITHOUT_TRACKS = "|".join((*NO_MUSIC, "singleton"))
"""What the conditions of rules name whose files have no track numbers."""


def _left_by_sync(plan: Plan) -> Iterator[Point]:
    counts, sync = plan.header.counts, plan.header.options.get("sync")
    if sync is None:
        return
    stay = sum(one.code == "other-name" for one in plan.skipped)
    for key, name, remedy in LEFT_BY_SYNC:
        if key == "other_names" and counts.get(key) == stay:  # they are named below, with their folders
            continue
        if counts.get(key):
            decided = key == "conflicts" and sync.get("conflict")
            yield Point(key, counts[key], name, "" if decided else remedy)


def _staying(plan: Plan) -> Iterator[Point]:
    """What stays, by reason and then by folder."""
    files: dict[str, list[Skipped]] = {}
    for one in plan.skipped:
        files.setdefault(one.code, []).append(one)
    for code in _STAYS:
        if number := plan.header.counts.get(f"skipped.{code}"):
            yield from _of_code(plan, code, number, files.get(code, []))
    yield from _no_music(plan.header.counts, files)
    if beside := plan.header.counts.get("beside_staying"):
        yield Point(
            "beside-staying", beside, f"{'stays' if beside == 1 else 'stay'} with such music: covers, lyrics and other files"
        )


def _of_code(plan: Plan, code: str, number: int, members: Sequence[Skipped]) -> Iterator[Point]:
    reason, remedy = _STAYS[code]
    if code == "untagged":
        remedy = _names_that_tell(plan) or remedy
    elif code in _OF_ORGANIZE and "rules" not in plan.header.options:
        remedy = ""
    reasons = dict.fromkeys(one.reason for one in members)
    if code in _OWN_REASONS and 0 < len(reasons) <= _MANY_REASONS:
        for why in reasons:
            paths = [(one.path, "") for one in members if one.reason == why]
            yield _stays(code, len(paths), why, remedy, by_folder(paths))
        return
    told = len(reasons) > 1 and code != "untagged"
    yield _stays(code, number, reason, remedy, by_folder((one.path, one.reason if told else "") for one in members))


def _no_music(counts: Mapping[str, int], files: Mapping[str, Sequence[Skipped]]) -> Iterator[Point]:
    """What is no music, by its kind."""
    if kinds := [(kind, number) for kind in NO_MUSIC if (number := counts.get(f"skipped.{kind}"))]:
        names = ", ".join(counted(number, KIND_WORDS.get(kind, kind)) for kind, number in kinds)
        where = by_folder((one.path, "") for kind, _ in kinds for one in files.get(kind, ()))
        number = sum(number for _, number in kinds)
        yield _stays("no-music", number, f"no music ({names})", "rules of `layouts` can place them", where)


def _stays(code: str, number: int, reason: str, remedy: str, where: tuple[Where, ...]) -> Point:
    return Point(code, number, f"{'stays' if number == 1 else 'stay'}: {reason}", remedy, where)


def _names_that_tell(plan: Plan) -> str:
    """How many files without tags have names that tell what is missing; "" for none."""
    fit = plan.header.counts.get("names_fit", 0)
    have = "has a telling name" if fit == 1 else "have telling names"
    return f"{fit} of them {have}: --names-as-tags auto" if fit else ""


def _as_it_was(plan: Plan) -> Iterator[Point]:
    counts = plan.header.counts
    kept = "" if plan.header.options.get("copy") else ", and stay in the source too"
    if at_target := counts.get("at_target"):
        yield Point("at-target", at_target, f"are at the target already{kept}")
    if alike := counts.get("alike_at_target"):
        yield Point("alike-at-target", alike, f"are probably at the target already{kept}", NOT_COMPARED)
    if at_mirrors := counts.get("at_mirrors"):
        yield Point("at-mirrors", at_mirrors, "are at the mirror already")
    if in_place := counts.get("in_place"):
        yield Point("in-place", in_place, f"{'is' if in_place == 1 else 'are'} in place already")


def _cost(plan: Plan) -> str:
    """What the changes cost, in one sentence."""
    on_disks = all(map(is_local, locations_of(plan.operations)))
    return _cost_on_disks(plan.operations) if on_disks else _cost_at_remotes(plan.header)


def _cost_on_disks(operations: Sequence[Operation]) -> str:
    if all(operation.verb is Verb.DELETE for operation in operations):
        return ""
    crossing = bytes_to_locations(operations)
    copied = sum(one.size or 0 for one in operations if one.verb is Verb.COPY and one.src.fs == one.dst.fs)
    if not crossing and not copied:
        return "Renames on this disk; nothing is copied."
    to = f" to {', '.join(sorted(crossing))}" if crossing else ""
    return f"{size_text(sum(crossing.values()) + copied)}{to}, on the disks of this machine."


def _cost_at_remotes(header: Header) -> str:
    estimate = header.estimate
    through, requests = float(estimate.get("bytes") or 0), float(estimate.get("requests") or 0)
    parts = [
        f"About {requests:,.0f} requests",
        f"{size_text(through)} through this machine" if through else "nothing through this machine",
    ]
    cost = estimate.get("cost")
    if cost is None:
        unknown = sorted({f"{remote_of(fs)}:" for fs in without_prices(header)})
        parts.append(f"prices of {', '.join(unknown)} unknown ({PRICES_REMEDY})" if unknown else "prices unknown")
    elif cost or estimate.get("currency"):
        parts.append(money_text(float(cost), str(estimate.get("currency") or "USD")))
    return f"{', '.join(filter(None, (*parts, time_text(estimate))))}."
