"""Tags in an old encoding: the files stay and are named, until the config says what the encoding is."""

from __future__ import annotations

from pathlib import Path

from tests.audio import track_bytes
from tests.program import Program

SETTING = "MUSIC_ORCHESTRATOR_TAGS_LEGACY_ENCODING"


def id3v1(title: str, artist: str, album: str, track: int) -> bytes:
    texts = b"".join(text.encode("cp1251")[:30].ljust(30, b"\0") for text in (title, artist, album))
    return track_bytes("mp3", None, serial=track) + b"TAG" + texts + b"1988" + bytes(28) + bytes((0, track, 0))


def test_files_in_an_old_encoding_stay_until_the_config_names_it(tmp_path: Path) -> None:
    music, program = tmp_path / "music", Program(tmp_path / "state")
    music.mkdir()
    for number, title in enumerate(("Группа крови", "Закрой за мной дверь", "Война"), start=1):
        (music / f"{number}.mp3").write_bytes(id3v1(title, "Кино", "Группа крови", number))
    ended = program("organize", str(music), "--yes", codes=(3,))
    assert [error["code"] for error in ended.errors] == ["doubtful-text"] * 3
    assert "Cyrillic in CP1251" in ended.errors[0]["message"]
    assert sorted(path.name for path in music.glob("*.mp3")) == ["1.mp3", "2.mp3", "3.mp3"]

    program.environment[SETTING] = "auto"
    program("organize", str(music), "--yes")
    names = ["01 Группа крови.mp3", "02 Закрой за мной дверь.mp3", "03 Война.mp3"]
    assert sorted(path.relative_to(music).as_posix() for path in music.rglob("*.mp3")) == [
        f"Кино/Группа крови (1988)/{name}" for name in names
    ]
    assert program("plan", str(music)).summary["ops_planned"] == 0
