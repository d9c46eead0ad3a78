"""An HTTPS proxy that terminates TLS: clients that insist on certain host names reach a plain HTTP server of ours.

    with connect_proxy("www.googleapis.com") as proxy:
        rclone: http_proxy = proxy.url(server.port), ca_cert = proxy.ca_cert

The user name for the proxy is the port of the server, so that one proxy serves any number of servers, or an `HttpProxy` or
`TcpProxy` in front of one. It refuses other host names: nothing leaves this machine.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import trustme

from tests.servers.tcp import LoopThread

_BLOCK = 64 * 1024


class ConnectProxy:
    """See the module."""

    def __init__(self, *hosts: str) -> None:
        self._hosts = frozenset(hosts)
        authority = trustme.CA()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*hosts).configure_cert(self._tls)
        self._directory = tempfile.TemporaryDirectory(prefix="connect-proxy-")
        self.ca_cert = Path(self._directory.name, "ca.pem")
        """The certificate authority to trust."""
        authority.cert_pem.write_to_path(self.ca_cert)
        self.refused: list[str] = []
        """Hosts that clients asked for and we do not serve."""
        self._thread = LoopThread("connect-proxy")
        self._server: asyncio.Server = self._thread.serve(self._client)
        self._port: int = self._server.sockets[0].getsockname()[1]

    def url(self, port: int) -> str:
        """The URL of this proxy for the plain server on `port`."""
        return f"http://{port}:x@127.0.0.1:{self._port}"

    def close(self) -> None:
        """Stop the proxy."""
        self._thread.loop.call_soon_threadsafe(self._server.close)
        self._thread.close()
        self._directory.cleanup()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            host = head.split(" ", 2)[1].rpartition(":")[0]
            port = _port(head)
            if not head.startswith("CONNECT ") or host not in self._hosts or port is None:
                self.refused.append(host)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            server, upstream = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self._tls)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass(reader, upstream))
                both.create_task(_pass(server, writer))
        except* (OSError, EOFError):
            pass  # one side has closed, so close the other
        finally:
            if upstream is not None:
                upstream.transport.abort()


def _port(head: str) -> int | None:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "proxy-authorization":
            user = base64.b64decode(value.split()[-1]).decode().partition(":")[0]
            return int(user)
    return None


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(_BLOCK):
        writer.write(block)
        await writer.drain()
    raise EOFError


@contextlib.contextmanager
def connect_proxy(*hosts: str) -> Iterator[ConnectProxy]:
    """A ConnectProxy that runs during the block."""
    proxy = ConnectProxy(*hosts)
    try:
        yield proxy
    finally:
        proxy.close()
