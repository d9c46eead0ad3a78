"""Companions move with their music, or stay and are reported."""

from __future__ import annotations

from orchestrator.plan.model import Verb
from orchestrator.records import Item
from orchestrator.report.plan_view import facts, left_files
from tests.plan.worlds import (
    FOLDING,
    PretendStorage,
    listing,
    moved,
    plain,
    plan,
    skips,
    song,
    tagged,
    track,
    unreadable,
    untagged,
)


def album(directory: str, name: str, count: int = 2, **tags: object) -> list[Item]:
    return [song(f"{directory}/{n}.mp3", title=f"t{n}", artist="A", album=name, track=n, **tags) for n in range(1, count + 1)]


def test_companions_of_an_album_move_with_it_and_keep_their_names() -> None:
    names = [
        "cover.jpg",
        "Back.PNG",
        "photo.jpeg",
        "rip.log",
        "info.nfo",
        "booklet.pdf",
        "X.cue",
        "x.m3u",
        "x.m3u8",
        "Scans/1.tif",
    ]
    names += ["Artwork/deep/2.png", "scans/notes.txt"]
    made = moved(plan([*album("in", "X"), *(plain(f"in/{name}") for name in names)]))
    assert {name: made[f"in/{name}"] for name in names} == {name: f"A/X/{name}" for name in names[:-1]} | {
        "scans/notes.txt": "A/X/Scans/notes.txt"
    }


def test_files_with_a_tracks_stem_are_renamed_with_it() -> None:
    names = ["1.lrc", "1.en.srt", "1.mp3.txt", "2.cue", "1.jpg"]
    made = moved(plan([*album("in", "X"), *(plain(f"in/{name}") for name in names)]))
    assert {name: made[f"in/{name}"].removeprefix("A/X/") for name in names} == {
        "1.lrc": "01 t1.lrc",
        "1.en.srt": "01 t1.en.srt",
        "1.mp3.txt": "01 t1.mp3.txt",
        "2.cue": "02 t2.cue",
        "1.jpg": "01 t1.jpg",
    }


def test_a_companion_follows_the_number_of_its_track() -> None:
    items = [song("a/1.mp3", title="t", artist="A", album="X"), song("b/1.mp3", title="t", artist="A", album="X")]
    made = moved(plan([*items, plain("a/1.lrc"), plain("b/1.lrc")]))
    assert (made["a/1.lrc"], made["b/1.lrc"]) == ("A/X/t.lrc", "A/X/t (2).lrc")


def test_a_companion_of_a_track_that_stays_stays() -> None:
    made = plan([*album("in", "X"), unreadable("in/bad.mp3"), plain("in/bad.lrc")])
    assert "in/bad.lrc" not in moved(made)
    assert skips(made) == {"in/bad.mp3": "unreadable"}


def test_a_cover_in_a_folder_of_several_albums_stays_and_is_reported() -> None:
    made = plan(
        [*album("in", "X"), *[song("in/y.mp3", title="y", artist="A", album="Y")], plain("in/cover.jpg"), plain("in/1.lrc")]
    )
    assert "in/cover.jpg" not in moved(made)
    assert moved(made)["in/1.lrc"] == "A/X/01 t1.lrc"
    assert skips(made) == {"in/cover.jpg": "ambiguous-sidecar"}


def test_several_albums_in_one_target_directory_get_no_cover() -> None:
    made = plan([*album("x", "X"), *album("y", "Y"), plain("x/cover.jpg")], layout="{{ artist }}/{{ album }} {{ title }}")
    assert "x/cover.jpg" not in moved(made)
    assert skips(made) == {"x/cover.jpg": "ambiguous-sidecar"}


def test_discs_below_an_album_share_its_cover_and_keep_their_own() -> None:
    items = [*album("in/CD1", "X", disc=1), *album("in/CD2", "X", disc=2), plain("in/cover.jpg"), plain("in/CD2/cover.jpg")]
    made = moved(plan(items))
    assert made["in/cover.jpg"] == "A/X/cover.jpg"
    assert made["in/CD2/cover.jpg"] == "A/X/Disc 2/cover.jpg"


