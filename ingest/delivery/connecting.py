"""Connects to a host once: resolves its name, checks every address, and connects to one that was checked."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Final, TypeAlias

from ingest.delivery.destinations import HERE, Network, literal_address, require_allowed
from ingest.delivery.errors import Unreachable
from ingest.domain.model.delivery_failure import Failure

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a name and a port to the addresses of the name, in the order in which they are to be tried."""

_NEXT_S: Final = 0.25  # until the next of a host's addresses is tried beside the one before (RFC 8305, 5)


async def resolve_name(host: str, port: int) -> Sequence[str]:
    """Resolve by the system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def connect(host: str, port: int, allowed: Sequence[Network], resolve: Resolve = resolve_name) -> socket.socket:
    """Return a connected socket that does not block.

    Args:
        host: as in its URL, without brackets, in ASCII.
        port: TCP.
        allowed: networks of special use in which it may be.
        resolve: how a name becomes addresses.

    Raises:
        AddressRefused: it is at an address where receivers may not be.
        Unreachable: its name is not known, or no address of it answers; no address is quoted.
    """
    try:
        return await _first(await _addresses(host, port, allowed, resolve), port)
    except OSError as error:
        raise Unreachable(Failure("no-connection", why=why(error))) from error


def why(error: OSError) -> str:
    """Return the system's reason why a connection failed; its own text may quote an address."""
    if isinstance(error, ssl.SSLError):
        return str(error)
    if isinstance(error, ConnectionError) and error.errno is None:
        return "the other side ended it at once; perhaps it speaks no TLS"
    if error.errno is None:
        return "none of its addresses answers"
    return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)


async def _addresses(host: str, port: int, allowed: Sequence[Network], resolve: Resolve) -> Sequence[str]:
    if host == "localhost":
        return HERE
    literal = literal_address(host)
    found = [str(literal)] if literal is not None else await resolve(host, port)
    require_allowed(host, [ip_address(address.partition("%")[0]) for address in found], allowed)
    return found


async def _first(addresses: Sequence[str], port: int) -> socket.socket:
    """The first connection that is made; each address has a head start before the next. Raises OSError."""
    waiting, errors = list(addresses), list[OSError]()
    tries = set[asyncio.Task[socket.socket]]()
    try:
        while waiting or tries:
            if waiting:
                tries.add(asyncio.create_task(_connected(waiting.pop(0), port), name="connect"))
            done, tries = await asyncio.wait(
                tries, timeout=_NEXT_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            made = [task.result() for task in done if task.exception() is None]
            for other in made[1:]:
                other.close()
            if made:
                return made[0]
            errors += [error for task in done if isinstance(error := task.exception(), OSError)]
    finally:
        for task in tries:
            task.cancel()
        for late in await asyncio.gather(*tries, return_exceptions=True):
            if isinstance(late, socket.socket):
                late.close()
    if errors and len({error.errno for error in errors}) == 1:
        raise errors[0]
    raise OSError


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        with suppress(OSError):
            connection.close()
        raise
    return connection
