"""HTTP on one connection: uvicorn's, with a place among all connections and a limit to how long its client may take."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from ingest.web.connections import Connections, Place, Reason

PATIENCE_S: Final = 30.0
"""How long a client may take to begin. Once in that time it is looked what it owes us later, and who has not got on
since the time before is closed."""

PACE_BYTES: Final = 16_384
"""So much of a body is getting on."""

_NO_PLACE: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 5\r\n"
    b"connection: close\r\ncontent-length: 30\r\n\r\nall connections are in use now"
)


class Door(asyncio.Protocol):
    """A connection until it says something; it costs little and has its place from the beginning."""

    def __init__(
        self,
        connections: Connections,
        tls: ssl.SSLContext | None,
        then: Callable[[Place], Connection],
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._connections, self._tls, self._then, self._patience_s = connections, tls, then, patience_s
        self._place: Place | None = None
        self._transport: asyncio.Transport | None = None  # None: not yet within TLS
        self._early = b""
        self._watch: asyncio.TimerHandle | None = None
        self._shaking: asyncio.Task[None] | None = None  # held, or it may be collected while it runs

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or close."""
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
            transport.pause_reading()  # what comes is for the one who speaks TLS
            shaking = self._shake_hands(self._tls, transport, place)
            self._shaking = loop.create_task(shaking, name="tls-handshake")
        self._watch = loop.call_later(self._patience_s, self._too_slow, place)

    def data_received(self, data: bytes) -> None:
        """Speak HTTP from now on."""
        if self._place is None:
            return
        self._early += data
        if self._transport is None:  # it came on the heels of the handshake
            return
        self._end_watch()
        self._place.silent = False
        connection = self._then(self._place)
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        connection.data_received(self._early)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        del exc
        self._end_watch()
        if self._place is not None:
            self._connections.leave(self._place)

    async def _shake_hands(self, tls: ssl.SSLContext, transport: asyncio.Transport, place: Place) -> None:
        try:
            self._transport = await asyncio.get_running_loop().start_tls(transport, self, tls, server_side=True)
        except (OSError, ssl.SSLError):  # ConnectionError is an OSError
            self._connections.end(place, "handshake")
            return
        if self._early and not transport.is_closing():
            self.data_received(b"")

    def _too_slow(self, place: Place) -> None:
        self._connections.end(place, "handshake" if self._transport is None else "head")

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()


class Connection(H11Protocol):
    """One connection that has said something: uvicorn's, and watched."""

    def __init__(
        self, connections: Connections, place: Place, *, patience_s: float = PATIENCE_S, **uvicorns: Any
    ) -> None:
        super().__init__(**uvicorns)
        self.app_state = {**self.app_state, "connection": self}  # requests find it in their `state`
        self._connections = connections
        self._place = place
        self._patience_s = patience_s
        self._watch: asyncio.TimerHandle | None = None
        self._owed: tuple[Reason, int] | None = None
        self._received = self._answers = self._resumed = 0

    @property
    def only_for_health(self) -> bool:
        """Whether nothing but health may be asked for."""
        return self._connections.only_for_health(self._place)

    def recognise(self) -> None:
        """Note that the request in work bears a token we know."""
        self._connections.recognise(self._place)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to watch."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._received += len(data)
        super().data_received(data)
        if self._in_work and not self.cycle.more_body:
            self._connections.works(self._place)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._answers += 1
        self._connections.idles(self._place)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the reader of an answer."""
        super().pause_writing()
        if not self._place.known:
            self._connections.idles(self._place)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self._resumed += 1
        if self._in_work:
            self._connections.works(self._place)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        if self._watch is not None:
            self._watch.cancel()
        self._connections.leave(self._place)
        super().connection_lost(exc)

    @property
    def _in_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _look(self) -> None:
        owed = self._owes()
        if owed is not None and owed == self._owed:
            self._connections.end(self._place, owed[0])
            return
        self._owed = owed
        self._watch = self.loop.call_later(self._patience_s, self._look)

    def _owes(self) -> tuple[Reason, int] | None:
        """What the client has to do next, and how far it is with it."""
        if self.flow.write_paused:
            return "reader", self._resumed
        if not self._in_work:
            return "head", self._answers
        if self.cycle.more_body and not self.flow.read_paused:
            return "body", self._received // PACE_BYTES
        return None
