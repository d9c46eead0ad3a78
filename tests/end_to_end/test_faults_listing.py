"""A listing that is empty or much shorter than what is known is treated as a fault, and never as deletions."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.audio import make_many
from tests.places import Place, places
from tests.program import Program
from tests.servers.http import Refuse, http_proxy

FILES = 14
_EMPTY_BUCKET = (
    b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>music</Name>'
    b"<Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"
)
_MULTISTATUS = b'<?xml version="1.0" encoding="UTF-8"?><D:multistatus xmlns:D="DAV:">%s</D:multistatus>'


def shrunken(place: Place) -> bytes:
    """The WebDAV answer that lists three of the ten files in the first album: seven of fourteen in all."""
    assert place.directory is not None
    answer = (
        "<D:response><D:href>/lib/unsorted/00/{}</D:href><D:propstat><D:prop>{}</D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
    rows = [answer.format("", "<D:resourcetype><D:collection/></D:resourcetype>")]
    for file in sorted((place.directory / "unsorted" / "00").iterdir())[:3]:
        size = f"<D:resourcetype/><D:getcontentlength>{file.stat().st_size}</D:getcontentlength>"
        rows.append(answer.format(quote(file.name), size))
    return _MULTISTATUS % "".join(rows).encode()


@pytest.mark.parametrize("kind", ["s3_serve", pytest.param("webdav", marks=pytest.mark.nightly)])
def test_a_listing_that_lost_most_of_the_music_stops_the_run(
    kind: str, tmp_path: Path, rclone_binary: Path, rclone_config: Path
) -> None:
    """Fault case 17: a full bucket lists `[]`, a WebDAV server half of the files: 7, no change, and nothing is forgotten."""
    program = Program(tmp_path / "state")
    with places(kind, tmp_path / "home", rclone_binary, rclone_config, {"lib": None}) as made:
        place = made["lib"]
        assert place.server is not None
        assert place.directory is not None
        make_many(place.directory, FILES)
        with http_proxy(place.server.port) as proxy:
            remote = f"short-{kind}"
            with rclone_config.open("a") as file:
                file.write(place.server.section(remote, port=proxy.port))
            location = place.server.fs("lib", name=remote)
            plan = str(tmp_path / "plan")
            program("plan", location, "-o", plan)
            before = place.tree()

            proxy.reset()
            if kind == "s3_serve":
                listing = Refuse(200, {"Content-Type": "application/xml"}, _EMPTY_BUCKET)
                proxy.when(lambda seen: seen.method == "GET" and "list-type=2" in seen.path, listing)
            else:
                listing = Refuse(207, {"Content-Type": "application/xml"}, shrunken(place))
                proxy.when(
                    lambda seen: seen.method == "PROPFIND" and re.fullmatch(r"/lib/unsorted/00/?", seen.path) is not None, listing
                )
            for command in ("organize", "scan", "plan"):
                refused = program(command, location, "--yes", codes=(7,))
                assert [error["code"] for error in refused.errors] == ["safety-limit"]
                assert "scan --allow-empty" in refused.errors[0]["message"]
                assert f"{FILES} " in refused.errors[0]["message"]
                assert (kind == "webdav") == ("lists 7 audio files" in refused.errors[0]["message"])
            assert proxy.changing == 0
            assert place.tree() == before

            proxy.reset()
            again = program("scan", location)
            assert (again.summary["files_seen"], again.summary["files_read"]) == (FILES, 0), "nothing was forgotten"
            assert program("organize", location, "--yes").summary["ops_done"] == FILES


def test_files_that_were_removed_on_purpose_are_accepted(tmp_path: Path) -> None:
    """Fault case 17, the remedy: `--max-delete` that allows it, or `scan --allow-empty`."""
    program = Program(tmp_path / "state")
    music = tmp_path / "music"
    make_many(music, FILES)
    program("scan", str(music))
    files = sorted(music.rglob("*.mp3"))
    for file in files[:8]:
        file.unlink()
    program("scan", str(music), codes=(7,))
    program("scan", str(music), "--max-delete", "50%", codes=(7,))
    assert program("organize", str(music), "--yes", "--max-delete", "8").summary["ops_done"] == FILES - 8
