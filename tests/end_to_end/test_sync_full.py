"""`sync` with a server whose storage fills up in the middle: uploads stop, downloads go on, and the next sync continues."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.end_to_end.test_sync import EIGHT, Pair, content
from tests.faulty import Library
from tests.places import digest
from tests.servers.http import HttpProxy, Refuse, Seen

FULL = Refuse(507, body=b"<Error><Code>InsufficientStorage</Code><Message>The storage is full</Message></Error>")
UPLOADS = 3
"""So many uploads of songs find space."""


@pytest.mark.parametrize("kind", ["s3_moto", pytest.param("webdav", marks=pytest.mark.nightly)])
def test_a_server_that_fills_up_gets_no_more_uploads_and_its_files_still_arrive_here(
    proxied: Callable[[str], tuple[Library, HttpProxy]], tmp_path: Path, kind: str
) -> None:
    library, proxy = proxied(kind)
    pair = Pair(library, tmp_path)
    for path in EIGHT:
        pair.put(path, content(path))
    pair()
    for path in EIGHT[:3]:
        pair.put(path, f"edited {path}")
    (pair.here / EIGHT[7]).unlink()
    there, here = [[f"new/{side} {number}.mp3" for number in range(6)] for side in ("there", "here")]
    for path in there:
        pair.b.put(path, content(path).encode())
    for path in here:
        pair.put(path, content(path))
    before = pair.trees()[1]
    found_space = count()

    def too_much(seen: Seen) -> bool:
        return seen.method == "PUT" and ".mp3" in seen.path and next(found_space) >= UPLOADS

    proxy.when(too_much, FULL)
    ended = pair("--transfers", "2", codes=(3,))
    assert any("resume" in error["message"] for error in ended.errors), ended.errors
    refused = next(found_space) - UPLOADS
    assert 1 <= refused <= 2 * 8, "uploads went on"
    wanted = {path: digest(content(path).encode()) for path in there}
    assert wanted.items() <= pair.trees()[0].items(), "a download did not arrive"
    after = pair.trees()[1]
    known = {*before.values(), *pair.trees()[0].values()}
    assert (set(after.values()) <= known, before.keys() <= after.keys()) == (True, True), "cut, or deleted before its time"

    proxy.reset()
    pair()
    tree = {path: content(path) for path in (*EIGHT[3:7], *there, *here)} | {path: f"edited {path}" for path in EIGHT[:3]}
    pair.ends_with(tree)
