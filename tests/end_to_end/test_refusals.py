"""Real servers that refuse one kind of request for good: looks at one file, or every delete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.faulty import Library
from tests.nightly import some_at_night
from tests.places import visible
from tests.servers.http import HttpProxy, Refuse, Seen

FORBIDDEN = Refuse(
    403,
    {"Content-Type": "application/xml"},
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
)
FILES = 4


def plain(path: str) -> str:
    return path.partition("?")[0]


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("kind", ["s3_serve", "webdav"])
def test_a_file_that_cannot_be_looked_at_ends_with_3_after_few_requests(
    proxied: Callable[[str], tuple[Library, HttpProxy]], kind: str, status: int
) -> None:
    """Fault case 31: 16,095 HEADs in 45 s before; `organize`, `resume` and `undo` come to an end, and the others are moved."""
    music, proxy = proxied(kind)
    for number in range(1, FILES + 1):
        music.track(f"in/{number}.mp3", number)
    before = music.tree()
    look = "HEAD" if kind == "s3_serve" else "PROPFIND"
    looks: list[Seen] = []

    def refused(seen: Seen) -> bool:
        if seen.method == look and plain(seen.path).endswith("in/2.mp3"):
            looks.append(seen)
            return True
        return False

    music("scan", music.place.location)
    proxy.when(refused, Refuse(status))
    ended = music("organize", music.place.location, codes=(3,))
    assert (ended.summary["ops_done"], ended.summary["ops_failed"]) == (FILES - 1, 1)
    assert [error["path"] for error in ended.errors] == ["in/2.mp3"]
    assert len(looks) <= 12
    assert music("resume").summary["ops_done"] == 0
    assert Counter(music.tree().values()) == Counter(before.values())
    proxy.reset()
    music("undo", ended.run)
    assert music.tree() == before


def deletes(seen: Seen) -> bool:
    """Whether a request to S3 deletes music: of one object, or of several at a time."""
    return (seen.method == "DELETE" and plain(seen.path).endswith(".mp3")) or (seen.method == "POST" and "?delete" in seen.path)


@pytest.mark.parametrize("kind", some_at_night(("s3_serve", "s3_moto"), night={"s3_serve"}))
def test_three_nights_without_the_right_to_delete_make_one_window_of_copies(
    proxied: Callable[[str], tuple[Library, HttpProxy]], kind: str
) -> None:
    """Fault case 33: each night ends with 6 and names the copies; `undo` takes them back once deleting is allowed."""
    music, proxy = proxied(kind)
    for number in range(1, FILES + 1):
        music.track(f"in/{number}.mp3", number)
    before = music.tree()
    proxy.when(deletes, FORBIDDEN)
    stored = []
    for _ in range(3):
        ended = music("organize", music.place.location, codes=(6,))
        named = [error["message"] for error in ended.errors if error["path"]]
        assert len(named) == FILES
        assert all("copied to Band/Album" in message for message in named), named
        assert any("s3:DeleteObject" in error["message"] for error in ended.errors)
        stored.append(Counter(visible(music.place.tree()).values()))
    assert stored == [Counter(dict.fromkeys(before.values(), 2))] * 3
    assert music("undo", ended.run, codes=(6,)).summary["ops_done"] == 0
    assert Counter(music.tree().values()) == stored[0]
    proxy.reset()
    music("undo", ended.run)
    assert music.tree() == before
    assert music("undo", ended.run).summary["ops_planned"] == 0
    assert music("organize", music.place.location).summary["ops_done"] == FILES
    assert Counter(music.tree().values()) == Counter(before.values())


@pytest.mark.parametrize("status", [403, 501])
def test_an_emptied_folder_that_cannot_be_moved_away_is_named_and_blocks_nothing(
    proxied: Callable[[str], tuple[Library, HttpProxy]], status: int
) -> None:
    """Fault case 32: 3 with the name of the folder, then 0; `undo` works."""
    music, proxy = proxied("webdav")
    music.track("in/1.mp3", 1)
    before = music.tree()
    proxy.when(lambda seen: seen.method == "MOVE" and "emptied-" in seen.headers.get("destination", ""), Refuse(status))
    ended = music("organize", music.place.location, codes=(3,))
    assert [(error["path"], ended.summary["ops_done"]) for error in ended.errors] == [("in", 1)]
    assert music("organize", music.place.location).summary["ops_planned"] == 0
    music("undo", ended.run, codes=(0, 3))
    assert music.tree() == before
