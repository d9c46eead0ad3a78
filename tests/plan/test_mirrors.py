"""`organize --mirror`, planned: what goes to a mirror, where its content comes from, and what is left as it is there."""

from __future__ import annotations

import msgspec
import pytest

from orchestrator.errors import UsageError
from orchestrator.plan.model import Operation, Plan, Verb, is_temporary, mirrors_of
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.organize.request import Mirror
from orchestrator.plan.soundness import check_plan
from orchestrator.records import Capabilities, Entry, Item, Ref
from tests.plan.worlds import BUCKET, LOCAL, hashed, listing, plain, plan, skips, song, untagged

DISK = msgspec.structs.replace(LOCAL, copy=False, hashes=())
SERVER = Capabilities(move=True, copy=True, hashes=("md5",), remote_type="drive")
PLAIN_SERVER = Capabilities(move=True, hashes=(), mtime_precision_ns=None, remote_type="webdav")

TAGS = {"artist": "Ann", "album": "Blue", "album_artist": "Ann", "date": "1990"}
ONE, TWO = "Ann/Blue (1990)/01 One.mp3", "Ann/Blue (1990)/02 Two.mp3"


def album(folder: str = "in") -> list[Item]:
    return [
        song(f"{folder}/1.mp3", "one", title="One", track=1, **TAGS),
        song(f"{folder}/2.mp3", "two", title="Two", track=2, **TAGS),
        plain(f"{folder}/cover.jpg", "front"),
    ]


def to(*items: Item, fs: str = "/mirror", capabilities: Capabilities = DISK) -> Mirror:
    return Mirror(fs=fs, items=items, capabilities=capabilities)


def copies(made: Plan, fs: str = "/mirror") -> list[Operation]:
    """What goes to a mirror. The plan is sound, and everything is done once what it waits for is."""
    check_plan(made)
    done: set[str] = set()
    for operation in made.operations:
        assert done.issuperset(operation.depends)
        done.add(operation.id)
    return [operation for operation in made.operations if operation.dst.fs == fs]


def placed(made: Plan, fs: str = "/mirror") -> dict[str, str]:
    """Path at the mirror -> where the content comes from."""
    return {one.dst.path: f"{one.src.fs} {one.src.path}" for one in copies(made, fs)}


def test_everything_that_the_plan_places_goes_to_the_mirror_too_and_nothing_else() -> None:
    in_place = song(TWO, "two", title="Two", track=2, **TAGS)
    lists = listing("in/best.m3u", b"1.mp3\n")
    files = [*album()[:1], in_place, plain("Ann/Blue (1990)/cover.jpg"), untagged("noise.mp3"), plain("letter.txt"), lists]
    duplicate = song("other/1.mp3", "one", title="One", track=1, **TAGS)
    made = plan([*files, duplicate], mirrors=[to()], dedup=DedupSettings())
    at_home = {
        one.dst.path
        for one in made.operations
        if (one.dst.fs, one.verb) == ("/music", Verb.MOVE) and not is_temporary(one.dst.path)
    }
    assert ONE in at_home
    assert set(placed(made)) == {*at_home, TWO, "Ann/Blue (1990)/cover.jpg"}
    assert all(source.startswith("/music Ann/") or source == "/music in/best.m3u" for source in placed(made).values())
    assert all(one.verb is Verb.COPY and one.reason == "mirror" for one in copies(made))
    assert mirrors_of(made.header) == {"/mirror"}
    assert made.header.counts["to_mirrors"] == len(copies(made))
    # Once all is in place, only what a mirror lacks is left to do.
    again = plan([in_place], mirrors=[to(in_place), to(fs="/empty")])
    assert (placed(again), placed(again, "/empty")) == ({}, {TWO: f"/music {TWO}"})
    assert again.header.counts["at_mirrors"] == 1