def test_papers_of_an_album_move_with_it() -> None:
    names = [f"info.{end}" for end in ("txt", "html", "HTM", "rtf", "doc", "json", "epub", "url", "st5", "sha256", "nfo", "md")]
    names += [f"01.{end}" for end in ("avif", "heic", "webp", "jxl")]
    names += [
        f"{folder}/x.any"
        for folder in (
            "Images",
            "photos",
            "Logs",
            "Proof",
            "Extras",
            "Scans (600 dpi)",
            "HQ Artwork",
            "Booklet",
            "CD Covers",
            "Cover Art",
            "Pics",
            "Liner Notes",
            "Spectrograms",
        )
    ]
    for folders in (["in"], ["in/CD1", "in/CD2"], ["in/FLAC 24-96"], ["in/24-96"]):
        songs = [item for disc, folder in enumerate(folders, 1) for item in album(folder, "X", disc=disc)]
        made = moved(plan([*songs, *(plain(f"in/{name}") for name in names)]))
        assert {name: made.get(f"in/{name}") for name in names} == {name: f"A/X/{name}" for name in names}
    named = moved(plan([*album("A - Deluxe/stuff", "Deluxe"), plain("A - Deluxe/info.txt"), plain("A - Deluxe/Photos/1.jpg")]))
    assert (named["A - Deluxe/info.txt"], named["A - Deluxe/Photos/1.jpg"]) == ("A/Deluxe/info.txt", "A/Deluxe/Photos/1.jpg")


def test_letters_and_photos_above_the_only_album_stay() -> None:
    above = ["Downloads/letter.doc", "Downloads/todo.txt", "Downloads/Photos/beach.jpg", "Downloads/cover.jpg"]
    made = plan([*album("Downloads/some rip", "X"), *map(plain, above), plain("Downloads/some rip/info.txt")])
    assert not moved(made).keys() & set(above)
    assert skips(made) == dict.fromkeys(above, "other")
    assert plan([*album("rip", "X"), plain("letter.doc"), plain("Photos/beach.jpg")]).skipped == ()


def test_papers_of_several_albums_stay() -> None:
    both = [*album("in", "X"), *[song("in/y.mp3", title="y", artist="A", album="Y")]]
    made = plan([*both, plain("in/info.txt"), plain("in/Photos/1.jpg"), plain("in/1.txt")])
    assert skips(made) == {"in/info.txt": "ambiguous-sidecar", "in/Photos/1.jpg": "ambiguous-sidecar"}
    assert moved(made)["in/1.txt"] == "A/X/01 t1.txt"


def test_other_files_stay_and_are_reported_where_music_leaves() -> None:
    made = plan([*album("in", "X"), plain("in/setup.exe"), plain("in/video/clip.avi"), plain("else/setup.exe")])
    assert skips(made) == {"in/setup.exe": "other", "in/video/clip.avi": "other"}
    assert made.header.counts["folders_left"] == 2
    why = "not music, and no rule says what it belongs to"
    assert [*left_files(made)] == [f"left in in: setup.exe ({why})", f"left in in/video: clip.avi ({why})"]
    assert ("folders left with files", "2; --leftovers DIR moves these files") in facts(made)
    assert not plan([*album("in", "X"), plain("in/setup.exe")], leftovers="rest").header.counts.get("folders_left")


def test_what_lies_beside_audio_that_stays_is_not_left_by_a_song_above_it() -> None:
    """A loose song in the root of the library leaves only the root."""
    loose = song("a.mp3", title="T", artist="Ann", album="Sky", track=1)
    staying = [
        tagged("Books/1.m4b", track(title="One", artist="Eve", album="Book")),
        plain("Books/cover.jpg"),
        untagged("Old/x.mp3"),
    ]
    items = [loose, *staying, plain("Old/readme.txt"), plain("Old/sub/b.bin")]
    made = plan(items, leftovers="rest")
    assert moved(made) == {"a.mp3": "Ann/Sky/01 T.mp3"}
    assert "folders_left" not in made.header.counts
    assert "folders_left" not in plan(items).header.counts


def test_leftovers_are_taken_only_from_folders_without_music() -> None:
    book = song("in/book.m4b", title="Ch", artist="B", album="Book", genre=("Audiobook",))
    made = plan([*album("in", "X"), book, plain("in/cover.jpg"), plain("in/setup.exe")], leftovers="rest")
    assert skips(made) == {"in/book.m4b": "audiobook", "in/cover.jpg": "ambiguous-sidecar", "in/setup.exe": "other"}
    assert not made.header.counts.get("folders_left")
    renamed = plan([*album("A/X", "X"), plain("A/X/setup.exe"), *album("in", "Y"), plain("in/setup.exe")], leftovers="rest")
    assert {path: new for path, new in moved(renamed).items() if path.endswith("exe")} == {"in/setup.exe": "rest/in/setup.exe"}


