"""Raw AAC streams (ADTS, ADIF): no tags of their own, sometimes ID3v2 before the sound or APEv2 after it."""

from __future__ import annotations

from orchestrator.tags.audio_identity import of_edges
from orchestrator.tags.containers.aac_config import Coding
from orchestrator.tags.foreign_tags import find_other_tags
from orchestrator.tags.frames.mpeg import adts_size
from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.lazy_imports import parser
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end


def read(file: SparseFile) -> Parsed:
    """Parse the first frames, and the tags that mutagen's class ignores."""
    start = plan_tag(file, 0) or 0
    file.seek(0)
    aac = parser("aac", "AAC")(file)
    info = aac.info
    facts = Coding(info.sample_rate, info.channels or None).facts()  # neither form can announce extensions
    facts.length, facts.bitrate = info.length or None, info.bitrate or None
    parsed = Parsed(kind="id3", tags=None, info=facts, codec="aac", lossless=False)
    find_other_tags(file, parsed)
    parsed.identity = of_edges(file, "aac", start, sound_end(file))
    if file.peek(start, 4) != b"ADIF":
        parsed.sound, parsed.frame_size = (start, sound_end(file)), adts_size
    return parsed