@pytest.mark.parametrize(
    ("source", "target", "mirror", "copy", "origin"),
    [
        # A disk of this machine first, whichever of the two it is.
        (("/in", DISK), ("/out", DISK), ("far:m", BUCKET), False, "target"),
        (("/in", DISK), ("far:out", BUCKET), ("/mirror", DISK), False, "source"),
        (("/in", DISK), ("far:out", BUCKET), ("/mirror", DISK), True, "source"),
        (("drive:in", SERVER), ("/out", DISK), ("far:m", BUCKET), False, "target"),
        # Then the server of the mirror.
        (("far:in", BUCKET), ("far:out", BUCKET), ("far:m", BUCKET), False, "target"),
        (("far:in", BUCKET), ("drive:out", SERVER), ("far:m", BUCKET), False, "source"),
        (("drive:in", SERVER), ("far:out", BUCKET), ("far:m", BUCKET), False, "target"),
        # Otherwise the source, once more.
        (("drive:in", SERVER), ("far:out", BUCKET), ("/mirror", DISK), False, "source"),
        (("far:in", BUCKET), ("drive:out", SERVER), ("dav:m", PLAIN_SERVER), True, "source"),
        (("dav:in", PLAIN_SERVER), ("dav:out", PLAIN_SERVER), ("dav:m", PLAIN_SERVER), False, "source"),
    ],
)
def test_where_the_content_comes_from(
    source: tuple[str, Capabilities], target: tuple[str, Capabilities], mirror: tuple[str, Capabilities], copy: bool, origin: str
) -> None:
    made = plan(
        album(),
        source=source[0],
        target=target[0],
        capabilities=source[1],
        target_capabilities=target[1],
        mirrors=[to(fs=mirror[0], capabilities=mirror[1])],
        copy=copy,
    )
    arrivals = {one.dst.path: one for one in made.operations if one.dst.fs == target[0]}
    for one in copies(made, mirror[0]):
        arrival = arrivals[one.dst.path]
        assert one.src == (arrival.dst if origin == "target" else arrival.src)
        # It waits for the file to arrive, or the file waits for it to be copied before it leaves.
        assert one.depends == ((arrival.id,) if origin == "target" else ())
        assert (one.id in arrival.depends) == (origin == "source" and not copy)
    assert len(copies(made, mirror[0])) == 3
    on_server = mirror[0].partition(":")[0] == (target if origin == "target" else source)[0].partition(":")[0]
    assert made.header.counts.get("bytes_to_mirrors", 0) == (0 if on_server and mirror[1].copy else len("onetwofront"))


def test_what_the_mirror_has_already() -> None:
    at_home = [song(ONE, "one", title="One", track=1, **TAGS), song(TWO, "two", title="Two", track=2, **TAGS)]
    other = plain(ONE, "eno")
    unknown = Item(Entry(ONE, 3))
    for there, expected, skipped, asked in (
        ([plain(ONE, "one")], {TWO}, {}, 0),
        ([plain(ONE.upper(), "one")], {TWO}, {}, 0),
        ([other], {TWO}, {ONE: "conflict"}, 0),
        ([unknown], {TWO}, {ONE: "conflict"}, 0),
        ([plain(f"{ONE}/x", "x")], {TWO}, {ONE: "conflict"}, 0),
        ([plain("Ann", "x")], set(), {ONE: "conflict", TWO: "conflict"}, 0),
    ):
        made = plan(at_home, mirrors=[to(*there)])
        assert (set(placed(made)), skips(made), len(made.undecided_at_mirrors)) == (expected, skipped, asked), there
    # Without a hash in common, a look at both shows it: of music that seems to be the same, and of what has only the same size.
    alike = msgspec.structs.replace(at_home[0], entry=Entry(ONE, 3))
    made = plan(at_home, mirrors=[to(alike)])
    assert (set(placed(made)), made.undecided_at_mirrors) == ({TWO}, ((Ref("/music", ONE), Ref("/mirror", ONE)),))
    cover, bare = plain("Ann/Blue (1990)/cover.jpg"), Item(Entry("Ann/Blue (1990)/cover.jpg", len("Ann/Blue (1990)/cover.jpg")))
    made = plan([*at_home, cover], mirrors=[to(bare)])
    assert (skips(made), len(made.undecided_at_mirrors)) == ({cover.entry.path: "conflict"}, 1)
    assert "--checksum" in made.skipped[0].reason
    # Empty files are equal.
    empty = Item(Entry("Ann/Blue (1990)/cover.jpg", 0))
    assert not skips(plan([*at_home, empty], mirrors=[to(empty)]))


def test_an_equal_file_of_the_mirror_is_copied_by_its_server() -> None:
    for capabilities, source in ((SERVER, "drive:m old/1.mp3"), (PLAIN_SERVER, f"/music {ONE}")):
        mirror = to(plain("old/1.mp3", "one"), fs="drive:m", capabilities=capabilities)
        made = plan(album(), mirrors=[mirror])
        assert placed(made, "drive:m")[ONE] == source
        assert made.header.counts["bytes_to_mirrors"] == len("twofront" if source.startswith("drive") else "onetwofront")
    # Of several files with one name, no request finds the right one.
    twice = [
        msgspec.structs.replace(plain("old/1.mp3", "one"), entry=Entry("old/1.mp3", 3, 0, {"md5": "one"}, id=id_)) for id_ in "ab"
    ]
    made = plan(album(), mirrors=[to(*twice, fs="drive:m", capabilities=SERVER)])
    assert placed(made, "drive:m")[ONE] == f"/music {ONE}"


