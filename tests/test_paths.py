"""The rules about paths that every room uses."""

from __future__ import annotations

import pytest

from orchestrator.paths import (
    case_key,
    collision_key,
    directories_above,
    extension_of,
    is_clutter,
    is_half_renamed,
    is_local,
    is_ours,
    is_rclone_debris,
    join_location,
    join_path,
    location_prefix,
    name_of,
    own_directory_of,
    parent_of,
    parents_of,
    path_problem,
    remote_of,
    split_extension,
    split_path,
    without_partial_suffix,
)


@pytest.mark.parametrize(
    ("path", "parent", "name"), [("a/b/c.mp3", "a/b", "c.mp3"), ("a", "", "a"), ("", "", ""), ("a/b", "a", "b")]
)
def test_a_path_splits_into_its_parent_and_its_name(path: str, parent: str, name: str) -> None:
    assert split_path(path) == (parent, name)
    assert (parent_of(path), name_of(path)) == (parent, name)
    assert join_path(parent, name) == path


def test_the_parents_of_a_path_come_deepest_first() -> None:
    assert [*parents_of("a/b/c.mp3")] == ["a/b", "a"]
    assert [*parents_of("a/b/c.mp3", root=True)] == ["a/b", "a", ""]
    assert [*parents_of("c.mp3", root=True)] == [""]
    assert [*parents_of("", root=True)] == []


def test_the_directories_above_several_paths_include_the_root() -> None:
    assert directories_above(["a/b/c", "a/d", "e"]) == {"", "a", "a/b"}
    assert directories_above([]) == set()


@pytest.mark.parametrize(
    ("fs", "local", "remote", "prefix"),
    [
        ("/srv/music", True, "", "/srv/music/"),
        ("/", True, "", "/"),
        ("s3:bucket/music", False, "s3", "s3:bucket/music/"),
        ("s3:", False, "s3", "s3:"),
    ],
)
def test_a_location_says_where_it_is_and_what_stands_before_its_paths(fs: str, local: bool, remote: str, prefix: str) -> None:
    assert is_local(fs) is local
    assert remote_of(fs) == remote
    assert location_prefix(fs) == prefix
    assert join_location(fs, "a/b") == f"{prefix}a/b"
    assert join_location(fs, "") == fs


@pytest.mark.parametrize(
    ("name", "stem", "extension"),
    [("a.b.mp3", "a.b", "mp3"), ("noise", "noise", ""), (".mp3", ".mp3", ""), ("...mp3", "...mp3", ""), ("a.", "a", "")],
)
def test_a_name_splits_into_its_stem_and_its_extension(name: str, stem: str, extension: str) -> None:
    assert split_extension(name) == (stem, extension)


@pytest.mark.parametrize(
    ("path", "extension"), [("a/b.MP3", "mp3"), ("a.b/c", ""), ("a/.mp3", ""), ("...mp3", "mp3"), ("a/b.", "")]
)
def test_the_extension_of_a_path_is_that_of_its_name(path: str, extension: str) -> None:
    assert extension_of(path) == extension


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        (".music-orchestrator", True),
        (".music-orchestrator/trash/x", True),
        (".music-orchestrator2/x", False),
        ("a/.music-orchestrator/x", True),
        ("a/b/.music-orchestrator", True),
        ("a.music-orchestrator/x", False),
        ("a/.music-orchestrator.mp3", False),
        ("a/.music-orchestrator2/.music-orchestrator/b", True),
        ("", False),
    ],
)
def test_our_directory_is_ours_at_any_depth(path: str, ours: bool) -> None:
    assert is_ours(path) is ours


def test_the_outermost_of_our_directories_counts() -> None:
    assert own_directory_of("a/.music-orchestrator/trash/.music-orchestrator/x") == "a/.music-orchestrator"
    assert own_directory_of(".music-orchestrator") == ".music-orchestrator"
    assert own_directory_of("a/b") is None


@pytest.mark.parametrize(
    ("path", "debris"),
    [
        ("a/song.mp3.0123abcd.partial", True),
        ("a/song.mp3.badocuf7.partial", True),
        ("a/song.mp3.XYZWVUTS.partial", True),
        ("a/song.mp3-rclone-move-0a1B2c3D", True),
        ("a/song.mp3-rclone-move-ab_cd-fg", True),
        ("a/Live -rclone-move-2020.mp3", False),
        ("a/Live -rclone-move-2020 mix.mp3", False),
        ("a/song.0123abcd.partial.mp3", False),
        ("a/song.mp3.partial", False),
        ("a/partial", False),
    ],
)
def test_only_names_that_rclone_itself_gives_are_debris_of_rclone(path: str, debris: bool) -> None:
    assert is_rclone_debris(path) is debris


def test_only_partial_files_of_our_rclone_may_be_deleted_as_such() -> None:
    assert without_partial_suffix("song.mp3.0123abcd.partial") == "song.mp3"
    assert without_partial_suffix("song.mp3.badocuf7.partial") is None
    assert without_partial_suffix("song.partial") is None


def test_a_half_renamed_file_is_not_a_partial_one() -> None:
    assert is_half_renamed("a/song.mp3-rclone-move-0a1B2c3D")
    assert not is_half_renamed("a/song.mp3.0123abcd.partial")


@pytest.mark.parametrize(
    ("path", "clutter"), [("a/.DS_Store", True), ("Thumbs.db", True), ("a/._song.mp3", True), ("a/song.mp3", False)]
)
def test_clutter_is_what_desktops_leave_behind(path: str, clutter: bool) -> None:
    assert is_clutter(path) is clutter


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A/Song.mp3", "a/song.MP3"),
        ("Bjo\u0308rk/x", "Bj\u00f6rk/X"),
        ("a./b", "a/b "),
        ("AC\uff0fDC".replace("\uff0f", "\uff1a"), "ac:dc"),
        ("stra\u00dfe", "STRASSE"),
    ],
)
def test_names_that_may_be_one_file_somewhere_have_one_collision_key(one: str, other: str) -> None:
    assert collision_key(one) == collision_key(other)


def test_a_part_that_is_only_dots_keeps_its_collision_key() -> None:
    assert collision_key("a/.../b") != collision_key("a/b")


def test_the_case_key_ignores_case_and_form_but_not_trailing_dots() -> None:
    assert case_key("BJO\u0308RK") == case_key("bj\u00f6rk")
    assert case_key("a.") != case_key("a")


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/", "../a", "a/./b", "a\0", "a\udcff"])
def test_a_path_that_names_no_file_inside_its_location_has_a_problem(path: str) -> None:
    assert path_problem(path) is not None


def test_an_ordinary_path_has_no_problem() -> None:
    assert path_problem("a/b c/d\u00e9.mp3") is None
