"""An S3 bucket that can only be listed. It answers from memory, so that the client is measured and not the server.

python -m benchmarks.listing_server COUNT      prints its port, serves until its standard input is closed
"""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.track import Track

_PER_ALBUM = 10
_ALBUMS_PER_ARTIST = 5
MODIFIED_NS = 1_704_067_200 * 10**9
"""The time of all objects, nanoseconds since 1970: the beginning of 2024."""
PLACE_ID = "b" * 32
"""The id that a sync finds in the bucket: the only content that it can read."""


def track_of(number: int) -> Track:
    """The tags of object `number`."""
    album = number // _PER_ALBUM
    artist = f"Artist {album // _ALBUMS_PER_ARTIST:06}"
    return Track(
        title=(f"Title {number}",),
        artist=(artist,),
        album_artist=(artist,),
        album=(f"Album {album:06}",),
        track=number % _PER_ALBUM + 1,
        date=str(1950 + album % 70),
        genre=("Rock",),
        duration_s=200.0,
        codec="flac",
        sample_rate=44100,
        bit_depth=16,
        channels=2,
        lossless=True,
    )


def entry_of(number: int) -> Entry:
    """Object `number`, at the path that the default layout gives it."""
    track = track_of(number)
    path = f"{track.artist[0]}/{track.album[0]} ({track.date})/{track.track:02} {track.title[0]}.flac"
    digest = hashlib.md5(b"%d" % number, usedforsecurity=False).hexdigest()
    return Entry(path, 20_000_000 + number, None, {"md5": digest})


class Bucket:
    """The listing of a bucket, with the answers prepared."""

    def __init__(self, objects: Iterable[Entry]) -> None:
        entries = sorted(objects, key=lambda entry: entry.path)
        self.keys = [entry.path for entry in entries]
        self.rows = [
            f"<Contents><Key>{quote(entry.path)}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&#34;{entry.hashes['md5']}&#34;</ETag><Size>{entry.size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for entry in entries
        ]
        self.whole = ["".join(self.rows[start : start + 1000]) for start in range(0, len(entries), 1000)]

    def page(self, query: dict[str, str]) -> bytes:
        """One page of ListObjectsV2."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        start = int(query.get("continuation-token", "0") or 0)
        if not prefix and not delimiter and start % 1000 == 0:
            body, after = self.whole[start // 1000] if self.keys else "", start + 1000
            more = after < len(self.keys)
        else:
            body, after, more = self._part(prefix, delimiter, start)
        token = f"<NextContinuationToken>{after}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>music</Name><Prefix>{quote(prefix)}</Prefix><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{body}</ListBucketResult>"
        ).encode()

    def _part(self, prefix: str, delimiter: str, start: int) -> tuple[str, int, bool]:
        at = max(start, bisect_right(self.keys, prefix) if prefix else 0)
        parts: list[str] = []
        while at < len(self.keys) and self.keys[at].startswith(prefix) and len(parts) < 1000:
            rest = self.keys[at][len(prefix) :]
            if delimiter and delimiter in rest:
                below = prefix + rest[: rest.index(delimiter) + 1]
                parts.append(f"<CommonPrefixes><Prefix>{quote(below)}</Prefix></CommonPrefixes>")
                at = bisect_right(self.keys, below + "\U0010ffff")
            else:
                parts.append(self.rows[at])
                at += 1
        return "".join(parts), at, at < len(self.keys) and self.keys[at].startswith(prefix)


def serve(count: int) -> None:
    """Serve until standard input is closed."""
    bucket = Bucket(entry_of(number) for number in range(count))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_GET(self) -> None:
            query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            if "list-type" in query:
                self._answer(200, bucket.page(query))
            else:
                self._answer(*self._content())

        def do_HEAD(self) -> None:
            self._answer(*self._content())

        def _content(self) -> tuple[int, bytes]:
            is_id = urlsplit(self.path).path.endswith(f"/{OWN_DIRECTORY}/place-id")
            return (200, PLACE_ID.encode()) if is_id else (404, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


@contextlib.contextmanager
def listing_server(count: int) -> Iterator[int]:
    """Run the server in a process of its own; gives its port."""
    command = [sys.executable, "-m", "benchmarks.listing_server", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
