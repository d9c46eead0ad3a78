"""A playlist entry for a duplicate points at the kept copy after `organize` has quarantined the duplicate."""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator.plan.model import Verb
from orchestrator.plan.planners.dedup.settings import DedupSettings
from tests.plan.dedup.copies import on_album
from tests.plan.worlds import plain, plan


def test_a_playlist_follows_to_the_kept_copy() -> None:
    tracks = [on_album(f"in/{number}.flac", number, sound=f"s{number}") for number in (1, 2, 3)]
    stray = on_album("old/copy.flac", 2, sound="s2")
    content = b"#EXTM3U\nold/copy.flac\nin/1.flac\n"
    playlist = replace(plain("list.m3u8", content.decode()), content=content)
    made = plan([*tracks, stray, playlist], dedup=DedupSettings())
    gone = [operation.src.path for operation in made.operations if operation.expect.kept]
    assert gone == ["old/copy.flac"]
    rewrite = next(operation for operation in made.operations if operation.verb is Verb.REWRITE)
    kept = next(operation.dst.path for operation in made.operations if operation.src.path == "in/2.flac")
    written = rewrite.content_bytes()
    assert written is not None
    assert kept.encode() in written
    assert b"old/copy.flac" not in written
