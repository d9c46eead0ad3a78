"""What a plan changes, in words and numbers. Pure; names are as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.plan.companions.playlists.formats import may_be_list
from orchestrator.plan.model import IS_CLUTTER, Header, Plan, Verb, mirrors_of
from orchestrator.plan.music.disc_folders import album_folder
from orchestrator.records import OWN_DIRECTORY
from orchestrator.report.plan_view import PlanStep, steps
from orchestrator.tags.formats import is_audio
from orchestrator.wording import counted, size_text

_CONDITIONAL = re.compile(r"{% if .*?{% endif %}")
"""Parts of a template that most files do not have, such as the folder of a disc."""


def changes_of(plan: Plan) -> Iterator[str]:
    """The changes, the most important first: "267 tracks go to 38 albums"."""
    options = plan.header.options
    if "sync" in options:
        yield from _of_sync(plan)
    elif "undo" in options:
        yield from _of_undo(plan)
    elif "quarantine" in options:
        yield from _of_quarantine(plan)
    else:
        yield from _of_music(plan)


def _of_music(plan: Plan) -> Iterator[str]:
    """What `organize` and `dedup` do."""
    header, mirrors = plan.header, mirrors_of(plan.header)
    found: dict[str, list[PlanStep]] = {}
    for step in steps(plan):
        found.setdefault(_kind(step, mirrors, header), []).append(step)
    copied = bool(header.options.get("copy"))
    if tracks := found.get("track"):
        where = counted(len({album_folder(step.dst.path) for step in tracks}), "album" if _by_album(header) else "folder")
        yield f"{counted(len(tracks), 'track')} {_verb(tracks, 'go', copied=copied)} to {where}"
    if untagged := found.get("untagged"):
        folder = header.options["untagged"]
        yield f"{counted(len(untagged), 'track')} without tags {_verb(untagged, 'go', copied=copied)} to {folder}/"
    yield from _beside_tracks(found)
    if mirrored := found.get("mirror"):
        yield f"{counted(len(mirrored), 'file')} copied to {', '.join(sorted(mirrors))}"


def _beside_tracks(found: Mapping[str, Sequence[PlanStep]]) -> Iterator[str]:
    """What leaves, and what goes with the tracks."""
    if duplicates := found.get("duplicate"):
        yield f"{counted(len(duplicates), 'duplicate')} to quarantine ({size_text(_size(duplicates))})"
    if beside := found.get("of-duplicates"):
        yield f"{_others(beside)} of theirs too"
    if deleted := found.get("deleted"):
        yield f"{counted(len(deleted), 'duplicate')} deleted for good ({size_text(_size(deleted))})"
    if clutter := found.get("clutter"):
        yield f"{counted(len(clutter), 'clutter file')} to quarantine"
    if companions := found.get("companion"):
        yield f"{_others(companions)} {'goes' if len(companions) == 1 else 'go'} along"
    if lists := found.get("playlist"):
        yield f"{counted(len(lists), 'playlist')} {'follows' if len(lists) == 1 else 'follow'}"


def _others(steps: Sequence[PlanStep]) -> str:
    return "1 cover or other file" if len(steps) == 1 else f"{len(steps):,} covers and other files"


def _kind(step: PlanStep, mirrors: frozenset[str], header: Header) -> str:
    if step.dst.fs in mirrors:
        return "mirror"
    if step.verb is Verb.DELETE:
        return "deleted"
    if step.verb is Verb.QUARANTINE:
        return "clutter" if step.reason == IS_CLUTTER else "duplicate" if is_audio(step.src.path) else "of-duplicates"
    if step.verb is Verb.REWRITE or (may_be_list(step.dst.path) and not is_audio(step.dst.path)):
        return "playlist"
    if not is_audio(step.dst.path):
        return "companion"
    untagged = header.options.get("untagged")
    return "untagged" if untagged and step.dst.path.startswith(f"{untagged}/") else "track"


def _by_album(header: Header) -> bool:
    """Whether each folder of the layout is that of an album."""
    templates = [_CONDITIONAL.sub("", rule["template"]) for rule in header.options.get("rules", ())]
    return all(re.search(r"\balbum\b", template.rpartition("/")[0].rpartition("/")[2]) for template in templates)


def _verb(members: Sequence[PlanStep], verb: str, *, copied: bool) -> str:
    one = len(members) == 1
    if copied:
        return "is copied" if one else "are copied"
    return f"{verb}es" if one else verb


def _size(members: Iterable[PlanStep]) -> int:
    return sum(step.size or 0 for step in members)


def _of_sync(plan: Plan) -> Iterator[str]:
    header, counts = plan.header, plan.header.counts
    words = {"added": "new", "changed": "changed", "renamed": "renamed", "deleted": "to the trash"}
    for side, fs in (("a", header.source), ("b", header.target)):
        done = [f"{counts[key]:,} {word}" for name, word in words.items() if counts.get(key := f"{side}_{name}")]
        if done:
            yield f"{fs}: {', '.join(done)}"


def _of_undo(plan: Plan) -> Iterator[str]:
    found = Counter(_kind_of_undo(step) for step in steps(plan))
    texts = {
        "back": "{} back to where {} before",
        "restored": "{} back out of quarantine or trash",
        "aside": "{} that the run made to quarantine",
    }
    for kind, text in texts.items():
        if number := found[kind]:
            go, was = ("goes", "it was") if number == 1 else ("go", "they were")
            yield text.format(f"{counted(number, 'file')} {go}" if kind != "aside" else counted(number, "file"), was)


def _kind_of_undo(step: PlanStep) -> str:
    if step.verb is Verb.QUARANTINE:
        return "aside"
    return "restored" if step.src.path.startswith(f"{OWN_DIRECTORY}/") else "back"


def _of_quarantine(plan: Plan) -> Iterator[str]:
    found = steps(plan)
    if not found:
        return
    number, size = counted(len(found), "file"), size_text(_size(found))
    be, go = ("is", "goes") if len(found) == 1 else ("are", "go")
    if plan.header.options["quarantine"] == "restore":
        yield f"{number} {go} back out of quarantine or trash ({size})"
    else:
        yield f"{number} {be} deleted for good ({size})"
