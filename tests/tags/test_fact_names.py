"""What tells recordings apart is read from every kind of tag, under the names that programs write."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.mp4
import mutagen.oggvorbis
import pytest
from mutagen import id3

from orchestrator.track import Facts
from tests.audio import track_bytes
from tests.tags.ranges import read

FULL = Facts(
    conductor=("Con",),
    orchestra=("Orch",),
    ensemble=("Ens",),
    performer=("Violin Ist", "Pia Nist"),
    work=("Wo",),
    movement=("Mo",),
    movement_number=("2",),
    language=("deu",),
    lyrics_language=("fra",),
    musicbrainz_work_ids=("W1", "W2"),
    discogs_id=("123",),
    asin=("B01",),
    country=("GB",),
    recording_date=("1961-05-03",),
    recording_place=("Hall",),
    key=("Am",),
    bpm=("128",),
    grouping=("Gr",),
)
OF_RELEASE = {"DISCOGS_RELEASE_ID": "123", "ASIN": "B01", "RECORDINGDATE": "1961-05-03"}


def vorbis(name: str = "flac") -> bytes:
    stream = track_bytes(name, None)
    audio: Any = (mutagen.flac.FLAC if name == "flac" else mutagen.oggvorbis.OggVorbis)(BytesIO(stream))
    if audio.tags is None:
        audio.add_tags()
    texts = {
        **OF_RELEASE,
        "CONDUCTOR": "Con",
        "Orchestra": "Orch",
        "ENSEMBLE": "Ens",
        "WORK": "Wo",
        "MOVEMENTNAME": "Mo",
        "MOVEMENT": "2",
        "LANGUAGE": "deu",
        "LYRICSLANGUAGE": "fra",
        "RELEASECOUNTRY": "GB",
        "LOCATION": "Hall",
        "KEY": "Am",
        "BPM": "128",
        "GROUPING": "Gr",
    }
    for key, text in texts.items():
        audio.tags[key] = [text]
    audio.tags["PERFORMER"] = ["Violin Ist", "Pia Nist"]
    audio.tags["MUSICBRAINZ_WORKID"] = ["W1", "W2"]
    return saved(audio, stream)


def saved(audio: Any, stream: bytes) -> bytes:
    file = BytesIO(stream)
    audio.save(file)
    return file.getvalue()


def mp3(version: int = 4) -> bytes:
    tags = id3.ID3()
    frames = {"TPE3": "Con", "MVNM": "Mo", "MVIN": "2", "TLAN": "deu", "TKEY": "Am", "TBPM": "128", "TIT1": "Gr"}
    for name, text in frames.items():
        tags.add(getattr(id3, name)(encoding=1, text=[text]))
    named = {
        **OF_RELEASE,
        "Orchestra": "Orch",
        "ENSEMBLE": "Ens",
        "WORK": "Wo",
        "Recording Location": "Hall",
        "MusicBrainz Album Release Country": "GB",
    }
    for name, text in named.items():
        tags.add(id3.TXXX(encoding=1, desc=name, text=[text]))
    tags.add(id3.TXXX(encoding=1, desc="MusicBrainz Work Id", text=["W1", "W2"]))
    people = [["violin", "Violin Ist"], ["piano", "Pia Nist"], ["engineer", "Nobody"]]
    tags.add(id3.IPLS(encoding=1, people=people) if version == 3 else id3.TMCL(encoding=1, people=people))
    tags.add(id3.USLT(encoding=1, lang="fra", desc="", text="La la"))
    file = BytesIO(track_bytes("mp3", None))
    tags.save(file, v2_version=version, v23_sep=None)
    return file.getvalue()


def m4a() -> bytes:
    stream = track_bytes("m4a", None)
    audio: Any = mutagen.mp4.MP4(BytesIO(stream))
    audio.add_tags()
    audio.tags["\xa9wrk"], audio.tags["\xa9mvn"], audio.tags["\xa9mvi"] = ["Wo"], ["Mo"], [2]
    audio.tags["tmpo"], audio.tags["\xa9grp"] = [128], ["Gr"]
    free = {
        **OF_RELEASE,
        "CONDUCTOR": "Con",
        "ORCHESTRA": "Orch",
        "ENSEMBLE": "Ens",
        "LANGUAGE": "deu",
        "Lyrics Language": "fra",
        "MusicBrainz Album Release Country": "GB",
        "RECORDING_LOCATION": "Hall",
        "initialkey": "Am",
    }
    for name, text in free.items():
        audio.tags["----:com.apple.iTunes:" + name] = [text.encode()]
    audio.tags["----:com.apple.iTunes:PERFORMER"] = [b"Violin Ist", b"Pia Nist"]
    audio.tags["----:com.apple.iTunes:MusicBrainz Work Id"] = [b"W1", b"W2"]
    return saved(audio, stream)


def ape() -> bytes:
    tags = mutagen.apev2.APEv2()
    texts = {
        "Discogs_Release_Id": "123",
        "ASIN": "B01",
        "Record Date": "1961-05-03",
        "Record Location": "Hall",
        "Conductor": "Con",
        "Orchestra": "Orch",
        "Ensemble": "Ens",
        "Work": "Wo",
        "MovementName": "Mo",
        "Movement": "2",
        "Language": "deu",
        "LyricsLanguage": "fra",
        "ReleaseCountry": "GB",
        "Key": "Am",
        "BPM": "128",
        "Grouping": "Gr",
    }
    for key, text in texts.items():
        tags[key] = text
    tags["Performer"] = ["Violin Ist", "Pia Nist"]
    tags["MUSICBRAINZ_WORKID"] = ["W1", "W2"]
    file = BytesIO(track_bytes("wv", None))
    tags.save(file)
    return file.getvalue()


def wma() -> bytes:
    stream = track_bytes("wma", None)
    audio: Any = mutagen.asf.ASF(BytesIO(stream))
    texts = {
        **OF_RELEASE,
        "WM/Conductor": "Con",
        "Orchestra": "Orch",
        "ENSEMBLE": "Ens",
        "WM/Work": "Wo",
        "MovementName": "Mo",
        "Movement": "2",
        "WM/Language": "deu",
        "LyricsLanguage": "fra",
        "MusicBrainz/Album Release Country": "GB",
        "RecordingLocation": "Hall",
        "WM/InitialKey": "Am",
        "WM/BeatsPerMinute": "128",
        "WM/ContentGroupDescription": "Gr",
    }
    for key, text in texts.items():
        audio.tags[key] = [text]
    audio.tags["Performer"] = ["Violin Ist", "Pia Nist"]
    audio.tags["MusicBrainz/Work Id"] = ["W1", "W2"]
    return saved(audio, stream)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.flac", vorbis()),
        ("x.ogg", vorbis("ogg")),
        ("x.mp3", mp3()),
        ("v23.mp3", mp3(3)),
        ("x.m4a", m4a()),
        ("x.wv", ape()),
        ("x.wma", wma()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_fact_is_found_under_the_names_that_programs_write(name: str, data: bytes) -> None:
    track = read(name, data).track
    assert track is not None
    assert track.facts == FULL


def test_a_file_that_states_no_fact_has_none() -> None:
    track = read("x.mp3", track_bytes("mp3", None)).track
    assert track is not None
    assert track.facts is None


def test_itunes_writes_the_work_of_a_movement_in_the_place_of_the_group() -> None:
    tags: Any = mutagen.id3.ID3()
    for name, text in {"TIT1": "Symphony", "MVNM": "Allegro", "MVIN": "2/4", "GRP1": "Group"}.items():
        tags.add(getattr(mutagen.id3, name)(encoding=3, text=[text]))
    file = BytesIO(track_bytes("mp3", None))
    tags.save(file)
    track = read("x.mp3", file.getvalue()).track
    assert track is not None
    expected = Facts(work=("Symphony",), movement=("Allegro",), movement_number=("2/4",), grouping=("Group",))
    assert track.facts == expected


@pytest.mark.parametrize("name", ["MOVEMENTTOTAL", "Total Movements", "movement_count"])
def test_how_many_movements_a_work_has(name: str) -> None:
    audio: Any = mutagen.flac.FLAC(BytesIO(track_bytes("flac", None)))
    audio[name] = ["4"]
    file = BytesIO(track_bytes("flac", None))
    audio.save(file)
    track = read("x.flac", file.getvalue()).track
    assert track is not None
    assert track.facts == Facts(movement_total=("4",))
