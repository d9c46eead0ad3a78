"""The planner as a whole, rule by rule."""

from __future__ import annotations

import unicodedata

import msgspec
import pytest

from orchestrator.errors import UsageError
from orchestrator.plan.estimate import estimate
from orchestrator.plan.model import Verb
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.plan.planners.organize.request import OrganizeRequest, OrganizeSettings
from orchestrator.plan.request_rates import request_rates
from orchestrator.prices import REQUEST_KINDS, Quotas
from orchestrator.profiles import price_lists
from orchestrator.records import Capabilities, EncryptedNames, Item
from orchestrator.report.plan_view import facts
from orchestrator.track import Reading, Status, Track
from tests.hostile import HOSTILE_TAGS
from tests.plan.worlds import (
    BUCKET,
    FOLDING,
    LOCAL,
    PretendStorage,
    entry,
    moved,
    plain,
    plan,
    skips,
    song,
    tagged,
    unreadable,
    untagged,
)

ONE = {"title": "One", "artist": "A", "album": "X", "track": 1}
AT_HOME = "A/X/01 One.mp3"


def test_files_in_place_get_no_operation() -> None:
    made = plan([song(AT_HOME, **ONE), plain("A/X/cover.jpg"), plain("A/artist.jpg"), plain("A/X/01 One.lrc")])
    assert made.operations == ()
    assert made.skipped == ()
    assert made.header.counts == {"albums_of_one_track": 1, "artist_inferred": 1, "files": 4, "in_place": 1, "music": 1}


def test_unreadable_and_untagged_files_stay_and_are_reported() -> None:
    few = Item(entry("few.mp3"), Reading(Status.TAGGED, Track(title=("only a title",))))
    unread = Item(entry("unread.mp3"))
    made = plan([unreadable("a.mp3"), untagged("b.mp3"), few, unread])
    assert made.operations == ()
    assert skips(made) == {"a.mp3": "unreadable", "b.mp3": "untagged", "few.mp3": "untagged", "unread.mp3": "unreadable"}
    assert made.header.counts == {
        "files": 4,
        "in_place": 0,
        "music": 4,
        "skipped.unreadable": 2,
        "skipped.untagged": 2,
    }


def test_untagged_files_move_only_to_a_directory_of_the_options() -> None:
    items = [untagged("in/b.mp3"), untagged("No Tags/c.mp3"), unreadable("a.mp3")]
    made = plan(items, untagged="No Tags")
    assert moved(made) == {"in/b.mp3": "No Tags/in/b.mp3"}
    assert skips(made) == {"a.mp3": "unreadable"}


@pytest.mark.parametrize("directory", ["/abs", "../x", "a/../b", "", "a//b"])
def test_the_directory_for_untagged_files_must_be_inside_the_target(directory: str) -> None:
    with pytest.raises(UsageError, match="untagged"):
        plan([], untagged=directory)


def test_files_with_one_destination_are_numbered_in_a_fixed_order() -> None:
    items = [song(f"{name}.mp3", **ONE) for name in "cab"]
    assert moved(plan(items)) == {"a.mp3": AT_HOME, "b.mp3": "A/X/01 One (2).mp3", "c.mp3": "A/X/01 One (3).mp3"}


