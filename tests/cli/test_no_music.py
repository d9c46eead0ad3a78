"""Podcasts, audiobooks, videos and voice memos, from files on a disk: left alone, counted, placed by rules."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import mutagen.mp4

from orchestrator.track import Track
from tests.audio import make_track, track_bytes
from tests.program import Program
from tests.tags.test_kinds import VIDEOS

CONFIG = """
layouts:
  - {when: "album_class == 'audiobook'", template: "Books/{{ albumartist }}/{{ album }}/{{ title }}"}
"""


def test_what_is_no_music_is_left_alone_until_a_rule_places_it(tmp_path: Path) -> None:
    music, program = tmp_path / "music", Program(tmp_path / "state")
    book = Track(title=("One",), artist=("Tolkien",), album=("The Hobbit",))
    make_track(music / "a.mp3", "mp3", Track(title=("Song",), artist=("Ann",), album=("Sky",), track=1, date="1979"), serial=1)
    make_track(music / "book.m4b", "m4a", book, serial=2)
    make_track(
        music / "pod.mp3", "mp3", Track(title=("Episode",), artist=("Bob",), album=("Show",), genre=("Podcast",)), serial=3
    )
    (music / "clip.mp4").write_bytes(VIDEOS["H.264"])
    memo = BytesIO(track_bytes("m4a", Track(title=("Idea",)), serial=4))
    tags = mutagen.mp4.MP4(memo)
    tags["\xa9too"] = ["com.apple.VoiceMemos (iPhone Version 13.3 (Build 17C54))"]
    memo.seek(0)
    tags.save(memo)
    (music / "idea.m4a").write_bytes(memo.getvalue())

    ended = program("organize", str(music), "--yes")
    counts = next(line for line in ended.events if line["type"] == "plan")["counts"]
    assert {kind: counts[f"skipped.{kind}"] for kind in ("podcast", "audiobook", "video", "memo")} == dict.fromkeys(
        ("podcast", "audiobook", "video", "memo"), 1
    )
    left = ["book.m4b", "clip.mp4", "idea.m4a", "pod.mp3"]
    assert sorted(path.relative_to(music).as_posix() for path in music.rglob("*.m*")) == ["Ann/Sky (1979)/01 Song.mp3", *left]

    stats = program("stats", str(music))
    assert {line["kind"]: line["files"] for line in stats.events if line["type"] == "stats-kind"} == dict.fromkeys(
        ("podcast", "audiobook", "video", "memo"), 1
    )

    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    program("organize", str(music), "--yes", "--config", str(config))
    assert (music / "Books/Tolkien/The Hobbit/One.m4b").is_file()
    assert program("plan", str(music), "--config", str(config)).summary["ops_planned"] == 0
