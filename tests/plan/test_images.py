"""Files without a title keep their names: images of albums, sides of records, and what nobody has tagged completely."""

from __future__ import annotations

import pytest

from orchestrator.records import Item
from tests.plan.worlds import PretendStorage, listing, moved, plan, skips, song, untagged


def image(path: str, album: str = "X", **tags: object) -> Item:
    return song(path, artist="A", album=album, **tags)


def cue(path: str, *files: str, tracks: int = 2, head: str = "", encoding: str = "utf-8") -> Item:
    """A cue sheet of files with some tracks each, called `t1`, `t2` ..."""
    body, number = head, 0
    for file in files:
        body += f'FILE "{file}" WAVE\r\n'
        for _ in range(tracks):
            number += 1
            body += f'  TRACK {number:02} AUDIO\r\n    TITLE "t{number}"\r\n    PERFORMER "guest"\r\n    INDEX 01 00:00:00\r\n'
    return listing(path, body.encode(encoding))


def settled(items: list[Item], **options: str) -> list[str]:
    """The paths after a run. A second run must have nothing to do."""
    storage = PretendStorage.holding("/music", items)
    storage.carry_out(plan(items, **options))
    again = plan(storage.list("/music"), **options)
    assert not moved(again), "the second run changes names again"
    return list(storage.tree("/music"))


@pytest.mark.parametrize(
    ("items", "paths"),
    [
        pytest.param(
            [image("in/A - X.flac", date="2001"), cue("in/A - X.cue", "A - X.wav"), listing("in/A - X.log", b"")],
            [f"A/X (2001)/A - X.{end}" for end in ("cue", "flac", "log")],
            id="one image",
        ),
        pytest.param(
            [*(image(f"in/CD{n}.flac") for n in (1, 2)), *(cue(f"in/CD{n}.cue", f"CD{n}.flac") for n in (1, 2))],
            ["A/X/CD1.cue", "A/X/CD1.flac", "A/X/CD2.cue", "A/X/CD2.flac"],
            id="two images in one folder",
        ),
        pytest.param(
            [image(f"in/CD{n}/X.ape") for n in (1, 2)] + [cue(f"in/CD{n}/X.cue", "X.ape") for n in (1, 2)],
            [f"A/X/Disc {n}/X.{end}" for n in (1, 2) for end in ("ape", "cue")],
            id="images of one name in folders of discs",
        ),
        pytest.param(
            [image("in/CD1/one.wv"), image("in/CD2/two.wv"), *(listing(f"in/CD{n}/rip.log", b"%d" % n) for n in (1, 2))],
            ["A/X/Disc 1/one.wv", "A/X/Disc 1/rip.log", "A/X/Disc 2/rip.log", "A/X/Disc 2/two.wv"],
            id="images of two names in folders of discs",
        ),
        pytest.param(
            [image("in/a.flac", disc=1, disc_total=2), image("in/b.flac", disc=2, disc_total=2)],
            ["A/X/Disc 1/a.flac", "A/X/Disc 2/b.flac"],
            id="images with discs",
        ),
        pytest.param(
            [image("in/Side A.flac"), image("in/Side B.flac"), cue("in/lp.cue", "Side A.wav", "Side B.wav")],
            ["A/X/Side A.flac", "A/X/Side B.flac", "A/X/lp.cue"],
            id="sides of a record",
        ),
        pytest.param(
            [image("in/1.mp3", title="One", track=1), image("in/hidden.mp3"), image("in/05 - Five.mp3", track=5)],
            ["A/X/01 One.mp3", "A/X/05 Five.mp3", "A/X/hidden.mp3"],
            id="tracks of an album",
        ),
        pytest.param(
            [
                image("in/05.mp3", track=5),
                image("in/Track 06.mp3", track=6),
                image("in/7th Heaven.mp3", track=7),
                image("in/08 _.mp3", track=8),
            ],
            ["A/X/05.mp3", "A/X/06.mp3", "A/X/07 7th Heaven.mp3", "A/X/08 _.mp3"],
            id="names that are numbers",
        ),
        pytest.param(
            # rubyripper and others give the title of the album to its image.
            [image(f"in/disc{n}.flac", title="X", track=n) for n in (1, 2)] + [cue("in/x.cue", "disc1.flac", "disc2.flac")],
            ["A/X/disc1.flac", "A/X/disc2.flac", "A/X/x.cue"],
            id="images with the title of the album",
        ),
        pytest.param(
            [image(f"in/{side}.flac", title=title, cue_sheet=True) for side, title in (("I", "X"), ("II", "Two"))],
            ["A/X/I.flac", "A/X/Two.flac"],
            id="images with sheets inside",
        ),
        pytest.param(
            [image("in/mix.mp3", title="Essential Mix 500", track=500), cue("in/mix.cue", "mix.mp3", tracks=20)],
            ["A/X/500 Essential Mix 500.cue", "A/X/500 Essential Mix 500.mp3"],
            id="a mix with a title of its own",
        ),
        pytest.param(
            [
                image("flac/X.flac", codec="flac"),
                image("mp3/X.mp3", codec="mp3"),
                cue("flac/X.cue", "X.flac"),
                cue("mp3/X.cue", "X.mp3"),
            ],
            ["A/X [FLAC]/X.cue", "A/X [FLAC]/X.flac", "A/X [MP3]/X.cue", "A/X [MP3]/X.mp3"],
            id="two copies of an image",
        ),
        pytest.param(
            [image("in/1.mp3", title="One", track=1), image("in/hidden.mp3"), image("backup/hidden.mp3", codec="mp3")],
            ["A/X/01 One.mp3", "A/X/hidden (2).mp3", "A/X/hidden.mp3"],
            id="a stray track is no copy of the album",
        ),
        pytest.param(
            [song("in/S.flac", album="S", artist="Various Artists"), cue("in/S.cue", "S.wav", tracks=9)],
            ["Various Artists/S/S.cue", "Various Artists/S/S.flac"],
            id="the image of a sampler",
        ),
        pytest.param(
            [image("in/one.flac"), image("in/two.flac", album="Y"), cue("in/one.cue", "one.flac"), cue("in/two.cue", "two.flac")],
            ["A/X/one.cue", "A/X/one.flac", "A/Y/two.cue", "A/Y/two.flac"],
            id="images of two albums in one folder",
        ),
    ],
)
def test_files_without_a_title_keep_their_names(items: list[Item], paths: list[str]) -> None:
    assert settled(items) == paths


