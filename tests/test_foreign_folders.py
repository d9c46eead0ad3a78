"""Which folders belong to other programs, and what opens them."""

from __future__ import annotations

import pytest

from orchestrator.foreign_folders import (
    ALL_BUT_LITTER,
    ALL_HIDDEN,
    HiddenFolders,
    innermost_foreign_folder,
    is_foreign_name,
    is_litter,
    opens_folders,
)
from orchestrator.plan.layout.names import RULES, Names

LITTER = ("@eaDir", ".@__thumb", ".AppleDouble", "__MACOSX", ".fseventsd", ".Spotlight-V100", ".thumbnails")
"""What its program makes again. Everything else holds what somebody may want back, or what a program needs."""
STAYING = (
    *(
        "#recycle",
        "@Recycle",
        "$RECYCLE.BIN",
        ".Trash",
        ".Trash-1000",
        ".Trash-nobody",
        ".Trashes",
        ".recycle",
        ".dtrash",
    ),
    *(
        ".stversions",
        ".stfolder",
        ".sync",
        ".zfs",
        ".snapshot",
        ".snapshots",
        "#snapshot",
        "@Snapshot",
        "@Recently-Snapshot",
        ".git",
    ),
    *("lost+found", "System Volume Information", ".Recycle.Bin", ".debris", "files_trashbin", "_gsdata_", "~snapshot", ".~tmp~"),
    *(".dropbox.cache", ".SyncArchive", ".DocumentRevisions-V100", ".stfolder.removed-20250101-101010", "FOUND.003"),
)
ORDINARY = (
    *("Sync", "Recycle", "Recycler's", "Recycled", "recycle", "#recycle 2", "Trash", ".Trashed", "snapshot", "Snapshots"),
    *("git", "repo.git", ".github", ".gitignore", "eaDir", "@eaDir2", "MACOSX", "lost and found", "Lost + Found", "thumbnails"),
    *(".syncing", "stversions", ".5_ The Gray Chapter", ".hack", "debris", "unwanted", "FOUND.0", "found.1234", "zfs", "Dtrash"),
)


@pytest.mark.parametrize("name", [*LITTER, *STAYING])
def test_they_are_known_at_any_depth_and_in_any_case(name: str) -> None:
    for spelled in (name, name.upper(), name.lower(), name.title()):
        for path, folder in ((f"{spelled}/a.mp3", spelled), (f"A/B/{spelled}/C/a.mp3", f"A/B/{spelled}")):
            assert ALL_HIDDEN.folder_of(path) == folder
            assert ALL_HIDDEN.hides(path)
        assert ALL_HIDDEN.folder_of(f"A/{spelled}") is None, "a file of that name is a file"
        assert is_litter(f"A/{spelled}") == (name in LITTER)
        assert is_foreign_name(spelled)


@pytest.mark.parametrize("name", ORDINARY)
def test_what_is_only_called_like_them_is_music(name: str) -> None:
    assert ALL_HIDDEN.folder_of(f"A/{name}/a.mp3") is None
    assert not is_foreign_name(name)


def test_the_bin_of_windows_xp_is_told_from_an_album_called_recycler() -> None:
    """Windows writes it in capitals, and in it has a folder for each user. ZZ Top's album is called so as well."""
    for path, folder in {
        "Usb/RECYCLER/S-1-5-21-1/Dc1.mp3": "Usb/RECYCLER",
        "Usb/RECYCLER/01.mp3": "Usb/RECYCLER",
        "Usb/Recycler/S-1-5-21-1/Dc1.mp3": "Usb/Recycler/S-1-5-21-1",
        "recycler/s-1-5-21-1/Album/Dc1.mp3": "recycler/s-1-5-21-1",
    }.items():
        assert ALL_HIDDEN.folder_of(path) == folder
        assert not is_litter(folder)
        for pattern in ("RECYCLER", "Recycler", "**/recycler/**"):
            assert HiddenFolders([pattern]).folder_of(path) is None
            assert not any("recycler" in name.lower() for name in HiddenFolders([pattern]).names())
    for path in (
        "ZZ Top/Recycler/01.mp3",
        "recycler/01.mp3",
        "Recycler/CD1/01.mp3",
        "recycler/S-Bahn/01.mp3",
        "Recycler 2/1.mp3",
    ):
        assert ALL_HIDDEN.folder_of(path) is None
    assert "RECYCLER/S-1-[0-9]*" in ALL_HIDDEN.names(), "rclone ignores case, so that the name alone would leave out albums"


