"""What `verify` calls proved holds the same bytes, and with hashes on both sides it finds each content that is there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.records import Entry
from orchestrator.same_contents.matching import Matching
from orchestrator.same_contents.records import Proof, Reason

KINDS = ("md5", "sha1", "crc32")
CONTENTS = st.sampled_from([b"", b"a", b"b", b"long", b"gone"])


def entry(path: str, content: bytes, kinds: Sequence[str]) -> Entry:
    digests = {kind: hashlib.new(kind, content).hexdigest().upper() for kind in kinds if kind != "crc32"}
    digests |= {"crc32": "00000000"} if "crc32" in kinds else {}  # two files may share it
    return Entry(path, len(content), hashes=digests)


def side(files: Sequence[tuple[bytes, Sequence[str]]]) -> list[Entry]:
    return [entry(f"{number}", content, kinds) for number, (content, kinds) in enumerate(files)]


FILES = st.lists(st.tuples(CONTENTS, st.lists(st.sampled_from(KINDS), unique=True)), max_size=8)
HASHED = st.lists(st.tuples(CONTENTS, st.just(["md5"])), max_size=8)


@given(FILES, FILES)
def test_what_is_proved_is_there(source: list[tuple[bytes, list[str]]], target: list[tuple[bytes, list[str]]]) -> None:
    found = Matching(side(source), side(target))
    found.settle()
    for file in found.source:
        content = source[int(file.path)][0]
        if file.proof is Proof.HASH:
            assert file.twin is not None
            assert target[int(file.twin.path)][0] == content
        else:
            assert (file.proof is Proof.EMPTY) == (content == b"")
            assert file.proof is not None or file.reason is not None


@given(HASHED, HASHED)
def test_with_hashes_each_content_that_is_there_is_found_and_no_other(
    source: list[tuple[bytes, list[str]]], target: list[tuple[bytes, list[str]]]
) -> None:
    there = {content for content, _ in target}
    found = Matching(side(source), side(target))
    found.settle()
    unproven = {int(file.path) for file in found.unproven}
    assert unproven == {number for number, (content, _) in enumerate(source) if content and content not in there}
    assert {file.reason for file in found.unproven} <= {Reason.MISSING, Reason.DIFFERS}
    # Each file has a copy of its own, as far as there are enough.
    for content in there - {b""}:
        proved = [file for file in found.source if source[int(file.path)][0] == content]
        copies = sum(one == content for one, _ in target)
        assert len({id(file.twin) for file in proved}) == min(len(proved), copies)
