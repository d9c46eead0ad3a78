"""The fields of classical music: work, movement, conductor, ensemble and soloists of a track."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import ABSENT, Absent, first, joined, number, text
from orchestrator.tags.written_numbers import Written, track_written
from orchestrator.track import Facts, Track

_NOTHING_STATED = Facts()
_ROLE = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*\Z")
_ENSEMBLES = re.compile(
    r"orchest|philharmon|choir|chorus|coro\b|chor\b|ensemble|quartet|quintet|trio\b|sextet|octet|consort|band\b", re.IGNORECASE
)
_CONDUCTORS = re.compile(r"conduct|dirig|leitung|direttore", re.IGNORECASE)
_NUMBER_IN_FRONT = re.compile(r"\s*(?P<number>\d{1,3}|[ivx]{1,6})\s*[.):-]\s+(?=\S)", re.IGNORECASE)


def work(track: Track) -> str:
    """The name of the work."""
    return first(_stated(track).work)


def movement(track: Track) -> str:
    """The name of the movement, without its number in front."""
    facts = _stated(track)
    # Some programs write the name of a movement where others write its number.
    name = first((*facts.movement, *(value for value in facts.movement_number if track_written(value).number is None)))
    found = _NUMBER_IN_FRONT.match(name)
    if found is None or track_written(found["number"]).number != movement_number(track):
        return name
    return text(name[found.end() :])


def movement_number(track: Track) -> int | Absent:
    """The number of the movement in its work."""
    return number(_movement(track).number)


def movement_total(track: Track) -> int | Absent:
    """How many movements the work has."""
    stated = (track_written(value).number for value in _stated(track).movement_total)
    return number(_movement(track).total or next(filter(None, stated), None))


def conductor(track: Track) -> str:
    """Who conducts."""
    return joined(_stated(track).conductor) or ", ".join(name for name, role in _performers(track) if _CONDUCTORS.search(role))


def ensemble(track: Track) -> str:
    """The orchestra, choir or ensemble."""
    facts = _stated(track)
    return joined(facts.orchestra or facts.ensemble) or ", ".join(_ensembles(track)) or ABSENT


def soloists(track: Track) -> str:
    """The performers who are neither conductor nor ensemble, without their instruments."""
    facts = _stated(track)
    others = {fold(name) for name in (*facts.conductor, *facts.orchestra, *facts.ensemble, *_ensembles(track))}
    names = (name for name, role in _performers(track) if fold(name) not in others and not _CONDUCTORS.search(role))
    return ", ".join(dict.fromkeys(names)) or ABSENT


def _stated(track: Track) -> Facts:
    return track.facts or _NOTHING_STATED


def _movement(track: Track) -> Written:
    return next((found for value in _stated(track).movement_number if (found := track_written(value)).number), Written())


def _performers(track: Track) -> Iterator[tuple[str, str]]:
    """Name and role of each performer; "" where the tag names no role."""
    for value in _stated(track).performer:
        found = _ROLE.search(value)
        if name := text(_ROLE.sub("", value)):
            yield name, found[1] if found is not None else ""


def _ensembles(track: Track) -> list[str]:
    return [name for name, role in _performers(track) if _ENSEMBLES.search(role or name)]
