"""The same sound with other tags, another cover and other padding, written by mutagen as a user's tagger does."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import mutagen
import mutagen.aac
import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.mp4
from mutagen import id3


class _Named(BytesIO):
    """mutagen decides by the name if the file begins with an ID3 tag."""

    name = ""


def retagged(name: str, content: bytes, title: str, cover: bytes, padding: int) -> bytes | None:
    """The file with another title, this cover as its only one (none if empty) and, if the format has it, this much padding.

    None if mutagen cannot write the file.
    """
    file = _Named(content)
    file.name = name
    try:
        audio: Any = mutagen.File(file)  # type: ignore[attr-defined]
        if audio is None or isinstance(audio, mutagen.aac.AAC):
            return None
        if audio.tags is None:
            audio.add_tags()
        _change(audio, title, cover)
        file.seek(0)
        _save(audio, file, padding)
    except (mutagen.MutagenError, EOFError, ValueError, IndexError, TypeError, struct.error):  # for odd files
        return None
    return file.getvalue()


def _change(audio: Any, title: str, cover: bytes) -> None:
    tags = audio.tags
    if isinstance(tags, id3.ID3):
        tags.delall("APIC")
        tags.setall("TIT2", [id3.TIT2(encoding=3, text=[title])])
        if cover:
            tags.add(id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=cover))
        return
    key = {"MP4Tags": "\xa9nam", "APEv2": "Title", "ASFTags": "Title"}.get(type(tags).__name__, "title")
    tags[key] = [title]
    if isinstance(audio, mutagen.flac.FLAC):
        audio.clear_pictures()
        if cover:
            audio.add_picture(_block(cover))
        return
    name, value = _picture_of(tags, cover)
    if name in tags:
        del tags[name]
    if cover:
        tags[name] = value


def _block(cover: bytes) -> mutagen.flac.Picture:
    block = mutagen.flac.Picture()
    block.type, block.mime, block.data = 3, "image/jpeg", cover
    return block


def _picture_of(tags: Any, cover: bytes) -> tuple[str, Any]:
    if isinstance(tags, mutagen.mp4.MP4Tags):
        return "covr", [mutagen.mp4.MP4Cover(cover, mutagen.mp4.MP4Cover.FORMAT_JPEG)]
    if isinstance(tags, mutagen.apev2.APEv2):
        return "Cover Art (Front)", mutagen.apev2.APEValue(b"cover.jpg\0" + cover, mutagen.apev2.BINARY)
    if isinstance(tags, mutagen.asf.ASFTags):
        head = b"\x03" + len(cover).to_bytes(4, "little") + "image/jpeg\0\0".encode("utf-16-le")
        return "WM/Picture", [mutagen.asf.ASFByteArrayAttribute(head + cover)]
    return "metadata_block_picture", [base64.b64encode(_block(cover).write()).decode()]


def _save(audio: Any, file: BytesIO, padding: int) -> None:
    keep: Callable[[Any], int] = lambda _: padding  # noqa: E731
    if isinstance(audio.tags, mutagen.apev2.APEv2):
        audio.save(file)  # it has no padding
    else:
        audio.save(file, padding=keep)