def test_companions_of_untagged_music_move_with_it() -> None:
    names = ["1.wav", "1.lrc", "1.wav.txt", "cover.jpg", "rip.log", "Scans/1.jpg", "list.m3u"]
    items = [untagged("in/1.wav"), *(plain(f"in/{name}") for name in names[1:-1]), listing("in/list.m3u", b"1.wav\n")]
    assert moved(plan(items, untagged="_rest")) == {f"in/{name}": f"_rest/in/{name}" for name in names}
    assert plan(items).operations == ()
    storage = PretendStorage.holding("/music", items)
    storage.carry_out(plan(items, untagged="_rest"))
    assert plan(storage.list("/music"), untagged="_rest").operations == ()


def test_companions_beside_tagged_and_untagged_music() -> None:
    """Each goes with its own track; a cover goes with the album, and stays if some music stays."""
    stray = [untagged("in/stray.wav"), plain("in/stray.lrc")]
    made = moved(plan([*album("in", "X"), *stray, plain("in/cover.jpg"), plain("in/1.lrc")], untagged="_rest"))
    assert (made["in/stray.lrc"], made["in/cover.jpg"], made["in/1.lrc"]) == (
        "_rest/in/stray.lrc",
        "A/X/cover.jpg",
        "A/X/01 t1.lrc",
    )
    made = moved(plan([*stray, unreadable("in/bad.mp3"), plain("in/cover.jpg"), plain("in/bad.lrc")], untagged="_rest"))
    assert made.keys() == {"in/stray.wav", "in/stray.lrc"}
    below = [*album("in/new", "X"), *stray, plain("in/new/cover.jpg"), plain("in/cover.jpg")]
    made = moved(plan(below, untagged="_rest"))
    assert (made["in/new/cover.jpg"], made["in/cover.jpg"]) == ("A/X/cover.jpg", "_rest/in/cover.jpg")
    root = [untagged("stray.wav"), plain("stray.lrc"), plain("all.txt")]
    assert moved(plan([*album("in", "X"), *root], untagged="_rest")).keys() >= {"stray.wav", "stray.lrc"}
    assert "all.txt" not in moved(plan([*album("in", "X"), *root], untagged="_rest"))
    assert moved(plan(root, untagged="_rest"))["all.txt"] == "_rest/all.txt"


def test_lyrics_get_the_number_of_their_untagged_track() -> None:
    made = plan(
        [untagged("in/1.wav"), plain("in/1.lrc")], target="/other", there=[plain("_rest/in/1.wav", "x")], untagged="_rest"
    )
    assert moved(made) == {"in/1.wav": "_rest/in/1 (2).wav", "in/1.lrc": "_rest/in/1 (2).lrc"}


def test_an_artists_picture_stays_above_the_albums() -> None:
    made = plan([*album("A/messy", "X"), plain("A/artist.jpg"), plain("library.m3u")])
    assert not {"A/artist.jpg", "library.m3u"} & moved(made).keys()


def test_clutter_is_quarantined_only_if_it_alone_keeps_a_directory_alive() -> None:
    clutter = ["in/.DS_Store", "in/._1.mp3", "in/Scans/Thumbs.db"]
    made = plan([*album("in", "X"), *(plain(path) for path in clutter), plain(".DS_Store"), plain("else/.DS_Store")])
    swept = [operation for operation in made.operations if operation.verb is Verb.QUARANTINE]
    assert sorted(operation.src.path for operation in swept) == sorted(clutter)
    assert all(operation.dst == operation.src for operation in swept)
    kept = plan([*album("in", "X"), plain("in/.DS_Store"), plain("in/notes.bin")])
    assert not [operation for operation in kept.operations if operation.verb is Verb.QUARANTINE]
    copied = plan([*album("in", "X"), plain("in/.DS_Store")], target="/other", copy=True)
    assert {operation.verb for operation in copied.operations} == {Verb.COPY}


def test_folders_of_other_programs_in_an_emptied_folder() -> None:
    """Thumbnails are asked for only where they alone keep it, and then go as clutter does; bins and versions keep it."""
    music, clutter = album("in", "X"), plain("in/.nomedia")
    thumbnails = [plain(f"in/@eaDir/{name}") for name in ("1.mp3/SYNO.jpg", "1.mp3")]
    first = plan([*music, clutter], foreign_folders=["in/@eaDir", "else/@eaDir", "@eaDir"])
    assert first.litter == ("in/@eaDir",)
    second = plan([*music, clutter], foreign_folders=["in/@eaDir"], litter=thumbnails)
    swept = {operation.src.path for operation in second.operations if operation.verb is Verb.QUARANTINE}
    assert swept == {"in/.nomedia", "in/@eaDir/1.mp3/SYNO.jpg", "in/@eaDir/1.mp3"}
    assert second.header.counts["files"] == 3
    for bin_ in ("in/#recycle", "in/.stversions", "in/Scans/.git"):
        kept = plan([*music, clutter], foreign_folders=["in/@eaDir", bin_])
        assert (kept.litter, {operation.verb for operation in kept.operations}) == ((), {Verb.MOVE})
    assert plan([*music, plain("in/notes.bin")], foreign_folders=["in/@eaDir"]).litter == ()
    assert plan(music, foreign_folders=["in/@eaDir"], target="/other", copy=True).litter == ()


