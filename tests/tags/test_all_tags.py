"""What players write makes no difference to the digest of all tags; whatever a person may have changed does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import mutagen
import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.mp4
import pytest
from mutagen import id3

from orchestrator.errors import TransientError
from orchestrator.tags.all_tags import edges_of_sound, is_written_by_players, lasting_tags
from orchestrator.track import Track
from tests.audio import picture, track_bytes
from tests.damaged_pairs import mp3_frames

Change = Callable[[Any], None]
TRACK = Track(title=("Title",), artist=("Artist",), album=("Album",), track=1)
UTF8, LATIN1 = id3.Encoding.UTF8, id3.Encoding.LATIN1


def digest_of(name: str, content: bytes) -> str | None:
    return lasting_tags(name, len(content), lambda offset, length: content[offset : offset + length])


def changed(content: bytes, change: Change, **save: Any) -> bytes:
    file = BytesIO(content)
    audio = mutagen.File(file)  # type: ignore[attr-defined]
    change(audio)
    file.seek(0)
    audio.save(file, **save)
    return file.getvalue()


def setting(name: str, value: Any) -> Change:
    return lambda audio: audio.tags.__setitem__(name, value)


def adding(*frames: id3.Frame) -> Change:
    return lambda audio: [audio.tags.add(frame) for frame in frames] and None


def with_picture(seed: int) -> Change:
    def change(audio: Any) -> None:
        block = mutagen.flac.Picture()
        block.data = picture(3000, seed)
        audio.clear_pictures()
        audio.add_picture(block)

    return change


def free(name: str) -> str:
    return f"----:com.apple.iTunes:{name}"


COMMENTS: tuple[list[Change], list[Change]] = (
    [
        setting(name, ["1"])
        for name in ("rating", "RATING:someone", "FMPS_Playcount", "replaygain_track_gain", "R128_ALBUM_GAIN", "Play Count")
    ],
    [setting(name, ["1"]) for name in ("title", "lyrics", "my own tag", "fmps_lyrics", "last played live")],
)
CHANGES: dict[str, tuple[list[Change], list[Change]]] = {
    "mp3": (
        [
            adding(id3.POPM(email="a", rating=255, count=3)),
            adding(id3.PCNT(count=9)),
            adding(id3.TXXX(encoding=UTF8, desc="REPLAYGAIN_TRACK_GAIN", text=["-3 dB"])),
            adding(id3.RVA2(desc="track", channel=1, gain=-3.0, peak=0.5)),
            adding(id3.COMM(encoding=UTF8, lang="eng", desc="iTunNORM", text=[" 0000"])),
            adding(id3.PRIV(owner="PeakValue", data=b"1234")),
            adding(id3.TIT2(encoding=LATIN1, text=["Title"])),  # the same text, written otherwise
        ],
        [
            adding(id3.TIT2(encoding=UTF8, text=["title"])),
            adding(id3.TXXX(encoding=UTF8, desc="my own tag", text=["x"])),
            adding(id3.GEOB(encoding=UTF8, mime="a", filename="b", desc="cues", data=b"12")),
            adding(id3.PRIV(owner="someone", data=b"1234")),
            adding(id3.USLT(encoding=UTF8, lang="eng", desc="", text="la la")),
            adding(id3.COMM(encoding=UTF8, lang="eng", desc="", text=["comment"])),
            adding(id3.APIC(encoding=UTF8, mime="image/jpeg", type=3, desc="", data=picture(3000, 5))),
        ],
    ),
    "flac": (COMMENTS[0], [*COMMENTS[1], with_picture(5), with_picture(6)]),
    "ogg": COMMENTS,
    "opus": COMMENTS,
    "m4a": (
        [
            setting(free("replaygain_track_gain"), [mutagen.mp4.MP4FreeForm(b"-3 dB")]),
            setting(free("iTunNORM"), [mutagen.mp4.MP4FreeForm(b" 000")]),
            setting("rate", ["80"]),
        ],
        [
            setting("\xa9nam", ["title"]),
            setting(free("my own tag"), [mutagen.mp4.MP4FreeForm(b"1")]),
            setting("rtng", [1]),  # iTunes' "explicit", not a rating
            setting("covr", [mutagen.mp4.MP4Cover(picture(3000, 5))]),
        ],
    ),
    "ape": ([setting("Rating", "1")], [setting("Title", "title")]),
    "wv": ([setting("Rating", "1"), setting("replaygain_album_peak", "1")], [setting("Title", "title"), setting("Mood", "1")]),
    "wma": ([setting("WM/SharedUserRating", [99])], [setting("Title", ["title"]), setting("WM/Mood", ["1"])]),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_only_what_players_write_makes_no_difference(kind: str) -> None:
    name, content = f"a.{kind}", track_bytes(kind, TRACK, cover_bytes=3000)
    digest = digest_of(name, content)
    assert digest is not None
    by_players, by_people = CHANGES[kind]
    for change in by_players:
        assert digest_of(name, changed(content, change)) == digest
    digests = [digest_of(name, changed(content, change)) for change in by_people]
    assert None not in digests
    assert len({digest, *digests}) == 1 + len(by_people)


def test_padding_and_the_version_of_a_tag_make_no_difference() -> None:
    for kind in ("mp3", "flac", "m4a"):
        content = track_bytes(kind, TRACK, cover_bytes=3000)
        padded = changed(content, lambda _: None, padding=lambda _: 5000)
        assert padded != content
        assert digest_of(f"a.{kind}", padded) == digest_of(f"a.{kind}", content)
    content = track_bytes("mp3", TRACK)
    assert digest_of("a.mp3", changed(content, lambda _: None, v2_version=3)) == digest_of("a.mp3", content)


def test_a_second_kind_of_tag_counts() -> None:
    def with_apev2(**items: str) -> bytes:
        file = BytesIO(mp3_frames(1))
        tags = mutagen.apev2.APEv2()
        tags.update(items)
        tags.save(file)
        return file.getvalue()

    gained, titled = with_apev2(MP3GAIN_MINMAX="1,2"), with_apev2(Title="a")
    assert digest_of("a.mp3", gained) == digest_of("a.mp3", mp3_frames(1)) != digest_of("a.mp3", titled)


def test_what_cannot_be_read_completely_has_no_digest() -> None:
    def refused(_offset: int, _length: int) -> bytes:
        raise TransientError("not now")

    for name, content in unreadable():
        assert digest_of(name, content) is None
    with pytest.raises(TransientError):
        lasting_tags("a.flac", 1000, refused)


def unreadable() -> Iterator[tuple[str, bytes]]:
    yield "a.wav", track_bytes("wav", TRACK)  # mutagen does not show all of its tags
    yield "a.flac", b"no music"
    yield "a.flac", track_bytes("flac", TRACK)[:60]
    yield "a.txt", b"text"


def test_names_that_players_write() -> None:
    written = ["TXXX:FMPS_Rating", "TXXX:last_played_timestamp", "lastplayed", "playcount:me@x.org", "Love Rating", "skipcount"]
    assert [name for name in written if not is_written_by_players(name)] == []
    own = ["TXXX:Ratings agency", "rated", "playlist", "TXXX:Playback", "WM/Mood", "rate limit", "gain", "TXXX:first played live"]
    assert [name for name in own if is_written_by_players(name)] == []


def test_the_edges_of_the_sound_are_those_between_the_tags() -> None:
    def edges(name: str, content: bytes) -> str | None:
        return edges_of_sound(name, len(content), lambda offset, length: content[offset : offset + length])

    sound = mp3_frames(1)
    tagged = changed(sound, lambda audio: audio.add_tags())
    tagged = changed(tagged, adding(id3.TIT2(encoding=UTF8, text=["a"])), v1=2)
    assert tagged != sound
    assert edges("a.mp3", tagged) == edges("a.mp3", sound) is not None
    assert len({edges("a.mp3", one) for one in (sound, sound[:-1], b"\1" + sound[1:], sound[:-1] + b"\1")}) == 4
    assert edges("a.flac", sound) is None
