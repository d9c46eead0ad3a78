"""What makes two files the same, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.plan.planners.dedup.reasons_to_keep import DAMAGED
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.records import Item
from orchestrator.track import Reading, Status, Strength, Track
from tests.plan.dedup.copies import FLAC, MP3, TITLES, file, found, on_album, quarantined, whys

IDS = {"musicbrainz_recording_id": "rec", "musicbrainz_release_id": "rel"}


def pair(one: dict[str, Any], other: dict[str, Any]) -> dict[str, str]:
    """The decision about two files that agree in all key fields except these."""
    return quarantined(found([on_album("a/one.flac", 1, **one), on_album("b/other.mp3", 1, **{**MP3, **other})]))


def spelled(said: dict[str, Any]) -> str:
    return "-".join(f"{name}={value}" for name, value in said.items())


def test_same_bytes_go_without_a_tag_to_them() -> None:
    assert quarantined(found([file("a/long name.mp3", content="x"), file("b.mp3", content="x")])) == {
        "a/long name.mp3": "T0 b.mp3 shortest_path"
    }


def test_same_bytes_need_one_hash_of_the_same_type() -> None:
    one, other = file("a.mp3", size=5, hashes={"md5": "1"}), file("b.mp3", size=5, hashes={"sha1": "1"})
    both = file("c.mp3", size=5, hashes={"md5": "1", "sha1": "1"})
    assert not quarantined(found([one, other]))
    assert quarantined(found([one, other, both])) == {"b.mp3": "T0 a.mp3 shortest_path", "c.mp3": "T0 a.mp3 shortest_path"}


def test_same_bytes_need_every_common_hash_and_the_size() -> None:
    assert not quarantined(
        found([file("a", size=5, hashes={"md5": "1", "sha1": "1"}), file("b", size=5, hashes={"md5": "1", "sha1": "2"})])
    )
    assert not quarantined(found([file("a", size=5, hashes={"md5": "1"}), file("b", size=6, hashes={"md5": "1"})]))
    assert not quarantined(found([file("a", size=5, hashes={"crc32": "1"}), file("b", size=5, hashes={"crc32": "1"})]))


def test_an_empty_cut_or_unreadable_file_is_no_duplicate_not_even_of_the_same_bytes() -> None:
    assert not quarantined(found([file("a.mp3", content="", size=0), file("b.mp3", content="", size=0)]))
    cut = [on_album(f"{name}/1.flac", 1, content="y", suspect="cut short", musicbrainz_recording_id="R") for name in "cd"]
    unreadable = [Item(file(path, content="z").entry, Reading(Status.UNREADABLE, reason="cut")) for path in ("e.mp3", "f.mp3")]
    assert not quarantined(found([*cut, *unreadable]))
    whole = on_album("a/1.flac", 1, musicbrainz_recording_id="R")
    assert not quarantined(found([whole, cut[0], unreadable[0]]))


def test_one_file_under_two_names_is_no_duplicate_of_itself_but_of_another_with_the_same_bytes() -> None:
    links = [replace(file(path, content="y", sound="s", **FLAC), one_file="1:2") for path in ("a.flac", "bb.flac")]
    answer = found(links)
    assert not quarantined(answer)
    assert whys(answer) == [({"a.flac", "bb.flac"}, "they are one file under two names (hard links)")]
    assert quarantined(found([*links, file("ccc.flac", content="y", **FLAC)])) == {"ccc.flac": "T0 a.flac shortest_path"}


@pytest.mark.parametrize(("strength", "goes"), [(Strength.SURE, True), (Strength.STRONG, True), (Strength.HINT, False)])
def test_same_audio_counts_when_it_is_sure_or_strong(strength: Strength, goes: bool) -> None:
    answer = found([on_album("a.flac", 1, sound="s", strength=strength), file("b.flac", sound="s", strength=strength, **FLAC)])
    assert quarantined(answer) == ({"b.flac": "T1 a.flac longest"} if goes else {})
    assert goes or [paths for paths, _ in whys(answer, Tier.ALIKE)] == [{"a.flac", "b.flac"}]


def test_the_best_tags_stay_of_the_same_audio() -> None:
    few = on_album("a.flac", 1, sound="s", date=None)
    many = on_album("bb.flac", 1, sound="s", genre="Rock", isrc=("I",))
    assert quarantined(found([few, many])) == {"a.flac": "T1 bb.flac tags"}


def test_a_release_track_needs_all_ids_disc_and_number() -> None:
    assert pair(IDS, {**IDS, "title": "Devil's Haircut"}) == {"b/other.mp3": "T2 a/one.flac lossless"}
    nowhere: dict[str, Any] = {"title": "?", "album_artist": None}
    for missing in ("musicbrainz_recording_id", "musicbrainz_release_id", "disc", "track"):
        lacking = {**IDS, **nowhere, missing: None}
        assert not pair({**IDS, missing: None}, lacking)


def test_the_same_tags_are_a_duplicate() -> None:
    assert pair({}, {"duration_s": 202.9}) == {"b/other.mp3": "T3 a/one.flac lossless"}


@pytest.mark.parametrize("field", ["album_artist", "album", "disc", "track", "title", "duration_s"])
def test_a_missing_field_never_groups(field: str) -> None:
    """beets #1000, primuse #102: empty values made whole albums one group."""
    assert not pair({field: None}, {field: None})
    assert not pair({}, {field: None})


