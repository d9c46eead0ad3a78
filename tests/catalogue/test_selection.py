"""--include, --exclude, --settle."""

from __future__ import annotations

import pytest

from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import UsageError
from orchestrator.paths import is_rclone_debris
from orchestrator.records import Entry
from orchestrator.storage.fake.memory import MemoryStorage
from tests.catalogue.helpers import NOW_NS, run_scan, song

MINUTE_NS = 60_000_000_000


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("*.flac", "a/b/c.flac", True),
        ("*.flac", "a/b/c.FLAC", False),
        ("*.flac", "c.flac.mp3", False),
        ("Inbox", "Inbox/a/b.mp3", True),
        ("Inbox", "x/Inbox/b.mp3", True),
        ("Inbox", "Inboxes/b.mp3", False),
        ("/Inbox", "x/Inbox/b.mp3", False),
        ("Inbox/", "Inbox/b.mp3", True),
        ("Inbox/", "a/Inbox", False),
        ("a/*.mp3", "a/b.mp3", True),
        ("a/*.mp3", "a/b/c.mp3", False),
        ("a/*.mp3", "x/a/b.mp3", False),
        ("a/**.mp3", "a/b/c.mp3", True),
        ("**/live/*", "live/x.mp3", True),
        ("**/live/*", "a/b/live/x.mp3", True),
        ("a/**/z.mp3", "a/z.mp3", True),
        ("?.mp3", "a.mp3", True),
        ("?.mp3", "ab.mp3", False),
        ("[ab].mp3", "b.mp3", True),
        ("[!ab].mp3", "b.mp3", False),
        ("[a-c].mp3", "b.mp3", True),
        ("[", "[", True),
        ("(a+b).mp3", "(a+b).mp3", True),
        ("a\nb*", "a\nbc.mp3", True),
    ],
)
def test_globs(glob: str, path: str, covered: bool) -> None:
    entry = Entry(path, 1)
    assert (Selection(exclude=(glob,)).compiled().skip_reason(entry, 0) == "excluded") is covered
    assert (Selection(include=(glob,)).compiled().skip_reason(entry, 0) is None) is covered


def test_exclude_is_stronger_than_include() -> None:
    file_filter = Selection(include=("*.mp3",), exclude=("live",)).compiled()
    assert file_filter.skip_reason(Entry("a/b.mp3"), 0) is None
    assert file_filter.skip_reason(Entry("live/b.mp3"), 0) == "excluded"


@pytest.mark.parametrize("glob", ["", "/", "[b-a].mp3"])
def test_an_invalid_glob_is_a_usage_error(glob: str) -> None:
    with pytest.raises(UsageError):
        Selection(include=(glob,)).compiled()


@pytest.mark.parametrize("path", ["a.mp3.0123abcd.partial", "d/a.mp3-rclone-move-abcdefgh"])
def test_leftovers(path: str) -> None:
    assert is_rclone_debris(path)


@pytest.mark.parametrize("path", ["a.partial", "a.mp3.012.partial", "a.mp3.0123abcd.partial/b.mp3", "x-rclone-move-abc.mp3"])
def test_no_leftovers(path: str) -> None:
    assert not is_rclone_debris(path)


def test_excluded_files_are_known_but_not_read(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    storage.put("in/a.mp3", song("A"))
    storage.put("out/b.mp3", song("Bb"))
    result = run_scan(storage, catalogue, exclude=("out",))
    assert (result.files_seen, result.files_read) == (2, 1)
    items = {item.entry.path: item for item in catalogue.entries(storage.fs, result.selection)}
    assert items["in/a.mp3"].skipped_because is None
    assert items["out/b.mp3"].skipped_because == "excluded"
    assert items["out/b.mp3"].reading is None
    assert run_scan(storage, catalogue).files_read == 1


def test_an_excluded_unreadable_file_does_not_affect_the_exit_code(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    storage.put("a.mp3", song("A"))
    storage.put("bad/b.flac", b"no flac")
    assert not run_scan(storage, catalogue).complete
    assert run_scan(storage, catalogue, exclude=("bad",)).complete


def test_recently_changed_files_wait(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("local")
    storage.put("old.mp3", song("Old"), mtime_ns=NOW_NS - 10 * MINUTE_NS)
    storage.put("young.mp3", song("Young"), mtime_ns=NOW_NS - MINUTE_NS)
    result = run_scan(storage, catalogue, settle_ns=5 * MINUTE_NS)
    assert result.files_read == 1
    items = {item.entry.path: item.skipped_because for item in catalogue.entries(storage.fs, result.selection)}
    assert items["old.mp3"] is None
    assert items["young.mp3"] is not None
    assert run_scan(storage, catalogue, settle_ns=5 * MINUTE_NS, now_ns=NOW_NS + 6 * MINUTE_NS).files_read == 1


def test_without_times_a_file_must_stay_the_same_for_that_long(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    storage.put("a.mp3", song("A"))
    assert run_scan(storage, catalogue, settle_ns=5 * MINUTE_NS).files_read == 0
    storage.put("a.mp3", song("A, grown"))
    assert run_scan(storage, catalogue, settle_ns=5 * MINUTE_NS, now_ns=NOW_NS + 4 * MINUTE_NS).files_read == 0
    assert run_scan(storage, catalogue, settle_ns=5 * MINUTE_NS, now_ns=NOW_NS + 8 * MINUTE_NS).files_read == 0
    assert run_scan(storage, catalogue, settle_ns=5 * MINUTE_NS, now_ns=NOW_NS + 9 * MINUTE_NS).files_read == 1
