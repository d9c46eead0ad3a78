"""Names of files and folders tell apart what has equal tags: concerts, radio shows, parts, pressings and masters."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.plan.planners.dedup.named_apart import named_file, named_folder
from orchestrator.plan.planners.dedup.reasons_to_keep import ONE_FOLDER
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.track import Reading, Status, Strength
from tests.plan.dedup.copies import ALBUM, FLAC, MP3, found, on_album, quarantined, whys
from tests.plan.worlds import track


def goes(one: str, other: str, **tags: object) -> bool:
    """Whether one of two files at these paths, with equal tags and other sound, is a duplicate."""
    return bool(quarantined(found([on_album(one, 1, sound="s", **tags), on_album(other, 1, sound="t", **tags)])))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2003-03-01 Tokyo", "2003-03-03 Tokyo"),
        ("Beck/31.03.2003", "Beck/2003.04.30"),
        ("1985 - Odelay", "1994 - Odelay"),
        ("Odelay (1996)", "Odelay (2008)"),
        ("Odelay", "Odelay (2008)"),
        ("Karajan 1963", "Karajan 1977"),
        ("Odelay (UK LP)", "Odelay (US LP)"),
        ("Odelay (MFSL UDCD 517)", "Beck - Odelay (Geffen GED 24823)"),
        ("Odelay - A", "Odelay - B"),
        ("Odelay matinee", "Odelay evening show"),
        ("Odelay/Karajan", "Odelay/Bernstein"),
        ("Odelay [SACD]", "Odelay"),
        ("Odelay/Vinyl rip", "Odelay/CD"),
        ("Odelay needledrop 24-96", "Downloads"),
        ("Soundboard", "Audience"),
        ("Odelay 432Hz", "Odelay"),
        ("night 1", "night 2"),
        ("Act I", "Act II"),
        ("Tape 01", "Tape 2"),
        ("Deutsch", "English"),
    ],
)
def test_folders_tell_recordings_and_masters_apart(one: str, other: str) -> None:
    assert not goes(f"{one}/1.flac", f"{other}/1.flac")
    assert not goes(f"{other}/1.flac", f"{one}/1.flac")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Odelay", "Downloads"),
        ("Odelay (1996)", "Beck/1996 - Odelay"),
        ("Odelay (1996) [FLAC 24-96]", "Odelay MP3 320 kbps"),
        ("Beck-Odelay-WEB-1996-GRP", "Beck-Odelay-CD-1996-OTH"),
        ("Beck - Odelay", "Backup/Odelay copy"),
        ("Odelay [Geffen]", "Odelay"),
        ("Odelay/FLAC", "Odelay/MP3"),
        ("Odelay/24-96", "Odelay/16-44"),
        ("Odelay (Remastered)", "Odelay [Remaster]"),
        ("Downloads 2019", "Odelay"),
        ("a", "b"),
    ],
)
def test_what_says_nothing_of_the_recording_does_not(one: str, other: str) -> None:
    assert goes(f"{one}/1.flac", f"{other}/1.flac")
    assert goes(f"{other}/1.flac", f"{one}/1.flac")


def test_an_album_called_by_years_and_tags_that_name_the_pressing_explain_their_folders() -> None:
    assert goes("Prince - 1999 (1982)/1.flac", "1999/1.flac", album="1999", date="1982")
    said = {"label": "Geffen", "catalogue_number": "GED 24823"}
    assert goes("Odelay (Geffen GED 24823)/1.flac", "Odelay CD/1.flac", **said)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mix (2006-05-28)", "Mix (2006-06-04)"),
        ("part01", "part02"),
        ("01 Show 7", "01 Show 12"),
        ("Mix 28.05.2006", "2006-06-04 Mix"),
        ("01 Devils Haircut", "01 Devils Haircut (instrumental)"),
        ("Devils Haircut", "1 - live at home"),
        ("Devils Haircut", "Devils Haircut (Extended Mix)"),
        ("Devils Haircut", "Devils Haircut - Radio Edit"),
        ("Devils Haircut", "Devils Haircut (take 2)"),
        ("Devils Haircut - vocals", "Devils Haircut - drums"),
    ],
)
def test_names_of_files_tell_shows_and_parts_apart(one: str, other: str) -> None:
    assert not goes(f"x/{one}.flac", f"y/{other}.flac")
    assert not goes(f"x/{one}.flac", f"x/{other}.flac")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("01 Hair", "1 Hair"),
        ("101 Hair", "01 Hair"),
        ("01 Hair", "Beck - Hair"),
        ("01 Hair", "01 Hair (2)"),
        ("01 Hair", "01 Hair (bonus track)"),
    ],
)
def test_a_number_that_the_tags_have_tells_nothing(one: str, other: str) -> None:
    assert goes(f"x/{one}.flac", f"y/{other}.flac")


@pytest.mark.parametrize("word", ["instrumental", "Live", "karaoke"])
def test_ids_do_not_outweigh_a_version_in_the_name_of_a_file(word: str) -> None:
    """Programs that recognise songs by their sound or length give the ids of the song to its instrumental."""
    ids = {"musicbrainz_recording_id": "a", "musicbrainz_release_id": "b"}
    assert not goes("x/01 Hair.flac", f"x/01 Hair ({word}).flac", **ids)
    assert goes("x/01 Hair.flac", f"x/01 Hair ({word}).flac", **ids, title=f"Hair ({word})")


def test_one_sound_may_have_any_names() -> None:
    hint = {"sound": "s", "strength": Strength.HINT}
    files = [on_album("Odelay [SACD]/1.flac", 1, **hint), on_album("Odelay [SACD]/2.flac", 1, **hint)]
    assert quarantined(found(files))


def test_equally_good_recordings_in_one_folder_are_two_whatever_they_are_called() -> None:
    """As after a run that gave them the name that their tags want."""
    for one, other in ((FLAC, FLAC), (MP3, {**MP3, "bitrate": 300_000})):
        names = ("Mix/01 Mix.mp3", "Mix/01 Mix (2).mp3")
        files = [on_album(name, 1, sound=name, **said) for name, said in zip(names, (one, other), strict=True)]
        answer = found(files)
        assert not quarantined(answer)
        assert [why for _, why in whys(answer, Tier.TAGS)] == [ONE_FOLDER]
    better = [on_album(name, 1, sound=name, **MP3, **said) for name, said in ((names[0], {}), (names[1], {}))]
    better[1] = on_album(names[1], 1, sound=names[1], **{**MP3, "bitrate": 128_000})
    assert quarantined(found(better)) == {names[1]: f"T3 {names[0]} bitrate"}
    assert quarantined(found([on_album("Mix/01.flac", 1, sound="s"), on_album("Mix/01.mp3", 1, sound="t", **MP3)]))


NAMES = st.lists(
    st.sampled_from(["Odelay", "Beck", "1996", "2008", "2006-05-28", "[SACD]", "(2)", "I", "B", "24-96", "UK", "-", "copy", "ß"])
    | st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), max_size=4),
    min_size=1,
    max_size=6,
).map(" ".join)


@given(NAMES, NAMES)
@example("1" * 250, "-" + "a" * 250)
@example("a-" * 120, "V0 mp3 " * 30)
def test_a_name_never_contradicts_itself_and_the_order_makes_no_difference(one: str, other: str) -> None:
    start = process_time()
    reading = Reading(Status.TAGGED, track(**ALBUM, track=1, title="Hair"))
    for mine, theirs in (
        (named_folder(f"{one}/1.mp3", reading), named_folder(f"{other}/1.mp3", reading)),
        (named_file(f"{one}.mp3", reading), named_file(f"{other}.mp3", reading)),
    ):
        if mine is not None and theirs is not None:
            assert mine.agrees(mine)
            assert mine.agrees(theirs) == theirs.agrees(mine)
    assert process_time() - start < 1
