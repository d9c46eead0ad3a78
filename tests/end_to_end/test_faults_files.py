"""Tags that try to leave the root, to run, to hide or to exhaust memory; and files that are not what their names say."""

from __future__ import annotations

import os
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.paths import name_of
from orchestrator.plan.plan_file import read_plan
from orchestrator.track import Track
from tests.audio import make_track, track_bytes
from tests.faulty import Library
from tests.hostile import HOSTILE_TAGS
from tests.pages import read_page
from tests.program import COMMAND, Program

MEGABYTE = 1024 * 1024


def hostile(root: Path) -> int:
    """Write a file for each hostile text, in every field that is used in paths; returns how many."""
    texts = [*HOSTILE_TAGS, "ß" * 150 + "\u0301" * 30]
    for number, text in enumerate(texts):
        folder = text if len(text.encode()) < 100 else "long"  # S3 accepts no path with three of them
        words = Track(title=(text,), artist=(text,), album=(folder,), album_artist=(folder,), track=1, date="2001")
        make_track(root / f"{number}.flac", "flac", words, seconds=0.1, serial=number + 1)
    return len(texts)


def id3(*frames: tuple[str, bytes]) -> bytes:
    """An ID3v2.3 tag with these frames."""
    body = b"".join(name.encode() + len(data).to_bytes(4, "big") + b"\0\0" + data for name, data in frames)
    return b"ID3\3\0\0" + bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0)) + body


def harmless(text: str) -> bool:
    return not any(
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in "\u202e\u202d\u2066" for character in text
    )


@pytest.mark.parametrize("kind", [pytest.param("local", marks=pytest.mark.nightly), "s3_serve"])
def test_hostile_tags_stay_inside_the_root_and_are_shown_escaped(
    kind: str, library: Callable[..., Library], tmp_path: Path
) -> None:
    """Fault case 22: inside the root, no part over 255 bytes, no control character anywhere, the same plan twice: 0."""
    made = library(kind)
    files = hostile(made.root)
    plans = []
    for name in ("one", "two"):
        made("plan", made.place.location, "-o", str(tmp_path / name))
        plans.append((tmp_path / name).read_bytes().partition(b"\n"))
        assert harmless(b"".join(plans[-1]).decode().replace("\n", ""))
    assert plans[0][2] == plans[1][2]
    targets = [operation.dst.path for operation in read_plan(tmp_path / "one").operations]
    for target in targets:
        parts = target.split("/")
        assert all(part not in {"", ".", ".."} and len(part.encode()) <= 255 for part in parts), target
        assert harmless(target)

    before = Counter(made.tree().values())
    (tmp_path / "log").touch()
    around = sorted(path.name for path in made.root.parent.iterdir())
    ended = made("organize", made.place.location, "--log-file", str(tmp_path / "log"), "-vv", codes=(3,))
    doubtful = {event["path"] for event in ended.events if event.get("code") == "doubtful-text"}
    assert len(doubtful) == 1, "DEL and NEL are texts in no encoding"
    assert ended.summary["ops_done"] == files - 1
    assert all(harmless(line) for line in (tmp_path / "log").read_text().splitlines())
    assert all(harmless(line) for line in ended.stderr.splitlines())
    tree = made.tree()
    assert Counter(tree.values()) == before
    assert set(tree) == {*targets, *doubtful}
    assert sorted(path.name for path in made.root.parent.iterdir()) == around, "nothing beside the root"
    assert not [*Path.cwd().glob("PWNED")]
    assert made("organize", made.place.location, codes=(3,)).summary["ops_planned"] == 0

    words = [*COMMAND, "show", str(tmp_path / "one"), "--state-dir", str(tmp_path / "state")]
    shown = subprocess.run(words, capture_output=True, check=True).stdout.decode()
    assert all(harmless(line) for line in shown.splitlines())
    subprocess.run([*words, "--html", str(tmp_path / "page.html")], check=True, capture_output=True)
    page = read_page(tmp_path / "page.html")
    assert len(page.rows["o"]) == files - 1
    assert all(map(harmless, page.text.splitlines()))


def peak_kib(program: Program, *arguments: str, code: int) -> int:
    """The peak memory of one call of the program."""
    process = program.start(*arguments)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.communicate()
    assert process.returncode == code, out
    return usage.ru_maxrss


