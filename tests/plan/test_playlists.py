"""Playlists in rare forms: they are updated, or reported."""

from __future__ import annotations

import pytest

from tests.plan.worlds import listing, plan, skips, song

SONG = song("in/1.mp3", title="Löwe", artist="A", album="X", track=1)
NEW = "A/X/01 Löwe.mp3"
URI = "A/X/01%20L%C3%B6we.mp3"


def rewritten(name: str, content: bytes) -> bytes | None:
    """The content of a list after the song has moved."""
    made = plan([SONG, listing(name, content)])
    return next((content for one in made.operations if (content := one.content_bytes()) is not None), None)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16"])
def test_utf_16_with_and_without_a_mark(codec: str) -> None:
    text = "#EXTM3U\r\n#EXTINF:1,Жук\r\nin/1.mp3\r\n"
    assert rewritten("a.m3u8", text.encode(codec)) == text.replace("in/1.mp3", NEW).encode(codec)


@pytest.mark.parametrize("text", ["in/1.mp3\n\0", "in/1.mp3\r\n\0\0", "in/1.mp3\n#\0"])
def test_zeros_alone_are_not_utf_16(text: str) -> None:
    assert rewritten("a.m3u", text.encode()) == text.replace("in/1.mp3", NEW).encode()


XSPF = "<playlist><trackList><track><location>{}</location></track></trackList></playlist>"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<![CDATA[in/1.mp3]]>", f"<![CDATA[{URI}]]>"),
        (" <![CDATA[in/1.mp3]]>\n", f" <![CDATA[{URI}]]>\n"),
        ("<![CDATA[in]]>/1.mp3", None),
        ("<![CDATA[in/1.mp3]]><!-- x -->", None),
        ("<![CDATA[in]]><![CDATA[/1.mp3]]>", None),
        ("<![CDATA[in/1.mp3", None),
    ],
)
def test_entries_in_cdata_sections(old: str, new: str | None) -> None:
    assert rewritten("a.xspf", XSPF.format(old).encode()) == (None if new is None else XSPF.format(new).encode())


def test_a_list_with_a_document_type_is_not_updated_and_is_reported() -> None:
    content = b'<?xml version="1.0"?><!DOCTYPE playlist [<!ENTITY a "b">]>' + XSPF.format("in/1.mp3").encode()
    made = plan([SONG, listing("a.xspf", content)])
    assert skips(made) == {"a.xspf": "playlist"}
    assert "document type" in made.skipped[0].reason
    assert not plan([SONG, listing("a.xspf", b"<!DOCTYPE html><p>no playlist</p>")]).skipped
