"""A TCP proxy that does on command what networks do: latency, loss, resets, silence, slowness, cuts.

    with FaultProxy((host, port)) as proxy:
        connect(proxy.address)
        proxy.latency(200)
        proxy.restore()

It runs in a thread of its own; every method may be called from any thread and has taken effect when it returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Final, Self, TypeVar

from tests.servers import free_port

T = TypeVar("T")

CHUNK: Final = 1 << 14
_PATIENCE_S: Final = 60.0
_RST: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST and throws away what is unsent
_LOOP_CYCLES: Final = 5  # of the loop, that a connection takes to come in, and one that is closed to be gone
_SLICES_PER_S: Final = 20  # a slow link drips evenly instead of a second's worth at once


class FaultProxy:
    """Passes on every connection to `target`, unless a fault is switched on."""

    def __init__(self, target: tuple[str, int]) -> None:
        """Take a free port; listen on it from `__enter__` on."""
        self.target = target  # of connections to come; may be changed
        self.accepted = 0  # connections so far
        self.swallowed = 0  # bytes that were thrown away
        self._delay_s = 0.0
        self._rate: float | None = None
        self._allowance: int | None = None  # bytes towards the target until all connections are reset
        self._silent = False
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self.port: Final = free_port()

    @property
    def address(self) -> tuple[str, int]:
        """Where clients connect to."""
        return "127.0.0.1", self.port

    def latency(self, ms: float) -> None:
        """Deliver every byte that arrives from now on so much later, in both directions, in order."""
        self._do(lambda: setattr(self, "_delay_s", ms / 1000))

    def slow(self, bytes_per_s: float) -> None:
        """Let through so many bytes a second, in each direction of each connection."""
        self._do(lambda: setattr(self, "_rate", bytes_per_s))

    def drop_after(self, count: int) -> None:
        """Pass on so many more bytes towards the target, then reset everything: a message ends in the middle. Once."""
        self._do(lambda: setattr(self, "_allowance", count))

    def half_open(self) -> None:
        """Drop every byte in both directions and close nothing: neither side learns that the other is gone.

        Who connects now is answered by nobody either. `restore` resets these connections: their bytes are gone.
        """
        self._do(lambda: setattr(self, "_silent", True))

    def reset(self) -> None:
        """Break every connection with RST; new ones are served."""
        self._do(self._reset)

    def cut(self) -> None:
        """Close every connection with FIN and refuse new ones, until `restore`."""
        self._wait(self._cut())

    def restore(self) -> None:
        """A healthy network again."""
        self._wait(self._restore())

    def __enter__(self) -> Self:
        self._thread.start()
        self.restore()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._wait(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        self._loop.close()

    def _do(self, change: Callable[[], T]) -> T:
        async def changed() -> T:
            return change()

        return self._wait(changed())

    def _wait(self, action: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(action, self._loop).result(_PATIENCE_S)

    def _reset(self) -> None:
        for link in list(self._links):
            link.end(hard=True)

    async def _cut(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            for listening in server.sockets:  # asyncio leaves open what is accepted, and has not come in, at a close
                self._loop.remove_reader(listening.fileno())
            await self._loop_cycles()
            server.close()
        for link in list(self._links):
            link.end(hard=False)

    async def _restore(self) -> None:
        if self._silent:
            self._reset()
        self._silent, self._delay_s, self._rate, self._allowance = False, 0.0, None, None
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, *self.address)

    async def _finish(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for link in self._links:  # those whose task was cancelled before it began
            link.end(hard=True)
        await self._loop_cycles()

    @staticmethod
    async def _loop_cycles() -> None:
        for _ in range(_LOOP_CYCLES):
            await asyncio.sleep(0)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        link = _Link(self, reader, writer)
        self._links.add(link)
        link.task = asyncio.create_task(self._run(link))

    async def _run(self, link: _Link) -> None:
        try:
            await link.run()
        finally:
            self._links.discard(link)


class _Link:
    """One client's connection and ours to the target."""

    def __init__(self, proxy: FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writers = [writer]
        self._ended = asyncio.Event()
        self.task: asyncio.Task[None] | None = None  # kept by somebody, as asyncio wants

    async def run(self) -> None:
        """Pass bytes on until one side is done or the link is ended."""
        ending = asyncio.create_task(self._ended.wait())
        working = asyncio.create_task(self._work())
        try:
            await asyncio.wait([ending, working], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            working.cancel()
            await asyncio.gather(ending, working, return_exceptions=True)
            for writer in self._writers:
                writer.close()

    def end(self, *, hard: bool) -> None:
        """Close both sides, with RST if `hard`."""
        for writer in self._writers:
            if hard:
                sock: socket.socket = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
                writer.transport.abort()
            else:
                writer.close()
        self._ended.set()

    async def _work(self) -> None:
        if self._proxy._silent:
            await self._swallow()
        try:
            reader, writer = await asyncio.open_connection(*self._proxy.target)
        except OSError:
            return  # the target is down: the client sees its connection closed
        self._writers.append(writer)
        ways = [self._pass(self._reader, writer, upward=True), self._pass(reader, self._writers[0], upward=False)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            # When one side has said its last word the other hears it too, after whatever is still on its way.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # a connection that breaks is what we are here for

    async def _swallow(self) -> None:
        while data := await self._reader.read(CHUNK):
            self._proxy.swallowed += len(data)
        await asyncio.Event().wait()  # even the client's FIN is answered by nobody

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upward: bool) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        delivering = asyncio.create_task(self._deliver(waiting, writer, upward=upward))
        loop = asyncio.get_running_loop()
        try:
            data = b"-"
            while data:
                data = await reader.read(CHUNK)
                if self._proxy._silent and not data:
                    await asyncio.Event().wait()
                await waiting.put((loop.time() + self._proxy._delay_s, data))
            await delivering
        finally:
            delivering.cancel()

    async def _deliver(
        self, waiting: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, *, upward: bool
    ) -> None:
        proxy, loop = self._proxy, asyncio.get_running_loop()
        while True:
            due, data = await waiting.get()
            if not data:
                return
            await asyncio.sleep(max(due - loop.time(), 0.0))
            while data:
                size = len(data) if proxy._rate is None else max(1, int(proxy._rate / _SLICES_PER_S))
                piece, data = data[:size], data[size:]
                if proxy._silent:
                    proxy.swallowed += len(piece)
                    continue
                if upward and proxy._allowance is not None:
                    piece = piece[: proxy._allowance]
                    proxy._allowance -= len(piece)
                writer.write(piece)
                await writer.drain()
                if upward and proxy._allowance == 0:
                    proxy._allowance = None
                    await asyncio.sleep(0.01)  # abort() throws away what is unsent: let the allowed bytes leave
                    proxy._reset()
                    return
                if proxy._rate is not None:
                    await asyncio.sleep(len(piece) / proxy._rate)
