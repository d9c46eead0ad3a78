"""What counts as the same sound, and what speaks against it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator.records import Entry
from orchestrator.same_contents.matching import Matching
from orchestrator.same_contents.records import Proof, Reason
from orchestrator.track import AudioIdentity, Reading, SoundEnd, Status, Strength, Track

SURE = AudioIdentity("pcm-md5", "44100:2:aa", Strength.SURE)
HINT = AudioIdentity("bytes", "mp3:1000:bb", Strength.HINT)
TRACK = Track(title=("Song",), artist=("Ann",), codec="flac", lossless=True, bitrate=800_000, duration_s=200.0)
GOOD = Reading(Status.TAGGED, TRACK, SURE, whole=True, end=SoundEnd())


def found(
    mine: Reading, theirs: Reading | None, *, sizes: tuple[int, int] = (1000, 1200), hashes: bool = False
) -> Proof | Reason:
    """What is said of one file of the source, and one of the target with another name."""
    digests = ({"md5": "1"}, {"md5": "2"}) if hashes else ({}, {})
    made = Matching([Entry("old.flac", sizes[0], hashes=digests[0])], [Entry("new.flac", sizes[1], hashes=digests[1])])
    made.source[0].reading, made.target[0].reading = mine, theirs
    made.match_sounds()
    made.settle()
    (file,) = made.source
    said = file.proof or file.reason
    assert said is not None
    return said


def other(**changes: object) -> Reading:
    return replace(GOOD, **changes)


UNTAGGED = replace(TRACK, title=(), artist=())
CASES = {
    "other tags": (GOOD, other(track=replace(TRACK, title=("Else",))), {}, Proof.SOUND),
    "other tags, hashes differ as well": (GOOD, GOOD, {"hashes": True}, Proof.SOUND),
    "the same size, but other bytes": (GOOD, GOOD, {"sizes": (1000, 1000), "hashes": True}, Reason.DIFFERS),
    "the same size, nothing else known": (GOOD, None, {"sizes": (1000, 1000)}, Reason.SIMILAR),
    "another sound of the same size": (
        GOOD,
        other(identity=replace(SURE, value="44100:2:cc"), track=UNTAGGED),
        {"sizes": (1000, 1000)},
        Reason.MISSING,
    ),
    "another sound": (GOOD, other(identity=replace(SURE, value="44100:2:cc")), {}, Reason.MISSING),
    "a lost end": (GOOD, other(end=SoundEnd(zeros=900, doubt="zeros")), {}, Reason.DIFFERS),
    "an end that is lost on both sides": (
        other(end=SoundEnd(zeros=900, doubt="zeros")),
        other(end=SoundEnd(zeros=900, doubt="zeros")),
        {},
        Proof.SOUND,
    ),
    "fewer bytes, and the end is not proved": (
        GOOD,
        other(whole=False, track=replace(TRACK, bitrate=700_000)),
        {},
        Reason.DIFFERS,
    ),
    "a hint with the same title": (other(identity=HINT), other(identity=HINT), {}, Proof.SOUND),
    "a hint without tags": (other(identity=HINT, track=UNTAGGED), other(identity=HINT, track=UNTAGGED), {}, Reason.SIMILAR),
    "damaged, of the same size": (
        GOOD,
        other(identity=None, suspect="it is cut"),
        {"sizes": (1000, 1000)},
        Reason.DIFFERS,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_sounds_of_two_files_show(case: str) -> None:
    mine, theirs, settings, expected = CASES[case]
    assert found(mine, theirs, **settings) is expected
