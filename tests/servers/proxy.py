"""A small TCP proxy that makes a network as bad as it can be: slow, refusing, silent, cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from enum import StrEnum
from typing import Any

CHUNK = 65536
ARRIVES_SECONDS = 0.2
"""So long after it was sent whatever is sent last has been done."""

LINGER_AND_RESET = struct.pack("ii", 1, 0)


class Mood(StrEnum):
    """What the proxy does with connections, also with those that are open."""

    FAITHFUL = "faithful"
    SLOW = "slow"
    REFUSING = "refusing"
    """Each connection is reset at once."""
    SILENT = "silent"
    """Connections are taken and what is sent disappears, as behind a firewall that forgot us."""


class Proxy:
    """Passes what comes at `port` on to another port of this machine, in its mood."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.mood = Mood.FAITHFUL
        self.delay = 0.5
        self.connections = 0
        self.cut_after = b""
        """What a client sends last: it arrives, and the connection ends before it is answered. Once."""
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()

    def cut(self) -> None:
        """Reset every connection that is open."""
        self._run(self._cut())

    def run(self) -> None:
        """Serve until stopped; meant for a thread."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def start(self) -> None:
        """Listen at a free port."""
        self._run(self._listen())

    def stop(self) -> None:
        """Close everything."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.mood is Mood.REFUSING:
            _reset(writer)
            return
        self._open.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            self._open.discard(writer)
            _reset(writer)
            return
        self._open.add(back)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(self._pass(reader, back, writer), self._pass(there, writer))
        finally:
            for one in (writer, back):
                self._open.discard(one)
                one.close()

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        client: asyncio.StreamWriter | None = None,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                if client is not None and self.cut_after and self.cut_after in data:
                    self.cut_after = b""
                    _reset(client)
                    target.write(data)
                    await target.drain()
                    await asyncio.sleep(ARRIVES_SECONDS)
                    break
                if self.mood is Mood.SILENT:
                    continue
                if self.mood is Mood.SLOW:
                    await asyncio.sleep(self.delay)
                if self.mood is Mood.REFUSING:
                    break
                target.write(data)
                await target.drain()
        target.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other end gets a reset, not an end."""
    link: socket.socket | None = writer.get_extra_info("socket")
    if link is not None:
        with contextlib.suppress(OSError):
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_AND_RESET)
    writer.transport.abort()


@contextlib.contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy before a port of this machine."""
    running = Proxy(target)
    thread = threading.Thread(target=running.run, name=f"proxy to {target}", daemon=True)
    thread.start()
    running.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join(10)
