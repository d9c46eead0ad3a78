"""Properties of every library: missing tags never match, kept copies stay, complete albums stay complete."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.plan.planners.dedup.album_copies import find_album_copies
from orchestrator.plan.planners.dedup.candidates import AlbumCopy, candidates_of
from orchestrator.plan.planners.dedup.planner import DedupLocation, DedupRequest, plan_dedup
from orchestrator.plan.planners.dedup.records import Duplicates, Tier
from orchestrator.plan.planners.dedup.settings import DEFAULT_KEEP, DedupSettings
from orchestrator.plan.soundness import check_plan
from orchestrator.records import Item
from orchestrator.track import Status
from tests.hostile import HOSTILE_TAGS
from tests.plan.dedup.copies import FLAC, MP3, TITLES, file, found
from tests.plan.worlds import LOCAL

PLACES = ("/music", "remote:music")
KEY_FIELDS = ("album_artist", "album", "disc", "track", "title", "duration_s")


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """A file of a world so small that duplicates of every tier and near misses are common."""
    number = draw(some(None, 1, 1, 2, 3))
    said: dict[str, Any] = {
        "title": draw(some(None, TITLES[number or 1], TITLES[number or 1], "One (Live)", *HOSTILE_TAGS[:3])),
        "artist": draw(some(None, "Beck", "Beck feat. Eva")),
        "album_artist": draw(some(None, "Beck", "Beck", "Various Artists")),
        "album": draw(some(None, "X", "X", "X", "Best")),
        "track": number,
        "disc": draw(some(None, 1, 1, 2)),
        "track_total": draw(some(None, 3, 3, 2)),
        "date": draw(some(None, None, "1996", "2001")),
        "advisory": draw(some(None, None, None, "clean")),
        "duration_s": draw(some(None, 200.0, 200.0, 201.5, 203.0)),
        "musicbrainz_recording_id": draw(some(None, f"rec{number}")),
        "musicbrainz_release_id": draw(some(None, "rel")),
        **draw(some(FLAC, MP3)),
    }
    return file(
        draw(some("A", "B", "A/CD1", "Best")) + "/" + draw(some("1", "2", "3", "1 (1)", "4", "5")),
        content=draw(some(None, None, "c1", "c2")),
        sound=draw(some(None, "s1", "s2")),
        mtime=draw(some(None, 1, 2)),
        size=draw(some(7, 7, 7, 0)),
        suspect=draw(some(None, None, None, None, "cut short")),
        **{name: value for name, value in said.items() if value is not None},
    )


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[Item]]:
    return {
        fs: list({item.entry.path: item for item in draw(st.lists(items(), max_size=14))}.values())
        for fs in PLACES[: draw(st.integers(1, 2))]
    }


options = st.builds(
    DedupSettings,
    keep=st.lists(some(*DEFAULT_KEEP, "original_name", "path:A/*"), max_size=4, unique=True).map(tuple),
    reference=some((), (), ("/music/A",), ("remote:music",)),
    same_format_only=some(False, False, True),
)


def decided(world: dict[str, list[Item]], chosen: DedupSettings) -> Duplicates:
    return found(world, **{name: getattr(chosen, name) for name in chosen.__struct_fields__})


def request(world: dict[str, list[Item]], chosen: DedupSettings) -> DedupRequest:
    places = [DedupLocation(fs=fs, items=inside, capabilities=LOCAL) for fs, inside in world.items()]
    return DedupRequest(locations=places, options=chosen, tool_version="1", created="now")


@given(st.deferred(lambda: st.one_of(worlds(), CONTRADICTING)), options)
def test_kept_copies_stay_and_are_proven_to_be_the_same(world: dict[str, list[Item]], chosen: DedupSettings) -> None:
    answer = decided(world, chosen)
    goes = [one.duplicate.ref for one in answer.decisions]
    assert len(set(goes)) == len(goes)
    assert not {one.kept.ref for one in answer.decisions} & set(goes)
    for one in answer.decisions:
        for each in (one.duplicate, one.kept):
            assert each.size
            assert each.reading.suspect is None
            assert each.reading.status is not Status.UNREADABLE
        assert not any(f"{one.duplicate.fs}/{one.duplicate.path}".startswith(f"{place}/") for place in chosen.reference)
        mine, theirs = one.duplicate.track, one.kept.track
        match one.tier:
            case Tier.BYTES:
                assert one.duplicate.size == one.kept.size
                assert one.duplicate.item.entry.hashes == one.kept.item.entry.hashes
            case Tier.AUDIO:
                assert one.duplicate.reading.identity == one.kept.reading.identity is not None
            case Tier.RELEASE_TRACK:
                for name in ("musicbrainz_recording_id", "musicbrainz_release_id", "disc"):
                    assert getattr(mine, name) == getattr(theirs, name) is not None
            case Tier.TAGS:
                assert all(getattr(track, name) for track in (mine, theirs) for name in KEY_FIELDS)
                assert abs((mine.duration_s or 0) - (theirs.duration_s or 0)) <= 2
            case Tier.ALIKE:
                raise AssertionError("a likeness made a file go")
        assert not (mine.advisory and theirs.advisory and mine.advisory != theirs.advisory)


@given(st.deferred(lambda: st.one_of(worlds(), CONTRADICTING)), options)
def test_complete_albums_stay_complete_or_go_as_a_whole(world: dict[str, list[Item]], chosen: DedupSettings) -> None:
    candidates = [one for fs, inside in world.items() for one in candidates_of(fs, inside)]
    copies = [copy for copy in find_album_copies(sorted(candidates, key=lambda one: (one.fs, one.path))) if copy.complete]
    stays = {one.duplicate.ref: one.kept.ref for one in decided(world, chosen).decisions}
    for copy in copies:
        lost = [slot for slot in copy.slots.values() if all(member.ref in stays for member in slot)]
        assert len(lost) in {0, len(copy.slots)}
        if lost:
            assert all(_slots_of(world, stays[slot[0].ref], copy) for slot in lost)


def _slots_of(world: dict[str, list[Item]], ref: Any, copy: AlbumCopy) -> bool:
    """Whether the kept file has an album in its tags."""
    (item,) = (item for item in world[ref.fs] if item.entry.path == ref.path)
    return item.reading is not None and item.reading.track is not None and bool(item.reading.track.album)


@given(worlds(), options, st.integers())
def test_the_order_of_the_files_makes_no_difference(world: dict[str, list[Item]], chosen: DedupSettings, seed: int) -> None:
    random = Random(seed)
    shuffled = {fs: random.sample(inside, len(inside)) for fs, inside in world.items()}
    plan = plan_dedup(request(world, chosen))
    assert plan == plan_dedup(request(shuffled, chosen))
    check_plan(plan)
    one, other = decided(world, chosen), decided(shuffled, chosen)
    assert [(a.tier, a.why, [f.ref for f in a.files]) for a in one.alike] == [
        (a.tier, a.why, [f.ref for f in a.files]) for a in other.alike
    ]


FOLDERS = ("A", "A/CD1", "A/CD2", "A (1996)", "A (1999)", "A live", "A [24-96]", "B", "B [old]", "Best")
MISTAKES: dict[str, tuple[Any, ...]] = {
    "title": (None, "T1", "T1 (Live)"),
    "artist": (None, "Eva", "Beck feat. Eva"),
    "album_artist": (None, "Various Artists"),
    "album": (None, "X", "Best"),
    "track": (None, 1, 2),
    "disc": (None, 1, 2),
    "track_total": (None, 2, 3, 4),
    "disc_total": (1, 2),
    "date": (None, "1999", "2001"),
    "duration_s": (None, 201.5, 204.0),
    "label": ("L", "M"),
    "compilation": (True,),
    "musicbrainz_recording_id": ("rec1", "rec2"),
    "musicbrainz_release_id": ("rel1", "rel2"),
}


def contradicting_library(random: Random) -> list[Item]:
    """Copies of albums in several folders, whose tags are wrong here and there and contradict their folders."""
    found: dict[str, Item] = {}
    tracks, mistakes = random.choice((2, 3, 3)), random.choice((0, 0.03, 0.08, 0.2))
    for copy in range(random.choice((1, 2, 2, 3, 4))):
        home, form, one_sound = random.choice(FOLDERS), random.choice((FLAC, FLAC, MP3)), random.random() < 0.75
        of_album = {
            "album": random.choice(("X", "X", "X", "X (Deluxe)", "Best")),
            "disc": random.choice((1, 1, None, 2)),
            "track_total": random.choice((tracks, tracks, None, tracks + 1)),
            "date": random.choice((None, "1996", "1996", "2001")),
        }
        for number in range(1, tracks + 1):
            said: dict[str, Any] = {"title": f"T{number}", "track": number, "duration_s": 200.0 + number, **of_album}
            said |= {"artist": "Beck", "album_artist": "Beck", **form}
            said |= {name: random.choice(wrong) for name, wrong in MISTAKES.items() if random.random() < mistakes}
            folder = random.choice(FOLDERS) if random.random() < mistakes else home
            name = random.choice(
                (f"0{number}", f"0{number}", f"0{number} T{number}", f"0{number} (1)", f"T{number}", "1", "2", "3")
            )
            same = one_sound and random.random() >= mistakes
            sound = f"{form['codec']}{number}" if same else random.choice((None, f"{form['codec']}{number}-{copy}"))
            path = f"{folder}/{name}.{form['codec']}"
            found[path] = file(
                path,
                content=random.choice((None, f"bytes of {sound}")) if sound else None,
                sound=sound,
                mtime=random.choice((1, 2)),
                **{name: value for name, value in said.items() if value is not None},
            )
    return list(found.values())


CONTRADICTING = st.builds(
    lambda seed, places: {fs: contradicting_library(random) for random in [Random(seed)] for fs in places},
    st.integers(0, 1 << 40),
    some(PLACES[:1], PLACES[:1], PLACES),
)


def without(world: dict[str, list[Item]], answer: Duplicates) -> dict[str, list[Item]]:
    """What stays when its duplicates are quarantined."""
    gone = {(one.duplicate.fs, one.duplicate.path) for one in answer.decisions}
    return {fs: [item for item in inside if (fs, item.entry.path) not in gone] for fs, inside in world.items()}


@given(st.one_of(worlds(), CONTRADICTING), options)
def test_a_second_run_finds_nothing(world: dict[str, list[Item]], chosen: DedupSettings) -> None:
    assert decided(without(world, decided(world, chosen)), chosen).decisions == ()


@given(worlds(), options)
def test_a_file_with_fewer_tags_is_a_duplicate_of_no_more_files(world: dict[str, list[Item]], chosen: DedupSettings) -> None:
    """Without tags, identity and hash, no files are the same."""
    bare = {
        fs: [
            msgspec.structs.replace(
                item,
                entry=msgspec.structs.replace(item.entry, hashes={}),
                reading=item.reading and msgspec.structs.replace(item.reading, track=None, identity=None),
            )
            for item in inside
        ]
        for fs, inside in world.items()
    }
    answer = decided(bare, chosen)
    assert answer.decisions == answer.alike == ()