def test_no_disc_is_not_disc_one() -> None:
    """Lidarr PR #529."""
    assert not pair({"disc": None}, {"disc": 1})


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Devils Haircut (Live)"},
        {"title": "Devils Haircut (Remix)"},
        {"title": "Devils Haircut (2009 Remaster)"},
        {"title": "Devils Haircut (feat. Eva)"},
        {"artist": "Beck feat. Eva"},
        {"subtitle": "Live"},
        {"album": "Odelay (Deluxe Edition)"},
        {"album": "Odelay (Remastered)"},
        {"disc_subtitle": "Mono mixes"},
        {"advisory": "clean"},
        {"advisory": "explicit"},
        {"channels": 1},
        {"date": "2009"},
        {"label": "Other"},
        {"catalogue_number": "X2"},
        {"barcode": "2"},
        {"media": "Vinyl"},
        {"date": "1996-07-01"},
        {"edition": "2009 remaster"},
        {"venue": "Budokan"},
        {"release_type": "live"},
        {"track_total": 12},
        {"isrc": ("OTHER",)},
        {"musicbrainz_release_id": "other"},
        {"artist": "Someone Else"},
        {"duration_s": 203.1},
        {"track": 2},
        {"disc": 2},
    ],
    ids=spelled,
)
def test_another_version_or_edition_is_kept(other: dict[str, Any]) -> None:
    stated = {
        "label": "DGC",
        "catalogue_number": "X1",
        "barcode": "1",
        "media": "CD",
        "date": "1996-06-18",
        "edition": "first pressing",
        "venue": "Roseland",
        "release_type": "album",
        "isrc": ("ONE",),
        "musicbrainz_release_id": "one",
    }
    assert pair(stated, stated)
    assert not pair(stated, {**stated, **other})


ONE_SIDED: tuple[dict[str, Any], ...] = (
    {"edition": "2009 Remaster"},
    {"edition": "Japan"},
    {"release_type": ("album", "live")},
    {"release_type": "ep"},
    {"venue": "Red Rocks"},
    {"subtitle": "Piano"},
    {"disc_subtitle": "The Basement Tapes"},
    {"version": ("Live at Wembley",)},
    {"version": ("Take Five",)},
    {"remixer": ("DJ Bob",)},
    {"original_date": "1973"},
    {"title": ("Devils Haircut", "Part 1")},
    {"album": ("Odelay", "Live")},
)


