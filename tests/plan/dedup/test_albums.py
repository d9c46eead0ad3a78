"""Albums: complete ones stay complete, and tracks that are on two albums on purpose are kept on both."""

from __future__ import annotations

import msgspec

from orchestrator.plan.planners.dedup.reasons_to_keep import OTHER_ALBUM, OTHER_FORMAT, OTHER_SLOT
from orchestrator.plan.planners.dedup.search import BETTER, COMPLETE
from orchestrator.records import Item
from tests.plan.dedup.copies import FLAC, MP3, TITLES, album, file, found, on_album, quarantined, whys


def test_a_whole_album_copy_is_quarantined_together() -> None:
    answer = found(album("Beck/Odelay", sound=None), album("Downloads/Beck - Odelay"))
    assert set(quarantined(answer)) == {f"Downloads/Beck - Odelay/0{n}.flac" for n in (1, 2, 3)}
    assert {one.kept.album_copy.folder for one in answer.decisions if one.kept.album_copy} == {"Beck/Odelay"}


def test_copies_of_an_album_are_not_mixed() -> None:
    """Compared track by track, the oldest files would come from both copies."""
    here = [on_album(f"A/{n}.flac", n, sound=f"s{n}", mtime=100 + n % 2) for n in (1, 2, 3)]
    there = [on_album(f"B/{n}.flac", n, sound=f"s{n}", mtime=100 + (n + 1) % 2) for n in (1, 2, 3)]
    answer = found(here, there, keep=("oldest",))
    assert {path.partition("/")[0] for path in quarantined(answer)} == {"A"}
    assert len(answer.decisions) == 3


def test_a_reason_is_only_what_is_true_of_the_kept_file_itself() -> None:
    """The mean of the kept album is better, but one of its tracks is no better than its duplicate."""
    mixed = [on_album(f"A/{n}", n, sound=f"s{n}", **(MP3 if n == 1 else FLAC)) for n in (1, 2, 3)]
    lossy = [on_album(f"B/{n}", n, sound=f"s{n}", **MP3) for n in (1, 2, 3)]
    assert quarantined(found(mixed, lossy)) == {"B/1": "T1 A/1 album", "B/2": "T1 A/2 lossless", "B/3": "T1 A/3 lossless"}


def test_a_better_stray_does_not_break_a_complete_album() -> None:
    answer = found(album("Album", **MP3), [on_album("Stray/2.flac", 2)])
    assert not quarantined(answer)
    assert whys(answer) == [({"Album/02.flac", "Stray/2.flac"}, COMPLETE)]


def test_a_stray_copy_of_the_longest_track_is_a_duplicate_too() -> None:
    """The mean of the album is worse than the stray file, but the track that it duplicates is not."""
    lengths = {1: 100.0, 2: 300.0, 3: 100.0}
    for ids in ({}, {"musicbrainz_recording_id": "r", "musicbrainz_release_id": "x"}):
        tracks = [on_album(f"Album/{n}.mp3", n, **{**MP3, **ids, "duration_s": length}) for n, length in lengths.items()]
        stray = on_album("Stray/2.mp3", 2, **{**MP3, **ids, "duration_s": 300.0})
        assert set(quarantined(found(tracks, [stray]))) == {"Stray/2.mp3"}


def test_a_stray_is_held_against_the_track_and_not_against_the_mean_of_its_album() -> None:
    tracks = [on_album(f"Album/{n}.mp3", n, **{**MP3, "bitrate": rate}) for n, rate in ((1, 320_000), (2, 128_000), (3, 320_000))]
    stray = on_album("Stray/2.mp3", 2, **{**MP3, "bitrate": 192_000})
    answer = found(tracks, [stray])
    assert not quarantined(answer)
    assert whys(answer) == [({"Album/2.mp3", "Stray/2.mp3"}, BETTER)]


def test_a_better_stray_replaces_a_track_of_an_incomplete_album() -> None:
    answer = found(album("Album", **MP3)[:2], [on_album("Stray/2.flac", 2)])
    assert quarantined(answer) == {"Album/02.flac": "T3 Stray/2.flac lossless"}


def test_a_loose_file_of_the_same_sound_is_the_duplicate_whatever_keep_says() -> None:
    tracks = [on_album(f"Album/{n}.flac", n, sound=f"s{n}", mtime=500) for n in (1, 2, 3)]
    stray = on_album("Stray/2.flac", 2, sound="s2", mtime=1)
    untagged = file("u.flac", sound="s3", mtime=1, **FLAC)
    assert quarantined(found(tracks, [stray, untagged], keep=("oldest",))) == {
        "Stray/2.flac": "T1 Album/2.flac album",
        "u.flac": "T1 Album/3.flac album",
    }


