"""A plan for people, as steps, lines and a tree. Pure: plan in, texts out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter

import msgspec

from orchestrator.paths import join_location, name_of, parent_of
from orchestrator.plan.estimate import estimate
from orchestrator.plan.model import (
    ENTRIES_WITHOUT_FILE,
    NO_MUSIC,
    NUMBERED,
    Header,
    KeptCopy,
    Operation,
    Plan,
    Verb,
    is_temporary,
    mirrors_of,
    updated_lists,
)
from orchestrator.plan.shared_names import display_name
from orchestrator.records import Capabilities, Ref
from orchestrator.report.bill_view import bill, time_text
from orchestrator.report.reporter import printable
from orchestrator.tags.formats import is_audio
from orchestrator.wording import counted, size_text

_FINDS_DUPLICATES = "`music-orchestrator dedup` finds duplicates"
_COUNTS = (
    ("files", "files", ""),
    ("music", "music files", ""),
    ("suspect", "suspect files", ""),
    ("artist_inferred", "album artist inferred", ""),
    ("discs_by_folder", "disc inferred from folder", ""),
    ("from_names", "placed by their names", ""),
    ("names_fit", "names that tell what tags do not", "--names-as-tags auto uses them"),
    ("title_from_name", "titles from file names", ""),
    ("tags_from_cue_sheet", "tags from cue sheets", ""),
    ("albums_of_one_track", "albums of one track", ""),
    ("without_number", "without track number", "a tagger such as Picard adds numbers"),
    ("kept_together", "unclear folders", ""),
    ("beside_staying", "files beside music that stays", ""),
    ("folders_left", "folders left with files", "--leftovers DIR moves these files"),
    ("copies", "copies of one album", _FINDS_DUPLICATES),
    ("in_place", "already in place", ""),
)
"""Counts of a plan, how people read each, and what to do about it."""
LEFT_BY_SYNC = (
    ("conflicts", "different on both sides", "--conflict says which one to keep"),
    ("not_compared", "of these not compared", "--checksum compares them"),
    ("renamed_on_both", "renamed differently", "both get one name"),
    ("other_names", "under two names", "--keep-names says whose to use"),
    ("only_at_source", "gone at the target", "copied again when they change"),
    ("only_at_target", "only at the target", "--delete carries deletions over"),
    ("changed_at_target", "changed at the target", "left as they are"),
    ("renamed_at_target", "renamed at the target", "left as they are; with --delete-after, -v names them"),
    ("moved_away", "leave the source", "deleted there for good once both were compared in full"),
    ("kept_after_move", "moved earlier", "by --delete-after: they stay at the target"),
)
"""Counts of a sync, how people read each, and what to do about it."""
_REWRITES_COUNT = "; each is up to 3 changes: new list, old list to the quarantine, name"
_NAMED = 3
"""So many files of a folder are named where the folder is."""
_VERB_WORDS = {
    Verb.MOVE: "move",
    Verb.COPY: "copy",
    Verb.QUARANTINE: "quarantine",
    Verb.DELETE: "delete",
    Verb.REWRITE: "rewrite",
    Verb.REPLACE: "replace",
}

REPORTED_AS_ERRORS = frozenset(
    {"unreadable", "untagged", "unclear", "doubtful-text", "unsupported-name", "conflict", "other-name"}
)
"""Codes of skipped files that the command has already reported as errors."""

_LEFT_BEHIND = frozenset({"ambiguous-sidecar", "other"})
"""Codes of skipped files that are reported by folder."""


KIND_WORDS = {"memo": "voice memo"}


class PlanStep(msgspec.Struct, frozen=True):
    """One change as a person sees it: a rename in two halves is one step, and so is a rewritten playlist."""

    verb: Verb
    src: Ref
    was: str
    """The source, as people read it."""
    dst: Ref
    becomes: str
    """The destination, as people read it: with its location if that is not the one of all destinations."""
    size: int | None
    reason: str
    group: str
    ids: tuple[str, ...]
    """The operations that make the change, in their order."""
    kept: KeptCopy | None
    """What is kept instead of a duplicate."""


def steps(plan: Plan) -> list[PlanStep]:
    """The changes, ordered by group and destination."""
    return list(iterate_steps(plan))


def iterate_steps(plan: Plan) -> Iterator[PlanStep]:
    """The same, made one by one: those of a large plan take much memory."""
    first_halves = {operation.dst.path: operation for operation in plan.operations if is_temporary(operation.dst.path)}
    old_lists = updated_lists(plan.operations)
    shown = [
        (operation, first_halves.get(operation.src.path))
        for operation in plan.operations
        if not is_temporary(operation.dst.path) and not (operation.verb is Verb.QUARANTINE and operation.src in old_lists)
    ]
    shown.sort(key=lambda both: (both[0].group, both[0].dst.path, (both[1] or both[0]).src.path))
    for operation, first in shown:
        yield _step(operation, first, plan.header)


def _step(operation: Operation, first: Operation | None, header: Header) -> PlanStep:
    verb = Verb.REWRITE if first is not None and first.verb is Verb.REWRITE else operation.verb
    src = operation.src if first is None else first.src
    was, dst = display_name(src, header.source), operation.dst
    home = header.source if "sync" in header.options else header.target
    becomes = dst.path if dst.fs == home else join_location(dst.fs, dst.path)
    ids = (operation.id,) if first is None else (first.id, operation.id)
    kept = operation.expect.kept or None
    return PlanStep(verb, src, was, dst, becomes, operation.size, operation.reason, operation.group, ids, kept)


_ORDINARY = frozenset({"layout", "respelled", "moves with its track", "moves with its album", "moves with its music"})
"""Reasons that the paths of a change show by themselves."""


def remark(step: PlanStep) -> str:
    """What the reason of a change says that its paths do not show; "" for nothing."""
    first, _, more = step.reason.partition("; ")
    return more if first in _ORDINARY or first.startswith("undo of run ") else step.reason


def lines(plan: Plan, *, remarks: bool = False) -> Iterator[str]:
    """One line a change, names escaped; with `remarks`, what their reasons add."""
    for step in steps(plan):
        if step.verb in (Verb.QUARANTINE, Verb.DELETE) or (step.verb is Verb.REWRITE and step.src == step.dst):
            yield f"{_VERB_WORDS[step.verb]} {printable(step.was)} ({printable(step.reason)})"
        else:
            added = f" ({printable(remark(step))})" if remarks and remark(step) else ""
            yield f"{_VERB_WORDS[step.verb]} {printable(step.was)} -> {printable(step.becomes)}{added}"


def groups(plan: Plan) -> list[tuple[str, list[PlanStep]]]:
    """What belongs together, in order."""
    return [(name, list(members)) for name, members in groupby(steps(plan), key=lambda step: step.group)]


def inside_group(step: PlanStep) -> str:
    """The destination as it reads below its group's heading."""
    prefix = step.group.rstrip("/") + "/"
    return step.becomes.removeprefix(prefix) if step.group else step.becomes


