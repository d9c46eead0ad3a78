"""Companions of a duplicate move to the kept copy, or are quarantined if it has its own; playlists are updated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.plan.companions.playlists.external import ExternalList
from orchestrator.plan.model import Plan, Verb
from orchestrator.plan.planners.dedup.planner import DedupLocation, DedupRequest, plan_dedup
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.undo import plan_undo
from orchestrator.plan.soundness import check_plan
from orchestrator.records import Item
from tests.plan.dedup.copies import FLAC, MP3, file, on_album
from tests.plan.worlds import LOCAL, PretendStorage, listing, moved, plain, plan, skips

HOME = "Beck/Odelay (1996)"
DEDUP = DedupSettings()
LYRICS = [f"0{number}.lrc" for number in (1, 2, 3)]


def two_albums() -> list[Item]:
    """The better copy in `new`, the other one in `old`."""
    better = [on_album(f"new/{n}.flac", n, sound=f"s{n}", genre="Rock") for n in (1, 2, 3)]
    return [*better, *(on_album(f"old/0{n}.flac", n, sound=f"s{n}") for n in (1, 2, 3))]


def deduped(items: Sequence[Item], others: dict[str, Sequence[Item]] | None = None, **options: Any) -> Plan:
    """The plan of `dedup` for "/music" and other locations."""
    by_location = {"/music": items, **(others or {})}
    places = [DedupLocation(fs=fs, items=inside, capabilities=LOCAL) for fs, inside in by_location.items()]
    outside = options.pop("outside", ())
    return plan_dedup(
        DedupRequest(locations=places, options=DedupSettings(**options), tool_version="1", created="x", external_lists=outside)
    )


def away(made: Plan) -> set[str]:
    """The quarantined files other than duplicates."""
    lists = {operation.src for operation in made.operations if operation.verb is Verb.REWRITE}
    return {
        one.src.path
        for one in made.operations
        if one.verb is Verb.QUARANTINE and not one.expect.kept and one.src not in lists
    }  # fmt: skip


def written(made: Plan) -> dict[str, bytes]:
    """List -> its new content."""
    return {one.src.path: content for one in made.operations if (content := one.content_bytes()) is not None}


def check(items: Sequence[Item], made: Plan, again: Any) -> PretendStorage:
    """Nothing is lost, a second plan is empty, and undo restores everything."""
    check_plan(made)
    storage = PretendStorage.holding("/music", items)
    before, contents = storage.tree("/music"), storage.contents()
    done = storage.carry_out(made)
    assert set(contents) <= set(storage.contents())
    assert again(storage.list("/music")).operations == ()
    back = PretendStorage(dict(storage.files))
    back.carry_out(plan_undo(done, made.header, run_id="run", tool_version="1", created="x"), run="undo")
    assert back.tree("/music") == before
    return storage


def test_companions_that_the_kept_copy_lacks_move_to_it() -> None:
    names = [*LYRICS, "cover.jpg", "rip.log", "booklet.pdf", "Scans/1.jpg"]
    items = [*two_albums(), *(plain(f"old/{name}") for name in names)]
    made = plan(items, dedup=DEDUP)
    titles = ("01 Devils Haircut", "02 Hotwax", "03 Lord Only Knows")
    wanted = [*(f"{title}.lrc" for title in titles), *names[3:]]
    assert {name: moved(made)[f"old/{name}"] for name in names} == {
        name: f"{HOME}/{there}" for name, there in zip(names, wanted, strict=True)
    }
    assert not skips(made)
    storage = check(items, made, lambda there: plan(there, dedup=DEDUP))
    assert not any(path.startswith("old/") for path in storage.tree("/music")), "the emptied folder can go"


def test_companions_that_the_kept_copy_has_are_quarantined() -> None:
    own = ["2.lrc", "Cover.jpg", "new.cue", "Scans/1.jpg"]
    old = ["01.lrc", "02.lrc", "cover.jpg", "old.cue", "scans/1.jpg", "scans/2.jpg"]
    items = [*two_albums(), *(plain(f"new/{name}") for name in own), *(plain(f"old/{name}") for name in old)]
    for made in (plan(items, dedup=DEDUP), deduped(items)):
        assert away(made) == {"old/02.lrc", "old/cover.jpg", "old/old.cue", "old/scans/1.jpg"}
        assert {"old/01.lrc", "old/scans/2.jpg"} <= moved(made).keys()
    check(items, plan(items, dedup=DEDUP), lambda there: plan(there, dedup=DEDUP))
    storage = check(items, deduped(items), deduped)
    assert {"new/1.lrc", "new/scans/2.jpg"} <= storage.tree("/music").keys()


def test_of_two_duplicates_with_a_cover_each_the_first_one_follows() -> None:
    third = [on_album(f"older/0{n}.flac", n, sound=f"s{n}") for n in (1, 2, 3)]
    items = [*two_albums(), *third, plain("older/cover.jpg"), plain("old/cover.jpg")]
    for made in (plan(items, dedup=DEDUP), deduped(items)):
        assert away(made) == {"older/cover.jpg"}
        assert "old/cover.jpg" in moved(made)


def test_a_folder_that_keeps_music_keeps_its_pictures() -> None:
    stray = on_album("mixed/02.flac", 2, sound="s2")
    other = file("mixed/other.flac", title="x", artist="Eva", album="Y", album_artist="Eva")
    items = [*two_albums()[:3], stray, other, plain("mixed/cover.jpg"), plain("mixed/02.lrc")]
    made = plan(items, dedup=DEDUP)
    assert moved(made)["mixed/cover.jpg"] == "Eva/Y/cover.jpg"
    assert moved(made)["mixed/02.lrc"] == f"{HOME}/02 Hotwax.lrc"
    assert {path: new for path, new in moved(deduped(items)).items() if path != "mixed/02.flac"} == {"mixed/02.lrc": "new/2.lrc"}
    above = [*two_albums()[:3], on_album("02.flac", 2, sound="s2"), listing("all.m3u", b"new/1.flac\n"), plain("cover.jpg")]
    assert moved(deduped(above)).keys() == {"02.flac"}
    assert skips(deduped(above)) == {"cover.jpg": "ambiguous-sidecar"}


def test_what_belongs_to_nothing_is_named_and_can_be_moved() -> None:
    items = [*two_albums(), plain("old/weird.bin"), plain("old/.DS_Store")]
    made = plan(items, dedup=DEDUP)
    assert skips(made) == {"old/weird.bin": "other"}
    assert skips(deduped(items)) == {"old/weird.bin": "other"}
    made = plan(items, dedup=DEDUP, leftovers="_rest")
    assert moved(made)["old/weird.bin"] == "_rest/old/weird.bin"
    assert away(made) == {"old/.DS_Store"}


def test_a_companion_moves_only_after_its_duplicate() -> None:
    items = [*two_albums(), plain("old/01.lrc"), plain("old/cover.jpg"), listing("all.m3u", b"old/01.flac\r\nold/02.flac\r\n")]
    for made in (deduped(items), plan(items, dedup=DEDUP)):
        gone = {one.id: one.src.path for one in made.operations if one.expect.kept}
        waits = {one.src.path: {gone[need] for need in one.depends if need in gone} for one in made.operations}
        assert waits["old/01.lrc"] == {"old/01.flac"}
        assert waits["old/cover.jpg"] == {f"old/0{n}.flac" for n in (1, 2, 3)}
        rewrite = next(one for one in made.operations if one.verb is Verb.REWRITE)
        assert {gone.get(need) for need in rewrite.depends} == {"old/01.flac", "old/02.flac"}


def test_with_another_target_a_companion_moves_to_the_kept_copy_there() -> None:
    there = [on_album(f"{HOME}/0{n} x.flac", n, sound=f"s{n}") for n in (1, 2, 3)]
    inbox = [*two_albums()[3:], *(plain(f"old/{name}") for name in [*LYRICS, "cover.jpg"])]
    items = [*inbox, listing("old/list.m3u", b"01.flac\n")]
    held = [*there, plain(f"{HOME}/02 x.lrc"), listing("all.m3u8", f"{HOME}/01 x.flac\n".encode())]
    made = plan(items, source="/inbox", target="/music", there=held, dedup=DEDUP)
    assert {path: moved(made)[path] for path in ("old/01.lrc", "old/03.lrc", "old/cover.jpg", "old/list.m3u")} == {
        "old/01.lrc": f"{HOME}/01 x.lrc",
        "old/03.lrc": f"{HOME}/03 x.lrc",
        "old/cover.jpg": f"{HOME}/cover.jpg",
        "old/list.m3u": f"{HOME}/list.m3u",
    }
    assert away(made) == {"old/02.lrc"}
    assert written(made) == {"old/list.m3u": b"01 x.flac\n"}
    copied = plan(items, source="/inbox", target="/music", there=held, dedup=DEDUP, copy=True)
    assert away(copied) == set()
    assert {one.verb for one in copied.operations if one.src.path.endswith(("lrc", "jpg"))} == {Verb.COPY}


def test_lists_at_the_target_lead_to_the_better_copy_that_comes() -> None:
    there = [on_album("Beck/1.mp3", 1, **MP3), plain("Beck/1.lrc"), listing("all.m3u8", b"#EXTM3U\nBeck/1.mp3\n")]
    made = plan([on_album("one.flac", 1)], source="/inbox", target="/music", there=there, dedup=DEDUP)
    assert written(made) == {"all.m3u8": f"#EXTM3U\n{HOME}/01 Devils Haircut.flac\n".encode()}
    assert skips(made) == {"/music/Beck/1.lrc": "other"}


def test_lists_follow_even_where_nothing_else_moves() -> None:
    home = [on_album(f"{HOME}/0{n} {title}.flac", n) for n, title in ((1, "Devils Haircut"), (2, "Hotwax"))]
    items = [*home, on_album("b.flac", 2), listing("all.m3u", b"b.flac\n")]
    made = plan(items, dedup=DEDUP)
    assert written(made) == {"all.m3u": f"{HOME}/02 Hotwax.flac\n".encode()}


@pytest.mark.parametrize("name", ["x.cue", "x.m3u8", "x.pls", "x.xspf"])
def test_dedup_updates_lists_to_the_kept_copy(name: str) -> None:
    forms = {
        "cue": 'FILE "{}" WAVE\r\n',
        "m3u8": "{}\r\n",
        "pls": "File1={}\r\n",
        "xspf": "<track><location>{}</location></track>",
    }
    form = forms[name.partition(".")[2]]
    items = [*two_albums(), listing(f"lists/{name}", form.format("../old/01.flac").encode())]
    made = deduped(items)
    assert written(made) == {f"lists/{name}": form.format("../new/1.flac").encode()}
    assert moved(made).keys() == {f"old/0{n}.flac" for n in (1, 2, 3)} | {f"lists/{name}"}
    check(items, made, deduped)


def test_dedup_reports_lists_that_it_cannot_update() -> None:
    better, worse = two_albums()[:3], two_albums()[3:]
    lists = [listing("all.m3u", b"old/01.flac\n"), listing("none.m3u", b"other.flac\n"), plain("old/cover.jpg")]
    made = deduped([*worse, *lists], {"remote:music": better}, keep=("location:remote:music",))
    assert skips(made) == {"/music/all.m3u": "playlist", "/music/old/cover.jpg": "ambiguous-sidecar"}
    assert any("kept copies are in another location" in one.reason for one in made.skipped)
    assert {one.verb for one in made.operations} == {Verb.QUARANTINE}

    other = [listing("x.m3u", b"/music/old/01.flac\n/music/new/1.flac\n")]
    outside = ExternalList("/lists", "y.m3u", b"/music/old/02.flac\n")
    made = deduped(two_albums(), {"/elsewhere": other}, outside=(outside,))
    assert skips(made) == {"/elsewhere/x.m3u": "playlist", "/lists/y.m3u": "playlist"}

    made = deduped([*two_albums(), listing("keep/all.m3u", b"../old/01.flac\n")], reference=("/music/keep",))
    assert skips(made) == {"keep/all.m3u": "playlist"}
    assert not written(made)


def test_nothing_comes_to_a_reference() -> None:
    items = [*two_albums(), plain("old/01.lrc"), plain("old/cover.jpg")]
    made = deduped(items, reference=("/music/new",))
    assert moved(made).keys() == {f"old/0{n}.flac" for n in (1, 2, 3)}
    assert skips(made) == {"old/01.lrc": "other", "old/cover.jpg": "ambiguous-sidecar"}


BESIDE = (
    "{}/1.lrc",
    "{}/2.lrc",
    "{}/01.lrc",
    "{}/cover.jpg",
    "{}/Cover.jpg",
    "{}/x.cue",
    "{}/a.cue",
    "{}/Scans/1.jpg",
    "{}/x.bin",
)
FOLDERS = ("a", "b", "A", "b/CD1", "", HOME)


@st.composite
def worlds(draw: st.DrawFn) -> list[Item]:
    """Copies of one album in folders, with companions."""
    some = st.sampled_from
    found: dict[str, Item] = {}
    for folder, number, name in draw(
        st.lists(st.tuples(some(FOLDERS), some((1, 2, 3)), some(("{}", "0{}", "{} x"))), max_size=9, unique=True)
    ):
        path = f"{folder}/{name.format(number)}.flac".lstrip("/")
        found[path] = on_album(path, number, sound=f"s{number}", **FLAC)
    songs = sorted(found)
    for form, folder in draw(st.lists(st.tuples(some(BESIDE), some(FOLDERS)), max_size=8, unique=True)):
        path = form.format(folder).lstrip("/")
        content = "\n".join(draw(st.lists(some(songs), max_size=2)) if songs else []).encode()
        found.setdefault(path, listing(path, content) if path.endswith("cue") else plain(path))
    lists = draw(st.lists(some(songs), max_size=3)) if songs else []
    found["all.m3u"] = listing("all.m3u", "".join(f"{path}\n" for path in lists).encode())
    return [*found.values()]


@given(worlds(), st.booleans(), st.integers(0, 99))
def test_nothing_is_lost_and_all_comes_back(items: list[Item], organizes: bool, seed: int) -> None:
    def planned(there: Sequence[Item]) -> Plan:
        return plan(there, dedup=DEDUP) if organizes else deduped(there)

    made = planned(items)
    check_plan(made)
    assert made == planned(items[::-1])
    storage = PretendStorage.holding("/music", items)
    before, contents = storage.tree("/music"), storage.contents()
    done = storage.carry_out(made, seed)
    assert set(contents) <= set(storage.contents())
    undone = PretendStorage(dict(storage.files))
    undone.carry_out(plan_undo(done, made.header, run_id="run", tool_version="1", created="x"), seed, run="undo")
    assert undone.tree("/music") == before
    there = {path: item for item in storage.list("/music") if (path := item.entry.path)}
    everything = there.get("all.m3u")
    if made.operations and everything is not None and everything.content:
        assert all(entry in there for entry in everything.content.decode().splitlines()), "every entry leads to a file"
    for number in range(3):
        made = planned(storage.list("/music"))
        if not made.operations:
            return
        storage.carry_out(made, seed, run=f"run{number}")
    assert planned(storage.list("/music")).operations == ()


def test_checksums_of_duplicates_never_name_the_kept_copies() -> None:
    """They fit the bytes of the duplicate: they are quarantined with it, or stay as they are."""
    sums = "0123456789abcdef" * 2
    lists = [listing(f"old/{name}", f"{sums} *01.flac\n".encode()) for name in ("show.md5", "01.flac.md5", "show.ffp.txt")]
    both = listing("all.md5", f"{sums} *old/01.flac\n{sums} *new/1.flac\n".encode())
    items = [*two_albums(), *lists, both]
    for made in (deduped(items), plan(items, dedup=DEDUP)):
        assert away(made) == {item.entry.path for item in lists}
        assert {one.reason for one in made.operations if one.src.path in away(made)} == {"its checksums are those of duplicates"}
        assert skips(made)["all.md5"] == "playlist"
        kept = moved(made).get("new/1.flac", "new/1.flac")
        assert written(made).get("all.md5", both.content) == f"{sums} *old/01.flac\n{sums} *{kept}\n".encode()