def test_a_bin_in_a_bin_is_part_of_it() -> None:
    assert ALL_HIDDEN.folder_of("a/#recycle/@eaDir/x.jpg") == "a/#recycle"
    assert innermost_foreign_folder("a/#recycle/@eaDir/x.jpg") == "a/#recycle/@eaDir"
    assert ALL_BUT_LITTER.folder_of("a/@eaDir/x.jpg") is None
    assert ALL_BUT_LITTER.folder_of("a/@eaDir/#recycle/x.jpg") == "a/@eaDir/#recycle"
    assert ALL_HIDDEN.folder_of("home/.local/share/Trash/files/a.mp3") == "home/.local/share/Trash"
    assert ALL_HIDDEN.folder_of("home/.local/share/Music/a.mp3") is None


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("A/.trashed-1667306789-Song.mp3", True),
        (".pending-1667306789-Song.mp3", True),
        ("A/.trashed-Song.mp3", False),
        ("A/trashed-1667306789-Song.mp3", False),
    ],
)
def test_what_android_has_thrown_away_keeps_its_folder_but_not_its_name(path: str, hidden: bool) -> None:
    assert ALL_HIDDEN.hides(path) is hidden
    assert HiddenFolders([".trashed-*", ".pending-*"]).hides(path) is False


@pytest.mark.parametrize(
    ("pattern", "path", "shown"),
    [
        ("#recycle", "a/#recycle/b/x.mp3", True),
        ("#Recycle/", "a/#recycle/x.mp3", True),
        ("#recycle/**", "#recycle/b/x.mp3", True),
        ("#recycle/**", "a/#recycle/x.mp3", False),  # with a "/" in it: from the root, as --exclude
        ("**/#recycle/**", "a/#recycle/x.mp3", True),
        ("#recycle/Live/**", "#recycle/Live/x.mp3", True),
        ("#recycle/Live/**", "#recycle/x.mp3", False),
        ("**/#recycle/*.flac", "a/#recycle/x.mp3", False),
        (".Trash-*", ".Trash-1000/files/x.mp3", True),
        (".Trash-1000", ".Trash-1000/files/x.mp3", True),
        (".Trash-1000", ".Trash-1001/files/x.mp3", False),
        ("@eaDir", "#recycle/@eaDir/x.mp3", False),
        ("#recycle", "#recycle/@eaDir/x.mp3", False),
        ("#recycle/@eaDir", "#recycle/@eaDir/x.mp3", True),
        ("*", "#recycle/x.mp3", False),  # only a name that is written out opens a folder
        ("**", "#recycle/x.mp3", False),
        ("*.mp3", "#recycle/x.mp3", False),
        ("#*", "#recycle/x.mp3", False),
    ],
)
def test_include_opens_the_folders_that_it_names(pattern: str, path: str, shown: bool) -> None:
    assert (HiddenFolders([pattern]).folder_of(path) is None) is shown
    assert (HiddenFolders([pattern, "Other"]).folder_of(path) is None) is shown
    assert opens_folders(pattern) is (pattern not in {"*", "**", "*.mp3", "#*"})


def test_no_layout_gives_a_folder_such_a_name() -> None:
    for rules in RULES.values():
        for name in (*LITTER, *STAYING, "lost+found. ", "RECYCLER", " recycler", "ReCyClEr", "$recycle.bin"):
            made = Names(rules).directory(name)
            assert not is_foreign_name(made), (rules.name, name)
            assert Names(rules).directory(made) == made
    portable = Names(RULES["portable"])
    names = {
        "lost+found": "lost+found_",
        "RECYCLER": "RECYCLER_",
        "$RECYCLE.BIN": "$RECYCLE.BIN_",
        ".git": "_git",
        "Sync": "Sync",
    }
    assert {name: portable.directory(name) for name in names} == names
