"""Realistic files, all formats and pictures of up to 8 MB: ranges give the same result as the whole file."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from orchestrator.tags.tag_values import text_fields
from orchestrator.track import Status
from tests.audio_realistic import KINDS, Kind, samples
from tests.audio_tags import TEXTS
from tests.nightly import NIGHTLY
from tests.tags.ranges import POLICIES, WHOLE_FILE, read
from tests.virtual_file import VirtualFile

KIB = 1024
SAMPLES: dict[Kind, list[Any]] = {}
for _sample in samples():
    SAMPLES.setdefault(_sample.kind, []).append(_sample)

CLASSES = {
    "mp3": "mp3.MP3", "flac": "flac.FLAC", "m4a": "mp4.MP4", "ogg": "oggvorbis.OggVorbis", "opus": "oggopus.OggOpus",
    "spx": "oggspeex.OggSpeex", "wav": "wave.WAVE", "aiff": "aiff.AIFF", "dsf": "dsf.DSF", "dff": "dsdiff.DSDIFF",
    "wma": "asf.ASF", "ape": "monkeysaudio.MonkeysAudio", "wv": "wavpack.WavPack", "mpc": "musepack.Musepack",
    "tta": "trueaudio.TrueAudio",
}  # fmt: skip


UNCOUNTED = "VBR no header ID3v2.4"
"""mutagen takes the bitrate of its first frame for that of all, and says 437 s for 210."""


def by_mutagen(kind: Kind, content: VirtualFile) -> tuple[dict[str, Any], float]:
    """Tags and seconds that mutagen finds in the whole file."""
    module, name = CLASSES[kind.extension].split(".")
    parser = getattr(import_module(f"mutagen.{module}"), name)
    with content.open() as file:
        audio = parser(file, load_v1=False) if kind.tags == "id3" and kind.extension != "tta" else parser(file)
    tags = audio.tags
    if kind.tags == "ape":
        with content.open() as file:
            tags = import_module("mutagen.apev2").APEv2(file)
    if kind.tags == "mp4":
        tags = as_texts(tags)
    elif kind.tags == "ape":
        tags = {key: list(value) for key, value in tags.items() if not isinstance(value.value, bytes)}
    return text_fields("id3" if kind.tags == "id3v1" else kind.tags, tags), round(audio.info.length, 3)


def as_texts(tags: Any) -> dict[str, list[str]]:
    """mutagen's MP4 tags as the texts under each key."""
    texts = {}
    for key, values in tags.items():
        if key != "covr":
            pairs = ["/".join(map(str, value)) if isinstance(value, tuple) else value for value in values]
            texts[key.rpartition(":")[2]] = [value.decode() if isinstance(value, bytes) else value for value in pairs]
    return texts


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.format}, {kind.variant}")
def test_ranges_give_the_same_as_the_whole_file(kind: Kind) -> None:
    for sample in SAMPLES[kind][:: 1 if NIGHTLY else 3]:  # usually no picture, a large one behind, a huge one in front
        content = sample.make()
        local = read(sample.name, content, WHOLE_FILE)
        fields, seconds = by_mutagen(kind, content)
        assert local.track is not None, (sample.name, local.reason)
        assert (local.status, local.suspect) == (Status.TAGGED, None), sample.name
        assert {name: getattr(local.track, name) or None for name in fields} == {n: v or None for n, v in fields.items()}
        assert local.track.duration_s == (None if kind.variant == UNCOUNTED else seconds), sample.name
        assert local.track.album == (TEXTS["album"],)
        assert (local.track.track, local.track.date) == (3, TEXTS["date"])
        for name, policy in POLICIES.items():
            reading = read(sample.name, content, policy)
            found = (reading.status, reading.track, reading.identity, reading.suspect)
            assert found == (local.status, local.track, local.identity, None), (sample.name, name, reading.reason)
            assert reading.bytes_read <= (192 if name == "few bytes" else 1024) * KIB, sample.name
            assert reading.requests <= 5, sample.name
