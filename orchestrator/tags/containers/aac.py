"""Raw AAC streams (ADTS, ADIF): no tags of their own, at times ID3v2 before or APEv2 behind the sound."""

from __future__ import annotations

from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.leftovers import find_other_tags
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile


def read(file: SparseFile) -> Parsed:
    """Parse the first frames, and the tags that mutagen's class passes over."""
    plan_tag(file, 0)
    file.seek(0)
    aac = parser("aac", "AAC")(file)
    parsed = Parsed(kind="id3", tags=None, info=aac.info, codec="aac", lossless=False)
    find_other_tags(file, parsed)
    return parsed