@pytest.mark.parametrize("said", ONE_SIDED, ids=spelled)
def test_a_version_that_one_of_them_names_alone_keeps_both(said: dict[str, Any]) -> None:
    """By tags alone: a missing tag never matches a present one."""
    assert pair(said, said)
    assert not pair({}, said)
    assert not pair(said, {})


@pytest.mark.parametrize(
    "said",
    [{"release_type": "album"}, {"release_type": ("album", "compilation")}, {"original_date": "1996-06-18"}, {"genre": "Rock"}],
    ids=spelled,
)
def test_what_names_no_version_may_be_said_by_one_alone(said: dict[str, Any]) -> None:
    assert pair({}, said)
    assert pair(said, {})


@pytest.mark.parametrize(
    "said",
    [{"edition": "2009 Remaster"}, {"release_type": ("album", "live")}, {"venue": "Red Rocks"}, {"original_date": "1973"}],
    ids=spelled,
)
def test_the_id_of_a_release_names_its_edition_for_both(said: dict[str, Any]) -> None:
    assert pair(IDS, {**IDS, **said}) == {"b/other.mp3": "T2 a/one.flac lossless"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"version": ("Live",)}),
        ({}, {"subtitle": "Live"}),
        ({}, {"remixer": ("DJ Bob",)}),
        ({}, {"disc_subtitle": "Mono"}),
        ({"subtitle": "Part One"}, {"subtitle": "Part Two"}),
        ({"version": ("One",)}, {"version": ("Two",)}),
        ({"remixer": ("DJ One",)}, {"remixer": ("DJ Two",)}),
        ({"venue": "Budokan"}, {"venue": "Paradiso"}),
        ({"release_type": "album"}, {"release_type": ("album", "live")}),
        ({"edition": "original mix"}, {"edition": "2009 remaster"}),
    ],
    ids=spelled,
)
def test_ids_do_not_outweigh_tags_that_name_other_versions(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not pair({**IDS, **one}, {**IDS, **other})


def test_one_sound_on_two_editions_is_there_on_purpose() -> None:
    """Even if only one of them names its version; equal release ids name it for both."""
    sound: dict[str, Any] = {**FLAC, "sound": "s"}
    deluxe = {**sound, "edition": "Deluxe Edition"}
    assert not pair(sound, deluxe)
    assert pair({**sound, "musicbrainz_release_id": "rel"}, {**deluxe, "musicbrainz_release_id": "rel"})


def test_one_sound_is_one_version_whatever_one_of_them_alone_says_of_the_concert() -> None:
    sound: dict[str, Any] = {**FLAC, "sound": "s"}
    assert pair(sound, {**sound, "release_type": ("album", "live"), "venue": "Red Rocks"})


@pytest.mark.parametrize(
    ("discs", "goes"),
    [
        ((None, 1, 1), True),
        ((None, None, None), True),
        ((None, 2, None), False),
        ((1, 2, None), False),
        ((None, 1, 2), False),
    ],
    ids=str,
)
def test_no_disc_is_no_disc_of_several_even_with_one_sound(discs: tuple[int | None, ...], goes: bool) -> None:
    """Lidarr PR #529, #411."""
    one, other, total = discs
    sound: dict[str, Any] = {**FLAC, "sound": "s", "disc_total": None, "track_total": 9}
    assert bool(pair({**sound, "disc": one}, {**sound, "disc": other, "disc_total": total})) is goes


def test_the_folder_of_a_disc_tells_the_disc_where_tags_do_not() -> None:
    """Lidarr #411: one intro on both discs."""
    silent: dict[str, Any] = {"sound": "s", "disc": None, "disc_total": None, "content": "same"}
    assert not quarantined(found([on_album("CD1/1.flac", 1, **silent), on_album("CD2/1.flac", 1, **silent)]))
    assert quarantined(found([on_album("a/CD1/1.flac", 1, **silent), on_album("b/Disc 1/1.flac", 1, **silent)]))


def test_another_recording_with_the_same_tags_is_kept() -> None:
    assert not pair({"musicbrainz_recording_id": "one"}, {"musicbrainz_recording_id": "other"})


def test_remasters_of_two_years_are_two() -> None:
    title = "Devils Haircut (Remastered {})"
    assert not pair({"title": title.format(2009)}, {"title": title.format(2016)})


def test_brackets_case_and_quotes_do_not_make_another_title() -> None:
    assert pair({"title": "Devil's Haircut [Live]"}, {"title": "devil’s haircut (live)"})  # noqa: RUF001


def test_brackets_are_never_stripped() -> None:
    """czkawka's approximate mode makes "X (Live)", "X (Remix)" and "X" one."""
    items = [on_album(f"{n}.flac", 1, title=t) for n, t in enumerate(("X", "X (Live)", "X (Remix)", "X (2)", "X 3"))]
    assert not quarantined(found(items))


def test_clean_and_explicit_differ_even_with_one_sound_or_one_recording() -> None:
    one, other = {"advisory": "clean"}, {"advisory": "explicit"}
    assert not pair(one, other)
    assert not pair({**one, **IDS}, {**other, **IDS})
    assert not pair({**one, "sound": "s"}, {**other, "sound": "s", **FLAC})


def test_ids_that_a_whole_album_shares_by_mistake_do_not_group_it() -> None:
    items = [on_album(f"{number}.flac", number, **IDS) for number in (1, 2, 3)]
    assert not quarantined(found(items))


def test_lengths_are_not_a_chain() -> None:
    items = [on_album(f"{name}.flac", 1, duration_s=length) for name, length in (("aa", 200.0), ("bb", 201.5), ("cc", 203.0))]
    answer = found(items)
    assert not quarantined(answer)
    assert [paths for paths, _ in whys(answer)] == [{"aa.flac", "bb.flac", "cc.flac"}]


def test_a_file_without_a_year_is_not_the_twin_of_two_editions() -> None:
    items = [on_album("a.flac", 1, date="1996"), on_album("b.flac", 1, date="2009"), on_album("c.flac", 1, date=None)]
    assert not quarantined(found(items))


def test_a_chain_of_tiers_ends_at_a_keeper_that_is_known_directly() -> None:
    lossless = on_album("a.flac", 1)
    lossy = on_album("b.mp3", 1, sound="s", **MP3)
    untagged = file("c.mp3", sound="s", **MP3)
    assert quarantined(found([lossless, lossy, untagged])) == {"b.mp3": "T3 a.flac lossless"}
    bytes_too = on_album("d.mp3", 1, content="b.mp3", sound="s", **MP3)
    assert set(quarantined(found([lossless, lossy, bytes_too]))) == {"b.mp3", "d.mp3"}


def test_look_alikes_are_reported_and_kept() -> None:
    answer = found([on_album("a.flac", 1), file("b.mp3", title=TITLES[1], artist="Beck", **MP3)])
    assert not answer.decisions
    assert whys(answer, Tier.ALIKE) == [({"a.flac", "b.mp3"}, "similar title and artist, or similar sound")]


def test_many_files_of_one_key_are_no_burden() -> None:
    items = [on_album(f"{n}.flac", 1, content="same") for n in range(3000)]
    assert len(quarantined(found(items))) == 2999
    differing = [on_album(f"{n}.flac", 1, duration_s=float(n)) for n in range(1, 3000)]
    assert not quarantined(found(differing))


def test_empty_tags_are_no_key() -> None:
    items = [file(f"{n}.mp3", tags=Track(title=("",), artist=("",), album=("",), album_artist=("",))) for n in range(5)]
    assert found(items).decisions == found(items).alike == ()


@pytest.mark.parametrize(
    "name",
    [
        "Unknown Artist",
        "<unknown>",
        "[no album]",
        "Unbekannter Künstler",
        "Audio CD",
        "Neznámé album",
        "未知專輯",
        "N/A",
        "未知艺术家",
    ],
)
def test_what_is_written_for_an_unknown_name_is_no_name(name: str) -> None:
    assert not pair({"album": name}, {"album": name})
    assert not pair({"album_artist": name}, {"album_artist": name})


@pytest.mark.parametrize("value", ["0", "unknown", "00000000-0000-0000-0000-000000000000"])
def test_what_is_written_for_an_unknown_id_is_no_id(value: str) -> None:
    ids = {"musicbrainz_recording_id": value, "musicbrainz_release_id": value, "album_artist": None}
    assert not pair(ids, ids)


def test_an_exact_date_agrees_with_its_year() -> None:
    assert pair({"date": "1996"}, {"date": "1996-06-18"})
    assert not pair({"date": "1996-06-17"}, {"date": "1996-06-18"})


def test_various_artists_are_no_artist() -> None:
    various = {"album_artist": "Various Artists"}
    assert pair(various, various)
    assert not pair({**various, "artist": None}, {**various, "artist": None})
    assert not pair({"compilation": True, "artist": None}, {"compilation": True})


def same_sound(one: dict[str, Any], other: dict[str, Any], **shared: Any) -> dict[str, str]:
    fields = {"sound": "s", "size": 5000, **shared}
    return quarantined(found([on_album("a.flac", 1, **{**fields, **one}), on_album("b.flac", 1, **{**fields, **other})]))


def test_equal_files_with_other_bytes_are_kept_because_one_is_damaged() -> None:
    """The head of a FLAC says the same of a file whose middle is zeros."""
    damaged: tuple[dict[str, Any], dict[str, Any]] = {"content": "whole"}, {"content": "holes"}
    assert not same_sound(*damaged)
    assert not same_sound(*damaged, **IDS)
    (alike,) = whys(found([on_album("a.flac", 1, sound="s", size=9), on_album("b.flac", 1, sound="s", size=9)]))
    assert alike == ({"a.flac", "b.flac"}, DAMAGED)


def test_a_retag_of_equal_length_is_a_duplicate() -> None:
    assert same_sound({"comment": "A"}, {"comment": "B"})
    assert same_sound({}, {"hashes": {"sha1": "1"}}), "no common hash"
    assert same_sound({"content": "x"}, {"content": "X"}), "hashes in either case"
    assert same_sound({}, {"size": 5001})


KINDS: list[dict[str, Any]] = [{"genre": ("Podcast",)}, {"media_kind": "audiobook"}, {"media_kind": "memo"}, {"video": True}]


@pytest.mark.parametrize("kind", KINDS, ids=spelled)
def test_what_is_no_music_is_no_duplicate_by_its_tags_alone(kind: dict[str, Any]) -> None:
    one, other = on_album("a/1.flac", 1, **kind), on_album("b/2.mp3", 1, **MP3, **kind)
    answer = found([one, other])
    assert not quarantined(answer)
    assert not whys(answer)
    assert quarantined(
        found([replace(one, entry=file("a/1.flac", content="x").entry), replace(other, entry=file("b/2.mp3", content="x").entry)])
    )


def test_a_video_is_no_duplicate_of_the_sound() -> None:
    bonus = [on_album(f"a/{number}.flac", number) for number in (1, 2, 3)]
    assert pair({}, {})
    assert not pair({}, {"video": True})
    assert not pair({"video": True, **IDS}, IDS)
    assert quarantined(found([*bonus, on_album("b/1.mp3", 1, **MP3)]))


def test_one_track_of_speech_does_not_keep_an_album_apart() -> None:
    one = [on_album(f"a/{n}.flac", n, genre=("Speech",) if n == 1 else ("Rock",)) for n in (1, 2, 3)]
    other = [on_album(f"b/{n}.mp3", n, **MP3, genre=("Speech",) if n == 1 else ("Rock",)) for n in (1, 2, 3)]
    assert len(quarantined(found([*one, *other]))) == 3
