"""Properties of every plan: no collisions, no lost files, an empty second plan, and an undo that restores everything."""

from __future__ import annotations

import unicodedata
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.paths import collision_key, path_problem
from orchestrator.plan.build import seal
from orchestrator.plan.layout.presets import PRESETS
from orchestrator.plan.layout.templates import compile_layout
from orchestrator.plan.model import Plan
from orchestrator.plan.music.layout_fields import FIELDS
from orchestrator.plan.planners.undo import plan_undo
from orchestrator.plan.soundness import check_plan
from orchestrator.records import Item
from orchestrator.track import Track
from tests.hostile import HOSTILE_TAGS
from tests.plan.worlds import FOLDING, LOCAL, PretendStorage, moved, plain, plan, tagged, unreadable, untagged

ARTISTS = ("Beck", "beck", "Béck", unicodedata.normalize("NFD", "Béck"), "AC/DC", "Beck feat. Eva", "Beck.mp3", "x")
ALBUMS = ("X", "x", "X (2)", "Y", "( )", "a.mp3")
TITLES = ("One", "one", "One (2)", "Two", "cover", "Éa", unicodedata.normalize("NFD", "Éa"))
LAYOUTS = (
    *PRESETS,
    "{{ title }}",
    "{{ albumartist }}/{{ title }}",
    "{{ albumartist }}/{{ album }}/{{ disc }}/{{ title }}",
    "{{ title }}.mp3/{{ track }}",
    (
        "{{ albumartist | the_last | initial }}/{{ albumartist_sort or albumartist | the_last | ascii | upper | truncate(9) }}/"
        "{{ date | year | default('x') }} {{ album | without_guest | lower | truncate(7, '...') }}/"
        "{{ track | pad_to(track_total) }} {{ title | with_guest(artist) | replace('One', '/../') }}"
    ),
)
DIRECTORIES = ("", "in", "IN", "in/CD1", "in/CD1/Scans", "Beck", "beck", "Beck/X", "Beck/x (1999)", "x", "Beck.mp3", "One.mp3")
NAMES = ("One.mp3", "one.mp3", "One (2).mp3", "01 One.mp3", "Two.flac", "Beck.mp3", "a.mp3", "x.mp3", "One.mp4", "x.m4b")
BESIDE = ("cover.jpg", "Cover.JPG", "One.lrc", "01 One.cue", "x.m3u", "notes.txt", ".DS_Store", "._One.mp3", "cover (2).jpg", "X")


