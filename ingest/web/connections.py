"""Who may be connected to the API: so many altogether, and a few more for health.

A connection is idle while it waits for its client. When all places are taken, an idle one is closed for the newcomer:
of the address that has the most idle ones, the one that has been idle longest. So no number of connections that say
nothing keeps anybody out, and who opens many loses his own. Those that have shown a token count as idle only between
requests, and go last.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

from ingest.base.telemetry import Event, emit

Reason = Literal["full", "refused", "handshake", "head", "body", "reader"]

RESERVE: Final = 16
"""Connections beyond the limit, for health alone: so that the supervisor is answered while all others are at work."""

_REPORT_S: Final = 10.0
_KNOWN: Final = "known"  # the crowd of those with a token; those without are in one by address
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
    """One connection's place."""

    address: str
    transport: asyncio.Transport
    silent: bool = True  # it has not said anything yet
    known: bool = False  # it has shown a token we know
    reserved: bool = False  # it is one of those beyond the limit
    idle_in: str = ""  # the crowd of which it is; "": it waits for us


class Connections:
    """Every connection there is, and the limits. Belongs to the event loop."""

    def __init__(self, most: int, reserve: int = RESERVE) -> None:
        self.open: set[Place] = set()
        self._most = most
        self._reserve = reserve
        self._idle: dict[str, dict[Place, None]] = {}  # by crowd, idle longest first
        self._unreported: dict[Reason, ConnectionsEnded] = {}
        self._reporting = False

    def enter(self, transport: asyncio.Transport) -> Place | None:
        """Give a new connection its place, for which an idle one may have to go. None: there is none to have."""
        peer = transport.get_extra_info("peername")  # None: it has gone meanwhile
        place = Place(str(peer[0]) if peer else "unknown", transport)
        if len(self.open) >= self._most and not self._make_room():
            place.reserved = True
            if len(self.open) >= self._most + self._reserve and not self._make_room_in(_RESERVED):
                self._report("refused", place.address)
                return None
        self.open.add(place)
        self.idles(place)
        return place

    def works(self, place: Place) -> None:
        """Note that it waits for us."""
        if place.idle_in:
            crowd = self._idle[place.idle_in]
            del crowd[place]
            if not crowd:
                del self._idle[place.idle_in]
            place.idle_in = ""

    def idles(self, place: Place) -> None:
        """Note that it waits for its client, from now on."""
        if place in self.open:
            self.works(place)
            place.idle_in = _RESERVED if place.reserved else _KNOWN if place.known else place.address
            self._idle.setdefault(place.idle_in, {})[place] = None

    def recognise(self, place: Place) -> None:
        """Note that the client has shown a token we know, with a request that is in work now."""
        place.known = True
        self.works(place)

    def only_for_health(self, place: Place) -> bool:
        """Whether it is one of those beyond the limit, still."""
        place.reserved = place.reserved and len(self.open) > self._most
        return place.reserved

    def leave(self, place: Place) -> None:
        """Note that it is gone; again is harmless."""
        self.works(place)
        self.open.discard(place)

    def end(self, place: Place, reason: Reason) -> None:
        """Close a connection at once, if it is still there."""
        if place in self.open:
            self._report(reason, place.address)
            self.leave(place)
            place.transport.abort()

    def end_silent(self) -> None:
        """Close those that have not said anything, for the server stops."""
        for place in [place for place in self.open if place.silent]:
            self.leave(place)
            place.transport.abort()

    def _make_room(self) -> bool:
        crowds = {crowd: len(idle) for crowd, idle in self._idle.items() if crowd not in (_KNOWN, _RESERVED)}
        return self._make_room_in(max(crowds, key=crowds.__getitem__, default=_KNOWN))

    def _make_room_in(self, crowd: str) -> bool:
        longest = next(iter(self._idle.get(crowd, ())), None)
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