def test_the_summary_counts_the_files_that_get_a_number_and_says_what_to_do() -> None:
    def numbered(items: list[Item], layout: str = "default") -> tuple[int | None, str | None]:
        made = plan(items, layout=layout)
        return made.header.counts.get("numbered"), dict(facts(made)).get("same name")

    dedup = "`music-orchestrator dedup` finds duplicates"
    untitled = [song(f"in/{n}.mp3", title="Intro", track=n, artist="Ann", album="Sky") for n in range(1, 43)]
    said = "41 files would share a name and get a number; add {{ track | pad(2) }} to the layout, or " + dedup
    assert numbered(untitled, "{{ album }}/{{ title }}") == (41, said)
    assert numbered(untitled) == (None, None)
    equal = [song(f"in/{n}.mp3", title="Intro", track=1, artist="Ann", album="Sky") for n in "ab"]
    assert numbered(equal) == (1, f"1 file would share a name and get a number; {dedup}")
    titles = [song("in/a.mp3", title="Live (2)", track=1, artist="Ann", album="Sky")]
    assert numbered(titles) == (None, None), "a title that ends like that is no number"
    covers = [
        one
        for n in (1, 2)
        for one in (song(f"{n}/a.mp3", title=f"t{n}", track=n, artist="Ann", album="Sky"), plain(f"{n}/cover.jpg", f"cover {n}"))
    ]
    assert numbered(covers) == (1, "1 file would share a name and get a number"), "no layout helps a cover"
    storage = PretendStorage.holding("/music", untitled)
    storage.carry_out(plan(untitled, layout="{{ album }}/{{ title }}"))
    assert numbered(storage.list("/music"), "{{ album }}/{{ title }}") == (None, None), "they have their numbers"


def test_replacements_change_names_and_nothing_else() -> None:
    replace = {": ": " - ", ":": "-", "?": "", "/": "+", "\\": "+"}
    one = {"artist": "AC/DC", "album": "Live: Why?"}
    items = [
        song("a/1.mp3", title="1/2", track=1, **one),
        song("a/2.mp3", title="B\\C: D", track=2, track_text="2/9", **(one | {"artist": "AC/DC w/ Bob"})),
        song("b/3.mp3", title="E", track=3, date="06/05/2004", **(one | {"artist": "AC_DC"})),
        plain("a/cover: front?.jpg"),
    ]
    made = plan(items, replace=replace)
    assert set(moved(made).values()) == {
        "AC+DC/Live - Why (2004)/01 1+2.mp3",
        "AC+DC/Live - Why (2004)/02 B+C - D.mp3",
        "AC+DC/Live - Why (2004)/03 E.mp3",
        "AC+DC/Live - Why (2004)/cover - front.jpg",
    }
    plain_names = {"/".join(path.split("/")[:1]) for path in moved(plan(items)).values()}
    assert plain_names == {"AC_DC"}
    storage = PretendStorage.holding("/music", items)
    storage.carry_out(made)
    assert not plan(storage.list("/music"), replace=replace).operations


def test_a_file_at_its_name_keeps_it() -> None:
    items = [song("a.mp3", **ONE), song(AT_HOME, **ONE), song("A/X/01 One (2).mp3", **ONE)]
    assert moved(plan(items)) == {"a.mp3": "A/X/01 One (3).mp3"}


def test_a_file_keeps_its_name_although_another_one_comes_first_by_path() -> None:
    """By path alone, `0.mp3` would come first and get the name, and the file that has it would move."""
    assert moved(plan([song("0.mp3", **ONE), song(AT_HOME, **ONE)])) == {"0.mp3": "A/X/01 One (2).mp3"}
    numbered = song("A/X/01 One (2).mp3", **ONE)
    assert moved(plan([song("0.mp3", **ONE), numbered, song(AT_HOME, **ONE)])) == {"0.mp3": "A/X/01 One (3).mp3"}


def test_a_title_that_looks_like_a_number_is_not_a_numbered_name() -> None:
    items = [song("a.mp3", **ONE), song("b.mp3", **ONE), song("c.mp3", **{**ONE, "title": "One (2)"})]
    assert moved(plan(items)) == {"a.mp3": AT_HOME, "b.mp3": "A/X/01 One (3).mp3", "c.mp3": "A/X/01 One (2).mp3"}


def test_a_file_that_stays_keeps_its_name() -> None:
    assert moved(plan([song("a.mp3", **ONE), unreadable(AT_HOME.lower())])) == {"a.mp3": "a/x/01 One (2).mp3"}


