"""What is no music stays where it is, and has places of its own only by rules that name it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.config.model import LayoutRule
from orchestrator.plan.model import NO_MUSIC, Verb
from orchestrator.plan.music.kinds import KINDS, kinds_of
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Item
from orchestrator.report.plan_view import facts, nothing_to_do
from tests.plan.worlds import PretendStorage, moved, plain, plan, skips, song, tagged, track, unreadable, untagged

SONG = {"artist": "Ann", "album_artist": "Ann", "album": "Sky"}
BOOK = {"artist": "Tolkien", "album_artist": "Tolkien", "album": "The Hobbit"}
SHOW = {"artist": "Roman", "album": "99 % Invisible"}
RULES = (
    LayoutRule(
        "Books/{{ albumartist }}/{{ album }}/{{ track | pad_to(track_total) }} {{ title }}", when="album_class == 'audiobook'"
    ),
    LayoutRule("Shows/{{ album }}/{{ track_date }} {{ title }}", when="album_class == 'podcast' and genre != 'News'"),
    LayoutRule("Rest/{{ title }}", when="album_class in ('video', 'memo')"),
)


def kinds(*files: dict[str, Any]) -> list[str]:
    """The kinds of these files; `path` is that of the file, all others are tags."""
    return kinds_of(
        [
            (str(fields.get("path", f"x/{n}.m4a")), track(**{key: fields[key] for key in fields if key != "path"}))
            for n, fields in enumerate(files)
        ]
    )


def test_the_kinds_have_one_list() -> None:
    assert tuple(KINDS) == NO_MUSIC


ALONE: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("", {"title": "T", **SONG}),
    ("podcast", {"media_kind": "podcast"}),
    ("podcast", {"media_kind": "podcast", "video": True}),
    ("podcast", {"media_kind": "podcast", "path": "x.m4b"}),
    ("podcast", {"genre": "Podcast", "path": "x.mp3"}),
    ("podcast", {"genre": ("Rock", "PODCASTS")}),
    ("podcast", {"genre": "Comedy; Podcast"}),
    ("audiobook", {"media_kind": "audiobook"}),
    ("audiobook", {"path": "a/x.m4b"}),
    ("audiobook", {"path": "a/x.M4B", "genre": "Fantasy", "artist": "Ann", "album": "X"}),
    ("audiobook", {"path": "x.aax"}),
    *(("podcast", {"genre": genre}) for genre in ("Podcast Technology", "News & Politics Podcast", "Подкасты", "播客")),
    *(
        ("audiobook", {"genre": genre})
        for genre in (
            "Audiobook",
            "Audio Books",
            "audio-book",
            "Audiobook - Fantasy",
            "Children's Audiobooks",
            "Books & Spoken",
            "Radio Drama",
            "Audio Theatre",
            "Hörbuch",
            "Kinderhörbuch",
            "Hörspiele",
            "Hoerbuecher",
            "Livres audio",
            "Audiolibro",
            "Luisterboeken",
            "Lydbok",
            "Lydbøger",
            "Ljudböcker",
            "Äänikirjat",
            "Audiokniha",
            "Książka audio",
            "Hangoskönyv",
            "Sesli kitap",
            "Аудиокниги",
            "有聲書",
            "オーディオブック",
        )
    ),
    ("audiobook", {"genre": "Ho\u0308rbu\u0308cher"}),
    ("audiobook", {"genre": "HÖRSPIEL"}),
    ("audiobook", {"genre": "Audiobook/Thriller"}),
    ("audiobook", {"release_type": ("other", "audiobook")}),
    ("audiobook", {"release_type": "audio drama"}),
    ("video", {"video": True}),
    ("video", {"video": True, **SONG}),
    ("video", {"media_kind": "video"}),
    ("memo", {"media_kind": "memo"}),
    ("memo", {"path": "x.3gp"}),
    ("video", {"path": "x.3gp", "video": True}),
    ("", {"path": "x.3gp", "artist": "Ann", "title": "Ringtone"}),
    ("memo", {"path": "a/20240131 093000-1A2B3C4D.m4a"}),
    ("memo", {"path": "20240131 093000.m4a", "title": "Home"}),
    ("memo", {"path": "New Recording 3.m4a"}),
    ("memo", {"path": "Neue Aufnahme 12.m4a"}),
    ("memo", {"path": "Voice 001.m4a"}),
    ("memo", {"path": "PTT-20240131-WA0001.opus"}),
    ("", {"path": "New Recording 3.m4a", "artist": "Ann"}),
    ("", {"path": "20240131 093000.wav"}),
    ("", {"path": "recording 1.m4a"}),
    ("", {"path": "New Recording 3.mp3"}),
    ("", {"path": "20240131.m4a"}),
    ("", {"path": "Recording the Angels.m4a"}),
    ("", {"path": "AUD-20240131-WA0001.m4a"}),
    # Music, whatever it is about.
    ("", {"genre": "Comedy", **SONG}),
    ("", {"genre": "Spoken Word", **SONG}),
    ("", {"genre": "Speech", **SONG}),
    ("", {"genre": "Soundtrack", "album": "The Audiobook"}),
    ("", {"genre": "Radio Playlist", "album": "The Podcast"}),
    ("", {"genre": "Books", "album": "Bookends"}),
    ("", {"release_type": ("album", "spokenword")}),
    ("", {"release_type": "broadcast"}),
    ("", {"title": "Podcast"}),
]


@pytest.mark.parametrize(("expected", "fields"), ALONE)
def test_what_one_file_is(expected: str, fields: dict[str, Any]) -> None:
    assert kinds(fields) == [expected]


def album(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"title": f"T{n}", "track": n, **fields} for n in range(1, count + 1)]


def sampler(count: int) -> list[dict[str, Any]]:
    """Without album artist."""
    return [{"track": n, "artist": f"A{n}", "album": "Mix"} for n in range(1, count + 1)]


ALBUMS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "most files say so": ([*album(1, **BOOK), *({**one, "genre": "Hörbuch"} for one in album(2, **BOOK))], ["audiobook"] * 3),
    "half of them": ([*album(2, **SONG), *({**one, "genre": "Podcast"} for one in album(2, **SONG))], [""] * 4),
    "a spoken intro": ([{"title": "Hello", "genre": "Speech", **SONG}, *album(3, genre="Rock", **SONG)], [""] * 4),
    "an interview": ([{"title": "Talk", "media_kind": "podcast", **SONG}, *album(3, **SONG)], [""] * 4),
    "LibriVox": (album(3, genre="Speech", **BOOK), ["audiobook"] * 3),
    "speech and music": ([*album(2, genre="Speech", **SONG), *album(1, genre="Jazz", **SONG)], [""] * 3),
    "one of two has another artist": ([*album(2, genre="Audiobook", **BOOK), *album(2, **SONG)], ["audiobook"] * 2 + [""] * 2),
    "a soundtrack of the book's name": (
        [*album(2, genre="Audiobook", **BOOK), *album(3, **{**BOOK, "album_artist": "Shore"})],
        ["audiobook"] * 2 + [""] * 3,
    ),
    "without album artist, by one artist": (
        [*album(3, genre="Audiobook", artist="Ann", album="B"), {"artist": "Ann", "album": "B", "path": "elsewhere/4.mp3"}],
        ["audiobook"] * 4,
    ),
    "episodes without album": ([{"genre": "Podcast", "artist": "Ann"}, *album(3, artist="Ann")], ["podcast", "", "", ""]),
    "an unknown album": (
        [{"genre": "Podcast", "artist": "Ann", "album": "Unknown Album"}, *album(3, artist="Ann", album="Unknown Album")],
        ["podcast", "", "", ""],
    ),
    "a bonus video": ([*album(3, **SONG), {"track": 4, "video": True, **SONG}], [""] * 4),
    "a bonus video without a number": ([*album(3, **SONG), {"title": "Making of", "video": True, **SONG}], ["", "", "", "video"]),
    "the video of a track": ([*album(3, **SONG), {"track": 2, "video": True, **SONG}], ["", "", "", "video"]),
    "videos of all tracks": ([*album(3, **SONG), *album(3, video=True, **SONG)], [""] * 3 + ["video"] * 3),
    "a DVD with one track of sound": ([*album(3, video=True, **SONG), {"track": 4, **SONG}], ["video"] * 3 + [""]),
    "a bonus video on a sampler": (
        [*sampler(3), {"track": 4, "artist": "Bob", "album": "Mix", "video": True}],
        [""] * 4,
    ),
    "in whatever folder": (
        [*sampler(3), {"track": 4, "artist": "Bob", "album": "Mix", "video": True, "path": "v/1.mp4"}],
        [""] * 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALBUMS)
def test_an_album_is_decided_once(name: str) -> None:
    files, expected = ALBUMS[name]
    assert kinds(*files) == expected
    assert kinds(*reversed(files))[::-1] == expected


def numbered(folder: str, count: int, extension: str = "mp3", **fields: Any) -> list[Item]:
    return [song(f"{folder}/{n}.{extension}", title=f"T{n}", track=n, **fields) for n in range(1, count + 1)]


LIBRARY = [
    *numbered("in/sky", 2, **SONG),
    plain("in/sky/cover.jpg"),
    *numbered("in/hobbit", 2, genre="Audiobook", track_total=120, **BOOK),
    plain("in/hobbit/cover.jpg"),
    plain("in/hobbit/1.lrc"),
    song("pods/b.mp3", title="Second", track=1, date="2021-02-03", genre="Podcast", **{**SHOW, "artist": "Guest"}),
    song("pods/a.mp3", title="First", track=1, date="2020-01-01", genre="Podcast", **SHOW),
    song("pods/news.mp3", title="Today", date="2020-01-01", genre=("News", "Podcast"), artist="NN", album="News"),
    song("clip.mp4", title="Clip", video=True, artist="Ann"),
    tagged("film.mov", track(video=True)),
    tagged("memo/New Recording 3.m4a", track(title="Idea", media_kind="memo")),
    tagged("memo/20240131 093000.m4a", track()),
    plain("memo/call.amr"),
    plain("in/hobbit/part.aa"),
    untagged("x.mp3"),
    unreadable("y.m4b"),
]  # fmt: skip
MUSIC = {
    "in/sky/1.mp3": "Ann/Sky/01 T1.mp3",
    "in/sky/2.mp3": "Ann/Sky/02 T2.mp3",
    "in/sky/cover.jpg": "Ann/Sky/cover.jpg",
}
LEFT_ALONE = {
    "in/hobbit/1.mp3": "audiobook", "in/hobbit/2.mp3": "audiobook", "in/hobbit/part.aa": "audiobook",
    "pods/a.mp3": "podcast", "pods/b.mp3": "podcast", "pods/news.mp3": "podcast",
    "clip.mp4": "video", "film.mov": "video",
    "memo/New Recording 3.m4a": "memo", "memo/20240131 093000.m4a": "memo", "memo/call.amr": "memo",
}  # fmt: skip
ERRORS = {"x.mp3": "untagged", "y.m4b": "unreadable"}


def test_what_is_no_music_is_left_alone_with_its_companions_and_counted() -> None:
    made = plan(LIBRARY)
    assert moved(made) == MUSIC
    assert skips(made) == LEFT_ALONE | ERRORS
    counts = made.header.counts
    assert {kind: counts[f"skipped.{kind}"] for kind in KINDS} == {"podcast": 3, "audiobook": 3, "video": 2, "memo": 3}
    line = "3 podcasts, 3 audiobooks, 2 videos, 3 voice memos: left alone; rules of `layouts` can place them"
    assert dict(facts(made))["no music"] == line
    assert "albums_of_one_track" not in counts
    assert "without_number" not in counts
    untouched = plan([item for item in LIBRARY if item.entry.path in LEFT_ALONE])
    assert not untouched.operations
    assert f"no music: {line}" in nothing_to_do(untouched)


def test_episodes_need_no_track_numbers() -> None:
    episodes = [tagged(f"in/{n}.mp3", track(title=f"E{n}", media_kind="podcast", **SHOW)) for n in (1, 2)]
    equal = [song(f"in/{n}.mp3", title="Intro", track=1, **SONG) for n in "ab"]
    made = plan([*episodes, *equal], layouts=(*RULES, LayoutRule("default")))
    assert len(moved(made)) == 4
    assert "without_number" not in made.header.counts
    said = "1 file would share a name and get a number; `music-orchestrator dedup` finds duplicates"
    assert dict(facts(made))["same name"] == said, "the template of the songs has a number, that of episodes needs none"


@pytest.mark.parametrize(
    "options", [{"layout": "by-class"}, {"layout": "flat"}, {"untagged": "Untagged"}, {"target": "/other"}, {"copy": True}]
)
def test_layouts_that_do_not_name_a_kind_leave_it_alone(options: dict[str, Any]) -> None:
    made = plan(LIBRARY, **options)
    assert skips(made).items() >= LEFT_ALONE.items()
    assert not moved(made).keys() & {*LEFT_ALONE, "in/hobbit/cover.jpg", "in/hobbit/1.lrc"}


def test_rules_that_name_a_kind_place_it() -> None:
    made = plan(LIBRARY, layouts=RULES)
    assert moved(made) == MUSIC | {
        "in/hobbit/1.mp3": "Books/Tolkien/The Hobbit/001 T1.mp3",
        "in/hobbit/2.mp3": "Books/Tolkien/The Hobbit/002 T2.mp3",
        "in/hobbit/1.lrc": "Books/Tolkien/The Hobbit/001 T1.lrc",
        "in/hobbit/cover.jpg": "Books/Tolkien/The Hobbit/cover.jpg",
        "pods/a.mp3": "Shows/99 % Invisible/2020-01-01 First.mp3",
        "pods/b.mp3": "Shows/99 % Invisible/2021-02-03 Second.mp3",
        "clip.mp4": "Rest/Clip.mp4",
        "memo/New Recording 3.m4a": "Rest/Idea.m4a",
        "film.mov": "Rest/film.mov",
        "memo/20240131 093000.m4a": "Rest/20240131 093000.m4a",
    }
    left = {path: LEFT_ALONE[path] for path in ("in/hobbit/part.aa", "pods/news.mp3", "memo/call.amr")}
    assert skips(made).items() >= (left | ERRORS).items()


@pytest.mark.parametrize("rules", [(), RULES])
def test_the_second_run_plans_nothing(rules: Sequence[LayoutRule]) -> None:
    storage = PretendStorage.holding("/music", LIBRARY)
    storage.carry_out(plan(LIBRARY, layouts=tuple(rules)))
    assert not plan(storage.list("/music"), layouts=tuple(rules)).operations


def test_a_condition_that_excludes_a_kind_does_not_place_it() -> None:
    rules = (
        LayoutRule("Not/{{ title }}", when="album_class != 'podcast'"),
        LayoutRule("Low/{{ title }}", when="genre == 'Podcast'"),
    )
    assert not moved(plan(LIBRARY, layouts=rules)).keys() & LEFT_ALONE.keys()


def test_a_cover_beside_an_audiobook_and_an_album_belongs_to_nobody() -> None:
    both = [
        *numbered("mix", 2, **SONG),
        *(song(f"mix/b{n}.m4b", title=f"C{n}", track=n, **BOOK) for n in (1, 2)),
        plain("mix/cover.jpg"),
    ]
    assert "mix/cover.jpg" not in moved(plan(both))
    film = [*numbered("mix", 2, **SONG), tagged("mix/clip.mp4", track(video=True)), plain("mix/cover.jpg")]
    assert moved(plan(film))["mix/cover.jpg"] == "Ann/Sky/cover.jpg"


def test_discs_of_an_audiobook_that_only_folders_tell() -> None:
    book = [one for disc in (1, 2) for one in numbered(f"book/CD{disc}", 2, genre="Hörbuch", **BOOK)]
    made = moved(plan(book, layout="audiobook"))
    assert made["book/CD1/2.mp3"] == "Tolkien/The Hobbit/1-02 T2.mp3"
    assert made["book/CD2/2.mp3"] == "Tolkien/The Hobbit/2-02 T2.mp3"


def test_a_bonus_video_goes_with_its_album() -> None:
    items = [*numbered("a", 2, **SONG), song("a/v.m4v", title="Clip", track=3, video=True, **SONG)]
    assert moved(plan(items))["a/v.m4v"] == "Ann/Sky/03 Clip.m4v"


@pytest.mark.parametrize(
    "tags",
    [{}, {"title": "Clip", "artist": "Ann"}, {"track": 2, "title": "Clip", **SONG}],
    ids=["none", "single", "of the track"],
)
def test_a_video_named_like_a_track_goes_with_it(tags: dict[str, Any]) -> None:
    items = [*numbered("a", 2, **SONG), tagged("a/2.mp4", track(video=True, **tags)), plain("a/2.lrc"), plain("a/cover.jpg")]
    storage = PretendStorage.holding("/music", items)
    made = plan(items)
    assert moved(made) == {
        "a/1.mp3": "Ann/Sky/01 T1.mp3",
        "a/2.mp3": "Ann/Sky/02 T2.mp3",
        "a/2.mp4": "Ann/Sky/02 T2.mp4",
        "a/2.lrc": "Ann/Sky/02 T2.lrc",
        "a/cover.jpg": "Ann/Sky/cover.jpg",
    }
    assert not skips(made)
    storage.carry_out(made)
    assert not plan(storage.list("/music")).operations
    assert moved(plan(items, target="/other", copy=True)) == moved(made)
    assert moved(plan(items, layouts=RULES))["a/2.mp4"] == f"Rest/{tags.get('title', '2')}.mp4"


def test_the_cover_of_an_album_does_not_belong_to_a_clip_beside_it() -> None:
    items = [*numbered("a", 2, **SONG), song("a/x.mp4", title="Clip", video=True, artist="Ann"), plain("a/cover.jpg")]
    assert moved(plan(items, layouts=RULES))["a/cover.jpg"] == "Ann/Sky/cover.jpg"
    concert = [*numbered("dvd", 2, "mp4", video=True, **SONG), plain("dvd/cover.jpg")]
    rule = (LayoutRule("Films/{{ album }}/{{ track }} {{ title }}", when="album_class == 'video'"),)
    assert moved(plan(concert, layouts=rule))["dvd/cover.jpg"] == "Films/Sky/cover.jpg"
    assert not plan(concert).operations


def test_a_video_beside_a_duplicate_is_left_alone() -> None:
    items = [song(f"{folder}/1.mp3", "same", title="T", track=1, **SONG) for folder in "ab"]
    films = [tagged(f"{folder}/1.mp4", track(video=True)) for folder in "ab"]
    made = plan([*items, *films], dedup=DedupSettings())
    assert {one.src.path: one.dst.path for one in made.operations if one.verb is not Verb.QUARANTINE} == {
        "a/1.mp3": "Ann/Sky/01 T.mp3",
        "a/1.mp4": "Ann/Sky/01 T.mp4",
    }
    assert [one.src.path for one in made.operations if one.verb is Verb.QUARANTINE] == ["b/1.mp3"]
    assert skips(made) == {"b/1.mp4": "video"}