def facts(plan: Plan) -> list[tuple[str, str]]:
    """What the plan comes to: a name and a value each."""
    header = plan.header
    counts = header.counts
    source, target = ("A", "B") if "sync" in header.options else ("source", "target")
    found = [(source, printable(", ".join(header.options.get("locations", [header.source]))))]
    if header.target != header.source:
        found.append((target, printable(header.target)))
    found += [
        (name, f"{counts[key]:,}; {remedy}" if remedy else f"{counts[key]:,}") for key, name, remedy in _COUNTS if key in counts
    ]
    found += _with_remedies(plan)
    found += _each_way(plan)
    found += _at_mirrors(header)
    changes = steps(plan)
    for verb, word in _VERB_WORDS.items():
        number = sum(1 for step in changes if step.verb == verb)
        if number:
            found.append((f"to {word}", f"{number:,}{_REWRITES_COUNT if verb is Verb.REWRITE else ''}"))
    halves = sum(1 for operation in plan.operations if operation.verb is Verb.MOVE and is_temporary(operation.dst.path))
    if halves:
        found.append(("in two steps", f"{halves} of these"))
    if left_alone := _left_alone(counts):
        found.append(("no music", left_alone))
    if plan.operations:
        found += bill(header)
    return found


def left_files(plan: Plan) -> Iterator[str]:
    """A line for each folder with files that belong to no track and to no single album, and for each reason."""
    left = sorted((parent_of(one.path), one.reason, name_of(one.path)) for one in plan.skipped if one.code in _LEFT_BEHIND)
    for (folder, reason), files in groupby(left, key=itemgetter(0, 1)):
        names = [printable(name) for _, _, name in files]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"left in {printable(folder) or 'the root'}: {', '.join(names[:_NAMED])}{more} ({printable(reason)})"


def _each_way(plan: Plan) -> Iterator[tuple[str, str]]:
    """What a sync does on each side, and what it leaves as it is."""
    header, counts = plan.header, plan.header.counts
    if "sync" not in header.options:
        return
    ways = {"a-to-b": (header.source, header.target), "b-to-a": (header.target, header.source)}
    way = ways.get(header.options["sync"].get("direction"))
    yield "direction", "both ways" if way is None else f"from {printable(way[0])} to {printable(way[1])}"
    for side, fs in (("a", header.source), ("b", header.target)):
        words = {"added": "new", "changed": "changed", "renamed": "renamed", "deleted": "to the trash"}
        done = [f"{counts[key]:,} {word}" for name, word in words.items() if counts.get(key := f"{side}_{name}")]
        if done:
            known = {name: msgspec.convert(value, Capabilities) for name, value in header.capabilities.items()}
            time = time_text(estimate([one for one in plan.operations if one.dst.fs == fs], known))
            size = counts.get(f"bytes_to_{side}")
            sent = f"{size_text(size)} sent to {printable(fs)}, " if size else ""
            yield f"at {side.upper()}", f"{', '.join(done)}; {sent}{time}"
    if asked := [f"{counts[key]:,} to {side}" for side in "AB" if counts.get(key := f"requests_{side.lower()}")]:
        yield "requests (sync)", f"about {', '.join(asked)}"
    if counts.get("bytes_read"):
        yield "read to compare", f"{size_text(counts['bytes_read'])} of remotes, in full (--checksum)"
    for key, name, remedy in LEFT_BY_SYNC:
        if counts.get(key):
            decided = key == "conflicts" and header.options["sync"].get("conflict")
            yield name, f"{counts[key]:,}" if decided else f"{counts[key]:,}; {remedy}"


