# ruff: noqa: RUF001, E501 - texts of many languages
"""Texts in old encodings: told from Western names, left alone by default, read where the config says so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.config.setting_syntax import parse_encoding
from orchestrator.plan.music.doubtful_texts import with_texts
from orchestrator.plan.music.text_encodings import ENCODINGS, best_encoding
from orchestrator.records import Item
from orchestrator.report.plan_outline import outline
from orchestrator.track import Track
from tests.plan.worlds import moved, plan, skips, song

WESTERN = (
    "Motörhead", "Björk", "Sigur Rós", "Ágætis byrjun", "Mötley Crüe", "Blue Öyster Cult", "Queensrÿche", "Hüsker Dü", "Die Ärzte",
    "Beyoncé", "Café Tacvba", "Røyksopp", "MØ", "Ø", "Édith Piaf", "Françoise Hardy", "Ólafur Arnalds", "Ásgeir", "Mägo de Oz",
    "Maxïmo Park", "Zoé", "Céline Dion", "Sinéad O'Connor", "Antônio Carlos Jobim", "João Gilberto", "Niña Pastori", "Größe",
    "Käärijä", "Árstíðir", "Þeyr", "Bülent Ortaçgil", "¿Dónde está?", "Ænima", "Öäå", "Jää äärel", "Töölöö", "Jäääär", "«Été»", "Yö", "Col·legi", "Mª José", "Señor Coconut", "Dvořák"[:3] + "rák", "Óþægð", "Lýðæði", "Åååå", "Ääääh",
)  # fmt: skip
SAMPLES = {
    "cp1251": ["Кино", "Группа крови", "Звезда по имени Солнце", "ДДТ", "Что такое осень", "Алла Пугачёва", "Океан Ельзи"],
    "mac_cyrillic": ["Кино", "Группа крови", "Спокойная ночь", "Мама анархия", "Алла Пугачёва", "Чёрный пёс Петербург"],
    "koi8-r": ["Кино", "Группа крови", "Звезда по имени Солнце", "Аквариум", "Город золотой", "Ария", "Герой асфальта"],
    "cp866": ["Кино", "Группа крови", "Ария", "Герой асфальта"],
    "iso8859-5": ["Кино", "Группа крови", "Ария", "Герой асфальта"],
    "cp1253": ["Χάρις Αλεξίου", "Η αγάπη", "Μάνος Χατζιδάκις", "Ο Μεγάλος Ερωτικός", "Γιώργος Νταλάρας"],
    "cp1255": ["שלום עולם", "ירושלים של זהב", "עברי לידר"],
    "cp1256": ["فيروز", "نسم علينا الهوى", "أم كلثوم", "انت عمري"],
    "cp874": ["คาราบาว", "เมดอินไทยแลนด์", "เบิร์ด ธงไชย"],
    "cp1250": ["Žluťoučký kůň", "Małgośka", "Niech żyje bal", "Čechomor", "Ščedryk"],
    "shift_jis": ["サンプル", "アート", "椎名林檎", "無罪モラトリアム", "宇多田ヒカル", "初恋", "桜"],
    "euc_jp": ["椎名林檎", "無罪モラトリアム", "宇多田ヒカル", "初恋", "スピッツ"],
    "gbk": ["周杰伦", "青花瓷", "邓丽君", "月亮代表我的心", "爱你一万年", "刘德华"],
    "big5": ["周杰倫", "青花瓷", "鄧麗君", "月亮代表我的心", "愛你一萬年", "劉德華"],
    "euc_kr": ["소녀시대", "다시 만난 세계", "김광석", "서른 즈음에", "아이유", "좋은 날"],
}


def as_latin1(text: str, encoding: str) -> str:
    """What a reader that knows only Latin-1 makes of a text."""
    return text.encode(encoding).decode("latin-1")


def folder(encoding: str, titles: Sequence[str], path: str = "in", **tags: object) -> list[Item]:
    """An album whose tags are in an encoding."""
    known = {"artist": "Кино", "album": "Группа крови"} | tags
    names = {name: as_latin1(str(value), encoding) for name, value in known.items()}
    return [
        song(f"{path}/{index}.mp3", title=as_latin1(title, encoding), track=index + 1, **names)
        for index, title in enumerate(titles)
    ]


def tracks(items: Sequence[Item]) -> list[Track]:
    return [item.reading.track for item in items if item.reading and item.reading.track]


@pytest.mark.parametrize("encoding", [None, "auto", "cp1251"])
def test_western_names_are_never_doubtful(encoding: str | None) -> None:
    alone = [song(f"{index}/1.mp3", title=name, artist=name, album=name) for index, name in enumerate(WESTERN)]
    together = [song(f"all/{index}.mp3", title=name, artist=name, album="X") for index, name in enumerate(WESTERN)]
    for items in (alone, together):
        assert with_texts(items, encoding) == items


def test_the_quotes_and_dashes_of_windows_are_read_as_what_they_are() -> None:
    texts = {
        "Don\x92t Stop": "Don’t Stop", "\x91Til Dawn": "‘Til Dawn", "\x93Heroes\x94": "“Heroes”", "1 \x96 2": "1 – 2", "10\x80": "10€", "\x85Baby": "…Baby", "I\x97You": "I—You", "Dance\x99": "Dance™",
        "Wait\x85": "Wait…", "\x84Zitat\x93": "„Zitat“", "Les S\x9curs": "Les Sœurs", "Caf\xe9 \x96 Bar": "Café – Bar",
    }  # fmt: skip
    items = [song(f"in/{index}.mp3", title=text, artist="Ann", album="X") for index, text in enumerate(texts)]
    found = with_texts(items)
    assert [track.title for track in tracks(found)] == [(text,) for text in texts.values()]
    assert not any(item.doubtful for item in found)


@pytest.mark.parametrize("encoding", SAMPLES)
def test_a_few_texts_show_their_encoding(encoding: str) -> None:
    found = best_encoding([as_latin1(text, encoding) for text in SAMPLES[encoding]])
    assert found is not None
    assert found.name == encoding
    assert SAMPLES.keys() == {one.name for one in ENCODINGS}


@pytest.mark.parametrize("encoding", sorted(SAMPLES.keys() - {"cp1250"}))
def test_what_the_encodings_give(encoding: str) -> None:
    artist, album, *titles = SAMPLES[encoding]
    items = folder(encoding, titles, artist=artist, album=album)
    for chosen in ("auto", encoding):
        found = tracks(with_texts(items, chosen))
        assert [(*track.artist, *track.album, *track.title) for track in found] == [(artist, album, title) for title in titles]
    left = with_texts(items)
    assert tracks(left) == tracks(items)
    assert all(item.doubtful and encoding.upper() in item.doubtful for item in left)


def test_mac_cyrillic_is_not_taken_for_serbian_of_windows() -> None:
    """Only the capitals differ."""
    serbian = ["Љубав је само реч", "Његова прича", "Ђурђевдан је а ја нисам с оном коју волим", "Тешка времена, пријатељу мој"]
    of_windows = tracks(
        with_texts(folder("cp1251", serbian, artist="Бијело дугме", album="Што би дао да си на мом мјесту"), "auto")
    )
    assert [title for track in of_windows for title in track.title] == serbian


def test_a_few_letters_show_nothing() -> None:
    names = {
        "cp1251": "ДДТ Чайф Любэ Би-2",
        "koi8-r": "ДДТ",
        "gbk": "陈奕迅 许巍 邓丽君",
        "big5": "七里香 鄧麗君",
        "euc_kr": "빅뱅",
    }
    for encoding, texts in names.items():
        for text in texts.split():
            found = best_encoding([as_latin1(text, encoding)])
            assert found is None or found.name == encoding, text


def test_doubtful_files_stay_and_are_named() -> None:
    items = [*folder("cp1251", ["Война", "Кукушка"]), song("ok/1.mp3", title="t", artist="Ann", album="X", track=1)]
    made = plan(with_texts(items))
    assert skips(made) == {"in/0.mp3": "doubtful-text", "in/1.mp3": "doubtful-text"}
    assert moved(made) == {"ok/1.mp3": "Ann/X/01 t.mp3"}
    assert made.header.counts["skipped.doubtful-text"] == 2
    assert "Cyrillic in CP1251" in made.skipped[0].reason


@pytest.mark.parametrize("encoding", [None, "auto", "cp1251"])
def test_a_second_run_plans_nothing(encoding: str | None) -> None:
    """Also where the texts that showed the encoding are in another folder by then, and only names of folders are left to tell."""
    songs = ["Звезда по имени Солнце", "Закрой за мной дверь, я ухожу", "Спокойная ночь", "Место для шага вперёд"]
    english = ["Track One of the Record", "Track Two of the Record"]
    there = [*folder("cp1251", songs, "in/a"), *folder("cp1251", english, "in/b", album="Best of the Best")]
    there = [song(item.entry.path.replace("in/a/", "in/a").replace("in/b/", "in/b"), **_fields(item)) for item in there]
    for _ in range(2):
        made = moved(plan(with_texts(there, encoding)))
        there = [song(made.get(item.entry.path, item.entry.path), **_fields(item)) for item in there]
        assert {item.entry.path.split("/")[0] for item in there} == {"Кино" if encoding else "in"}
    assert plan(with_texts(there, encoding)).operations == ()


def _fields(item: Item) -> dict[str, object]:
    (track,) = tracks([item])
    return {name: getattr(track, name) for name in track.__struct_fields__}


def test_western_names_among_doubtful_ones_stay_as_they_are() -> None:
    items = [
        *folder("cp1251", ["Война", "Кукушка", "Спокойная ночь"]),
        song("in/9.mp3", title="Motörhead", artist="Björk", album="X"),
    ]
    found = with_texts(items, "auto")
    assert tracks(found)[3:] == tracks(items)[3:]
    assert found[3].doubtful is None


@pytest.mark.parametrize("encoding", [None, "auto", "cp1251"])
def test_an_icelandic_folder_is_not_doubtful(encoding: str | None) -> None:
    titles = ("Góðæri", "Óþörf", "Síðútgáfa", "Æðið", "Óþýð og þæg", "Þú og ég")
    items = [song(f"in/{index}.mp3", title=title, artist="Þú", album="Á", track=index) for index, title in enumerate(titles)]
    assert with_texts(items, encoding) == items


def test_files_in_another_encoding_than_their_folder_stay() -> None:
    more = folder("koi8-r", ["Кукушка", "Спокойная ночь"], "in/b", artist="Аквариум", album="Город золотой")
    more += folder("shift_jis", ["正しい街", "丸の内サディスティック"], "in/c", artist="椎名林檎", album="無罪モラトリアム")
    items = [*folder("cp1251", SAMPLES["cp1251"], "in/a"), *more]
    found = with_texts([song(item.entry.path.replace("/", " ").replace(" ", "/", 1), **_fields(item)) for item in items], "auto")
    assert [track.title[0] for track in tracks(found)[:2]] == SAMPLES["cp1251"][:2]
    assert [item.doubtful is not None for item in found] == [False] * len(SAMPLES["cp1251"]) + [True] * len(more)


def test_an_album_with_a_doubtful_title_stays_together() -> None:
    items = [
        song(f"in/{index}.mp3", title=title, artist="Ann", album="X", track=index)
        for index, title in enumerate(("Intro", as_latin1("サンプル", "shift_jis"), "Outro"), start=1)
    ]
    other = song("in/4.mp3", title="t", artist="Bob", album="Y", track=1)
    assert skips(plan(with_texts([*items, other]))) == dict.fromkeys((item.entry.path for item in items), "doubtful-text")


def test_unicode_is_not_touched() -> None:
    items = [
        song(f"in/{index}.mp3", title=title, artist="Кино", album="Ö") for index, title in enumerate(("Война", "Größe", "日本"))
    ]
    for encoding in (None, "auto", "koi8-r"):
        assert with_texts(items, encoding) == items


def test_the_config_may_name_an_encoding_by_any_of_its_names() -> None:
    items = folder("cp1251", ["Война", "Кукушка"])
    names = {name: parse_encoding(name) for name in ("windows-1251", "CP1251", "cp1251", "mac_cyrillic", "auto")}
    assert [*names.values()] == ["cp1251", "cp1251", "cp1251", "mac-cyrillic", "auto"]
    assert tracks(with_texts(items, names["windows-1251"]))[1].title == ("Кукушка",)
    assert tracks(with_texts(items, names["mac_cyrillic"]))[1].title != ("Кукушка",)


def test_what_is_not_in_the_encoding_of_the_config_stays() -> None:
    items = folder("cp1251", ["Война", "Яблоко"])
    found = with_texts(items, "euc_kr")
    assert [item.doubtful is not None for item in found] == [True, True]
    assert tracks(found) == tracks(items)


def test_the_summary_counts_doubtful_texts_and_says_what_to_do() -> None:
    items = [*folder("cp1251", ["Группа крови", "Закрой за мной дверь"]), song("x.mp3", title="T", artist="Ann", album="X")]
    made = plan(with_texts(items))
    assert made.header.counts["skipped.doubtful-text"] == 2
    (point,) = (one for one in outline(made).points if one.kind == "doubtful-text")
    assert (point.number, point.remedy) == (2, "`tags.legacy_encoding` in the config says which")
