"""Playlists in rare forms: they are updated, or reported."""

from __future__ import annotations

import pytest

from orchestrator.records import Entry, Item
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
        ("Checksums.txt", f"{SHA256} *1.mp3", f"{SHA256} *01 Löwe.mp3"),
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


WPL = """<?wpl version="1.0"?>\r\n<smil><head><meta name="ItemCount" content="1"/><title>in/1.mp3</title></head>
<body><seq><!-- <media src="in/1.mp3"/> --><media albumTitle='in/1.mp3' src={} tid="{{A-1}}"/></seq></body></smil>"""
ASX = (
    """<ASX VERSION="3.0"><TITLE>&amp; in/1.mp3</title><Entry><REF HREF = {} /><Param name="x" value="in/1.mp3"></ENTRY></ASX>"""
)
ITUNES = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Music Folder</key><string>file:///D:/in/1.mp3</string><key>Tracks</key><dict><key>1</key><dict>
<key>Name</key><string>file:///D:/in/1.mp3</string><key>Size</key><integer>9</integer><key>Location</key>{}
<key>Kind</key><string>file:///D:/in/1.mp3</string></dict></dict></dict></plist>"""
REKORDBOX = """<?xml version="1.0" encoding="UTF-8"?>
<DJ_PLAYLISTS Version="1.0.0"><COLLECTION Entries="1"><TRACK TrackID="1" Name="a &gt; b" Location={}>
<TEMPO Inizio="0.1"/></TRACK></COLLECTION><PLAYLISTS><NODE KeyType="1"><TRACK Key={}/></NODE></PLAYLISTS></DJ_PLAYLISTS>"""


@pytest.mark.parametrize(
    ("name", "text", "old", "new"),
    [
        ("a.wpl", WPL, '"..\\in\\1.mp3"', '"..\\A\\X\\01 Löwe.mp3"'),
        ("a.zpl", WPL, "'D:\\My &amp; Music\\in\\1.mp3'", "'D:\\My &amp; Music\\A\\X\\01 Löwe.mp3'"),
        ("a.wpl", WPL, '"D:\\My & Music\\in\\1.mp3"', '"D:\\My &amp; Music\\A\\X\\01 Löwe.mp3"'),
        ("a.wpl", WPL, '"&music;in/1.mp3"', None),
        ("a.wpl", WPL, "in/1.mp3", None),
        ("a.asx", ASX, '"file:///D:/in/1.mp3"', '"file:///D:/A/X/01%20L%C3%B6we.mp3"'),
        ("a.asx", ASX, "'../in/1.mp3'", "'../A/X/01 Löwe.mp3'"),
        ("a.asx", ASX, '"http://radio/in/1.mp3"', None),
        (
            "a.xml",
            ITUNES,
            "<string>file://localhost/D:/in/1.mp3</string>",
            "<string>file://localhost/D:/A/X/01%20L%C3%B6we.mp3</string>",
        ),
        ("a.xml", ITUNES, "<string>file:///music/in/1.mp3</string>", "<string>file:///music/A/X/01%20L%C3%B6we.mp3</string>"),
        ("a.xml", ITUNES, "<string>http://radio/in/1.mp3</string>", None),
        ("a.xml", REKORDBOX, '"file://localhost/Users/me/in/1.mp3"', '"file://localhost/Users/me/A/X/01%20L%C3%B6we.mp3"'),
        ("a.xml", "<tracks><track location={}/></tracks>", '"file:///music/in/1.mp3"', None),
    ],
)
def test_lists_and_libraries_in_xml(name: str, text: str, old: str, new: str | None) -> None:
    """Only entries change, whatever else has their text; an XML file that is no library of a program is not touched."""
    before = text.replace("{{", "{").replace("}}", "}").replace("{}", old).encode()
    after = None if new is None else text.replace("{{", "{").replace("}}", "}").replace("{}", new).encode()
    if name == "a.xml":
        assert rewritten(f"Lists/{name}", before) == after
        assert rewritten(f"Lists/{name}", before.decode().encode("utf-16")) == (after and after.decode().encode("utf-16"))
    else:
        assert rewritten(f"Lists/{name}", before.decode().encode("utf-8-sig")) == (after and after.decode().encode("utf-8-sig"))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xml", ITUNES.format("<string>file:///E:/1.mp3</string>").replace(' "http', ' [<!ENTITY x "y">] "http'), None),
        ("a.wpl", '<!DOCTYPE smil [<!ENTITY x "in/">]>' + WPL.format('"&x;1.mp3"'), "document type with declarations"),
        ("a.asx", "<asx><base href='http://x/'/><entry><ref href='in/1.mp3'/></entry></asx>", "relative to"),
    ],
)
def test_what_is_not_updated_in_xml_is_named(name: str, content: str, reason: str | None) -> None:
    made = plan([SONG, listing(f"Lists/{name}", content.encode())])
    assert not any(one.content_bytes() for one in made.operations)
    (named,) = [one.reason for one in made.skipped if one.code == "playlist"]
    assert (reason or "document type with declarations") in named


def test_a_library_of_a_program_stays_where_it_is_and_is_named_where_it_cannot_be_updated() -> None:
    """It knows no relative entries, so it cannot name files of another location, nor files above the folder that it knows."""
    above = song("Sorted/Ann/in/1.mp3", title="T", artist="A", album="X", track=1)
    cases = [
        (SONG, "/elsewhere", "in/1.mp3", "the list stays in the source"),
        (above, None, "Ann/in/1.mp3", "its format cannot name A/X/01 T.mp3"),
    ]
    for item, target, entry, reason in cases:
        library = listing("Library.xml", ITUNES.format(f"<string>file:///D:/M/{entry}</string>").encode())
        made = plan([item, library], target=target)
        assert "Library.xml" not in {one.src.path for one in made.operations}
        (named,) = [one.reason for one in made.skipped if one.code == "playlist"]
        assert reason in named
    large = Item(Entry("Library.xml", 5_000_000, 0, {}))
    assert "larger than 4 MiB" in next(one.reason for one in plan([SONG, large]).skipped if one.path == "Library.xml")


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("Жук", "cp1251"),
        ("Жук", "cp866"),
        ("Жук", "koi8-r"),
        ("Żółw", "cp1250"),
        ("Κίνο", "cp1253"),
        ("夜の歌", "cp932"),
        ("노래", "cp949"),
    ],
)
def test_lists_in_the_encoding_of_a_computer(name: str, codec: str) -> None:
    """The names of files show which one it is, and the list keeps it."""
    tagged = song(f"in/{name}.mp3", title=name, artist="A", album="X", track=1)
    for kind, line in (("m3u", "{}"), ("cue", 'FILE "{}" WAVE'), ("md5", MD5 + " *{}")):
        made = plan([tagged, listing(f"in/x.{kind}", (line.format(f"{name}.mp3") + "\r\n").encode(codec))])
        contents = [content for one in made.operations if (content := one.content_bytes()) is not None]
        assert contents == [(line.format(f"01 {name}.mp3") + "\r\n").encode(codec)]


def test_a_western_list_stays_one() -> None:
    tagged = song("in/Löwe é.mp3", title="Löwe", artist="A", album="X", track=1)
    made = plan([tagged, listing("in/x.m3u", "#EXTM3U\n#EXTINF:1,é\nLöwe é.mp3\nmissing ø.mp3\n".encode("cp1252"))])
    content = next(content for one in made.operations if (content := one.content_bytes()))
    assert content == "#EXTM3U\n#EXTINF:1,é\n01 Löwe.mp3\nmissing ø.mp3\n".encode("cp1252")