def _at_mirrors(header: Header) -> Iterator[tuple[str, str]]:
    """What the mirrors get, and what they have already."""
    if mirrors := sorted(mirrors_of(header)):
        yield "mirrors" if len(mirrors) > 1 else "mirror", printable(", ".join(mirrors))
    if number := header.counts.get("to_mirrors"):
        yield "to mirrors", f"{counted(number, 'file')}; {size_text(header.counts.get('bytes_to_mirrors', 0))} sent"
    if number := header.counts.get("at_mirrors"):
        yield "already at mirrors", f"{number:,}"


def _with_remedies(plan: Plan) -> Iterator[tuple[str, str]]:
    """The counts that something can be done about, each with what."""
    counts = plan.header.counts
    kept = "" if plan.header.options.get("copy") else ", kept in the source"
    if numbered := counts.get("numbered"):
        yield "same name", f"{counted(numbered, 'file')} would share a name and get a number{_against_numbers(plan)}"
    if entries := counts.get("entries_without_file"):
        yield "entries without a file", f"{entries:,} in {_lists_without_file(counts)}"
    if at_target := counts.get("at_target"):
        yield "already at the target", f"{at_target:,}{kept}"
    if alike := counts.get("alike_at_target"):
        yield "probably at the target", f"{alike:,}{kept}: {NOT_COMPARED}"


_WITHOUT_TRACKS = "|".join((*NO_MUSIC, "singleton"))
"""What the conditions of rules name whose files have no track numbers."""


def _against_numbers(plan: Plan) -> str:
    """What to do about music that would have one name."""
    numbered = (one.dst.path for one in plan.operations if one.reason.startswith(NUMBERED))
    if not any(map(is_audio, numbered)):
        return ""
    rules = plan.header.options.get("rules", ())
    templates = [rule["template"] for rule in rules if not re.search(_WITHOUT_TRACKS, rule.get("when") or "")]
    if all(re.search(r"\btrack\b", template) for template in templates):
        return f"; {_FINDS_DUPLICATES}"
    return f"; add {{{{ track | pad(2) }}}} to the layout, or {_FINDS_DUPLICATES}"


def nothing_to_do(plan: Plan) -> list[str]:
    """What to say about a plan without changes; nothing if it found no music."""
    if not plan.header.counts.get("music"):
        return []
    has_errors = any(one.code in REPORTED_AS_ERRORS for one in plan.skipped)
    alone = sum(1 for one in plan.skipped if one.code == "left-alone")
    at_target, alike = (plan.header.counts.get(key, 0) for key in ("at_target", "alike_at_target"))
    if at_target or alike:
        copies = plan.header.options.get("copy")
        kept = "" if copies else ", kept in the source"
        sentences = [f"already at the target: {counted(at_target, 'file')}{kept}"] if at_target else []
        sentences += [f"probably at the target: {counted(alike, 'file')}{kept}: {NOT_COMPARED}"] if alike else []
        nothing = "no changes" if alike else f"nothing to {'copy' if copies else 'move'}"
        sentences[0] = f"{nothing}: {sentences[0]}"
        if not copies and not plan.header.options.get("dedup"):
            sentences.append("--dedup quarantine moves them to the quarantine of the source")
    elif not plan.header.counts.get("in_place"):
        sentences = ["nothing to do"]
    else:
        where = "all other files are where they belong" if has_errors else "everything is where it belongs"
        sentences = [f"nothing to do: {where}"]
    if alone:
        sentences.append(f"skipped: {counted(alone, 'file')}; -v says why")
    if left_alone := _left_alone(plan.header.counts):
        sentences.append(f"no music: {left_alone}")
    if entries := plan.header.counts.get("entries_without_file"):
        sentences.append(f"playlist entries without a file: {entries:,} in {_lists_without_file(plan.header.counts)}")
    return sentences


def _left_alone(counts: Mapping[str, int]) -> str:
    """What is no music, by its kind, and what to do; "" for nothing."""
    found = [counted(number, KIND_WORDS.get(kind, kind)) for kind in NO_MUSIC if (number := counts.get(f"skipped.{kind}"))]
    return f"{', '.join(found)}: left alone; rules of `layouts` can place them" if found else ""


NOT_COMPARED = "same name, size, tags and sound; not compared in full (--checksum does)"


def _lists_without_file(counts: Mapping[str, int]) -> str:
    return f"{counted(counts.get(f'skipped.{ENTRIES_WITHOUT_FILE}', 0), 'playlist')}; -v lists them"