def test_composed_and_decomposed_names_are_one_name() -> None:
    tags = {"title": "é", "artist": "A", "album": "X"}
    composed, decomposed = "A/X/é.mp3", unicodedata.normalize("NFD", "A/X/é.mp3")
    assert moved(plan([song(composed, **tags), song(decomposed, **tags)])) == {decomposed: "A/X/é (2).mp3"}


@pytest.mark.parametrize("wrong", [unicodedata.normalize("NFD", "A/X/É.mp3"), "A/X/é.mp3", "a/x/É.mp3"])
def test_a_respelling_goes_through_a_temporary_name(wrong: str) -> None:
    made = plan([song(wrong, title="É", artist="A", album="X")])
    aside, home = made.operations
    assert aside.dst.path == home.src.path
    assert home.src.path.startswith(".music-orchestrator/tmp/")
    assert (aside.src.path, home.dst.path, home.depends) == (wrong, "A/X/É.mp3", (aside.id,))
    assert home.expect == aside.expect


def test_a_swap_takes_three_operations_and_a_chain_two() -> None:
    two = {**ONE, "title": "Two", "track": 2}
    swap = plan([song("A/X/02 Two.mp3", **ONE), song(AT_HOME, **two)])
    assert len(swap.operations) == 3
    assert moved(swap) == {"A/X/02 Two.mp3": AT_HOME, AT_HOME: "A/X/02 Two.mp3"}
    chain = plan([song("in.mp3", **ONE), song(AT_HOME, **two)])
    first, second = chain.operations
    assert (first.src.path, second.src.path, second.depends) == (AT_HOME, "in.mp3", (first.id,))


def test_a_respelled_directory_is_emptied_first_on_a_case_insensitive_target() -> None:
    tags = [{"title": f"t{n}", "artist": "Beck", "album": "X", "track": n} for n in range(1, 5)]
    items = [song(f"beck/X/0{n} t{n}.mp3", **tags[n - 1]) for n in (1, 2)]
    items += [song("beck/old/3.mp3", **tags[2]), song("in/4.mp3", **tags[3])]
    storage = PretendStorage.holding("/music", items, folding=True)
    for seed in range(5):
        storage = PretendStorage.holding("/music", items, folding=True)
        storage.carry_out(plan(items, capabilities=FOLDING), seed)
        assert sorted(storage.tree("/music")) == [f"Beck/X/0{n} t{n}.mp3" for n in (1, 2, 3, 4)]


def test_a_file_in_the_way_of_a_directory() -> None:
    assert moved(plan([song("in.mp3", **ONE), plain("A")])) == {"in.mp3": "A (2)/X/01 One.mp3"}
    tags = {**ONE, "artist": "B.mp3"}
    made = plan([song("B.mp3", **tags)])
    assert moved(made) == {"B.mp3": "B.mp3/X/01 One.mp3"}
    PretendStorage.holding("/music", [song("B.mp3", **tags)]).carry_out(made)


@pytest.mark.parametrize("copy", [True, False])
def test_files_that_the_target_holds_are_not_sent_again(copy: bool) -> None:
    items = [song("a.mp3", "one", **ONE), song("b.mp3", "two", **ONE), plain("cover.jpg", "art")]
    there = [song(AT_HOME, "other", **ONE), song("A/X/01 One (2).mp3", "two", **ONE), plain("A/X/cover.jpg", "art")]
    made = plan(items, target="/other", there=there, copy=copy)
    assert moved(made) == {"a.mp3": "A/X/01 One (3).mp3"}
    assert {operation.verb for operation in made.operations} == {Verb.COPY if copy else Verb.MOVE}


def test_without_a_common_hash_tags_and_sound_decide() -> None:
    def stripped(item: Item) -> Item:
        return Item(msgspec.structs.replace(item.entry, hashes={}), item.reading)

    items = [song("a.mp3", "one", **ONE), plain("cover.jpg", "art")]
    same = [stripped(song(AT_HOME, "one", **ONE)), stripped(plain("A/X/cover.jpg", "art"))]
    assert plan(items, target="dav:x", there=same, copy=True).operations == ()
    other = [stripped(song(AT_HOME, "two", **ONE))]
    assert "A/X/01 One (2).mp3" in moved(plan(items, target="dav:x", there=other, copy=True)).values()
    unread = [stripped(Item(entry(AT_HOME, "one")))]
    assert "A/X/01 One (2).mp3" in moved(plan(items, target="dav:x", there=unread, copy=True)).values()


