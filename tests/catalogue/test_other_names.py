"""One file that is listed under two names counts once."""

from __future__ import annotations

from orchestrator.catalogue.other_names import second_names, with_other_names_marked
from orchestrator.records import Entry, Item


def items(*files: tuple[str, int, str | None]) -> list[Item]:
    return [Item(Entry(path, size, id=object_id)) for path, size, object_id in files]


def test_an_object_in_two_folders_is_skipped_in_the_second() -> None:
    """A shortcut to a folder: rclone lists the objects in it twice, with the same ids."""
    marked = with_other_names_marked(items(("a/1.mp3", 1, "A"), ("b/1.mp3", 1, "A"), ("c.mp3", 1, "C")), "drive")
    assert second_names(marked) == [("b/1.mp3", "a/1.mp3")]
    assert len({item.one_file for item in marked}) == 2


def test_a_shortcut_is_the_file_that_it_points_to_but_may_be_moved() -> None:
    marked = with_other_names_marked(items(("a.mp3", 1, "T\tS"), ("b.mp3", 1, "T"), ("c.mp3", 1, "U\tV")), "drive")
    assert not second_names(marked)
    assert [item.one_file for item in marked] == ["drive T", "drive T", "drive U"]


def test_a_union_shows_the_files_of_an_inner_folder_twice() -> None:
    listed = items(("1.mp3", 1, None), ("2.mp3", 2, None), ("sub/1.mp3", 1, None), ("sub/2.mp3", 3, None), ("sub/3.mp3", 3, None))
    marked = with_other_names_marked(listed, "local", ["sub"])
    assert second_names(marked) == [("sub/1.mp3", "1.mp3")]
    assert with_other_names_marked(listed, "local") == listed


def test_files_without_ids_are_not_one_file() -> None:
    listed = items(("a.mp3", 1, None), ("b.mp3", 1, None), ("b.mp3", 1, None))
    assert with_other_names_marked(listed, "s3") == listed
