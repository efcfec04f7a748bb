"""A receiver of webhooks that costs little, as a process of its own: it notes ids and accepts everything.

    python -m benchmarks.hook PORT MESSAGES

Ends once so many different messages came, and prints JSON: `received` requests, `distinct` ids, and `seconds` from the
first to the last of them. Ready once it answers.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from typing import Final

from benchmarks.intake import until

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_ID: Final = re.compile(rb"(?i)\r\nwebhook-id: *([^\r]+)")
_ACCEPTED: Final = b"HTTP/1.1 204 No Content\r\n\r\n"


class Count:
    """What came."""

    def __init__(self, messages: int) -> None:
        """`messages`: after so many different ones all is done."""
        self._messages = messages
        self._ids: set[bytes] = set()
        self._received = 0
        self._first = self._last = 0.0
        self.done = asyncio.Event()

    def add(self, number: bytes) -> None:
        """A message with this id is here."""
        self._last = time.perf_counter()
        self._first = self._first or self._last
        self._received += 1
        self._ids.add(number)
        if len(self._ids) >= self._messages:
            self.done.set()

    def figures(self) -> dict[str, float]:
        """As printed."""
        return {"received": self._received, "distinct": len(self._ids), "seconds": self._last - self._first}


class Hook(asyncio.Protocol):
    """One connection."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Accept every request that is complete."""
        self._data += data
        while (end := self._data.find(_HEAD_END)) >= 0:
            head = self._data[: end + 2]
            length, number = _LENGTH.search(head), _ID.search(head)
            whole = end + len(_HEAD_END) + (int(length[1]) if length else 0)
            if len(self._data) < whole:
                return
            self._data = self._data[whole:]
            if number is not None:
                self._count.add(number[1])
            if self._transport is not None:
                self._transport.write(_ACCEPTED)


async def serve(port: int, messages: int) -> dict[str, float]:
    """Accept until all are here."""
    count = Count(messages)
    server = await asyncio.get_running_loop().create_server(lambda: Hook(count), "127.0.0.1", port)
    async with server:
        await count.done.wait()
        await asyncio.sleep(0.2)  # the last answers leave
    return count.figures()


@contextmanager
def hook(port: int, messages: int) -> Iterator[Popen[str]]:
    """Run it; its output is its figures. It is killed at the end, should it still wait."""
    command = [sys.executable, "-m", "benchmarks.hook", str(port), str(messages)]
    with Popen(command, stdout=PIPE, text=True) as process:  # noqa: S603  our own module
        try:
            until(lambda: process.poll() is not None or _accepts(port), "the receiver")
            yield process
        finally:
            process.kill()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def main() -> None:
    """Serve; prints the figures."""
    sys.stdout.write(json.dumps(asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))) + "\n")


if __name__ == "__main__":
    main()