def test_a_compilation_shares_recordings_on_purpose() -> None:
    """beets #2690."""
    own = [on_album(f"Album/{n}.flac", n, sound=f"s{n}") for n in (1, 2, 3)]
    best = {"album": "Best Of", "album_artist": "Beck", "compilation": True, "track_total": 9}
    shared = [on_album(f"Best/{n}.flac", n, sound=f"s{n}", **best) for n in (1, 2)]
    answer = found(own, shared)
    assert not quarantined(answer)
    assert {why for _, why in whys(answer)} == {OTHER_ALBUM}


def test_takes_that_share_ids_on_two_discs_stay() -> None:
    """beets #4054, Lidarr #411."""
    ids = {"musicbrainz_recording_id": "rec", "musicbrainz_release_id": "rel", "disc_total": 2}
    one, other = on_album("CD1/1.flac", 1, sound="s", **ids), on_album("CD2/1.flac", 1, sound="s", **{**ids, "disc": 2})
    answer = found([one, other])
    assert not quarantined(answer)
    assert [why for _, why in whys(answer)] == [OTHER_SLOT]


def test_a_folder_of_discs_without_numbers_keeps_their_twins() -> None:
    """Once organized, only track numbers with two titles show that there are two discs."""
    intro = [on_album(f"Set/01{mark}.flac", 1, sound="intro", disc=None, disc_total=None) for mark in ("", " (2)")]
    others = [on_album(f"Set/0{n}{t}.flac", n, title=t, disc=None, disc_total=None) for n in (2, 3) for t in ("one", "other")]
    assert not quarantined(found([*intro, *others]))
    assert len(quarantined(found([*intro, *others[1:]]))) == 1, "one number taken twice may be a stray"


def test_albums_of_one_name_are_distinguished() -> None:
    """Weezer (beets #3310), American Football (#6854), two "Essential Van Morrison" (Lidarr #638)."""
    blue = album("Blue", album="Weezer", album_artist="Weezer", date="1994")
    green = album("Green", album="Weezer", album_artist="Weezer", date="2001")
    assert not quarantined(found(blue, green))
    one = album("One", album="Essential", barcode="1", sound=None)
    two = album("Two", album="Essential", barcode="2", sound=None)
    assert not quarantined(found(one, two))


def test_no_disc_is_none_of_several_if_any_track_of_the_album_names_several() -> None:
    """The two that sound the same do not say it themselves, but the third does."""
    untold = {"disc": None, "disc_total": None}
    for other in ({"disc": 2, "disc_total": None}, {"disc": 1, "disc_total": 2}):
        for facts in ({"disc": 1, "disc_total": None}, untold):
            one = on_album("Set/a.flac", 1, sound="intro", **untold)
            twin = on_album("Set/b.flac", 1, sound="intro", **facts)
            answer = found([one, twin, on_album("Set/c.flac", 2, **other)])
            assert not quarantined(answer)
            assert whys(answer) == [({"Set/a.flac", "Set/b.flac"}, OTHER_SLOT)]


def test_albums_that_lack_the_same_discs_are_copies() -> None:
    def copy(folder: str) -> list[Item]:
        first = on_album(f"{folder}/1.flac", 1, sound="1", disc=None, disc_total=None)
        return [first, on_album(f"{folder}/2.flac", 2, sound="2", disc=2, disc_total=None)]

    assert len(quarantined(found(copy("A"), copy("B")))) == 2


def test_the_discs_of_a_box_are_one_album() -> None:
    box = [
        on_album(f"{folder}/CD{disc}/0{n}.flac", n, disc=disc, disc_total=2, sound=f"{disc}-{n}")
        for folder in ("Box", "Copy of Box")
        for disc in (1, 2)
        for n in (1, 2, 3)
    ]
    assert {path.partition("/")[0] for path in quarantined(found(box))} == {"Copy of Box"}
    assert len(quarantined(found(box))) == 6
    lacking = [item for item in box if item.entry.path != "Box/CD2/03.flac"]
    assert {path.partition("/")[0] for path in quarantined(found(lacking))} == {"Box"}


def test_two_formats_in_one_folder_leave_the_lossless_one() -> None:
    answer = found(album("Album"), [on_album(f"Album/0{n}.mp3", n, **MP3) for n in (1, 2, 3)])
    assert set(quarantined(answer)) == {f"Album/0{n}.mp3" for n in (1, 2, 3)}
    assert quarantined(answer)["Album/01.mp3"] == "T3 Album/01.flac lossless"