def one_or_none(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.one_of(st.sampled_from([(value,) for value in values]), st.just(()), st.sampled_from([(v,) for v in HOSTILE_TAGS]))


tracks = st.builds(
    Track,
    title=one_or_none(TITLES),
    artist=one_or_none(ARTISTS),
    album_artist=st.one_of(st.just(()), one_or_none(ARTISTS), st.just(("A", "B"))),
    album=one_or_none(ALBUMS),
    track=st.sampled_from([None, 1, 2, 3]),
    disc=st.sampled_from([None, None, 1, 2]),
    date=st.sampled_from([None, "1999", "1999", "2001-02-03"]),
    compilation=st.sampled_from([None, None, True]),
    track_total=st.sampled_from([None, None, 2, 120]),
    disc_total=st.sampled_from([None, None, 1, 12]),
    release_type=st.sampled_from([(), ("live",), ("ep",), ("album", "soundtrack"), ("single",), ("demo",)]),
    release_status=st.sampled_from([None, "official", "bootleg"]),
    edition=st.sampled_from([None, None, "deluxe", HOSTILE_TAGS[0]]),
    venue=st.sampled_from([None, None, "Hall", "X"]),
    label=st.sampled_from([None, None, "L", "M"]),
    genre=st.one_of(one_or_none(("Pop", "pop")), st.sampled_from([(), (), ("Hörbuch",), ("Podcast",), ("Speech",)])),
    media_kind=st.sampled_from([None, None, None, None, "podcast", "memo"]),
    video=st.sampled_from([False, False, False, True]),
    album_artist_sort=st.sampled_from([(), ("Beck, B",)]),
    musicbrainz_release_group_id=st.sampled_from([None, None, "gg", "hh"]),
    musicbrainz_release_id=st.sampled_from([None, None, None, "aa", "bb"]),
)


@st.composite
def libraries(draw: st.DrawFn, *, folding: bool = False) -> list[Item]:
    paths = draw(
        st.lists(
            st.tuples(st.sampled_from(DIRECTORIES), st.sampled_from(NAMES + BESIDE)),
            max_size=14,
            unique_by=lambda pair: collision_key("/".join(pair)) if folding else pair,
        )
    )
    items: list[Item] = []
    for number, (directory, name) in enumerate(paths):
        path = f"{directory}/{name}" if directory else name
        if name in BESIDE:
            items.append(plain(path, f"content {number}"))
        else:
            kind = draw(st.integers(0, 9))
            if kind == 0:
                items.append(untagged(path))
            elif kind == 1:
                items.append(unreadable(path))
            else:
                items.append(tagged(path, draw(tracks), f"content {number}"))
    items = possible(items, folding=folding)
    if draw(st.booleans()):
        items = shuffled_names(items, draw(st.integers(0, 1000)), draw(st.sampled_from(LAYOUTS)), folding=folding)
    return items


def possible(items: list[Item], *, folding: bool) -> list[Item]:
    """The files that can exist together on one disk."""
    storage = PretendStorage({}, folding=folding)
    for item in items:
        try:
            storage.put(f"/music/{item.entry.path}", item)
        except AssertionError:
            continue
    return storage.list("/music")


def shuffled_names(items: list[Item], seed: int, layout: str, *, folding: bool) -> list[Item]:
    """An organized library, except that some files have each other's names or names in another case: rings and chains."""
    storage = PretendStorage.holding("/music", items, folding=folding)
    storage.carry_out(plan(items, layout=layout, capabilities=FOLDING if folding else LOCAL))
    ordered = storage.list("/music")
    music = [item.entry.path for item in ordered if item.reading is not None]
    random = Random(seed)
    names = list(music)
    random.shuffle(names)
    names = [random.choice((name, name.swapcase(), name.upper(), unicodedata.normalize("NFD", name))) for name in names]
    new = dict(zip(music, names, strict=True))
    renamed = []
    for item in ordered:
        path = new.get(item.entry.path, item.entry.path)
        content = item.entry.hashes["md5"]
        renamed.append(Item(plain(path, content).entry, item.reading))
    return possible(renamed, folding=folding)


def check_organized(made: Plan) -> None:
    check_plan(made)
    wanted = [operation.dst.path for operation in made.operations if operation.verb != "quarantine"]
    assert len({collision_key(path) for path in wanted}) == len(wanted)
    for path in wanted:
        assert path_problem(path) is None
        for part in path.split("/"):
            assert len(part.encode()) <= 255
            assert part == part.strip(" ")
            assert not any(ord(letter) < 32 for letter in part)
            assert path.startswith(".music-orchestrator/tmp/") or (not part.endswith(".") and not set(part) & set('<>:"|?*\\'))
    positions = {operation.id: number for number, operation in enumerate(made.operations)}
    assert all(positions[need] < positions[operation.id] for operation in made.operations for need in operation.depends)
    assert seal(made).header.plan_id == made.header.plan_id


@given(libraries(), st.sampled_from(LAYOUTS), st.integers(0, 99), st.sampled_from([None, None, "Untagged"]))
def test_organizing_in_place_loses_nothing_and_a_second_run_does_nothing(
    items: list[Item], layout: str, seed: int, untagged_to: str | None
) -> None:
    made = plan(items, layout=layout, untagged=untagged_to)
    check_organized(made)
    storage = PretendStorage.holding("/music", items)
    before, contents = storage.tree("/music"), storage.contents()
    done = storage.carry_out(made, seed)
    after = storage.tree("/music")
    assert storage.contents() == contents
    assert {path: after[new] for path, new in moved(made).items() if new in after} == {
        path: before[path] for path, new in moved(made).items() if new in after
    }
    again = plan(storage.list("/music"), layout=layout, untagged=untagged_to)
    assert again.operations == ()

    undone = plan_undo(done, made.header, run_id="run", tool_version="1", created="x")
    check_plan(undone)
    storage.carry_out(undone, seed, run="undo")
    assert storage.tree("/music") == before


@pytest.mark.parametrize("preset", PRESETS)
@settings(max_examples=settings.default.max_examples // 8)
@given(data=st.data())
def test_a_library_organized_by_a_preset_is_in_order(preset: str, data: st.DataObject) -> None:
    items = data.draw(libraries())
    storage = PretendStorage.holding("/music", items)
    made = plan(items, layout=preset)
    check_organized(made)
    storage.carry_out(made)
    assert plan(storage.list("/music"), layout=preset).operations == ()


LITERALS = st.sampled_from(["Music", " - ", "(", ")", "[", "]", ".", " ", "~", "CON", "é", "0"])
FILTERS = (
    "upper",
    "the_last",
    "the_first",
    "initial",
    "ascii",
    "truncate(5)",
    "without_guest",
    "guest",
    "decade",
    "pad",
    "title",
)
VALUES = st.builds(
    "{{{{ {}{} }}}}".format, st.sampled_from(sorted(FIELDS)), st.sampled_from(["", *(f" | {name}" for name in FILTERS)])
)
TEMPLATES = st.lists(st.lists(st.one_of(LITERALS, VALUES), min_size=1, max_size=4).map("".join), min_size=1, max_size=4)
TELLING = st.sampled_from(["{{ title }}", "{{ title | truncate(5) }}", " {{ track }}"])  # a layout needs such a field
REPLACEMENTS = st.sampled_from(
    [{}, {":": " -", "?": "", "/": "-", "...": "\u2026"}, {": ": " - ", "/": "", "<": "(", "e": "\u0117"}]
)


@given(libraries(), st.builds("{}{}".format, TEMPLATES.map("/".join), TELLING), REPLACEMENTS, st.integers(0, 99))
def test_whatever_the_template_names_are_legal_and_inside_the_root(
    items: list[Item], layout: str, replace: dict[str, str], seed: int
) -> None:
    try:
        compile_layout(layout)
    except UsageError:
        assume(False)
    made = plan(items, layout=layout, replace=replace)
    check_organized(made)
    storage = PretendStorage.holding("/music", items)
    storage.carry_out(made, seed)
    assert plan(storage.list("/music"), layout=layout, replace=replace).operations == ()


@settings(max_examples=settings.default.max_examples // 2)
@given(libraries(folding=True), st.sampled_from(LAYOUTS), st.integers(0, 99))
def test_a_storage_that_folds_case_ends_with_the_planned_spelling(items: list[Item], layout: str, seed: int) -> None:
    made = plan(items, layout=layout, capabilities=FOLDING)
    check_organized(made)
    storage = PretendStorage.holding("/music", items, folding=True)
    before = storage.tree("/music")
    done = storage.carry_out(made, seed)
    after = storage.tree("/music")
    assert {new for new in moved(made).values() if not new.startswith(".")} <= {
        *after,
        *(operation.dst.path for operation in made.operations if operation.verb == "quarantine"),
    }
    assert plan(storage.list("/music"), layout=layout, capabilities=FOLDING).operations == ()
    undone = plan_undo(done, made.header, run_id="run", tool_version="1", created="x")
    storage.carry_out(undone, seed, run="undo")
    assert storage.tree("/music") == before


@settings(max_examples=settings.default.max_examples // 2)
@given(libraries(), st.sampled_from(LAYOUTS), st.booleans(), st.integers(0, 99))
def test_another_target_gets_the_same_tree_as_organizing_in_place(items: list[Item], layout: str, copy: bool, seed: int) -> None:
    in_place = PretendStorage.holding("/music", items)
    made = plan(items, layout=layout)
    in_place.carry_out(made, seed)
    tree = in_place.tree("/music")

    storage = PretendStorage.holding("/music", items)
    made = plan(items, target="/other", layout=layout, copy=copy)
    check_organized(made)
    before = storage.tree("/music")
    done = storage.carry_out(made, seed)
    other = storage.tree("/other")
    assert other.items() <= tree.items()
    if copy:
        assert storage.tree("/music") == before
    staying = {item.entry.hashes["md5"] for item in items} - set(other.values())
    assert {path for path, content in tree.items() if content not in staying} == set(other)

    again = plan(storage.list("/music"), target="/other", there=storage.list("/other"), layout=layout, copy=copy)
    assert again.operations == ()
    undone = plan_undo(done, made.header, run_id="run", tool_version="1", created="x")
    check_plan(undone)
    storage.carry_out(undone, seed, run="undo")
    assert storage.tree("/music") == before
    assert storage.tree("/other") == {}


@settings(max_examples=settings.default.max_examples // 2)
@given(libraries(), st.sampled_from(LAYOUTS), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_makes_no_difference(items: list[Item], layout: str, random: Random) -> None:
    mixed = list(items)
    random.shuffle(mixed)
    assert plan(mixed, layout=layout) == plan(items, layout=layout)
    there = [item for item in items if random.random() < 0.5]
    there_mixed = list(there)
    random.shuffle(there_mixed)
    assert plan(mixed, target="/other", there=there_mixed, layout=layout) == plan(
        items, target="/other", there=there, layout=layout
    )


@settings(max_examples=settings.default.max_examples // 2)
@given(libraries(), libraries(), st.sampled_from(LAYOUTS), st.booleans(), st.integers(0, 99))
def test_a_target_that_is_not_empty_keeps_its_files(
    items: list[Item], there: list[Item], layout: str, copy: bool, seed: int
) -> None:
    storage = PretendStorage(
        {f"/music/{item.entry.path}": item for item in items} | {f"/other/{item.entry.path}": item for item in there}
    )
    made = plan(items, target="/other", there=there, layout=layout, copy=copy)
    check_organized(made)
    before = storage.tree("/other")
    storage.carry_out(made, seed)
    assert before.items() <= storage.tree("/other").items()
    again = plan(storage.list("/music"), target="/other", there=storage.list("/other"), layout=layout, copy=copy)
    assert again.operations == ()


@given(libraries(), st.sampled_from(LAYOUTS), st.booleans(), st.integers(0, 99))
def test_a_source_inside_its_target(items: list[Item], layout: str, copy: bool, seed: int) -> None:
    inbox = "/music/x"
    storage = PretendStorage.holding("/music", items)
    contents = storage.contents()
    made = plan(storage.list(inbox), source=inbox, target="/music", there=storage.list("/music"), layout=layout, copy=copy)
    check_organized(made)
    storage.carry_out(made, seed)
    assert set(contents) == set(storage.contents())
    if not copy:
        assert storage.contents() == contents
        again = plan(storage.list(inbox), source=inbox, target="/music", there=storage.list("/music"), layout=layout)
        assert again.operations == ()


@given(libraries(), st.sampled_from(LAYOUTS), st.integers(0, 99))
def test_copying_in_place_keeps_everything_and_a_second_run_does_nothing(items: list[Item], layout: str, seed: int) -> None:
    storage = PretendStorage.holding("/music", items)
    before = storage.tree("/music")
    made = plan(items, layout=layout, copy=True)
    check_organized(made)
    storage.carry_out(made, seed)
    assert before.items() <= storage.tree("/music").items()
    assert plan(storage.list("/music"), layout=layout, copy=True).operations == ()