def test_album_or_artist_alone_are_not_enough() -> None:
    made = plan([song("in/a.flac", album="X"), song("in/b.flac", artist="A")])
    assert (moved(made), skips(made)) == ({}, {"in/a.flac": "untagged", "in/b.flac": "untagged"})


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ("flat", ["A - Side A.flac", "A - Side B.flac"]),
        ("plex", ["A/X/Side A.flac", "A/X/Side B.flac"]),
        ("{{ album }}/{{ track | pad(2) }}", ["X/Side A.flac", "X/Side B.flac"]),
        ("{{ album }}/{{ artist }} - {{ track }}", ["X/Side A.flac", "X/Side B.flac"]),
        ("{{ album }}/{{ title | upper }} [{{ codec }}]", ["X/SIDE A [flac].flac", "X/SIDE B [flac].flac"]),
        ("{{ title }}/{{ artist }}, {{ title }}", ["Side A/A, Side A.flac", "Side B/A, Side B.flac"]),
    ],
)
def test_no_layout_adds_its_texts_to_such_names_twice(layout: str, names: list[str]) -> None:
    assert settled([image(f"in/Side {side}.flac", codec="flac") for side in "AB"], layout=layout) == names


@pytest.mark.parametrize(
    "layout", ["{{ title }}.d/{{ track }}", "{{ title }}/{{ title | truncate(3) }}", "{{ title }}/{{ title }}"]
)
def test_titles_in_folders_are_found_again(layout: str) -> None:
    """Or there is none: a name that is cut, or only a number, does not say it any more."""
    items = [image(f"{folder}/One Two.mp3", album=folder) for folder in ("a", "b")]
    settled(
        [*items, image("a/05 Five.mp3", album="a", track=5), image("a/06 Six.mp3", title="S", album="a", track=6)], layout=layout
    )


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("{{ artist }} - {{ title }} [{{ codec }}]", "A - Side A [flac]"),
        ("{{ title | truncate(8) }}", "Side A"),
        ("{{ artist }} {{ title | truncate(8) }}", "A Side A"),
        ("{{ artist }} ({{ title | truncate(8) }})", "A (Side A)"),
        ("{{ artist }} {{ title | replace('(', '[') }}", "A Side A"),
    ],
)
def test_names_that_collide_keep_their_numbers(layout: str, name: str) -> None:
    items = [image(f"{folder}/Side A.flac", codec="flac", album=folder) for folder in ("x", "y")]
    assert settled(items, layout=layout) == [f"{name} (2).flac", f"{name}.flac"]


def test_the_number_of_a_copy_is_shown_whole_or_not_at_all() -> None:
    items = [image("in/Side A (2).flac")]
    assert settled(items, layout="{{ artist }} {{ title | truncate(10) }}") == ["A Side A (2).flac"]
    assert settled(items, layout="{{ artist }} {{ title | truncate(9) }}") == ["A Side A.flac"]


HEAD = 'REM GENRE Rock\r\nREM DATE "1996"\r\nREM DISCNUMBER 1\r\nREM TOTALDISCS 1\r\nPERFORMER "A"\r\nTITLE "{}"\r\n'


