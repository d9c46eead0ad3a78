"""What a scan reads, and what it does not."""

from __future__ import annotations

import pytest

from orchestrator.catalogue import compare, reading, store
from orchestrator.catalogue.reading import read_entry
from orchestrator.catalogue.rows import Unread
from orchestrator.catalogue.store import Catalogue
from orchestrator.config.setting_syntax import Limit
from orchestrator.errors import SafetyLimitError, TransientError
from orchestrator.records import Entry
from orchestrator.storage.fake.memory import KINDS, MemoryStorage
from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from orchestrator.track import Status, Track
from tests.audio import track_bytes
from tests.catalogue.helpers import run_scan, song, titles


def library(kind: str = "s3") -> MemoryStorage:
    storage = MemoryStorage.like(kind)
    storage.put("in/one.mp3", song("One"))
    storage.put("in/two.FLAC", song("Two", "flac"))
    storage.put("in/cover.jpg", b"a picture")
    return storage


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_second_scan_reads_nothing(catalogue: Catalogue, kind: str) -> None:
    storage = library(kind)
    first = run_scan(storage, catalogue)
    assert (first.files_seen, first.audio_seen, first.files_read, first.changed) == (3, 2, 2, True)
    assert first.requests >= 2
    assert first.bytes_read > 0
    before = storage.call_counts["read_range"]
    second = run_scan(storage, catalogue)
    assert (second.files_seen, second.audio_seen, second.files_read, second.requests, second.changed) == (3, 2, 0, 0, False)
    assert storage.call_counts["read_range"] == before
    assert titles(catalogue, storage.fs) == {"in/cover.jpg": None, "in/one.mp3": "One", "in/two.FLAC": "Two"}


@pytest.mark.parametrize("kind", ["s3", "local", "webdav", "drive", "plain"])
def test_an_edited_file_is_read_again(catalogue: Catalogue, kind: str) -> None:
    storage = library(kind)
    run_scan(storage, catalogue)
    storage.put("in/one.mp3", song("One, retagged"))
    result = run_scan(storage, catalogue)
    assert result.files_read == 1
    assert titles(catalogue, storage.fs)["in/one.mp3"] == "One, retagged"


def test_an_edit_that_keeps_the_size_is_noticed_by_hash_or_time(catalogue: Catalogue) -> None:
    assert len(song("Aaa")) == len(song("Bbb"))
    for kind in ("s3", "local"):
        storage = MemoryStorage.like(kind)
        storage.put("a.mp3", song("Aaa"))
        run_scan(storage, catalogue)
        storage.put("a.mp3", song("Bbb"))
        assert run_scan(storage, catalogue).files_read == 1
        assert titles(catalogue, storage.fs) == {"a.mp3": "Bbb"}