def test_files_of_a_source_inside_its_target_are_in_the_target() -> None:
    items = [song("a.mp3", **ONE), song("x/b.mp3", **{**ONE, "artist": "inbox", "album": "x", "title": "b", "track": None})]
    there = [Item(msgspec.structs.replace(item.entry, path=f"inbox/{item.entry.path}"), item.reading) for item in items]
    made = plan(items, source="/m/inbox", target="/m", there=there)
    assert [(o.src.fs, o.src.path, o.dst.fs, o.dst.path) for o in made.operations] == [("/m/inbox", "a.mp3", "/m", AT_HOME)]


def test_a_path_too_long_for_the_server_is_reported_and_its_name_stays_taken() -> None:
    long = {**ONE, "artist": "x" * 250, "album": "y" * 250, "title": "z" * 250}
    items = [song(AT_HOME, **long), song("b.mp3", **ONE)]
    capabilities = msgspec.structs.replace(BUCKET, max_path_bytes=700)
    made = plan(items, source="s3:bucket/music", capabilities=capabilities)
    assert skips(made) == {AT_HOME: "unsupported-name"}
    assert moved(made) == {"b.mp3": "A/X/01 One (2).mp3"}


def test_names_that_are_encrypted_are_cut_and_paths_that_are_too_long_then_are_reported() -> None:
    """A crypt makes 231 bytes of a name of 143 bytes, and 257 of one more."""
    encrypted = EncryptedNames()
    long = {**ONE, "artist": "x" * 200, "album": "y" * 200, "title": "é" * 100}
    limits = {"max_component_bytes": encrypted.longest(255), "encrypted_names": encrypted}
    cut = moved(plan([song("a.mp3", **long)], capabilities=msgspec.structs.replace(LOCAL, **limits)))["a.mp3"].split("/")
    assert [len(name.encode()) for name in cut] == [143, 143, 143]
    assert [encrypted.length(name) for name in cut] == [231, 231, 231]
    for most, there in ((231 * 3 + 2, {"a.mp3": "/".join(cut)}), (231 * 3 + 1, {})):
        short = msgspec.structs.replace(BUCKET, **limits, max_path_bytes=most)
        made = plan([song("a.mp3", **long)], source="vault:", capabilities=short)
        assert moved(made) == there
        assert skips(made) == ({} if there else {"a.mp3": "unsupported-name"})
    longest = {"base32": 143, "base64": 175, "base32768": 255}
    assert {encoding: EncryptedNames("standard", encoding, in_characters=True).longest(255) for encoding in longest} == longest
    assert (EncryptedNames("off").longest(255), EncryptedNames("off", suffix="").longest(255)) == (251, 255)


@pytest.mark.parametrize("path", ["a//b.mp3", "../b.mp3", "/b.mp3", "a/./b.mp3", "a\0.mp3", "\ud800.mp3"])
def test_a_file_whose_path_cannot_be_used_is_reported(path: str) -> None:
    made = plan([song(path, **ONE)])
    assert (skips(made), made.operations) == ({path: "unsupported-name"}, ())


def test_two_objects_with_one_name_are_reported_and_stay() -> None:
    made = plan([song("a.mp3", **ONE), song("a.mp3", "other", **ONE)])
    assert (skips(made), made.operations) == ({"a.mp3": "unsupported-name"}, ())


@pytest.mark.parametrize("name", ["a.mp3.0a1b2c3d.partial", "a.mp3-rclone-move-x1y2z3w4"])
def test_debris_of_transfers_is_reported_and_stays(name: str) -> None:
    made = plan([plain(name)])
    assert (skips(made), made.operations) == ({name: "other"}, ())