def test_an_image_without_tags_has_those_of_its_cue_sheet() -> None:
    items = [untagged("in/CDImage.wav"), cue("in/CDImage.cue", "CDImage.wav", head=HEAD.format("X"))]
    made = plan(items)
    assert moved(made) == {"in/CDImage.wav": "A/X (1996)/CDImage.wav", "in/CDImage.cue": "A/X (1996)/CDImage.cue"}
    assert made.header.counts["tags_from_cue_sheet"] == made.header.counts["title_from_name"] == 1
    reasons = {one.src.path: one.reason for one in made.operations}
    assert reasons["in/CDImage.wav"] == "layout; tags from its cue sheet CDImage.cue; its name is its title"
    assert settled(items) == ["A/X (1996)/CDImage.cue", "A/X (1996)/CDImage.wav"]


@pytest.mark.parametrize(
    "sheet",
    [
        pytest.param(cue("in/i.cue", "i.wav", head=HEAD.format("Ночь"), encoding="cp1251"), id="in an unknown encoding"),
        pytest.param(cue("in/i.cue", "i.wav", tracks=1, head=HEAD.format("X")), id="of one track"),
        pytest.param(cue("in/i.cue", "other.wav", head=HEAD.format("X")), id="of another file"),
        pytest.param(cue("in/i.cue", "i.wav"), id="without an album"),
        pytest.param(listing("in/i.cue", b"\xff\xfe\x00" * 9), id="broken"),
    ],
)
def test_a_cue_sheet_that_says_nothing_for_sure_gives_no_tags(sheet: Item) -> None:
    assert skips(plan([untagged("in/i.wav"), sheet])) == {"in/i.wav": "untagged"}


def test_the_tags_of_an_image_count_more_than_its_cue_sheet() -> None:
    sheet = cue("in/i.cue", "i.flac", head=HEAD.format("X"))
    for tags, path in (
        ({"album": "X", "date": "2001"}, "A/X (2001)/i.flac"),
        ({"album": "Y", "artist": "B"}, "B/Y/i.flac"),
        ({"album": "X", "artist": "B"}, "B/X (1996)/i.flac"),
    ):
        assert moved(plan([song("in/i.flac", **tags), sheet]))["in/i.flac"] == path


def test_western_names_in_a_sheet_without_unicode() -> None:
    for name in ("Ágætis byrjun", "Don\u2019t Explain", "Motörhead", "Entre dos aguas", "Ça va"):
        sheet = cue("in/i.cue", "i.wav", head=HEAD.format(name), encoding="cp1252")
        assert moved(plan([untagged("in/i.wav"), sheet]))["in/i.wav"] == f"A/{name} (1996)/i.wav"


def test_the_name_of_the_image_shows_the_encoding_of_its_sheet() -> None:
    for codec in ("cp1251", "koi8-r", "cp866"):
        sheet = cue("in/Жук.cue", "Жук.wav", head=HEAD.format("Ночь"), encoding=codec)
        assert moved(plan([untagged("in/Жук.ape"), sheet]))["in/Жук.ape"] == "A/Ночь (1996)/Жук.ape"


def test_of_two_sheets_the_one_in_a_certain_encoding_counts() -> None:
    sheets = [
        cue("in/a.cue", "i.ape", head=HEAD.format("Ночь"), encoding="cp1251"),
        cue("in/b.cue", "i.ape", head=HEAD.format("Ночь")),
    ]
    assert moved(plan([untagged("in/i.ape"), *sheets]))["in/i.ape"] == "A/Ночь (1996)/i.ape"


def test_tracks_in_a_sheet_that_begin_in_the_file_before_make_no_image() -> None:
    """As rippers write gaps: the pause before a track is at the end of the file before."""
    content = (
        'PERFORMER "A"\nTITLE "X"\nFILE "1.wav" WAVE\n TRACK 01 AUDIO\n  INDEX 01 00:00:00\n'
        " TRACK 02 AUDIO\n  INDEX 00 03:00:00\n"
        'FILE "2.wav" WAVE\n  INDEX 01 00:00:00\n'
    )
    made = plan([untagged("in/1.wav"), untagged("in/2.wav"), listing("in/x.cue", content.encode())])
    assert set(skips(made).values()) == {"untagged"}


def test_songs_without_a_number_are_counted_but_not_images() -> None:
    made = plan([image("in/a.mp3", title="a", track=1), image("in/b.mp3", title="b"), image("in/c.mp3")])
    assert (made.header.counts["without_number"], made.header.counts["title_from_name"]) == (1, 1)


def test_the_artist_in_a_name_without_title_is_no_title() -> None:
    storage = PretendStorage.holding("/music", [song("a/1.mp3", artist="Beck", album="X", track=1, compilation=True)])
    made = plan(storage.list("/music"))
    assert moved(made) == {"a/1.mp3": "Various Artists/X/01 Beck.mp3"}
    storage.carry_out(made)
    assert not plan(storage.list("/music")).operations
