"""A client that can do one thing: POST by HTTP/1.1, over connections that are kept for the next message.

Every alarm goes this way, to each of its receivers. A general client needs ten times the processor for the same bytes:
1.3 ms a message, of which this one takes 0.15.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import h11
import httpx

from ingest.delivery.errors import Unreachable

KEEP_S: Final = 5.0
"""A connection is used again within this time; many servers end idle ones not long after."""

_SAID: Final = h11.EndOfMessage()
_OURS: Final = "(?i:host|content-length|transfer-encoding)"
_FIELDS: Final = re.compile(  # RFC 9110, 5, in ASCII
    rf"(?:(?!{_OURS}:)[-!#$%&'*+.^_`|~0-9A-Za-z]+: (?:[!-~]+(?:[ \t]+[!-~]+)*)?\r\n)*"
)

_BROKEN: Final = "connection broken before the answer was complete"
_SECOND_FAMILY_S: Final = 0.25  # until the next of a host's addresses is tried beside the one before (RFC 8305, 5)


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered: the body up to the size asked for."""

    status: int
    headers: Mapping[bytes, bytes]  # names in lower case; of one that is repeated the last
    body: bytes


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a URL leads."""

    tls: bool
    host: str
    port: int
    start: bytes  # how each request begins, as it is sent
    opening: h11.Request  # the same for the account of who has said what: without a body, which is no part of it


class _Line(asyncio.Protocol):
    """A connection, and how far the talk on it is."""

    def __init__(self) -> None:
        self.http = h11.Connection(h11.CLIENT)
        self.kept = False
        self._idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._came: deque[bytes] = deque()
        self._lost: Exception | None = None
        self._ended = False
        self._news = asyncio.Event()

    @property
    def usable(self) -> bool:
        """Whether it can take another message: it is not too old, and nothing came that answers none, like its end."""
        return time.monotonic() - self._idle_since < KEEP_S and not self._ended and not self._came

    def keep(self) -> bool:
        """Make it ready for another message, if both sides are done with this one; whether it is."""
        done = self.http.our_state is h11.DONE and self.http.their_state is h11.DONE
        if done and not self.http.trailing_data[0]:
            self.http.start_next_cycle()
            self.kept, self._idle_since = True, time.monotonic()
        return self.kept

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember on what to send."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  for the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is asked for."""
        self._came.append(data)
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing more comes."""
        self._ended, self._lost = True, exc
        self._news.set()

    def send(self, opening: h11.Request, data: bytes) -> None:
        """Send a request; one that ended meanwhile may have answered before, so that is found out by reading."""
        self.http.send(opening)
        self.http.send(_SAID)
        if self._transport is not None:
            self._transport.write(data)

    async def receive(self) -> bytes:
        """What came next; nothing after the end. Raises OSError if that was none in good order."""
        while not self._came and not self._ended:
            self._news.clear()
            await self._news.wait()
        if self._came:
            return self._came.popleft()
        if self._lost is not None:
            raise self._lost
        return b""

    def end(self) -> None:
        """Let go of it at once."""
        self.kept = False
        if self._transport is not None:
            self._transport.abort()


class Posting:
    """Connections to receivers. Belongs to the event loop."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        """`trust`: who is believed to be a receiver, where the URL says https."""
        self._trust = trust
        self._kept: dict[tuple[bool, str, int], list[_Line]] = {}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, most: int) -> Reply:
        """Send the body once and return what is answered, of its body at most `most` bytes. Waits without end.

        Raises:
            Unreachable: there is no connection, or it ended before the answer was complete; no address is quoted.
        """
        place = _place(url)
        line = self._take(place) or await self._open(place)
        try:
            reply = await _talk(line, place, body, headers, most)
        except OSError as error:
            raise Unreachable(f"{_BROKEN} (reset)") from error
        except h11.ProtocolError as error:
            raise Unreachable(f"{_BROKEN} (ended, or no HTTP)") from error
        else:
            if line.keep():
                self._kept.setdefault(_key(place), []).append(line)
            return reply
        finally:
            if not line.kept:
                line.end()

    async def close(self) -> None:
        """Let go of the connections that are kept."""
        for line in [line for lines in self._kept.values() for line in lines]:
            line.end()
        self._kept.clear()
        await asyncio.sleep(0)  # the loop closes them in its next round

    def _take(self, place: _Place) -> _Line | None:
        kept = self._kept.get(_key(place), [])
        while kept:
            line = kept.pop()
            if line.usable:
                line.kept = False
                return line
            line.end()
        return None

    async def _open(self, place: _Place) -> _Line:
        try:
            _, line = await asyncio.get_running_loop().create_connection(
                _Line,
                place.host,
                place.port,
                ssl=self._trust if place.tls else None,
                happy_eyeballs_delay=_SECOND_FAMILY_S,
            )
        except OSError as error:
            raise Unreachable(f"no connection: {_why(error)}") from error
        return line


async def _talk(line: _Line, place: _Place, body: bytes, headers: Mapping[str, str], most: int) -> Reply:
    line.send(place.opening, b"%bcontent-length: %d\r\n%b%b" % (place.start, len(body), _fields(headers), body))
    answer, found, size = None, [], 0
    while size < most:
        event = line.http.next_event()
        if event is h11.NEED_DATA:
            line.http.receive_data(await line.receive())
        elif isinstance(event, h11.Response):
            answer = event
        elif isinstance(event, h11.Data):
            found.append(event.data)
            size += len(event.data)
        elif not isinstance(event, h11.InformationalResponse):
            break
    if answer is None:
        raise h11.RemoteProtocolError("it ended before it answered")
    return Reply(answer.status_code, dict(answer.headers), b"".join(found)[:most])


def _fields(headers: Mapping[str, str]) -> bytes:
    """The headers and the end of them. Raises h11.LocalProtocolError: one cannot be sent as it is."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if not _FIELDS.fullmatch(fields) or fields.count("\r\n") != len(headers):
        raise h11.LocalProtocolError("a header that is none")
    return f"{fields}\r\n".encode("ascii")


def _why(error: OSError) -> str:
    """What the system says of a connection that was not made; its own text may quote an address."""
    if isinstance(error, ssl.SSLError):
        return str(error)
    if error.errno is None:
        return "none of its addresses answers"
    return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)


def _key(place: _Place) -> tuple[bool, str, int]:
    return place.tls, place.host, place.port


@lru_cache(maxsize=64)
def _place(url: str) -> _Place:
    parts = httpx.URL(url)
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    # A general request is looked through whenever one is made, for a fifth of all that a message costs this thread; so
    # what is always the same is looked through once.
    always = [(b"host", parts.netloc), (b"accept", b"*/*"), (b"content-length", b"0")]
    opening = h11.Request(method="POST", target=parts.raw_path, headers=always)
    start = b"POST %b HTTP/1.1\r\nhost: %b\r\naccept: */*\r\n" % (parts.raw_path, parts.netloc)
    return _Place(tls, parts.raw_host.decode(), port, start, opening)