def test_lossy_companions_stay_when_they_are_meant() -> None:
    """SoulSync PR #1190."""
    answer = found(album("Album"), [on_album(f"Album/0{n}.mp3", n, **MP3) for n in (1, 2, 3)], same_format_only=True)
    assert not quarantined(answer)
    assert {why for _, why in whys(answer)} == {OTHER_FORMAT}


def test_two_untagged_tracks_of_silence_are_kept() -> None:
    silence = [file(f"Album/Track {n:02}.wav", content="silence") for n in (7, 8, 9)]
    assert not quarantined(found(silence))
    assert quarantined(found([*silence[:1], file("Album/Track 07 (1).wav", content="silence")]))


def test_a_lossless_file_does_not_go_for_a_lossy_one() -> None:
    reference = on_album("ref/1.mp3", 1, **MP3)
    assert not quarantined(found({"/ref": [reference], "/music": [on_album("1.flac", 1)]}, reference=("/ref",)))
    assert quarantined(found({"/ref": [reference], "/music": [on_album("1.flac", 1)]}, reference=("/ref",), keep=("bitrate",)))


def test_a_file_with_far_less_of_the_same_sound_is_the_duplicate() -> None:
    """A FLAC that was cut may still have the checksum of the whole sound."""
    short = on_album("a.flac", 1, sound="s", bitrate=500_000)
    assert quarantined(found([short, on_album("b/longer/name.flac", 1, sound="s")])) == {"a.flac": "T1 b/longer/name.flac whole"}


def test_a_lossless_file_with_any_less_of_one_sound_never_wins() -> None:
    """An interrupted upload is shorter, still has the checksum of the whole sound, and is often the older file."""
    short = on_album("a.flac", 1, sound="s", bitrate=FLAC["bitrate"] * 99 // 100, mtime=1)
    longer = on_album("b/longer/name.flac", 1, sound="s")
    assert quarantined(found([short, longer])) == {"a.flac": "T1 b/longer/name.flac whole"}
    assert not quarantined(found([short, longer], keep=("oldest",)))
    other_format = on_album("a.wv", 1, sound="s", bitrate=1, mtime=1, codec="wavpack")
    assert quarantined(found([other_format, longer])) == {"b/longer/name.flac": "T1 a.wv oldest"}


def test_a_better_packed_file_may_win_once_its_end_was_seen() -> None:
    packed = on_album("a.flac", 1, sound="s", bitrate=FLAC["bitrate"] * 99 // 100, mtime=1)
    assert packed.reading is not None
    seen = msgspec.structs.replace(packed, reading=msgspec.structs.replace(packed.reading, whole=True))
    assert quarantined(found([seen, on_album("b.flac", 1, sound="s")])) == {"b.flac": "T1 a.flac oldest"}


def test_files_that_the_options_leave_alone_count_for_their_album() -> None:
    tracks = album("Album", **MP3)
    tracks[0] = msgspec.structs.replace(tracks[0], skipped_because="excluded")
    assert not quarantined(found(tracks, [on_album("Stray/2.flac", 2)]))


def test_a_track_without_a_number_may_be_the_one_that_completes_its_album() -> None:
    """One recording opens and closes an album, and the second track has no number."""
    last = on_album("Album/3.flac", None, title=TITLES[1], sound="s")
    tracks = [on_album("Album/1.flac", 1, sound="s"), on_album("Album/2.flac", 2), last]
    assert not quarantined(found(tracks))
    tracks.append(on_album("Album/4.flac", 3))
    assert set(quarantined(found(tracks))) == {"Album/3.flac"}


def test_a_file_without_an_album_may_name_another_release() -> None:
    tracks = [on_album(f"Album/{n}.flac", n, sound=f"s{n}", musicbrainz_release_id="one") for n in (1, 2, 3)]
    for release, goes in (("other", set()), ("one", {"x.flac"}), (None, {"x.flac"})):
        loose = on_album("x.flac", 1, album=None, sound="s1", musicbrainz_release_id=release)
        assert set(quarantined(found(tracks, [loose]))) == goes


def test_two_places_of_one_release_are_two_by_their_ids() -> None:
    ids = {"musicbrainz_release_id": "one", "title": "Theme", "sound": "s", "track_total": 9}
    first = on_album("Album/a.flac", 1, musicbrainz_track_id="first", **ids)
    assert not quarantined(found([first, on_album("Album/b.flac", None, musicbrainz_track_id="last", **ids)]))
    assert quarantined(found([first, on_album("Album/b.flac", None, **ids)]))