def test_a_title_of_ten_megabytes_and_a_broken_character_cost_little(tmp_path: Path) -> None:
    """Fault case 22: a title of 10 MB takes less than 50 MB more, and is none; half a character of UTF-16 is not a title either:
    both files keep their names.
    """
    program = Program(tmp_path / "state")
    for name in ("plain", "odd"):
        for number in range(3):
            words = Track(title=(f"Song {number}",), artist=("A",), album=("B",), track=number + 1)
            make_track(tmp_path / name / f"{number}.mp3", "mp3", words, seconds=0.1, serial=number + 1)
    sound = track_bytes("mp3", None, seconds=0.2)
    others = ("TPE1", b"\0A"), ("TALB", b"\0B")
    tag = id3(("TIT2", b"\0" + b"x" * (10 * MEGABYTE)), *others)
    (tmp_path / "odd" / "long.mp3").write_bytes(tag + sound)
    tag = id3(("TIT2", b"\x01\xff\xfeH\x00\x00\xd8i\x00"), *others)
    (tmp_path / "odd" / "half.mp3").write_bytes(tag + sound)
    plain = peak_kib(program, "plan", str(tmp_path / "plain"), code=0)
    odd = peak_kib(program, "plan", str(tmp_path / "odd"), "-o", str(tmp_path / "odd.plan"), code=0)
    assert odd - plain < 50 * 1024
    made = read_plan(tmp_path / "odd.plan")
    organized = {operation.src.path: name_of(operation.dst.path) for operation in made.operations}
    assert organized == {
        **{f"{n}.mp3": f"0{n + 1} Song {n}.mp3" for n in range(3)},
        "half.mp3": "half.mp3",
        "long.mp3": "long.mp3",
    }
    assert made.header.counts["title_from_name"] == 2


def test_files_that_are_not_what_they_seem(tmp_path: Path) -> None:
    """Fault case 23: each is reported once, none is moved on a guess, nothing hangs, and little is read of a gigabyte: 3."""
    music = tmp_path / "music"
    words = Track(title=("Song",), artist=("A",), album=("B",), track=1)
    sound = track_bytes("mp3", words, seconds=0.5)
    flac = track_bytes("flac", words, seconds=2)
    music.mkdir()
    files = {
        "empty one.mp3": b"",
        "empty two.mp3": b"",
        "cut.flac": flac[: len(flac) // 2],
        "lie.mp3": b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + sound[10:],
        "really mp3.flac": sound,
        "good.mp3": sound,
        "locked.mp3": sound,
    }
    for name, content in files.items():
        (music / name).write_bytes(content)
    (music / "locked.mp3").chmod(0)
    locked = not os.access(music / "locked.mp3", os.R_OK)  # root can read it anyway
    with (music / "huge.mp3").open("wb") as stream:
        stream.truncate(1024 * MEGABYTE)
    os.mkfifo(music / "pipe.mp3")
    (music / "loop").symlink_to(music, target_is_directory=True)
    (music / "dangling.mp3").symlink_to(music / "nowhere")
    program = Program(tmp_path / "state")
    scanned = program("scan", str(music), codes=(3,))
    named = Counter(event["path"] for event in scanned.events if event["type"] in {"error", "suspect"})
    broken = {"empty one.mp3", "empty two.mp3", "lie.mp3", "really mp3.flac", "huge.mp3"} | ({"locked.mp3"} if locked else set())
    assert set(named) == broken | {"cut.flac"}
    assert set(named.values()) == {1}
    assert scanned.summary["files_seen"] == len(files) + 1
    assert [event["message"] for event in scanned.events if "links" in event.get("message", "")] == [
        f"{music}: 2 links not followed"
    ]
    assert scanned.summary["bytes_read"] < 8 * MEGABYTE
    organized = program("organize", str(music), "--yes", codes=(3,))
    assert organized.summary["ops_done"] == len(files) + 1 - len(broken)
    assert organized.summary["ops_skipped"] == len(broken)
    for name in broken:
        assert (music / name).exists(), "it is not moved"
    assert (music / "pipe.mp3").is_fifo()
    assert (music / "loop").is_symlink()
    assert (music / "dangling.mp3").is_symlink()
