"""ID3v2 tags whose frames are parsed where they were found, against mutagen's own way through the same tags."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.tags import id3
from orchestrator.tags.containers import mpeg
from orchestrator.tags.policy import Policy
from orchestrator.track import Reading
from tests.audio import track_bytes
from tests.tags.ranges import POLICIES, read

_SOUND = track_bytes("mp3", None, seconds=10)
_ENDS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_texts = st.sampled_from(
    ("", "A", "Größe", "サンプル", "3/12", "1999", "(17)Rock", "\0", "a\0", "a\0b", "\0a", "a" * 40, "ÿþ", "Ā", "x\0\0")
)


@st.composite
def _contents(draw: st.DrawFn) -> bytes:
    """A byte for the encoding, and texts that often, but not always, are in it."""
    encoding = draw(st.integers(0, 4))
    name = draw(st.sampled_from((_ENDS[encoding % 4], *_ENDS)))
    pieces = draw(st.lists(_texts, max_size=3))
    end = draw(st.sampled_from(("", "\0", "\0\0")))
    content = b"".join((text + ("\0" if len(pieces) > 1 else "")).encode(name, "replace") for text in pieces) + end.encode(
        name, "replace"
    )
    return bytes([encoding]) + content + draw(st.sampled_from((b"", b"", b"", b"\0", b"\xff", b"\x80")))


@st.composite
def _pictures(draw: st.DrawFn) -> bytes:
    encoding = draw(st.integers(0, 3))
    mime = draw(st.sampled_from((b"image/jpeg\0", b"\0", b"-->\0", b"PNG\0", b"x" * 1100 + b"\0", b"x" * 1100)))
    description = draw(st.sampled_from(("", "front", "サ" * 90, "d" * 600, "d" * 1100))).encode(_ENDS[encoding], "replace")
    end = draw(st.sampled_from((b"\0", b"\0\0", b"")))
    return bytes([encoding]) + mime + b"\3" + description + end + b"\xff\xd8\xff\xe0" * draw(st.sampled_from((0, 3, 250, 20_000)))


_names = st.sampled_from(
    b"TIT2 TIT2 TPE1 TALB TRCK TPOS TCON TDRC TYER TXXX TXXX TIPL IPLS COMM".split()
    + b"USLT UFID TT2\0 TXX\0 PCST WFED MVNM GRP1 TSOP TCMP PRIV TZZZ T\xe92X".split()
)
_flags = st.sampled_from((b"\0\0", b"\0\0", b"\0\0", b"\0\0", b"\x40\0", b"\0\x02", b"\0\x01", b"\0\x40", b"\0\x80", b"\0\x08"))
_frames = st.one_of(
    st.tuples(_names, _flags, _contents()),
    st.tuples(_names, st.just(b"\0\0"), _contents()),
    st.tuples(st.just(b"APIC"), _flags, _pictures()),
)


def _mp3(version: int, flags: int, frames: list[tuple[bytes, bytes, bytes]], padding: int) -> bytes:
    def number(value: int) -> bytes:
        return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))

    content = b"".join(
        name + (number(len(data)) if version == 4 else len(data).to_bytes(4, "big")) + marks + data
        for name, marks, data in frames
    )
    content += bytes(padding)
    return b"ID3" + bytes((version, 0, flags)) + number(len(content)) + content + _SOUND


@given(st.sampled_from((3, 4)), st.sampled_from((0, 0, 0, 0x80)), st.lists(_frames, max_size=8), st.sampled_from((0, 5, 300)))
@example(
    4, 0, [(b"TIT2", b"\0\0", b"\1" + "ab\0".encode("utf-16"))] * 2 + [(b"TXXX", b"\0\0", b"\1" + "Āa\0b".encode("utf-16"))], 0
)
@example(3, 0, [(b"APIC", b"\0\0", b"\1image/png\0\3" + "Ā\0".encode("utf-16") + bytes(30_000))] * 2, 10)
def test_planned_frames_say_what_mutagen_says(
    version: int, flags: int, frames: list[tuple[bytes, bytes, bytes]], padding: int
) -> None:
    content = _mp3(version, flags, frames, padding)
    for policy in POLICIES.values():
        assert read("x.mp3", content, policy) == _by_mutagen_alone(content, policy)


def _by_mutagen_alone(content: bytes, policy: Policy) -> Reading:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(id3, "slices_id3", lambda: False)
        patched.setattr(mpeg, "id3_class", lambda: None)
        return read("x.mp3", content, policy)


@pytest.mark.parametrize("size", [129, 143, 256, 3005])
@pytest.mark.parametrize("padding", [0, 40, 300])
def test_sizes_of_itunes_are_seen_although_zeros_inside_a_frame_look_like_the_end(size: int, padding: int) -> None:
    """Read as synch-safe, the size of the attachment ends among its zeros."""
    attachment = b"GEOB" + size.to_bytes(4, "big") + b"\0\0" + b"\0a\0b\0c\0".ljust(size, b"\0")
    content = attachment + b"TIT2\0\0\0\5\0\0\3Song" + bytes(padding)
    length = len(content)
    tag = b"ID3\4\0\0" + bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0)) + content
    for policy in POLICIES.values():
        found = read("x.mp3", tag + _SOUND, policy)
        assert found.track is not None
        assert found.track.title == ("Song",)
        assert found == _by_mutagen_alone(tag + _SOUND, policy)
