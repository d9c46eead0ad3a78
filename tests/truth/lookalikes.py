"""Files that look like duplicates but are not: each function makes the files of one case."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.track import Track
from tests.truth.files import Slot, tagged
from tests.truth.making import SONGS, Maker, identifier


def editions(make: Maker) -> None:
    """Standard, deluxe and remastered: the same songs, and sometimes the same sound, on different releases."""
    artist = "Edition"
    standard = [f"edition/{song}" for song in SONGS[:8]]
    remaster = [f"edition remastered/{song}" for song in SONGS[:8]]
    extra = [*standard, "edition/extra 1", "edition/extra 2"]
    titles = [*SONGS[:8], "Demo 1", "Demo 2"]
    make.release("1973", artist, "Album", SONGS[:8], recordings=standard, audio_format="flac", tags={"date": "1973"})
    make.release("2009", artist, "Album", SONGS[:8], key="2009", recordings=remaster, audio_format="flac", tags={"date": "2009"})
    make.release(
        "Remastered", artist, "Album", [f"{song} (2011 Remaster)" for song in SONGS[:8]],
        key="2011", recordings=[f"edition 2011/{song}" for song in SONGS[:8]], tags={"date": "1973"},
    )  # fmt: skip
    make.release("Deluxe", artist, "Album (Deluxe Edition)", titles, recordings=extra, audio_format="flac", tags={"date": "1973"})
    make.release("Japan", artist, "Album", titles, key="japan", recordings=extra, audio_format="flac", tags={"date": "1973"})


def editions_without_ids(make: Maker) -> None:
    """The same without ids: only year, words, label, barcode or catalogue number distinguish the releases."""
    artist = "Plain Edition"
    for key, tags, album in (
        ("", {"date": "1973"}, "Album"),
        ("2009", {"date": "2009"}, "Album"),
        ("words", {"date": "1973"}, "Album [Remastered 2014]"),
        ("mono", {"date": "1973"}, "Album (Mono)"),
        ("stereo", {"date": "1973"}, "Album (Stereo)"),
    ):
        recordings = [f"plain {key}/{song}" for song in SONGS[:6]]
        make.release(
            f"A {key}", artist, album, SONGS[:6], key=key, recordings=recordings, ids=False, tags=tags, sound={"seconds": 5.0}
        )
    for key, tags in (
        ("a", {"catalogue_number": "AB 1", "label": "One"}),
        ("b", {"catalogue_number": "CD 2", "label": "Two"}),
        ("c", {"barcode": "0123456789012"}),
        ("d", {"barcode": "9876543210987"}),
    ):
        recordings = [f"pressing {key[0] in 'ab'} {key}/{song}" for song in SONGS[:5]]
        name = "Pressed" if key in "ab" else "Pressed Again"
        make.release(
            f"P {key}", artist, name, SONGS[:5], key=key, recordings=recordings, ids=False, tags=tags, sound={"seconds": 5.0}
        )


def live_and_studio(make: Maker) -> None:
    """Live recordings of the same songs: named in the title, in the album name, or only in the release type."""
    artist = "Stage"
    titles = SONGS[:6]
    options: dict[str, Any] = {"ids": False, "sound": {"seconds": 6.0}}
    make.release("studio", artist, "Best Nights", titles, key="studio", tags={"release_type": ("album",)}, **options)
    make.release("live type", artist, "Best Nights", titles, key="type", tags={"release_type": ("album", "live")}, **options)
    make.release("live titles", artist, "Best Nights", [f"{song} (Live)" for song in titles], key="titles", **options)
    make.release("live album", artist, "Best Nights (Live)", titles, key="album", **options)
    make.release("unplugged", artist, "Best Nights: MTV Unplugged", titles, key="unplugged", **options)
    make.release("dash", artist, "Best Nights", [f"{song} - Live at Wembley" for song in titles], key="dash", **options)


def clean_and_explicit(make: Maker) -> None:
    """Clean and explicit versions of one song: named only in the advisory, and in the title."""
    options: dict[str, Any] = {"ids": False, "sound": {"seconds": 4.0}}
    for advisory in ("explicit", "clean"):
        make.release(advisory, "Rapper", "Words", SONGS[:6], key=advisory, tags={"advisory": advisory}, **options)
        make.release(
            f"t {advisory}", "Rapper", "Titles", [f"{song} [{advisory.title()}]" for song in SONGS[:6]], key=advisory, **options
        )
    ids = {
        "musicbrainz_recording_id": identifier("clean", make.round),
        "musicbrainz_release_id": identifier("clean release", make.round),
    }
    for advisory in ("explicit", "clean"):  # a tagger gave both the ids of one
        make.release(f"ids {advisory}", "Rapper", "Ids", SONGS[:1], key=advisory, tags={"advisory": advisory, **ids})


def two_nights(make: Maker) -> None:
    """Concerts of one tour: only the day, the venue or the edition differs."""
    options: dict[str, Any] = {"ids": False, "sound": {"seconds": 6.0}}
    for album, first, second in (
        ("Tour", {"date": "1999-05-01"}, {"date": "1999-05-02"}),
        ("Halls", {"venue": "Budokan"}, {"venue": "Paradiso"}),
        ("Issues", {"edition": "2009 remaster"}, {"edition": "original mix"}),
    ):
        for index, tags in enumerate((first, second)):
            make.release(f"{album} {index}", "Tourist", album, SONGS[:4], key=index, tags=tags, **options)


def version_words(make: Maker) -> None:
    """One track of a single, each time with a different version word."""
    words = (
        "", "(Live)", "(Remix)", "(Acoustic)", "(Demo)", "(Instrumental)", "(Karaoke Version)", "(Radio Edit)", "(Extended Mix)",
        "(Mono)", "(Stereo)", "(Remastered 2009)", "(Remastered 2015)", "[Unplugged]", "(BBC Session)", "(feat. Somebody)",
        "(Early Take)", "(Single Version)", "(Alternate Mix)", "(Live Acoustic)", "(Reprise)", "(Dub)", "(A Cappella)",
        "(Part 2)",
    )  # fmt: skip
    for index, title in enumerate(f"{SONGS[0]} {word}".strip() for word in words):
        make.release(
            f"single {index}", "Versions", "The Single", [title], key=index, ids=False, tags={"track_total": None},
            audio_format=("flac", "mp3-lame")[index % 2], sound={"seconds": 5.0},
        )  # fmt: skip
    album_words = ("", "(Live)", "(Demos)", "(Instrumentals)", "(Deluxe)", "(Remixes)")
    for index, word in enumerate(album_words):
        name = f"Wordy {word}".strip()
        make.release(f"album {index}", "Versions", name, SONGS[:3], key=index, ids=False, sound={"seconds": 5.0})
    ids = {"musicbrainz_recording_id": identifier("word", make.round), "musicbrainz_release_id": identifier("words", make.round)}
    for index, title in enumerate((SONGS[0], f"{SONGS[0]} (Live)")):  # the ids of the one on the other
        make.release(f"ids {index}", "Versions", "Wrong Ids", [title], key=index, tags=ids)


def box_set(make: Maker) -> None:
    """Three albums, and a box set of them: the same sound on another release."""
    artist = "Boxed"
    recordings, titles, discs = [], [], []
    for number in (1, 2, 3):
        songs = [f"{song} {number}" for song in SONGS[:5]]
        recordings += [f"box/{song}" for song in songs]
        titles += songs
        discs += [number] * 5
        make.release(f"Album {number}", artist, f"Album {number}", songs, recordings=recordings[-5:], audio_format="flac")
    make.release("Box", artist, "The Complete Albums", titles, recordings=recordings, discs=discs, audio_format="flac")


def compilations(make: Maker) -> None:
    """Recordings that are on an album, a best-of and a compilation on purpose."""
    for kind, ids in (("flac", True), ("flac", False), ("mp3-lame", True)):
        artist = f"Hits {kind} {ids}"
        recordings = [f"{artist}/{song}" for song in SONGS[:8]]
        options: dict[str, Any] = {"audio_format": kind, "ids": ids}
        make.release(f"{kind} {ids} Album", artist, "The Album", SONGS[:8], recordings=recordings, **options)
        make.release(f"{kind} {ids} Best", artist, "Best Of", SONGS[:4], recordings=recordings[:4], **options)
        various = {"album_artist": ("Various Artists",), "compilation": True, "release_type": ("album", "compilation")}
        mixed = [*recordings[2:5], f"{artist}/other"]
        make.release(
            f"{kind} {ids} Now",
            artist,
            f"Now {make.name(artist)}",
            [*SONGS[2:5], "Else"],
            recordings=mixed,
            tags=various,
            **options,
        )
        make.release(f"{kind} {ids} Single", artist, SONGS[0], SONGS[:1], recordings=recordings[:1], **options)
        part = {"track": 7, "track_total": 20}  # the collector has only one track of it
        one = make.release(f"{kind} {ids} Part", artist, "Part", SONGS[3:4], recordings=recordings[3:4], tags=part, **options)
        make.stripped(one[0], f"{kind} {ids} nameless")


def same_names(make: Maker) -> None:
    """Albums of one name by one artist; two artists of one name; songs of one name in one album."""
    options: dict[str, Any] = {"ids": False, "sound": {"seconds": 4.0}}
    for year, songs in (("1994", SONGS[:6]), ("2001", SONGS[4:10]), ("2008", (SONGS[0], *SONGS[9:14]))):
        make.release(f"Weezer {year}", "Weezer", "Weezer", ["Intro", *songs], key=year, tags={"date": year}, **options)
    for year in ("1999", "2016"):
        make.release(f"AF {year}", "American Football", "American Football", SONGS[:4], key=year, tags={"date": year})
    for label in ("Polydor", "Exile"):
        tags = {"label": label, "catalogue_number": f"{label[:2].upper()}-1", "date": None}
        make.release(f"Essential {label}", "Van", "The Essential", SONGS[:4], key=label, tags=tags, **options)
    make.release("Interludes", "Same", "Many Interludes", ["Interlude", SONGS[0], "Interlude", SONGS[1], "Interlude"], **options)


def discs_with_equal_titles(make: Maker) -> None:
    """Two discs with the same numbers and titles; disc numbers in the tags, only in the folder name, or missing."""
    titles = [*SONGS[:4], *SONGS[:4]]
    discs = [1] * 4 + [2] * 4
    options: dict[str, Any] = {"discs": discs, "sound": {"seconds": 5.0}}
    make.release("Tagged", "Discs", "Both", titles, ids=False, **options)
    make.release("Untagged", "Discs", "Folders Only", titles, ids=False, tags={"disc": None, "disc_total": None}, **options)
    shared = [identifier("take", make.round, song) for song in SONGS[:4]]
    make.release(
        "Takes", "Discs", "Takes Sharing Ids", titles, **options,
        tags=lambda index: {"musicbrainz_recording_id": shared[index % 4], "musicbrainz_track_id": None},
    )  # fmt: skip
    make.release(
        "One tagged", "Discs", "Half Tagged", titles, ids=False, **options,
        tags=lambda index: {"disc": None, "disc_total": None} if index < 4 else {},
    )  # fmt: skip


def twins_on_two_discs(make: Maker) -> None:
    """One intro on both discs of a set; not all tracks have a disc number, or only the folders name the disc."""
    recordings = [
        "twins/intro",
        *(f"twins/{song}" for song in SONGS[:2]),
        "twins/intro",
        *(f"twins/{song}" for song in SONGS[2:4]),
    ]
    titles, discs = ["Intro", *SONGS[:2], "Intro", *SONGS[2:4]], [1, 1, 1, 2, 2, 2]
    for name, silent in (("First", (1,)), ("Second", (2,)), ("Neither", (1, 2))):
        for track_total in (3, 9):  # complete, and not
            make.release(
                f"{name} {track_total}", f"Twins {name}", f"Set of {track_total}", titles, ids=False, audio_format="flac",
                recordings=[f"{name} {track_total} {recording}" for recording in recordings], discs=discs,
                tags=lambda index, silent=silent, total=track_total: {
                    "track_total": total, "disc_total": None, **({"disc": None} if discs[index] in silent else {}),
                },
            )  # fmt: skip
    artist = make.name("Twins Loose")
    sound = make.sound("twins/loose", "flac")
    for disc, tags in ((1, {"disc": None}), (2, {"disc": 2}), (3, {"disc": 1, "disc_total": 3})):
        track = Track(title=("Intro",), artist=(artist,), album_artist=(artist,), album=("Loose",), track=1, track_total=9)
        make.put(f"loose/{disc}", sound, msgspec.structs.replace(track, **tags), Slot(f"{make.round}:loose", disc, 1))


def one_id_for_all(make: Maker) -> None:
    """Wrong tags: one recording id for a whole album, with and without track numbers; one recording twice on a disc."""
    one = {"musicbrainz_recording_id": identifier("one for all", make.round), "musicbrainz_track_id": None}
    make.release("Numbered", "Mistake", "One Id", SONGS[:6], tags=one)
    make.release("Unnumbered", "Mistake", "One Id, No Numbers", SONGS[:6], tags={**one, "track": None})
    nobody = {"musicbrainz_recording_id": "0", "musicbrainz_release_id": "0", "musicbrainz_track_id": "0", "track": None}
    make.release("Zeros", "Mistake", "Zeros", SONGS[:4], tags=nobody)
    for album in ("Zero", "Other Zero"):
        numbered = {name: value for name, value in nobody.items() if name != "track"}
        make.release(album, "Mistake", album, SONGS[:3], tags=numbered, sound={"seconds": 5.0})
    twice = [f"twice/{song}" for song in (*SONGS[:3], SONGS[0])]
    make.release("Twice", "Mistake", "Opens and Closes", [*SONGS[:3], SONGS[0]], recordings=twice, audio_format="flac")


def missing_fields(make: Maker) -> None:
    """Whole albums that lack a field: an empty value never matches."""
    numbers: dict[str, Any] = {"track": None, "track_total": None, "disc": None, "disc_total": None}
    lacking: dict[str, dict[str, Any]] = {
        "artist": {"artist": (), "album_artist": ()},
        "album": {"album": ()},
        "track": {"track": None, "track_total": None},
        "disc": {"disc": None, "disc_total": None},
        "title": {"title": ()},
        "all but the artist": {"title": (), "album": (), **numbers},
        "all but the title": {"artist": (), "album_artist": (), "album": (), **numbers},
        "all but title and artist": {"album_artist": (), "album": (), **numbers},
    }
    for name, tags in lacking.items():
        for equal in (False, True):  # what is there is equal, too
            same = {"title": ("Track",), "track": 1, "disc": 1} if equal else {}
            make.release(
                f"no {name} {equal}", f"Lacking {name}", f"Lacking {equal}", SONGS[:5], discs=[1, 1, 1, 2, 2], ids=False,
                tags={**same, **tags}, sound={"seconds": 4.0},
            )  # fmt: skip


def placeholders(make: Maker) -> None:
    """Placeholders of rippers: five CDs, each an unknown album by an unknown artist."""
    for index in range(5):
        rip = f"{make.round}:rip {index}"
        for artist, album, title in (
            ("Unknown Artist", "Unknown Album", "Track 1"),
            ("Unknown", "Unknown", "Track 01"),
            ("<unknown>", "<unknown>", "<unknown>"),
            ("[unknown artist]", "[no album]", "[untitled]"),
        ):
            track = Track(title=(title,), artist=(artist,), album_artist=(artist,), album=(album,), track=1, disc=1)
            sound = make.sound(f"unknown {index} {artist}", "flac" if index % 2 else "m4a", seconds=4.0)
            make.put(f"rip {index}/{len(artist)} {artist.strip('<>[]')}", sound, track, Slot(rip, 1, len(artist)))


def broken_files(make: Maker) -> None:
    """Cut, empty and unreadable copies: they are never duplicates, not even of one another, and never the kept copies."""
    for kind in ("flac", "mp3-lame"):
        for index, file in enumerate(make.release(f"Whole {kind}", f"Breaker {kind}", "Whole", SONGS[:5], audio_format=kind)):
            for number in (1, 2) if index < 2 else (1,):
                cut = make.put(
                    f"cut {kind}/{index} {number}",
                    file.sound,
                    file.tags,
                    file.slot,
                    content=file.content[: -len(file.content) // 3],
                )
                cut.whole = False
    sound = make.sound("nothing", "flac")
    for name, content in (("empty", b""), ("page", b"<html>404</html>" * 50), ("zeros", bytes(3000))):
        for number in (1, 2, 3):
            make.put(f"no audio/{name} {number}", sound, None, None, content=content).whole = False


def silence(make: Maker) -> None:
    """Tracks of silence: equal sound, different tracks."""
    for ids in (True, False):
        titles = [*SONGS[:3], "[silence]", "[silence]", "Hidden"]
        make.release(
            f"Silent {ids}", f"Quiet {ids}", "Gaps", titles, ids=ids, audio_format="flac",
            recordings=[f"quiet {ids} {index}" for index in range(6)],
        )  # fmt: skip
    for index in range(4):
        sound = make.sound(f"silence {index}", "flac", seconds=4.0, silent=True)
        tags = Track(title=("[silence]",), artist=(make.name(f"Silencer {index % 2}"),), album=(f"Silence {index}",), track=9)
        make.put(f"silent {index}", sound, tags, Slot(f"{make.round}:silence {index}", 1, 9))


def hints_alike(make: Maker) -> None:
    """Formats whose identity is only a hint: the same start and length, but different music."""
    first = make.sound("hint", "wav", seconds=4.0)
    artist = make.name("Hint")
    for index in range(3):
        track = Track(
            title=(f"Session {index}",), artist=(artist,), album=("Hints",), album_artist=(artist,), track=index + 1, disc=1
        )
        content = bytearray(tagged(first, track))
        content[20_000:20_016] = b"%016d" % index
        sound = first._replace(recording=f"{first.recording} {index}")
        make.put(f"hint {index}", sound, track, Slot(f"{make.round}:hints", 1, index + 1), content=bytes(content))


def checksums_alike(make: Maker) -> None:
    """MP3s with equal LAME headers but different music: with 16-bit checksums, that happens by chance in a large library."""
    first = make.sound("header", "mp3-lame", seconds=5.0)
    for index in range(3):
        sound = make.sound(f"behind it {index}", "mp3-lame", seconds=5.0)
        content = first.content()[:208] + sound.content()[208:]
        make.put(f"loose {index}", sound, None, None, content=content)


def songs_in_one_file(make: Maker) -> None:
    """A file with two songs, next to a file with only the first one."""
    first, second = (make.sound(f"part {number}", "mp3-lame", seconds=5.0) for number in (1, 2))
    make.put("alone", first, None, None)
    both = make.sound("parts 1 and 2", "mp3-lame", checksum=False)
    make.put("both", both, None, None, content=first.content() + second.content())


def contradictions(make: Maker) -> None:
    """Equal tags on different recordings, as their ids show."""
    for key in ("first", "second"):
        make.release(f"{key}", "Contradiction", "Same Tags", SONGS[:4], key=key, sound={"seconds": 5.0})
    for key in ("first", "second"):
        recordings = [f"isrc {key}/{song}" for song in SONGS[:3]]
        make.release(
            f"isrc {key}", "Contradiction", "Codes", SONGS[:3], key=key, recordings=recordings, ids=False, sound={"seconds": 5.0},
            tags=lambda index, key=key: {"isrc": (f"USABC{99 if key == 'first' else 11}0000{index}",), "date": None},
        )  # fmt: skip


def guests(make: Maker) -> None:
    """One track with and without a guest in the title: often a different mix, so both are kept."""
    for index, title in enumerate(("Song", "Song (feat. A)", "Song (feat. B)", "Song ft. A & B")):
        make.release(
            f"{index}", "Host", "Guests", [title], key=index, ids=False, sound={"seconds": 5.0}, tags={"track_total": None}
        )


def tributes(make: Maker) -> None:
    """Different artists play the same songs on albums of one name."""
    various = {"album_artist": ("Various Artists",), "compilation": True}
    for artist in ("One Band", "Another Band"):
        make.release(
            artist, artist, make.name("A Tribute"), SONGS[:4], key=artist, ids=False, tags=various, sound={"seconds": 5.0}
        )