@pytest.mark.parametrize("name", ["Live -rclone-move-2020 mix.mp3", "Song.0a1b2c3d.partial.mp3"])
def test_a_song_with_a_name_like_debris_is_music(name: str) -> None:
    made = plan([song(name, **ONE)])
    assert skips(made) == {}
    assert [operation.src.path for operation in made.operations] == [name]


def test_our_own_directory_is_invisible() -> None:
    assert plan([song(".music-orchestrator/quarantine/r/a.mp3", **ONE)]).operations == ()


MOVES, COPIES = Capabilities(move=True, copy=True), Capabilities(copy=True)


@pytest.mark.parametrize(
    ("source", "target", "capabilities", "copy", "allowed"),
    [
        ("gdrive:a", "gdrive:a", MOVES, False, True),
        ("gdrive:a", "gdrive:b", MOVES, True, True),
        ("s3:a", "s3:a", COPIES, False, True),
        ("s3:a", "gdrive:b", MOVES, False, False),
        ("up:a", "up:a", Capabilities(), False, False),
        ("/a", "gdrive:b", MOVES, False, False),
        ("gdrive:a", "/b", MOVES, True, False),
        ("/a", "/b", LOCAL, True, True),
    ],
)
def test_cloud_only_refuses_transfers_through_this_machine(
    source: str, target: str, capabilities: Capabilities, copy: bool, allowed: bool
) -> None:
    items = [song("a.mp3", **ONE)]
    if allowed:
        assert plan(items, source=source, target=target, capabilities=capabilities, copy=copy, cloud_only=True).operations
    else:
        with pytest.raises(UsageError, match=r"cloud-only.*a\.mp3"):
            plan(items, source=source, target=target, capabilities=capabilities, copy=copy, cloud_only=True)


def test_the_estimate_counts_requests_and_bytes_through_this_machine() -> None:
    items = [song("a.mp3", "x" * 1000, **ONE)]
    server = plan(items, source="gdrive:a", capabilities=MOVES).header.estimate
    bucket = plan(items, source="s3:a", capabilities=COPIES).header.estimate
    across = plan(items, source="s3:a", target="gdrive:b", capabilities=MOVES).header.estimate
    assert (server["bytes"], bucket["bytes"], across["bytes"]) == (0, 0, 1000)
    assert server["cost"] is None


WEBDAV = Capabilities(move=True, copy=True)
REFUSING = msgspec.structs.replace(BUCKET, refuses_taken_uploads=True)


@pytest.mark.parametrize(
    ("source", "target", "copy", "requests"),
    [
        (("/in", LOCAL), ("/in", LOCAL), False, {}),
        (("/in", LOCAL), ("/out", LOCAL), True, {}),
        (("dav:in", WEBDAV), ("dav:in", WEBDAV), False, {"look": 8.1, "write": 2}),
        (("dav:in", WEBDAV), ("dav:out", WEBDAV), True, {"look": 8, "copy": 1, "write": 5}),
        (("s3:b/in", BUCKET), ("s3:b/in", BUCKET), False, {"look": 8, "copy": 1, "delete": 1}),
        (("s3:b/in", BUCKET), ("s3:b/out", BUCKET), True, {"look": 5, "copy": 1}),
        (("/in", LOCAL), ("dav:out", WEBDAV), True, {"look": 6.1, "write": 4}),
        (("/in", LOCAL), ("s3:b", REFUSING), True, {"look": 4, "write": 1}),
        (("/in", LOCAL), ("s3:b", BUCKET), True, {"look": 8.1, "write": 1, "copy": 1, "delete": 1}),
        (("dav:in", WEBDAV), ("/out", LOCAL), True, {"look": 3, "read": 1}),
        (("s3:b", BUCKET), ("/out", LOCAL), False, {"look": 4, "read": 1, "delete": 1}),
    ],
)
def test_each_file_adds_the_requests_that_were_measured_at_the_servers(
    source: tuple[str, Capabilities], target: tuple[str, Capabilities], copy: bool, requests: dict[str, float]
) -> None:
    def estimated(files: int) -> dict[str, float | int | str | None]:
        tracks = [song(f"x/{n}.mp3", title=f"T{n}", artist="A", album="B", track=n) for n in range(1, files + 1)]
        made = plan_organize(
            OrganizeRequest(
                source_fs=source[0],
                target_fs=target[0],
                items=tracks,
                source_capabilities=source[1],
                target_capabilities=target[1],
                options=OrganizeSettings(copy=copy),
                tool_version="1",
                created="",
            )
        )
        assert len(made.operations) == files
        return made.header.estimate

    few, many = estimated(1), estimated(11)
    added = {kind: int(many[kind] or 0) - int(few[kind] or 0) for kind in REQUEST_KINDS}
    assert added == {kind: 10 * requests.get(kind, 0) for kind in REQUEST_KINDS}
    assert many["requests"] == sum(int(many[kind] or 0) for kind in REQUEST_KINDS)