def test_an_updated_playlist_replaces_the_list_as_it_was_and_no_other() -> None:
    old, new = b"in/1.mp3\n", f"{ONE}\n".encode()
    items = [*album(), listing("all.m3u", old)]
    for there, verb in ((None, Verb.COPY), (old, Verb.REPLACE), (new, None), (b"in/9.mp3\n", None)):
        mirror = to(*([] if there is None else [listing("all.m3u", there)]))
        made = plan(items, mirrors=[mirror])
        found = [one for one in copies(made) if one.dst.path == "all.m3u"]
        assert [one.verb for one in found] == ([] if verb is None else [verb]), there
        assert skips(made) == ({"all.m3u": "conflict"} if there == b"in/9.mp3\n" else {})
        for one in found:
            assert (one.src, one.size, one.expect.hash["md5"]) == (Ref("/music", "all.m3u"), len(new), hashed(new)["md5"])


def test_what_sync_may_record_of_target_and_mirror() -> None:
    """Each file once, with all operations that have to succeed; where neither gets it, it is alike as listed."""
    in_place = song(TWO, "two", title="Two", track=2, **TAGS)
    made = plan([*album()[:1], in_place, plain("in/cover.jpg", "front")], mirrors=[to(plain(ONE.upper(), "one"), in_place)])
    found = {one.target.path: one for one in made.mirrored}
    arrival = {one.dst.path: (one.verb, one.dst) for one in made.operations if one.dst.fs == "/music"}
    copied = {one.dst.path: (one.verb, one.dst) for one in copies(made)}
    cover = "Ann/Blue (1990)/cover.jpg"
    assert len(made.mirrored) == len(found) == 3
    assert found[ONE].mirror == Ref("/mirror", ONE.upper())
    assert found[ONE].changes == (arrival[ONE],)
    assert found[cover].changes == (arrival[cover], copied[cover])
    assert found[TWO].changes == ()
    assert [(one.target_entry is None, one.mirror_entry is None) for one in (found[ONE], found[TWO], found[cover])] == [
        (False, False),
        (False, False),
        (False, True),
    ]
    assert found[cover].target_entry == plain("in/cover.jpg", "front").entry
    # Of several files with one name, nothing is known.
    twice = [msgspec.structs.replace(in_place, entry=Entry(TWO, 3, 0, {"md5": "two"}, id=id_)) for id_ in "ab"]
    assert plan([in_place], mirrors=[to(*twice, fs="drive:m", capabilities=SERVER)]).mirrored == ()


def test_which_mirrors_have_all_of_the_target_afterwards() -> None:
    at_home = [song(TWO, "two", title="Two", track=2, **TAGS), plain("Ann/Blue (1990)/.DS_Store", "clutter")]
    assert plan([*album()[::2], *at_home], mirrors=[to(), to(plain(TWO, "owt"), fs="/other")]).full_mirrors == {"/mirror"}
    assert plan([*at_home, plain("letter.txt")], mirrors=[to()]).full_mirrors == frozenset()
    elsewhere = plan(album(), there=[plain("earlier.flac")], source="/in", target="/music", mirrors=[to()])
    assert elsewhere.full_mirrors == frozenset()


def test_names_that_a_mirror_cannot_have_are_reported() -> None:
    short = msgspec.structs.replace(BUCKET, max_path_bytes=35)
    narrow = msgspec.structs.replace(DISK, max_component_bytes=10)
    for capabilities, fs in ((short, "far:bucket/prefix"), (narrow, "/mirror")):
        made = plan(album(), mirrors=[to(fs=fs, capabilities=capabilities)])
        assert skips(made)[ONE] == "unsupported-name"
        assert fs in made.skipped[0].reason
        assert ONE not in placed(made, fs)
        assert any(one.dst == Ref("/music", ONE) for one in made.operations)


def test_cloud_only_holds_for_mirrors() -> None:
    far = {"source": "far:in", "target": "far:out", "capabilities": BUCKET, "cloud_only": True}
    assert len(placed(plan(album(), mirrors=[to(fs="far:m", capabilities=BUCKET)], **far), "far:m")) == 3
    with pytest.raises(UsageError, match="--cloud-only"):
        plan(album(), mirrors=[to()], **far)
