"""Raw AAC streams (ADTS, ADIF): no tags of their own, at times ID3v2 before or APEv2 behind the sound."""

from __future__ import annotations

from orchestrator.tags import apev2
from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile


def read(file: SparseFile) -> Parsed:
    """Parse the first frames, and the tags that mutagen's class passes over."""
    has_id3 = plan_tag(file, 0) is not None
    file.seek(0)
    aac = parser("aac", "AAC")(file)
    parsed = Parsed(kind="id3", tags=None, info=aac.info, codec="aac", lossless=False)
    file.seek(0)
    if has_id3:
        parsed.other_tags = parser("id3", "ID3")(file, load_v1=False)
        return parsed
    tail = min(file.size, file.policy.short_tail)
    file.fetch(file.size - tail, file.size)
    footer = apev2.find_footer(file)
    if footer is not None:
        apev2.plan_tag(file, footer)
        file.seek(0)
        parsed.other_kind, parsed.other_tags = "ape", parser("apev2", "APEv2")(file)
    elif file.peek(file.size - 128, 3) == b"TAG":
        parsed.other_tags = parser("id3", "ID3")(file)
    return parsed
