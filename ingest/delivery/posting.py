"""A minimal HTTP/1.1 client that only POSTs, over connections that are reused.

Every alarm is sent by it to each of its receivers. A general client needs ten times the CPU: 1.3 ms a message, this one
0.15 ms.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import h11
import httpx

from ingest.delivery.connecting import Resolve, connect, resolve_name, why
from ingest.delivery.destinations import Network
from ingest.delivery.errors import Unreachable
from ingest.domain.model.delivery_failure import Failure

KEEP_S: Final = 5.0
"""How long an idle connection is reused; many servers close theirs not long after."""

_END: Final = h11.EndOfMessage()
_OURS: Final = "(?i:host|content-length|transfer-encoding)"
_FIELDS: Final = re.compile(  # RFC 9110, 5, in ASCII
    rf"(?:(?!{_OURS}:)[-!#$%&'*+.^_`|~0-9A-Za-z]+: (?:[!-~]+(?:[ \t]+[!-~]+)*)?\r\n)*"
)

_PLAIN: Final = re.compile(  # RFC 9112, what most servers send: nothing in it that needs more than its length
    rb"HTTP/1\.1 (2[0-9][0-9])(?: [ -~]*)?\r\n"
    rb"((?:(?:(?i:connection: keep-alive)|(?!(?i:connection|transfer-encoding|upgrade):)[-!#$%&'*+.^_`|~0-9A-Za-z]+:"
    rb" [!-~]+(?: [!-~]+)*)\r\n)*)\r\n"
)
_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, its body cut at the size asked for."""

    status: int
    headers: Mapping[bytes, bytes]  # names in lower case; the last value of a repeated one
    body: bytes


@dataclass(frozen=True, slots=True)
class _Address:
    """The host, port and request head of a URL."""

    tls: bool
    host: str
    port: int
    start: bytes  # the first bytes of each request
    opening: h11.Request  # the same for h11's state machine: without a body, which it need not see


class _Connection(asyncio.Protocol):
    """One connection and its protocol state."""

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
        """Whether it can be reused: it is not too old, and nothing arrived unasked, such as its end."""
        return time.monotonic() - self._idle_since < KEEP_S and not self._ended and not self._came

    def keep(self) -> bool:
        """Prepare it for another request if both sides are done with this one; returns whether that is so."""
        if self.http.our_state is not h11.IDLE:  # it is still idle where the answer was plain
            if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
                return False
            if self.http.trailing_data[0]:
                return False
            self.http.start_next_cycle()
        self.kept, self._idle_since = True, time.monotonic()
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  for the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Buffer received data."""
        self._came.append(data)
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that no more data will come."""
        self._ended, self._lost = True, exc
        self._news.set()

    def send(self, data: bytes) -> None:
        """Send a request; if the server closed meanwhile, reading finds out, since it may have answered before."""
        if self._transport is not None:
            self._transport.write(data)

    async def receive(self) -> bytes:
        """The next data; empty at the end. Raises OSError if the connection was lost."""
        while not self._came and not self._ended:
            self._news.clear()
            await self._news.wait()
        if self._came:
            return self._came.popleft()
        if self._lost is not None:
            raise self._lost
        return b""

    def end(self) -> None:
        """Abort the connection."""
        self.kept = False
        if self._transport is not None:
            self._transport.abort()


