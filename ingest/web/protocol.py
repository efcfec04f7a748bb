"""HTTP protocol of a connection: uvicorn's, with a place within the limit and timeouts for slow clients."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from ingest.web.connections import Connections, Place, Reason

PATIENCE_S: Final = 30.0
"""Timeout until the first byte. After that, progress is checked once in this time: a client that made none since the
check before is disconnected."""

PACE_BYTES: Final = 16_384
"""Bytes of a body that count as progress."""

_NO_PLACE: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 5\r\n"
    b"connection: close\r\ncontent-length: 30\r\n\r\nall connections are in use now"
)


class NewConnection(asyncio.Protocol):
    """A connection before its first byte, with or without TLS: cheap, but with a place from the beginning."""

    def __init__(
        self,
        connections: Connections,
        tls: ssl.SSLContext | None,
        connect: Callable[[Place], Connection],
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._connections, self._tls, self._connect, self._patience_s = connections, tls, connect, patience_s
        self._place: Place | None = None
        self._transport: asyncio.Transport | None = None  # None: not yet within TLS
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None
        self._shaking: asyncio.Task[None] | None = None  # held, or it may be collected while it runs

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or refuse the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  it is TCP
        place = self._place = self._connections.enter(transport)
        if place is None:
            transport.write(b"" if self._tls else _NO_PLACE)
            transport.close()
            return
        loop = asyncio.get_running_loop()
        if self._tls is None:
            self._transport = transport
        else:
            transport.pause_reading()  # the bytes belong to the TLS handshake
            shaking = self._shake_hands(self._tls, transport, place)
            self._shaking = loop.create_task(shaking, name="tls-handshake")
        self._timer = loop.call_later(self._patience_s, self._too_slow, place)

    def data_received(self, data: bytes) -> None:
        """Hand the connection over to HTTP."""
        if self._place is None:
            return
        self._received += data
        if self._transport is None:  # it came right after the handshake
            return
        self._cancel_timer()
        self._place.silent = False
        connection = self._connect(self._place)
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        connection.data_received(self._received)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the place."""
        del exc
        self._cancel_timer()
        if self._place is not None:
            self._connections.leave(self._place)

    async def _shake_hands(self, tls: ssl.SSLContext, transport: asyncio.Transport, place: Place) -> None:
        try:
            self._transport = await asyncio.get_running_loop().start_tls(transport, self, tls, server_side=True)
        except (OSError, ssl.SSLError):  # ConnectionError is an OSError
            self._connections.end(place, "handshake")
            return
        if self._received and not transport.is_closing():
            self.data_received(b"")

    def _too_slow(self, place: Place) -> None:
        self._connections.end(place, "handshake" if self._transport is None else "head")

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Connection(H11Protocol):
    """A connection that speaks HTTP: uvicorn's, with its place and its progress checked."""

    def __init__(
        self, connections: Connections, place: Place, *, patience_s: float = PATIENCE_S, **uvicorn_arguments: Any
    ) -> None:
        super().__init__(**uvicorn_arguments)
        self.app_state = {**self.app_state, "connection": self}  # requests find it in their `state`
        self._connections = connections
        self._place = place
        self._patience_s = patience_s
        self._timer: asyncio.TimerHandle | None = None
        self._awaited_before: tuple[Reason, int] | None = None
        self._received = self._answers = self._resumed = 0

    @property
    def only_for_health(self) -> bool:
        """Whether only health checks may be requested."""
        return self._connections.only_for_health(self._place)

    def mark_known(self) -> None:
        """Note that the request being processed has a valid token."""
        self._connections.mark_known(self._place)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to check the client's progress."""
        super().connection_made(transport)
        self._check_progress()

    def data_received(self, data: bytes) -> None:
        """Pass received bytes on; the connection is busy once a request is complete."""
        self._received += len(data)
        super().data_received(data)
        if self._in_work and not self.cycle.more_body:
            self._connections.mark_busy(self._place)

    def on_response_complete(self) -> None:
        """Become idle until the next request."""
        self._answers += 1
        self._connections.mark_idle(self._place)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Become idle while a client that is not known is slow to read."""
        super().pause_writing()
        if not self._place.known:
            self._connections.mark_idle(self._place)

    def resume_writing(self) -> None:
        """Become busy again."""
        super().resume_writing()
        self._resumed += 1
        if self._in_work:
            self._connections.mark_busy(self._place)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the place."""
        if self._timer is not None:
            self._timer.cancel()
        self._connections.leave(self._place)
        super().connection_lost(exc)

    @property
    def _in_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _check_progress(self) -> None:
        awaited = self._awaited()
        if awaited is not None and awaited == self._awaited_before:
            self._connections.end(self._place, awaited[0])
            return
        self._awaited_before = awaited
        self._timer = self.loop.call_later(self._patience_s, self._check_progress)

    def _awaited(self) -> tuple[Reason, int] | None:
        """Return what the server waits for from the client, and the client's progress with it."""
        if self.flow.write_paused:
            return "reader", self._resumed
        if not self._in_work:
            return "head", self._answers
        if self.cycle.more_body and not self.flow.read_paused:
            return "body", self._received // PACE_BYTES
        return None