def test_the_final_check_of_a_large_plan_is_a_listing() -> None:
    """Of a few files, each is looked at, where it is and where it was; of many, unless the location holds far more."""
    bucket = msgspec.structs.replace(BUCKET, flat_listing=True)
    rates = request_rates(bucket)

    def looks(files: int, listed: int | None = None) -> tuple[float, float]:
        """The looks and pages of the final check."""
        made = plan([song(f"x/{number}.mp3", **ONE | {"track": number}) for number in range(files)], capabilities=bucket)
        assert len(made.operations) == files
        found = estimate(made.operations, {"/music": bucket}, listed=listed)
        others = rates.run["look"] + files * rates.rename["look"]
        return float(found["look"] or 0) - others, float(found["list"] or 0) - rates.run["list"]

    assert looks(90) == (180, 0)
    assert looks(110) == (0, 1)
    assert looks(110, listed=1800) == (0, 2)
    assert looks(110, listed=5000) == (220, 0)


def test_in_a_bucket_pages_stand_for_looks_where_twelve_looks_cost_more_than_a_page() -> None:
    """Before the copies, after them and at the end: of a window of 100 files, and the rest."""
    bucket = msgspec.structs.replace(BUCKET, flat_listing=True, current_listings=True, hashes=("md5",))
    rates = request_rates(bucket)

    def looks(files: int, listed: int) -> tuple[float, float]:
        """Our own looks at files, and the pages that are listed."""
        items = [song(f"x/{number}.mp3", **ONE | {"track": number}) for number in range(files)]
        found = estimate(plan(items, capabilities=bucket).operations, {"/music": bucket}, listed=listed)
        others = rates.run["look"] + files * (rates.rename["look"] - rates.own_looks["look"])
        return float(found["look"] or 0) - others, float(found["list"] or 0) - rates.run["list"]

    assert looks(6, listed=6) == (6 * 3 + 12, 0), "a page costs as much"
    assert looks(7, listed=7) == (2, 3)
    assert looks(100, listed=1001) == (4, 6)
    assert looks(150, listed=150) == (4, 5), "two windows"
    assert looks(50, listed=9000) == (50 * 3 + 100, 0)


PRICED = msgspec.structs.replace(BUCKET, prices=price_lists()["s3"])


def test_money_is_reckoned_from_the_prices_in_force_and_unknown_without() -> None:
    items = [song("x/a.mp3", "x" * 1000, **ONE)]
    priced = plan(items, source="s3:b", capabilities=PRICED).header.estimate
    expected = price_lists()["s3"].of_requests({kind: float(priced[kind] or 0) for kind in REQUEST_KINDS})
    assert (priced["cost"], priced["currency"]) == (pytest.approx(expected, rel=0.2), "USD")
    assert (priced["bytes_copied"], priced["bytes_up"], priced["bytes_down"]) == (1000, 0, 0)
    assert plan(items, source="s3:b", capabilities=BUCKET).header.estimate["cost"] is None
    flat = msgspec.structs.replace(MOVES, quotas=Quotas(requests_per_second=1))
    slow = plan(items, source="gdrive:a", capabilities=flat).header.estimate
    assert (slow["cost"], slow["currency"]) == (0, None)
    assert float(slow["seconds"] or 0) == pytest.approx(float(slow["requests"] or 0), abs=1), "a request a second"


