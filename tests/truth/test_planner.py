"""The search for duplicates on the truth library: no wrong decision, and every provable duplicate is found."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import msgspec
import pytest

from orchestrator.paths import parent_of
from orchestrator.plan.planners.dedup.candidates import candidates_of
from orchestrator.plan.planners.dedup.records import ACTING
from orchestrator.plan.planners.dedup.repeated_search import find_duplicates
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Entry, Item
from orchestrator.tags.reader import read_track
from orchestrator.track import Reading, Strength
from tests.nightly import NIGHTLY
from tests.truth.files import PathDecision, TrueFile, TrueLibrary, Verdict, judge
from tests.truth.library import truth_library


@pytest.fixture(scope="module")
def library() -> TrueLibrary:
    return truth_library(4 if NIGHTLY else 1)


@pytest.fixture(scope="module")
def readings(library: TrueLibrary) -> dict[str, Reading]:
    def read(file: TrueFile) -> Reading:
        return read_track(file.path, len(file.content), lambda offset, length: file.content[offset : offset + length])

    return {path: read(file) for path, file in library.files.items()}


def verdict_of(
    library: TrueLibrary, readings: dict[str, Reading], places: Sequence[str], options: DedupSettings | None = None
) -> Verdict:
    """What the planner decides if each location lists that type of hash ("" for none)."""
    candidates, where = [], {}
    for number, (part, hash_type) in enumerate(zip(library.split(len(places)), places, strict=True)):
        items = []
        for index, (path, file) in enumerate(part.files.items()):
            where[path] = number
            hashes = {hash_type: hashlib.new(hash_type, file.content).hexdigest()} if hash_type else {}
            items.append(Item(Entry(path, len(file.content), index * 10**9, hashes), readings[path]))
        candidates += candidates_of(f"/place{number}", items)
    precedence = tuple(f"/place{number}" for number in range(len(places)))
    found = find_duplicates(candidates, msgspec.structs.replace(options or DedupSettings(), precedence=precedence))
    decisions = [PathDecision(one.duplicate.path, one.kept.path, str(one.tier)) for one in found.decisions]
    kept = [frozenset(file.path for file in one.files) for one in found.alike if one.tier in ACTING]
    return judge(library, decisions, kept, [frozenset({place} - {""}) for place in places], where)


def test_the_files_are_what_the_truth_says(library: TrueLibrary, readings: dict[str, Reading]) -> None:
    streams: dict[str, tuple[object, ...]] = {}
    for path, file in library.files.items():
        reading = readings[path]
        if file.cut_from is None:
            assert file.whole == (reading.reason is None and reading.suspect is None), path
        if not file.whole or reading.identity is None or reading.identity.strength is Strength.HINT:
            assert not (file.whole and file.sound.identified), path
            continue
        assert file.sound.identified, path
        assert streams.setdefault(reading.identity.value, file.sound.stream) == file.sound.stream, path
    assert len(set(streams.values())) == len(streams)


@pytest.mark.parametrize(
    "places",
    [("md5",), ("",), ("md5", "md5"), ("md5", ""), ("md5", "sha1"), ("md5", "md5", "")],
    ids=lambda places: "+".join(place or "none" for place in places),
)
def test_nothing_is_merged_that_is_not_the_same_and_all_that_is_is_found(
    library: TrueLibrary, readings: dict[str, Reading], places: tuple[str, ...]
) -> None:
    verdict = verdict_of(library, readings, places)
    assert not verdict.false_merges
    assert not verdict.missed
    tiers = [tier for tier, score in verdict.scores.items() if score.true_pairs]
    assert len(places) > 1 or not verdict.kept  # one location has all of a better copy of an album, or none of it
    assert tiers == (["T1", "T2", "T3"] if set(places) == {""} else ["T0", "T1", "T2", "T3"])


@pytest.mark.parametrize("keep", [("oldest",), ("shortest_path",), ("bitrate", "path:*backup*"), ("tags", "longest")], ids=str)
def test_no_wish_makes_a_false_merge(library: TrueLibrary, readings: dict[str, Reading], keep: tuple[str, ...]) -> None:
    merged = verdict_of(library, readings, ("md5", ""), DedupSettings(keep=keep)).false_merges
    assert not [one for one in merged if library.files[one.kept].cut_from is None]  # the options decide which copy is kept


def test_companions_stay_where_they_are_meant(library: TrueLibrary, readings: dict[str, Reading]) -> None:
    verdict = verdict_of(library, readings, ("md5",), DedupSettings(same_format_only=True))
    assert not verdict.false_merges
    lossy = {path for path in library.files if "[MP3]" in path}
    assert lossy <= {path for one, other, _ in verdict.kept for path in (one, other)}


LOSABLE: dict[str, object] = {
    "artist": (), "album_artist": (), "album": (), "track": None, "disc": None, "duration_s": None, "track_total": None,
    "disc_total": None,
}  # fmt: skip
"""Fields that do not distinguish recordings: without one, the tags say less, but nothing wrong."""


def untold_discs(library: TrueLibrary, readings: dict[str, Reading]) -> list[str]:
    """The files of several discs in one folder, where no tags of the album say any more that it has several."""
    discs, told = defaultdict[str, set[int]](set), set[str]()
    for path, file in library.files.items():
        track = readings[path].track
        if file.slot is not None:
            discs[parent_of(path)].add(file.slot.disc)
        if track is None or not (track.album and (track.artist or track.album_artist)):
            continue  # it is on no album
        if max(track.disc or 1, track.disc_total or 1) > 1:
            told.add(parent_of(path))
    return [path for path in library.files if len(discs[parent_of(path)]) > 1 and parent_of(path) not in told]


@pytest.mark.parametrize("seed", range(150 if NIGHTLY else 4))
def test_what_is_lost_makes_no_false_merge(library: TrueLibrary, readings: dict[str, Reading], seed: int) -> None:
    random = Random(seed)
    often, left = random.choice((0.05, 0.2, 0.5)), random.choice((0.5, 1.0))
    poorer, lost = TrueLibrary(), dict(readings)
    for path, file in library.files.items():
        if random.random() > left:
            continue
        poorer.files[path] = file
        track = readings[path].track
        if track is None or random.random() > often:
            continue
        names = random.sample(sorted(LOSABLE), random.randint(1, 4))
        placeless = "album" in names and not track.musicbrainz_release_id
        poorer.files[path] = replace(file, tags=None, slot=None if placeless else file.slot)
        poorer_track = msgspec.structs.replace(track, **{name: LOSABLE[name] for name in names})
        lost[path] = msgspec.structs.replace(readings[path], track=poorer_track)
    for path in untold_discs(poorer, lost):
        poorer.files[path] = replace(poorer.files[path], slot=None)
    for places in (("md5",), ("", "md5")):
        merged = verdict_of(poorer, lost, places).false_merges
        assert not [one for one in merged if library.files[one.kept].cut_from is None]  # nothing shows which of two is longer


def test_a_false_merge_is_noticed(library: TrueLibrary) -> None:
    files = {(file.case, file.path.split("/")[2], file.path.split("/")[-1]): file.path for file in library.files.values()}
    album, cut = files["box set", "Album 1", "01 Low Sun 1.flac"], files["broken files", "cut flac", "0 1.flac"]
    wrong = [
        PathDecision(album, files["box set", "Box", "01 Low Sun 1.flac"], "T1"),
        PathDecision(cut, files["broken files", "Whole flac", "01 Low Sun.flac"], "T3"),
        PathDecision(
            files["same names", "Weezer 1994", next(path for path in files if path[1] == "Weezer 1994")[2]], album, "T3"
        ),
    ]
    verdict = judge(library, wrong, [], [frozenset()], dict.fromkeys(library.files, 0))
    assert verdict.false_merges == wrong
    assert verdict.scores["T3"].precision == 0
