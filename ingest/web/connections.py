"""Limits the number of connections to the API, with a reserve for health checks.

A connection is idle while it waits for its client. When all places are taken, an idle one is closed for a new one:
of the address that has the most idle ones, the one that has been idle longest. So no number of silent connections
keeps anybody out, and who opens many loses their own. Authenticated ones count as idle only between requests, and go
last.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

from ingest.base.telemetry import Event, emit

Reason = Literal["full", "refused", "handshake", "head", "body", "reader"]

RESERVE: Final = 16
"""Connections beyond the limit, for health checks alone, so that the supervisor is answered under full load."""

_REPORT_S: Final = 10.0
_KNOWN: Final = "known"  # the group of authenticated connections; the others are grouped by address
_RESERVED: Final = "reserved"


@dataclass(frozen=True, slots=True)
class ConnectionsEnded(Event, level="warning", labels=("reason",), amount="connections"):
    """Connections to the API that were refused or closed, by reason; together, at most every 10 s a reason.

    Reasons: `full` was idle and made room for another, `refused` found no place, `handshake` failed or took too long,
    `head`, `body` and `reader` were too slow with it.
    """

    reason: Reason
    connections: int
    address: str  # of the last one


@dataclass(eq=False, slots=True)
class Place:
    """A connection's place within the limit."""

    address: str
    transport: asyncio.Transport
    silent: bool = True  # it has not sent anything yet
    known: bool = False  # it has sent a valid token
    reserved: bool = False  # it is beyond the limit
    idle_in: str = ""  # its group of idle ones; "": busy, it waits for the server


class Connections:
    """Tracks every open connection and enforces the limits. Belongs to the event loop."""

    def __init__(self, most: int, reserve: int = RESERVE) -> None:
        self.open: set[Place] = set()
        self._most = most
        self._reserve = reserve
        self._idle: dict[str, dict[Place, None]] = {}  # by group, idle longest first
        self._unreported: dict[Reason, ConnectionsEnded] = {}
        self._reporting = False

    def enter(self, transport: asyncio.Transport) -> Place | None:
        """Give a new connection a place, closing an idle one if needed. None: every place is busy."""
        peer = transport.get_extra_info("peername")  # None: it has gone meanwhile
        place = Place(str(peer[0]) if peer else "unknown", transport)
        if len(self.open) >= self._most and not self._make_room():
            place.reserved = True
            if len(self.open) >= self._most + self._reserve and not self._make_room_in(_RESERVED):
                self._report("refused", place.address)
                return None
        self.open.add(place)
        self.mark_idle(place)
        return place

    def mark_busy(self, place: Place) -> None:
        """Note that the connection waits for the server."""
        if place.idle_in:
            group = self._idle[place.idle_in]
            del group[place]
            if not group:
                del self._idle[place.idle_in]
            place.idle_in = ""

    def mark_idle(self, place: Place) -> None:
        """Note that the connection waits for its client from now on."""
        if place in self.open:
            self.mark_busy(place)
            place.idle_in = _RESERVED if place.reserved else _KNOWN if place.known else place.address
            self._idle.setdefault(place.idle_in, {})[place] = None

    def mark_known(self, place: Place) -> None:
        """Note that the client sent a valid token with the request being processed."""
        place.known = True
        self.mark_busy(place)

    def only_for_health(self, place: Place) -> bool:
        """Whether the connection is still beyond the limit."""
        place.reserved = place.reserved and len(self.open) > self._most
        return place.reserved

    def leave(self, place: Place) -> None:
        """Release the connection's place; idempotent."""
        self.mark_busy(place)
        self.open.discard(place)

    def end(self, place: Place, reason: Reason) -> None:
        """Close a connection at once, if it is still there."""
        if place in self.open:
            self._report(reason, place.address)
            self.leave(place)
            place.transport.abort()

    def end_silent(self) -> None:
        """Close the connections that have not sent anything, when the server stops."""
        for place in [place for place in self.open if place.silent]:
            self.leave(place)
            place.transport.abort()

    def _make_room(self) -> bool:
        groups = {group: len(idle) for group, idle in self._idle.items() if group not in (_KNOWN, _RESERVED)}
        return self._make_room_in(max(groups, key=groups.__getitem__, default=_KNOWN))

    def _make_room_in(self, group: str) -> bool:
        longest = next(iter(self._idle.get(group, ())), None)
        if longest is not None:
            self.end(longest, "full")
        return longest is not None

    def _report(self, reason: Reason, address: str) -> None:
        before = self._unreported.get(reason)
        self._unreported[reason] = ConnectionsEnded(reason, 1 + (before.connections if before else 0), address)
        if not self._reporting:
            self._emit()

    def _emit(self) -> None:
        self._reporting = bool(self._unreported)
        for event in self._unreported.values():
            emit(event)
        self._unreported.clear()
        if self._reporting:
            asyncio.get_running_loop().call_later(_REPORT_S, self._emit)