def test_a_bin_spells_its_folder() -> None:
    """Where case does not matter, the folder that it keeps has its old name, and the second plan is empty."""
    items = [song("a/X/1.mp3", title="t", artist="A", album="X")]
    made = plan(items, capabilities=FOLDING, foreign_folders=["a/x/#recycle"])
    assert moved(made) == {"a/X/1.mp3": "a/x/t.mp3"}


def test_an_image_named_cover_belongs_to_the_album_even_beside_a_track_named_cover() -> None:
    items = [song("in/cover.mp3", title="Song", artist="A", album="X"), plain("in/Cover.jpg")]
    assert moved(plan(items))["in/Cover.jpg"] == "A/X/Cover.jpg"


def test_clutter_neither_spells_a_directory_nor_blocks_a_file() -> None:
    items = [song("a/x/1.mp3", title="t", artist="A", album="X"), plain("a/x/.DS_Store"), plain("a/.DS_Store")]
    for seed in range(5):
        storage = PretendStorage.holding("/music", items, folding=True)
        storage.carry_out(plan(items, capabilities=FOLDING), seed)
        assert list(storage.tree("/music")) == ["A/X/t.mp3"]
        assert plan(storage.list("/music"), capabilities=FOLDING).operations == ()
    items = [song("in.mp3", title="t", artist="A", album="X"), plain("t.mp3/.DS_Store")]
    storage = PretendStorage.holding("/music", items)
    storage.carry_out(plan(items, layout="{{ title }}"))
    assert list(storage.tree("/music")) == ["t.mp3"]


def test_a_list_in_a_folder_of_two_albums_moves_with_the_only_one_that_it_names() -> None:
    items = [*album("mix", "X"), song("mix/y.mp3", title="y", artist="A", album="Y", track=1)]
    lists = [
        listing("mix/X.cue", b'FILE "1.wav" WAVE\nFILE "2.wav" WAVE\n'),
        listing("mix/Y.m3u", b"y.mp3\n"),
        listing("mix/both.m3u", b"1.mp3\ny.mp3\n"),
        listing("mix/strange.m3u", b"nothing.mp3\n"),
    ]
    made = plan([*items, *lists, plain("mix/X.log"), plain("mix/other.log"), listing("all.m3u", b"mix/1.mp3\nmix/2.mp3\n")])
    went = {path: new for path, new in moved(made).items() if not path.endswith("mp3") and path != new}
    assert went == {"mix/X.cue": "A/X/X.cue", "mix/X.log": "A/X/X.log", "mix/Y.m3u": "A/Y/Y.m3u"}
    storage = PretendStorage.holding("/music", [*items, *lists])
    storage.carry_out(plan([*items, *lists]))
    assert not plan(storage.list("/music")).operations


def test_a_folder_of_lyrics_moves_like_scans() -> None:
    made = moved(plan([*album("in", "X"), plain("in/Lyrics/1.lrc"), plain("in/lyrics/de/2.lrc")]))
    assert (made["in/Lyrics/1.lrc"], made["in/lyrics/de/2.lrc"]) == ("A/X/Lyrics/1.lrc", "A/X/Lyrics/de/2.lrc")


def test_companions_that_stay_with_music_that_stays_are_counted() -> None:
    made = plan(
        [
            *(untagged("un/1.mp3"), untagged("un/2.mp3"), plain("un/cover.jpg"), plain("un/Scans/back.jpg"), plain("un/1.lrc")),
            *(*album("in", "X", 1), plain("in/cover.jpg"), untagged("in/2.mp3"), plain("in/2.lrc"), plain("in/what.bin")),
            *(untagged("loose.mp3"), plain("front.jpg"), plain("elsewhere/note.txt")),
        ]
    )
    assert moved(made).keys() == {"in/1.mp3", "in/cover.jpg"}
    assert made.header.counts["beside_staying"] == 3 + 1 + 1, "in `un`, the lyrics of in/2.mp3, the picture beside loose.mp3"
    assert "beside_staying" not in plan([*album("in", "X", 1), plain("in/cover.jpg"), plain("elsewhere/note.txt")]).header.counts
