"""Playlists in rare forms: they are updated, or reported."""

from __future__ import annotations

import pytest

from tests.plan.worlds import listing, moved, plain, plan, skips, song

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


MD5, CRC, SHA256 = "0123456789abcdef" * 2, "89ABCDEF", "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "line", "new"),
    [
        ("x.md5", f"{MD5} *1.mp3", f"{MD5} *01 Löwe.mp3"),
        ("x.md5", f"{MD5}  1.mp3", f"{MD5}  01 Löwe.mp3"),
        ("x.md5", f"{MD5} *.\\1.mp3", f"{MD5} *.\\01 Löwe.mp3"),
        ("x.md5", f"MD5 (1.mp3) = {MD5}", f"MD5 (01 Löwe.mp3) = {MD5}"),
        ("x.md5", f"\\{MD5}  1.mp3", f"\\{MD5}  01 Löwe.mp3"),
        ("x.md5", f"{MD5}  1.wav", f"{MD5}  01 Löwe.wav"),
        ("x.sha256", f"{SHA256}  1.mp3", f"{SHA256}  01 Löwe.mp3"),
        ("x.sha256", f"SHA256 (1.mp3) = {SHA256}", f"SHA256 (01 Löwe.mp3) = {SHA256}"),
        ("x.st5", f"{MD5}  [shntool]  1.mp3", f"{MD5}  [shntool]  01 Löwe.mp3"),
        ("x.ffp", f"1.mp3:{MD5}", f"01 Löwe.mp3:{MD5}"),
        ("x.sfv", f"1.mp3 {CRC}", f"01 Löwe.mp3 {CRC}"),
        ("x.sfv", f"1.MP3 \t {CRC.lower()}", f"01 Löwe.mp3 \t {CRC.lower()}"),
        ("ffp.txt", f"1.mp3:{MD5}", f"01 Löwe.mp3:{MD5}"),
        ("gd77-05-08.FFP.txt", f"1.mp3:{MD5}", f"01 Löwe.mp3:{MD5}"),
        ("x-md5.txt", f"{MD5} *1.mp3", f"{MD5} *01 Löwe.mp3"),
        # Lines that name no file of the library, and texts that are no lists.
        ("x.md5", f"{MD5}  2.mp3", None),
        ("x.md5", MD5, None),
        ("x.sfv", "; 1.mp3", None),
        ("x.sfv", "1.mp3 89ABCDE", None),
        ("x.md5", " " * 8000 + MD5, None),
    ],
)
def test_lists_of_checksums_follow_their_files(name: str, line: str, new: str | None) -> None:
    for end, codec in (("\r\n", "utf-8-sig"), ("\n", "utf-16"), ("\n", "utf-8")):
        comment = f"; made by ö{end}{end}"
        made = rewritten(f"in/{name}", f"{comment}{line}{end}".encode(codec))
        assert made == (None if new is None else f"{comment}{new}{end}".encode(codec))


def test_a_list_of_checksums_of_everything_in_a_folder() -> None:
    items = [SONG, plain("in/cover.jpg"), plain("in/1.lrc"), listing("in/1.mp3.md5", f"{MD5} *1.mp3\n".encode())]
    names = ("1.mp3", "cover.jpg", "1.lrc", "folder/none.mp3")
    made = plan([*items, listing("in/all.md5", "".join(f"{MD5} *{name}\n" for name in names).encode())])
    contents = {content.decode() for one in made.operations if (content := one.content_bytes())}
    assert contents == {
        f"{MD5} *01 Löwe.mp3\n",
        "".join(f"{MD5} *{name}\n" for name in ("01 Löwe.mp3", "cover.jpg", "01 Löwe.lrc", "folder/none.mp3")),
    }
    assert moved(made)["in/1.lrc"] == "A/X/01 Löwe.lrc"


def test_checksums_in_an_encoding_that_lacks_a_letter_are_reported() -> None:
    made = plan(
        [song("in/1.mp3", title="Жук", artist="A", album="X"), listing("in/x.md5", f"{MD5} *1.mp3\n; \xfc".encode("cp1252"))]
    )
    assert skips(made) == {"in/x.md5": "playlist"}
    assert "has no 'Ж'" in made.skipped[0].reason
