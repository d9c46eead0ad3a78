"""Entries that lead to files of this machine outside the library are not taken for files of the library."""

from __future__ import annotations

from pathlib import Path

from orchestrator.actions.playlist_entries import existing_elsewhere
from orchestrator.plan.companions.playlists.external import ExternalList
from tests.plan.worlds import listing, plain


def test_only_what_exists_outside_the_library_counts(tmp_path: Path) -> None:
    for name in ("music/in/1.mp3", "other/in/1.mp3"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "mounted").symlink_to("music")
    (tmp_path / "again/in").mkdir(parents=True)
    (tmp_path / "again/in/1.mp3").hardlink_to(tmp_path / "music/in/1.mp3")  # as where a folder is mounted twice
    names = ["other/in/1.mp3", "other/in/2.mp3", "music/in/1.mp3", "mounted/in/1.mp3", "again/in/1.mp3"]
    content = "".join(f"{tmp_path}/{name}\n" for name in names).encode()
    other = {f"{tmp_path}/other/in/1.mp3"}
    fs = f"{tmp_path}/music"
    inside = [listing("a.m3u", content), listing("Lists/b.m3u", b"../../other/in/1.mp3\n../in/1.mp3"), plain("c.txt")]
    assert existing_elsewhere([(fs, inside[:1])], []) == other
    assert existing_elsewhere([(fs, inside[1:])], []) == other
    assert existing_elsewhere([(fs, [])], [ExternalList("r:", "a.m3u", content)]) == other
    assert existing_elsewhere([("r:music", inside[:1])], []) == {f"{tmp_path}/{names[index]}" for index in (0, 2, 3, 4)}
    assert not existing_elsewhere([("r:music", inside[1:])], [])
