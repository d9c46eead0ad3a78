"""A TCP proxy with latency: each direction takes half the round trip, a new connection one whole round trip more.

It can also break connections: refuse them, reset them after some bytes, drop all data, slow down, or close one direction. It runs
in its own thread; to run it as a process, `python -m tests.servers.tcp TARGET_PORT RTT_MS` prints its port.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Literal, TypeAlias

Manner = Literal["as usual", "crawling", "half-closed"]
"""crawling: one byte per second, and no more than one block. half-closed: a client that sends data sees the other side close."""
Client: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class LoopThread:
    """An asyncio loop in a thread, for test servers."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._clients: set[asyncio.Task[None]] = set()  # because the loop keeps only weak references to its tasks
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)

    def serve(self, client: Client, *, limit: int = 64 * 1024) -> asyncio.Server:
        """Listen on a free port of 127.0.0.1, with a task for each client; its connection ends with the task, or with `close`.

        `asyncio.start_server` would make the tasks itself: one that is cancelled before its first step stays connected.
        """

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self.loop.create_task(client(reader, writer))
            self._clients.add(task)
            task.add_done_callback(self._clients.discard)
            task.add_done_callback(lambda _: writer.transport.abort())

        server: asyncio.Server = self.run(asyncio.start_server(accept, "127.0.0.1", 0, limit=limit))
        return server

    def close(self) -> None:
        """Stop every task, the loop and the thread."""
        self.run(self._cancel_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=30)
        self.loop.close()

    @staticmethod
    async def _cancel_tasks() -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Delayed:
    """Writes data to a transport in order, each block at its own time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[tuple[float, bytes | None]] = deque()
        self.transport: asyncio.Transport | None = None

    def send(self, due: float, data: bytes | None) -> None:
        self._waiting.append((due, data))
        if len(self._waiting) == 1:
            self._loop.call_at(due, self.flush)

    def flush(self) -> None:
        if self.transport is None:
            return
        now = self._loop.time()
        while self._waiting and self._waiting[0][0] <= now + 0.0005:
            data = self._waiting.popleft()[1]
            if data is None:
                self.transport.close()
            else:
                self.transport.write(data)
        if self._waiting:
            self._loop.call_at(self._waiting[0][0], self.flush)


class _Side(asyncio.Protocol):
    """One end of a proxied connection; passes everything it receives to the other end."""

    def __init__(self, proxy: TcpProxy, out: _Delayed, back: _Delayed, ready: float) -> None:
        self._proxy = proxy
        self._out = out
        self._back = back
        self._ready = ready

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._back.transport = transport
        self._proxy.transports.add(transport)
        self._back.flush()

    def data_received(self, data: bytes) -> None:
        if not self._proxy.passes(len(data)):
            return
        own = self._back.transport
        if self._proxy.manner == "half-closed" and own is not None and own.can_write_eof():
            own.write_eof()  # the sender sees the connection close, and its data is dropped
            return
        if self._proxy.manner == "crawling" and own is not None:
            own.pause_reading()
            for second in range(60):
                self._out.send(self._proxy.loop.time() + second, data[second : second + 1])
            return
        self._out.send(max(self._proxy.loop.time(), self._ready) + self._proxy.rtt_s / 2, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._back.transport is not None:
            self._proxy.transports.discard(self._back.transport)
        self._out.send(self._proxy.loop.time() + self._proxy.rtt_s / 2, None)


class TcpProxy:
    """See the module. It listens on `port` of 127.0.0.1."""

    def __init__(self, target_port: int, *, rtt_s: float = 0.0) -> None:
        self.target_port = target_port
        self.rtt_s = rtt_s
        self.connections = 0
        self.bytes_passed = 0
        self.transports: set[asyncio.Transport] = set()
        self._silent = False
        self._cut_after: int | None = None
        self._cut_again: int | None = None
        self._then_port: int | None = None
        self.manner: Manner = "as usual"
        """How to pass on data from now on."""
        self._call_after: tuple[int, Callable[[], None]] | None = None
        self._thread = LoopThread("tcp-proxy")
        self.loop = self._thread.loop
        self._server: asyncio.Server = self._thread.run(self._listen(0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _listen(self, port: int) -> asyncio.Server:
        return await self.loop.create_server(self._accept, "127.0.0.1", port)

    def _accept(self) -> _Side:
        self.connections += 1
        to_server, to_client = _Delayed(self.loop), _Delayed(self.loop)
        ready = self.loop.time() + self.rtt_s
        connecting = self.loop.create_task(self._connect(_Side(self, to_client, to_server, 0), to_client))
        self._tasks = {task for task in getattr(self, "_tasks", ()) if not task.done()} | {connecting}
        return _Side(self, to_server, to_client, ready)

    async def _connect(self, side: _Side, to_client: _Delayed) -> None:
        try:
            await self.loop.create_connection(lambda: side, "127.0.0.1", self.target_port)
        except OSError:
            to_client.send(self.loop.time(), None)

    def passes(self, size: int) -> bool:
        """Count received bytes; False when they must not be passed on."""
        if self._silent:
            return False
        self.bytes_passed += size
        if self._call_after is not None and self.bytes_passed >= self._call_after[0]:
            call, self._call_after = self._call_after[1], None
            call()
        if self._cut_after is not None and self.bytes_passed >= self._cut_after:
            self.target_port = self._then_port or self.target_port
            self._cut_after = self._cut_again and self.bytes_passed + self._cut_again
            self._abort_all()
            return False
        return True

    def _abort_all(self) -> None:
        for transport in [*self.transports]:
            transport.abort()

    async def _on_loop(self, action: Any) -> None:
        action()

    def cut_after(self, size: int, *, again: bool = False, then_port: int | None = None) -> None:
        """Reset every connection after `size` more bytes in both directions together; `again`: each time.

        New connections go to `then_port` from then on.
        """
        self._then_port = then_port
        self._cut_after = self.bytes_passed + size
        self._cut_again = size if again else None

    def heal(self) -> None:
        """Reset all connections, and pass on everything from now on."""
        self._cut_after = self._cut_again = None
        self._silent = False
        self.manner = "as usual"
        self._thread.run(self._on_loop(self._abort_all))

    def call_after(self, size: int, call: Callable[[], None]) -> None:
        """Call a function (to kill a process, say) after `size` more bytes in both directions together."""
        self._call_after = (self.bytes_passed + size, call)

    def silent(self, silent: bool = True) -> None:
        """Drop all data from now on and keep the connections open; or pass data on again (what was dropped is lost)."""
        self._silent = silent

    def refuse(self) -> None:
        """Reset all connections and stop listening: new ones are refused until `accept`."""
        self._thread.run(self._on_loop(self._server.close))
        self._thread.run(self._on_loop(self._abort_all))

    def accept(self) -> None:
        """Listen again on the same port."""
        self._server = self._thread.run(self._listen(self.port))

    def close(self) -> None:
        """Stop the proxy."""
        self.refuse()
        self._thread.close()


@contextlib.contextmanager
def tcp_proxy(target_port: int, *, rtt_s: float = 0.0) -> Iterator[TcpProxy]:
    """A TcpProxy that runs during the block."""
    proxy = TcpProxy(target_port, rtt_s=rtt_s)
    try:
        yield proxy
    finally:
        proxy.close()


if __name__ == "__main__":
    with tcp_proxy(int(sys.argv[1]), rtt_s=float(sys.argv[2]) / 1000) as running:
        sys.stdout.write(f"{running.port}\n")
        sys.stdout.flush()
        sys.stdin.read()  # until the parent process closes the pipe
