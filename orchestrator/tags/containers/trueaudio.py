"""True Audio (TTA): stream facts at the front, ID3v2 before them or APEv2 at the end."""

from __future__ import annotations

from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.leftovers import find_other_tags
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile


def read(file: SparseFile) -> Parsed:
    """Parse ID3 as mutagen does; APEv2 where there is no ID3."""
    plan_tag(file, 0)
    file.seek(0)
    audio = parser("trueaudio", "TrueAudio")(file)
    parsed = Parsed(kind="id3", tags=audio.tags, info=audio.info, codec="tta", lossless=True)
    if not audio.tags:
        find_other_tags(file, parsed, kinds=("ape",))
    if audio.info.length:
        tag_size = audio.tags.size if audio.tags else 0
        parsed.bitrate = int((file.size - tag_size) * 8 / audio.info.length)
    return parsed