def test_a_touched_file_with_a_hash_is_not_read_again_but_its_new_time_is_known(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("drive")
    storage.put("a.mp3", song("Aaa"), mtime_ns=1_000_000_000)
    run_scan(storage, catalogue)
    storage.remove("a.mp3")
    storage.put("a.mp3", song("Aaa"), mtime_ns=2_000_000_000)
    assert run_scan(storage, catalogue).files_read == 0
    assert [item.entry for item in catalogue.entries(storage.fs)] == list(storage.list())


@pytest.mark.parametrize("kind", ["s3", "drive", "dropbox"])
def test_a_renamed_file_is_not_read_again_if_hashes_or_ids_identify_it(catalogue: Catalogue, kind: str) -> None:
    storage = library(kind)
    run_scan(storage, catalogue)
    storage.move("in/one.mp3", "out/eins.mp3")
    result = run_scan(storage, catalogue)
    assert (result.files_read, result.difference.renamed, result.difference.gone) == (0, 1, 0)
    assert titles(catalogue, storage.fs) == {"in/cover.jpg": None, "in/two.FLAC": "Two", "out/eins.mp3": "One"}


def test_files_that_swap_names_keep_their_tags(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    for name in "abc":
        storage.put(f"{name}.mp3", song(name * 3))
    run_scan(storage, catalogue)
    for source, target in (("a", "t"), ("b", "a"), ("c", "b"), ("t", "c")):
        storage.move(f"{source}.mp3", f"{target}.mp3")
    assert run_scan(storage, catalogue).files_read == 0
    assert titles(catalogue, storage.fs) == {"a.mp3": "bbb", "b.mp3": "ccc", "c.mp3": "aaa"}


def test_a_copy_is_not_read_again_if_hashes_identify_it_even_in_another_location(catalogue: Catalogue) -> None:
    storage, other = library("s3"), MemoryStorage.like("s3", "s3:other")
    run_scan(storage, catalogue)
    storage.copy("in/one.mp3", "in/copy.mp3")
    other.put("there.mp3", song("One"))
    assert run_scan(storage, catalogue).files_read == 0
    assert run_scan(other, catalogue).files_read == 0
    assert titles(catalogue, storage.fs)["in/copy.mp3"] == "One"
    assert titles(catalogue, other.fs) == {"there.mp3": "One"}


def test_a_file_with_a_new_extension_is_read_again_because_the_extension_decides_how(catalogue: Catalogue) -> None:
    storage = library("s3")
    run_scan(storage, catalogue)
    storage.move("in/one.mp3", "in/one.aac")
    assert run_scan(storage, catalogue).files_read == 1


def test_a_deleted_file_is_forgotten(catalogue: Catalogue) -> None:
    storage = library()
    run_scan(storage, catalogue)
    storage.remove("in/one.mp3")
    result = run_scan(storage, catalogue)
    assert (result.changed, result.difference.gone) == (True, 1)
    assert sorted(titles(catalogue, storage.fs)) == ["in/cover.jpg", "in/two.FLAC"]


def test_a_listing_that_breaks_off_changes_nothing(catalogue: Catalogue) -> None:
    storage = library()
    run_scan(storage, catalogue)
    known = list(catalogue.entries(storage.fs))
    storage.put("in/new.mp3", song("New"))
    storage.remove("in/one.mp3")
    storage.fail(storage.calls_made + 1, TransientError("connection reset"), when="between")
    with pytest.raises(TransientError):
        run_scan(storage, catalogue)
    assert list(catalogue.entries(storage.fs)) == known
    assert catalogue.generation(storage.fs) == 1
    assert run_scan(storage, catalogue).files_read == 1
    assert catalogue.generation(storage.fs) == 2


def test_an_emptied_listing_is_refused_and_forgets_nothing(catalogue: Catalogue) -> None:
    storage = library()
    run_scan(storage, catalogue)
    known = list(catalogue.entries(storage.fs))
    storage.remove("in/one.mp3")
    storage.remove("in/two.FLAC")
    with pytest.raises(SafetyLimitError, match="2 audio files"):
        run_scan(storage, catalogue)
    assert list(catalogue.entries(storage.fs)) == known
    assert run_scan(storage, catalogue, allow_emptied=True).audio_seen == 0
    assert run_scan(storage, catalogue).audio_seen == 0


def test_a_shrunken_listing_is_refused_and_forgets_nothing(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    for number in range(11):
        storage.put(f"{number}.mp3", song(f"Song {number}"))
    run_scan(storage, catalogue)
    known = list(catalogue.entries(storage.fs))
    for number in range(6):
        storage.remove(f"{number}.mp3")
    for allow_gone in (None, Limit(5, percent=False).allows, Limit(54, percent=True).allows):
        with pytest.raises(SafetyLimitError, match="5 audio files, but had 11"):
            run_scan(storage, catalogue, allow_gone=allow_gone)
        assert list(catalogue.entries(storage.fs)) == known
    assert run_scan(storage, catalogue, allow_gone=Limit(55, percent=True).allows).difference.gone == 6
    for number in range(6, 10):
        storage.remove(f"{number}.mp3")
    assert run_scan(storage, catalogue).difference.gone == 4, "a few may disappear"


def test_less_than_half_of_the_music_may_disappear_and_half_may_not(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    for number in range(20):
        storage.put(f"{number}.mp3", song(f"Song {number}"))
    run_scan(storage, catalogue)
    for number in range(9):
        storage.remove(f"{number}.mp3")
    listing = storage.snapshot()
    storage.remove("9.mp3")
    with pytest.raises(SafetyLimitError, match="lists 10 audio files, but had 20"):
        run_scan(storage, catalogue)
    storage.put("9.mp3", listing["9.mp3"])
    assert run_scan(storage, catalogue).difference.gone == 9


def test_a_location_without_music_is_not_an_error(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    assert run_scan(storage, catalogue).files_seen == 0
    storage.put("notes.txt", b"")
    assert run_scan(storage, catalogue).audio_seen == 0


def test_debris_of_rclone_is_ignored_and_reported(catalogue: Catalogue) -> None:
    storage = library()
    leftovers = ["in/one.mp3.1a2b3c4d.partial", "in/Two.flac-rclone-move-abcdefgh"]
    for name in leftovers:
        storage.put(name, b"half")
    result = run_scan(storage, catalogue)
    assert sorted(result.rclone_debris) == sorted(leftovers)
    assert result.files_seen == 3
    assert not set(leftovers) & set(titles(catalogue, storage.fs))


def test_a_new_reader_version_reads_everything_once_more(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = library()
    run_scan(storage, catalogue)
    for module in (store, compare):
        monkeypatch.setattr(module, "READER_VERSION", store.READER_VERSION + 1)
    assert run_scan(storage, catalogue).files_read == 2
    assert run_scan(storage, catalogue).files_read == 0


def test_an_unreadable_file_is_read_once_and_reported_each_time(catalogue: Catalogue) -> None:
    storage = library()
    storage.put("in/broken.flac", b"fLaC" + bytes(2000))
    first, second = run_scan(storage, catalogue), run_scan(storage, catalogue)
    assert [path for path, _ in first.unreadable] == ["in/broken.flac"]
    assert first.unreadable == second.unreadable
    assert second.files_read == 0
    assert not second.complete
    (item,) = (item for item in catalogue.entries(storage.fs) if item.entry.path == "in/broken.flac")
    assert item.reading is not None
    assert item.reading.status is Status.UNREADABLE


def test_a_suspect_file_is_reported_each_time_and_is_not_a_failure(catalogue: Catalogue) -> None:
    storage = library()
    storage.put("in/cut.flac", song("Cut", "flac")[:-15])
    first, second = run_scan(storage, catalogue), run_scan(storage, catalogue)
    assert [path for path, _ in first.suspect] == ["in/cut.flac"]
    assert first.suspect[0][1].startswith("cut short")
    assert first.suspect == second.suspect
    assert (first.complete, second.complete, second.files_read) == (True, True, 0)
    assert run_scan(storage, catalogue, exclude=("cut.*",)).suspect == []
    storage.put("in/cut.flac", song("Cut", "flac"))
    assert run_scan(storage, catalogue).suspect == []


def test_files_of_one_name_are_read_each_by_its_id(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("drive")
    storage.put("a.mp3", song("First"))
    assert run_scan(storage, catalogue).files_read == 1
    storage.put("a.mp3", song("Second one"), duplicate=True)
    result = run_scan(storage, catalogue)
    assert (result.files_seen, result.files_read, result.sharing_names, result.complete) == (2, 1, {"a.mp3": 2}, True)
    found = {
        item.entry.id: item.reading.track.title for item in catalogue.entries(storage.fs) if item.reading and item.reading.track
    }
    assert [*found.values()] == [("First",), ("Second one",)]
    assert run_scan(storage, catalogue).files_read == 0
    assert run_scan(storage, catalogue, exclude=("a.*",)).sharing_names == {}


def test_a_file_that_shares_its_name_is_not_read_in_place_of_the_other(catalogue: Catalogue) -> None:
    """Ids distinguish the files, but files cannot be read by their ids."""
    storage = MemoryStorage.like("drive", by_id=False)
    storage.put("a.mp3", song("First"))
    assert run_scan(storage, catalogue).files_read == 1
    storage.put("a.mp3", song("Second one"), duplicate=True)
    result = run_scan(storage, catalogue)
    assert (result.files_read, result.sharing_names, result.indistinguishable, result.complete) == (
        0,
        {"a.mp3": 2},
        {"a.mp3": 2},
        False,
    )
    assert [item.reading is not None for item in catalogue.entries(storage.fs)].count(True) == 1
    storage.move("a.mp3", "b.mp3")
    result = run_scan(storage, catalogue)
    assert (result.files_read, result.sharing_names) == (1, {})
    assert set(titles(catalogue, storage.fs).values()) == {"First", "Second one"}


def test_files_of_one_name_without_ids_are_reported(catalogue: Catalogue) -> None:
    class Doubled(MemoryStorage):
        def list(self, *args: object, **named: object):  # type: ignore[no-untyped-def]
            yield from super().list(*args, **named)
            yield from super().list(*args, **named)

    storage = Doubled("s3:doubled", KINDS["s3"])
    storage.put("a.mp3", song("Once"))
    for _ in range(2):
        result = run_scan(storage, catalogue)
        assert (result.files_seen, result.difference.listed_twice, result.complete) == (1, ("a.mp3",), False)


def test_every_name_survives(catalogue: Catalogue) -> None:
    names = ["a\nb.mp3", "'; DROP TABLE entry; --.mp3", "Ω/𝄞 \N{COMBINING ACUTE ACCENT}.mp3", "%_*?[a].mp3", "-rf.mp3", " .mp3"]
    storage = MemoryStorage.like("s3")
    for name in names:
        storage.put(name, song(name))
    run_scan(storage, catalogue)
    assert titles(catalogue, storage.fs) == {name: name for name in sorted(names)}
    assert list(titles(catalogue, storage.fs)) == sorted(names)
    assert run_scan(storage, catalogue).files_read == 0


@pytest.mark.parametrize(("policy", "fewer"), [(FEW_REQUESTS, True), (FEW_BYTES, False)])
def test_the_songs_of_an_album_predict_what_the_next_one_needs(catalogue: Catalogue, policy: Policy, fewer: bool) -> None:
    storage = MemoryStorage.like("drive")
    for number in range(8):
        for track in range(12):
            kind = ("mp3", "m4a")[number % 2]
            tags = Track(title=(f"{number}-{track}",), artist=("A",), album=(f"{number}",), track=track + 1, date="2001")
            storage.put(f"{number}/{track:02}.{kind}", track_bytes(kind, tags, cover_bytes=700_000, seconds=60 + 9 * track))
    result = run_scan(storage, catalogue, policy=policy, readers=1)
    alone = sum(
        read_entry(storage, item.entry, policy).requests for item in catalogue.entries(storage.fs) if item.reading is not None
    )
    assert (result.files_read, result.complete) == (96, True)
    assert titles(catalogue, storage.fs)["5/07.m4a"] == "5-7"
    if fewer:
        assert result.requests <= 0.8 * alone, "an M4A with its tags behind the sound takes two ranges in any case"
    else:
        assert result.requests == alone


@pytest.mark.parametrize(("waiting", "longest"), [(0, 1), (40, 2), (10_000, 16)])
def test_albums_are_read_in_groups_that_leave_no_reader_idle(waiting: int, longest: int) -> None:
    paths = [f"A/{number:02}.mp3" for number in range(20)] + [
        f"B/{number:02}.{kind}" for kind in ("flac", "mp3") for number in range(5)
    ]
    files = [Unread(row, Entry(path, 1), 0) for row, path in enumerate(paths)]
    groups = [*reading.album_groups(iter(files), waiting, 10)]
    assert [file for group in groups for file in group] == files
    assert max(map(len, groups)) == longest
    assert all(len({(file.entry.path[0], file.entry.path[-3:]) for file in group}) == 1 for group in groups)