class Posting:
    """A pool of connections to receivers. Belongs to one event loop."""

    def __init__(self, trust: ssl.SSLContext, allowed: Sequence[Network] = (), resolve: Resolve = resolve_name) -> None:
        """Open no connection yet.

        Args:
            trust: the authorities that must vouch for a receiver, where the URL says https.
            allowed: networks of special use in which a receiver may be.
            resolve: how a name becomes addresses; it is asked once for each connection.
        """
        self._trust = trust
        self._allowed = allowed
        self._resolve = resolve
        self._kept: dict[tuple[bool, str, int], list[_Connection]] = {}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, most: int) -> Reply:
        """Send the body once and return the answer, at most `most` bytes of its body. No timeout of its own.

        Raises:
            AddressRefused: the host is at an address where receivers may not be.
            Unreachable: there is no connection, or it ended before the answer was complete; no address is quoted.
        """
        address = _address(url)
        connection = self._take(address) or await self._open(address)
        try:
            reply = await _exchange(connection, address, body, headers, most)
        except OSError as error:
            raise Unreachable(Failure("broken", how="reset")) from error
        except h11.ProtocolError as error:
            raise Unreachable(Failure("broken", how="ended, or no HTTP")) from error
        else:
            if connection.keep():
                self._kept.setdefault(_key(address), []).append(connection)
            return reply
        finally:
            if not connection.kept:
                connection.end()

    async def close(self) -> None:
        """Close the idle connections."""
        for connection in [connection for kept in self._kept.values() for connection in kept]:
            connection.end()
        self._kept.clear()
        await asyncio.sleep(0)  # the loop closes them in its next iteration

    def _take(self, address: _Address) -> _Connection | None:
        kept = self._kept.get(_key(address), [])
        while kept:
            connection = kept.pop()
            if connection.usable:
                connection.kept = False
                return connection
            connection.end()
        return None

    async def _open(self, address: _Address) -> _Connection:
        made = await connect(address.host, address.port, self._allowed, self._resolve)
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection,
                sock=made,
                ssl=self._trust if address.tls else None,
                server_hostname=address.host if address.tls else None,  # the name, not the address, is vouched for
            )
        except OSError as error:
            raise Unreachable(Failure("no-connection", why=why(error))) from error
        except BaseException:
            made.close()
            raise
        return connection


async def _exchange(
    connection: _Connection, address: _Address, body: bytes, headers: Mapping[str, str], most: int
) -> Reply:
    connection.send(b"%bcontent-length: %d\r\n%b%b" % (address.start, len(body), _fields(headers), body))
    began = await connection.receive()
    if (plain := _plain(began, most)) is not None:
        return plain
    connection.http.send(address.opening)
    connection.http.send(_END)
    connection.http.receive_data(began)
    answer, found, size = None, [], 0
    while size < most:
        event = connection.http.next_event()
        if event is h11.NEED_DATA:
            connection.http.receive_data(await connection.receive())
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


def _plain(answer: bytes, most: int) -> Reply | None:
    """The reply if these bytes are all of a plain successful answer; None: h11 has to read them.

    Most are such, and h11 takes a fifth of what a message costs its thread.
    """
    head = _PLAIN.match(answer)
    if head is None:
        return None
    lines = head[2].split(b"\r\n")[:-1]
    headers = {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}
    status, length = int(head[1]), headers.get(b"content-length")
    if len(headers) < len(lines) or (length is None) is not (status == _NO_CONTENT):
        return None
    body = answer[head.end() :]
    if length is not None and not (length.isdigit() and len(length) <= len(str(most)) and int(length) <= most):
        return None
    return Reply(status, headers, body) if len(body) == int(length or 0) else None


def _fields(headers: Mapping[str, str]) -> bytes:
    """The headers and the blank line. Raises h11.LocalProtocolError if one is not valid."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if not _FIELDS.fullmatch(fields) or fields.count("\r\n") != len(headers):
        raise h11.LocalProtocolError("a header that is none")
    return f"{fields}\r\n".encode("ascii")


def _key(address: _Address) -> tuple[bool, str, int]:
    return address.tls, address.host, address.port


@lru_cache(maxsize=64)
def _address(url: str) -> _Address:
    parts = httpx.URL(url)
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    # h11 validates each request it makes, a fifth of what a message costs this thread; so what is always the same is
    # validated once.
    always = [(b"host", parts.netloc), (b"accept", b"*/*"), (b"content-length", b"0")]
    opening = h11.Request(method="POST", target=parts.raw_path, headers=always)
    start = b"POST %b HTTP/1.1\r\nhost: %b\r\naccept: */*\r\n" % (parts.raw_path, parts.netloc)
    return _Address(tls, parts.raw_host.decode(), port, start, opening)
