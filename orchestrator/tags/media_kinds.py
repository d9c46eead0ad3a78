"""What the tags of a file say that it is, other than music."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

AUDIOBOOK_CLASS: Final = bytes.fromhex("eb6b23e081c2de4ea36d7af76a3d45b5")
"""The id of audiobooks in Windows Media's secondary class, as it is in a file."""
_KINDS: Final = {
    # iTunes' numbers, and the words that Mp3tag writes for them. 1 is music, 0 once meant a film and now means nothing.
    **dict.fromkeys(("2", "audiobook"), "audiobook"),
    **dict.fromkeys(("21", "podcast", "23", "itunes u"), "podcast"),
    **dict.fromkeys(("6", "music video", "9", "movie", "short film", "10", "tv show"), "video"),
}
_NO = frozenset({"", "0", "no", "false"})
_VOICE_MEMOS: Final = "voicememos"
"""In the name of Apple's app, "com.apple.VoiceMemos (iPhone ...)", which it writes as the encoder."""


def media_kind(found: Mapping[str, Sequence[Sequence[str]]]) -> str | None:
    """What the tags say; None for music, and if they do not say. `found`: as `orchestrator.tags.tag_names.named` gives it."""
    kinds = [kind for text in _texts(found, "media_kind") if (kind := _KINDS.get(text)) is not None]
    if any(_texts(found, "podcast_id")) or any(text not in _NO for text in _texts(found, "podcast")) or "podcast" in kinds:
        return "podcast"
    if kinds:
        return kinds[0]
    is_memo = "memo_id" in found or any(_VOICE_MEMOS in text for text in _texts(found, "encoder"))
    return "memo" if is_memo else None


def _texts(found: Mapping[str, Sequence[Sequence[str]]], field: str) -> list[str]:
    return [text.strip().lower() for texts in found.get(field, ()) for text in texts]
