"""Accepts connections from the listening socket in small batches, so that alarms keep their processor time."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit

AT_ONCE: Final = 16
BREATH_S: Final = 0.025
"""Connections are accepted `AT_ONCE` at a time, with `BREATH_S` between, which is left for alarms."""

_FULL: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_FULL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class ConnectionsNotAccepted(Event, level="error"):
    """Times no connection could be accepted because the process has no file descriptors or memory left."""

    error: str


class Listener:
    """Accepts connections in place of asyncio's own server, which has no limit of rate."""

    def __init__(self, listening: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Begin to accept; the caller closes `listening`."""
        self._socket = listening
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._breath: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Stop accepting."""
        if self._breath is not None:
            self._breath.cancel()
        self._loop.remove_reader(self._socket)

    async def wait_closed(self) -> None:
        """Wait for connections being opened."""
        await asyncio.gather(*self._tasks)

    def _listen(self) -> None:
        self._loop.add_reader(self._socket, self._accept)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._socket)
        self._breath = self._loop.call_later(seconds, self._listen)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                emit(ConnectionsNotAccepted(str(error)))
                self._pause(_FULL_S)
                return
            task = self._loop.create_task(self._open(accepted), name="api-connection")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._pause(BREATH_S)

    async def _open(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._protocol, accepted)
        except OSError:  # it has gone already
            accepted.close()
