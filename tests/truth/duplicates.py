"""True duplicates: each function makes the files of one case. Which files are duplicates follows from how they are made."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from tests.truth.making import SONGS, Maker


def exact_copies(make: Maker) -> None:
    """The same bytes under other names, in the same folder and in a backup."""
    for ids in (True, False):
        files = make.release(f"Kept {ids}", f"Copies {ids}", "Originals", SONGS[:8], ids=ids)
        for index, file in enumerate(files[:5]):
            make.copy(file, f"backup/old disk {ids}/Copy of {index}")
        make.copy(files[5], f"Kept {ids}/06 {SONGS[5]} (1)")
        make.copy(files[5], f"Kept {ids}/06 {SONGS[5]} (2)")
    whole = make.release("Whole", "Copies", "Whole Folder", SONGS[:6])
    for file in whole:
        make.copy(file, f"Whole again/{file.path.rpartition('/')[2]}")


def exact_copies_without_tags(make: Maker) -> None:
    """The same bytes without tags."""
    for index, kind in enumerate(("flac", "mp3-lame", "mp3", "ogg")):
        sound = make.sound(f"bare {index}", kind)
        make.copy(make.put(f"voice memo {index}", sound, None, None), f"phone/rec{index:03}")


def retagged_copies(make: Maker) -> None:
    """The same sound with different genres, comments, covers and spellings."""
    for kind in ("flac", "mp3-lame", "wv"):
        files = make.release(f"Good {kind}", f"Retagger {kind}", "Same Sound", SONGS[:6], audio_format=kind)
        make.retagged(files[0], f"in/{kind} genre", genre=("Rock",), comment="ripped by me")
        make.retagged(files[1], f"in/{kind} cover", cover_bytes=3000)
        make.retagged(files[2], f"in/{kind} title", title=(SONGS[2].upper(),))
        make.retagged(files[3], f"in/{kind} date", date="1994-03-01", label="Some Label")
        make.retagged(files[4], f"in/{kind} no ids", musicbrainz_recording_id=None, musicbrainz_release_id=None)
        make.stripped(files[5], f"in/{kind} stripped")


def other_encoders(make: Maker) -> None:
    """The same samples from another encoder, as FLAC and as WavPack."""
    files = make.release("FLAC", "Encoder", "Lossless", SONGS[:6], audio_format="flac", ids=False)
    make.encoded(files[0], "again/level 8", "flac", settings=1)
    make.encoded(files[1], "again/wavpack", "wv")
    make.encoded(files[2], "again/level 8 and a genre", "flac", settings=1, tags={"genre": ("Folk",)})


def transcodes(make: Maker) -> None:
    """A release in FLAC and tracks of it in lossy formats: by ids, and by tags alone."""
    for ids in (True, False):
        files = make.release(f"FLAC {ids}", f"Transcoder {ids}", "Twice", SONGS[:9], audio_format="flac", ids=ids)
        for index, kind in enumerate(("mp3-lame", "m4a", "ogg", "opus", "mp3", "wav")):
            make.encoded(files[index], f"car {ids}/{index}", kind, longer=0.01 * index)
        make.encoded(files[6], f"car {ids}/a", "mp3-lame")
        make.encoded(files[6], f"car {ids}/b", "mp3-lame", settings=1)
    files = make.release("m4a", "Lossy", "Only Lossy", SONGS[:6], audio_format="m4a")
    for index, file in enumerate(files):
        make.encoded(file, f"mp3/{index:02}", "mp3-lame")


def known_by_ids(make: Maker) -> None:
    """A release in two formats: only one names its edition, but the ids prove that it is the same."""
    said = {"edition": "2009 remaster", "release_type": ("album", "live"), "venue": "Red Rocks", "original_date": "1973"}
    silent = {"edition": None, "release_type": (), "venue": None, "original_date": None}
    files = make.release("Told", "Known", "By Ids", SONGS[:6], audio_format="flac", tags=said)
    for index, file in enumerate(files):
        make.encoded(file, f"silent/{index}", "m4a", tags=silent)


def companions(make: Maker) -> None:
    """A whole lossy album next to its lossless original."""
    for ids in (True, False):
        for file in make.release(
            f"Album {ids} [FLAC]", f"Companion {ids}", "Side by Side", SONGS[:8], audio_format="flac", ids=ids
        ):
            make.encoded(file, f"Album {ids} [MP3]/{file.path.rpartition('/')[2]}", "mp3-lame")


def better_samples(make: Maker) -> None:
    """The same release from the CD and in 24 bit at 96 kHz."""
    for index, file in enumerate(make.release("CD", "Hi Res", "Studio Master", SONGS[:5], audio_format="flac")):
        make.encoded(file, f"24-96/{index}", "flac", hires=True)


def spellings(make: Maker) -> None:
    """The same tags with different case, Unicode form and spaces, in another format, without ids."""
    files = make.release("Mine", "Björk Ólafs", "Été", SONGS[:6], audio_format="flac", ids=False)
    changes: list[Callable[[str], str]] = [
        str.upper, str.lower, lambda text: unicodedata.normalize("NFD", text), lambda text: f" {text}  ", str.title,
    ]  # fmt: skip
    for index, change in enumerate(changes):
        tags = files[index].tags
        assert tags is not None
        changed = {name: tuple(map(change, getattr(tags, name))) for name in ("title", "artist", "album_artist", "album")}
        make.encoded(files[index], f"theirs/{index}", "m4a", tags=changed)


def chains(make: Maker) -> None:
    """Copies of copies: by bytes, sound, ids and tags in turn."""
    for index, file in enumerate(make.release("Start", "Chain", "Links", SONGS[:5], audio_format="flac")):
        make.stripped(file, f"two/{index}")
        lossy = make.encoded(file, f"three/{index}", "mp3-lame")
        make.copy(lossy, f"four/{index}")
        make.encoded(file, f"five/{index}", "m4a", tags={"musicbrainz_recording_id": None, "musicbrainz_release_id": None})


def cut_without_a_sign(make: Maker) -> None:
    """Copies without their end, in formats that may not show it: the whole file is never a duplicate of them."""
    for kind in ("m4a", "ogg", "opus", "mp3", "wav"):
        for file in make.release(f"Whole {kind}", f"Cutter {kind}", "Whole", SONGS[:3], audio_format=kind):
            content = file.content[: len(file.content) * 11 // 20]
            path = f"a/{kind} {file.path.rpartition('/')[2][:2]}"
            make.put(path, file.sound, file.tags, file.slot, content=content).cut_from = file.path


def part_of_an_album(make: Maker) -> None:
    """Half an album from a download, next to the whole album."""
    files = make.release("Whole", "Halves", "Complete", SONGS[:8], audio_format="flac", ids=False)
    for index, file in enumerate(files[:4]):
        make.encoded(file, f"Downloads/Complete/{index}", "mp3-lame")
