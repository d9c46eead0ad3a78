"""DSF: the header points to an ID3v2 tag after the sound."""

from __future__ import annotations

from orchestrator.tags.audio_identity import of_beginning
from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.lazy_imports import id3_options, parser
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end
from orchestrator.track import SoundEnd

_FORM_AT, _FORM = 28, 52
_DATA_AT, _DATA = 80, 92
_MISCOUNTED = 1
"""Some programs state sizes that are one byte too large."""


def read(file: SparseFile) -> Parsed:
    """Parse the header and the tag that it points to."""
    head = file.peek(0, _DATA)
    pointer, stated = int.from_bytes(head[20:28], "little"), int.from_bytes(head[12:20], "little")
    if 0 < pointer < file.size:
        file.fetch(pointer, pointer + file.policy.extra, "the ID3v2 tag, at the offset that the header names")
        plan_tag(file, pointer)
    file.seek(0)
    audio = parser("dsf", "DSF")(file, load_v1=False, **id3_options())
    parsed = Parsed(kind="id3", tags=audio.tags, info=audio.info, codec="dsd", lossless=True)
    sound = int.from_bytes(head[_DATA_AT + 4 : _DATA], "little") - (_DATA - _DATA_AT)
    parsed.identity = of_beginning(file, "DSF", head[_FORM_AT : _FORM_AT + _FORM], _DATA, sound)
    if _DATA + sound > file.size + _MISCOUNTED:
        parsed.suspect = f"cut short: {file.size - _DATA:,} of {sound:,} bytes of sound are there"
    elif stated > file.size + _MISCOUNTED:
        parsed.suspect = f"cut short: {file.size:,} of {stated:,} bytes are there"
    parsed.sound = _DATA, min(_DATA + sound, file.size)
    if file.policy.end_check:
        behind = pointer or sound_end(file)
        parsed.loose = max(0, behind - _DATA - sound, sound_end(file) - max(stated, _DATA + sound))
        if behind < _DATA + sound:
            parsed.end = SoundEnd(doubt=f"its tag begins {_DATA + sound - behind:,} bytes before its sound ends")
    return parsed
