"""Tags that contradict each other keep files apart, whatever else agrees; silence and other spellings do not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.plan.planners.dedup.musical_keys import musical_key
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.records import Item
from orchestrator.track import Facts, Track
from tests.plan.dedup.copies import FLAC, MP3, found, on_album, quarantined, whys

RECORDING = "0b6f6b2e-0000-4000-8000-00000000000"
UNKNOWN_ARTIST = "125ec42a-7229-4250-afc5-e057484327fe"
IDS = {"musicbrainz_recording_id": RECORDING + "1", "musicbrainz_release_id": RECORDING + "2"}

FACTS: dict[str, tuple[Any, Any, Any]] = {
    # fact: what one file says, what another recording says, the same in another spelling
    "conductor": ("Herbert von Karajan", "Georg Solti", "KARAJAN,  Herbert von"),
    "orchestra": ("Wiener Philharmoniker", "Berliner Philharmoniker", "wiener philharmoniker"),
    "ensemble": ("Hagen Quartett", "Alban Berg Quartett", "Hagen  Quartett"),
    "performer": (("Anne-Sophie Mutter (violin)", "Lambert Orkis (piano)"), "Hilary Hahn", "Lambert Orkis; Anne-Sophie Mutter"),
    "composer": ("Antonín Dvořák", "Leoš Janáček", "Dvorak, Antonin"),
    "work": ("Symphony No. 5", "Symphony No. 6", "Symphony No.5"),
    "movement": ("II. Andante con moto", "III. Scherzo", "Andante con moto"),
    "movement_number": ("2/4", "3/4", "II"),
    "movement_total": ("4", "3", "04"),
    "language": ("eng", "deu", "English"),
    "acoustid_id": (RECORDING + "3", RECORDING + "4", (RECORDING + "3").upper()),
    "musicbrainz_artist_ids": (RECORDING + "5", RECORDING + "6", (RECORDING + "5").upper()),
    "musicbrainz_album_artist_ids": (RECORDING + "5", RECORDING + "6", f"http://musicbrainz.org/artist/{RECORDING}5"),
    "musicbrainz_work_ids": (RECORDING + "7", RECORDING + "8", (RECORDING + "7").upper()),
    "discogs_id": ("r1001", "1002", "https://www.discogs.com/release/1001-Beck-Odelay"),
    "asin": ("B000003TBA", "B000003TBB", "b000003tba"),
    "country": ("US", "JP", "United States"),
    "recording_date": ("1996-05", "1996-06-12", "1996-05-03"),
    "recording_place": ("Abbey Road", "Sunset Sound", "abbey road"),
    "key": ("Am", "C", "8A"),
    "bpm": ("128", "140", "127.6"),
    "grouping": ("Set One", "Set Two", "set one"),
    "lyrics_language": ("eng", "fra", "en-US"),
    "genre": (("Pop", "Karaoke"), "Pop", "karaoke/pop"),
}
PLACEHOLDERS: dict[str, Any] = {
    "conductor": "[unknown]",
    "performer": "Various Artists",
    "composer": "N/A",
    "language": "und",
    "lyrics_language": "XXX",
    "acoustid_id": "0",
    "musicbrainz_artist_ids": UNKNOWN_ARTIST,
    "musicbrainz_work_ids": "00000000-0000-0000-0000-000000000000",
    "discogs_id": "0",
    "country": "XU",
    "recording_date": "0000",
    "bpm": "0",
    "key": "o",
    "grouping": "-",
}


def stating(field: str, value: Any, path: str, **fields: Any) -> Item:
    """A track of the album with one fact more."""
    values = value if isinstance(value, tuple) else (value,)
    if field in Facts.__struct_fields__:
        fields["facts"] = Facts(**{field: values})
    else:
        fields[field] = value if Track().__getattribute__(field) is None else values
    return on_album(path, 1, **fields)


def goes(field: str, mine: Any, theirs: Any, **fields: Any) -> bool:
    """Whether one of two files that agree in all else is a duplicate of the other."""
    other = stating(field, theirs, "b.mp3", **{**MP3, **fields}) if theirs else on_album("b.mp3", 1, **{**MP3, **fields})
    return bool(quarantined(found([stating(field, mine, "a.flac", **{**FLAC, **fields}), other])))


def test_every_fact_that_is_read_counts() -> None:
    assert set(Facts.__struct_fields__) <= FACTS.keys()


@pytest.mark.parametrize("field", FACTS)
def test_files_that_contradict_each_other_are_kept(field: str) -> None:
    mine, theirs, _ = FACTS[field]
    assert not goes(field, mine, theirs)


NAMES = {
    "movement_number": "movement number",
    "movement_total": "total of movements",
    "acoustid_id": "AcoustID",
    "musicbrainz_artist_ids": "MusicBrainz artist",
    "musicbrainz_album_artist_ids": "MusicBrainz album artist",
    "musicbrainz_work_ids": "MusicBrainz work",
    "discogs_id": "Discogs id",
    "asin": "ASIN",
    "recording_date": "recording month",
    "recording_place": "recording place",
    "bpm": "BPM",
    "lyrics_language": "language of the lyrics",
}
"""Of a fact, in the report; otherwise as in `FACTS`."""


@pytest.mark.parametrize("field", FACTS)
def test_the_fact_that_contradicts_is_named(field: str) -> None:
    one, other, _ = FACTS[field]
    answer = found([stating(field, one, "a.flac", **FLAC), stating(field, other, "b.mp3", **MP3)])
    why = f"their tags are the same, but contradict each other about {NAMES.get(field, field)}"
    assert whys(answer, Tier.ALIKE) == [({"a.flac", "b.mp3"}, why)]


def test_facts_of_the_release_and_the_length_are_named_as_well() -> None:
    def about(**other: Any) -> list[str]:
        answer = found([on_album("a.flac", 1, **FLAC), on_album("b.mp3", 1, **{**MP3, **other})])
        return [why.rpartition(" about ")[2] for _, why in whys(answer, Tier.ALIKE)]

    assert about() == []
    assert about(date="2009", label="Bong Load") == ["year"]
    assert about(track_total=99, isrc=("X",)) == ["total of tracks"]
    assert about(duration_s=400.0) == ["length"]
    assert about(duration_s=400.0, date="2009") == ["year, length"]


@pytest.mark.parametrize("field", [field for field in FACTS if field != "genre"])
def test_a_fact_of_one_file_separates_nothing(field: str) -> None:
    assert goes(field, FACTS[field][0], None)


@pytest.mark.parametrize("field", FACTS)
def test_another_spelling_is_the_same_fact(field: str) -> None:
    mine, _, spelled = FACTS[field]
    assert goes(field, mine, spelled)


@pytest.mark.parametrize("genre", ["Karaoke", "Instrumental"])
def test_a_song_without_a_genre_is_not_one_that_nobody_sings(genre: str) -> None:
    assert not goes("genre", genre, None)
    assert goes("genre", "Pop", None)


@pytest.mark.parametrize(
    ("folder", "other", "apart"),
    [
        ("Odelay", "Odelay (Remaster)", "version"),
        ("Odelay/Mono", "Odelay/Stereo", "version"),
        ("Odelay [Deluxe]/CD1", "Odelay/CD1", "version"),
        ("x/CD1", "x/CD2", "disc"),
        ("Odelay (2011 Remaster)", "Beck - Odelay [Remastered 2011] (FLAC)", ""),
        ("Live/Beck", "Studio/Beck", ""),
        ("Singles", "Radio", ""),
    ],
)
def test_the_name_of_a_folder_may_tell_another_recording(folder: str, other: str, apart: str) -> None:
    answer = found([on_album(f"{folder}/1.flac", 1, **FLAC), on_album(f"{other}/1.mp3", 1, **MP3)])
    assert bool(quarantined(answer)) == (not apart)
    reasons = [why.rpartition(" about ")[2] for _, why in whys(answer, Tier.ALIKE)]
    assert reasons == ([f"{apart} in the name of the folder"] if apart else [])


def test_words_of_a_folder_that_the_tags_have_too_tell_nothing() -> None:
    said = {"album_artist": "Clean Bandit", "artist": "Clean Bandit"}
    files = [on_album("Clean Bandit/1.flac", 1, **FLAC, **said), on_album("Downloads/1.mp3", 1, **MP3, **said)]
    assert quarantined(found(files))


@pytest.mark.parametrize("field", PLACEHOLDERS)
def test_a_placeholder_states_nothing(field: str) -> None:
    assert goes(field, FACTS[field][0], PLACEHOLDERS[field])


@pytest.mark.parametrize("field", FACTS)
def test_the_same_sound_is_the_same_whatever_the_tags_say_of_it(field: str) -> None:
    mine, theirs, _ = FACTS[field]
    files = [stating(field, mine, "a.flac", sound="s"), stating(field, theirs, "b.flac", sound="s")]
    assert [line.split()[0] for line in quarantined(found(files)).values()] == ["T1"]
    same = [replace(one, entry=replace(one.entry, size=9, hashes={"md5": "h"})) for one in files]
    assert [line.split()[0] for line in quarantined(found(same)).values()] == ["T0"]


def test_two_acoustids_contradict_one_release_track() -> None:
    mine, theirs, spelled = FACTS["acoustid_id"]
    assert not goes("acoustid_id", mine, theirs, **IDS)
    assert goes("acoustid_id", mine, spelled, **IDS)
    assert goes("conductor", *FACTS["conductor"][:2], **IDS)  # the ids say more


def test_of_three_files_the_silent_one_matches_neither_of_two_that_differ() -> None:
    files = [
        stating("conductor", "Georg Solti", "a.flac"),
        on_album("b.flac", 1),
        stating("conductor", "Carlos Kleiber", "c.flac"),
    ]
    assert not quarantined(found(files))


def test_a_movement_may_be_named_where_others_write_its_number() -> None:
    assert not goes("movement_number", "I. Allegro", "I. Adagio")
    assert goes("movement_number", "I. Allegro", "Allegro")
    assert goes("movement_number", "Allegro", "1/3")


def test_an_instrumental_genre_differs_from_one_that_is_sung_and_other_genres_do_not_count() -> None:
    assert not goes("genre", "Instrumental", ("Pop", "Rock"))
    assert goes("genre", "Pop", "Instrumental Rock")


@pytest.mark.parametrize(
    "spellings",
    [("Am", "a minor", "A min", "8A", "1m", "a-Moll"), ("Db", "C#", "D♭ major", "3B", "08d", "Des"), ("Bbm", "A#m", "3A", "8m")],
    ids=lambda names: names[0],
)
def test_a_key_is_the_same_in_every_notation(spellings: tuple[str, ...]) -> None:
    assert len(set(map(musical_key, spellings))) == 1