def test_copying_in_place_twice_copies_nothing_more() -> None:
    items = [
        song("a.mp3", **ONE),
        song("b.mp3", "a.mp3", **ONE),
        song("A/Y/02 Two.mp3", title="Two", artist="A", album="Y", track=2),
    ]
    storage = PretendStorage.holding("/music", items)
    before = storage.tree("/music")
    storage.carry_out(plan(items, copy=True))
    assert before.items() < storage.tree("/music").items()
    assert plan(storage.list("/music"), copy=True).operations == ()


def test_a_suspect_file_is_organized_and_the_plan_says_so() -> None:
    whole = song("a.mp3", **ONE)
    assert whole.reading is not None
    cut = Item(whole.entry, msgspec.structs.replace(whole.reading, suspect="cut short: 1 of 2 bytes"))
    made = plan([cut, song("b.mp3", title="Two", artist="A", album="X", track=2)])
    assert {o.src.path: o.reason for o in made.operations} == {
        "a.mp3": "layout; album artist inferred from its tracks: A; suspect: cut short: 1 of 2 bytes",
        "b.mp3": "layout; album artist inferred from its tracks: A",
    }
    assert made.header.counts["suspect"] == 1


def test_a_suspect_file_does_not_replace_a_complete_one() -> None:
    def without_hash(path: str, suspect: str | None) -> Item:
        item = song(path, "same", **ONE)
        assert item.reading is not None
        reading = msgspec.structs.replace(item.reading, suspect=suspect)
        return Item(msgspec.structs.replace(item.entry, hashes={}), reading)

    whole, cut = without_hash("b.mp3", None), without_hash("a.mp3", "cut short")
    there = without_hash(AT_HOME, "cut short")
    assert set(moved(plan([cut, whole], copy=True))) == {"a.mp3", "b.mp3"}
    assert moved(plan([whole], target="/other", there=[there], copy=True)) == {"b.mp3": "A/X/01 One (2).mp3"}
    assert plan([cut], target="/other", there=[there], copy=True).operations == ()


def test_hostile_tags_stay_inside_the_target_and_never_collide() -> None:
    items = [
        song(f"{n}.mp3", title=text, artist=text, album=text, album_artist=text, track=1, date="2001")
        for n, text in enumerate((*HOSTILE_TAGS, "\ud800", "x" * 10_000_000))
    ]
    made = plan(items)
    assert made.skipped == ()
    storage = PretendStorage.holding("/music", items)
    storage.carry_out(made)
    assert len(storage.tree("/music")) == len(items)
    assert plan(storage.list("/music")).operations == ()
    assert all(len(part.encode()) <= 255 for o in made.operations for part in o.dst.path.split("/"))


def test_files_that_the_options_skip_keep_their_names() -> None:
    alone = Item(entry(AT_HOME), None, "excluded")
    made = plan([alone, song("a.mp3", **ONE)])
    assert moved(made) == {"a.mp3": "A/X/01 One (2).mp3"}
    assert skips(made) == {AT_HOME: "left-alone"}


def test_the_header_records_the_inputs() -> None:
    header = plan([tagged("a.mp3", Track(title=("t",), artist=("A",)))], layout="flat").header
    assert header.options["layout"] == "flat"
    assert header.options["rules"] == [{"template": "{{ artist }} - {{ title }}", "when": None}]
    assert header.capabilities["/music"]["move"] is True
    assert header.counts == {"files": 1, "in_place": 0, "move": 1, "music": 1}
