"""What people see of deliveries, and do to them: receivers, messages that wait, dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ingest.domain.model.delivery_failure import failure_text
from ingest.domain.model.outbox import LaneState, Waiting
from ingest.domain.model.text import Text
from ingest.services.access import Principal
from ingest.services.errors import Conflict, NotFound
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_acts import By, drop, revive
from ingest.storage.state.outbox_rows import Backlog, OutboxRow, Which, backlogs, find

ReceiverState = Literal["up", "down", "off"]
"""Whether a receiver takes what comes; `off`: nothing is sent to it, as its settings have a fault or are gone."""


class Lanes(Protocol):
    """The sender of the outbox. Callable from any thread; what it is told it does a moment later."""

    def lane_states(self) -> Mapping[str, LaneState]:
        """How each receiver that messages are sent to answers."""

    def retry(self, connector: str) -> None:
        """Try what waits for it at once."""

    def resume(self, messages: Mapping[str, Sequence[Waiting]]) -> None:
        """Send these, by connector: they wait in the outbox again."""

    def withdraw(self, messages: Mapping[str, Sequence[Waiting]]) -> None:
        """Send these no more, by connector: they are gone from the outbox."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One receiver of messages. `error`: why the newest try failed, as long as it counts as down."""

    name: str
    state: ReceiverState
    failures: int
    error: Text | None
    backlog: Backlog


class Deliveries:
    """The outbox and its sender. Blocking: call from a worker thread."""

    def __init__(self, database: Database, lanes: Lanes, names: Sequence[str]) -> None:
        """`names`: the receivers in the settings."""
        self._database = database
        self._lanes = lanes
        self._names = names

    def receivers(self) -> list[Receiver]:
        """Every receiver in the settings, then those that messages are left of. Raises StateUnavailable."""
        waiting, lanes = backlogs(self._database), self._lanes.lane_states()
        return [
            self._receiver(name, lanes.get(name), waiting.get(name, Backlog(0, 0, 0, 0)))
            for name in dict.fromkeys([*self._names, *waiting])
        ]

    def messages(self, which: Which, receiver: str | None, limit: int, after: int) -> list[OutboxRow]:
        """A page of messages; see `find`. Raises StateUnavailable."""
        return find(self._database, limit, receiver, which, after)

    def require(self, receiver: str) -> None:
        """Raise NotFound for a receiver that neither the settings nor any message name. Raises StateUnavailable."""
        if receiver not in self._names and not find(self._database, 1, receiver, "all"):
            raise NotFound(f"receiver {receiver!r} is not known")

    def retry(self, receiver: str) -> None:
        """Try what waits for a receiver at once. Raises Conflict if nothing is sent to one of that name."""
        if receiver not in self._lanes.lane_states():
            raise Conflict(f"nothing is sent to a receiver {receiver!r}")
        self._lanes.retry(receiver)

    def resend(self, seqs: Sequence[int], caller: Principal, now: int) -> list[int]:
        """Let dead letters wait again; returns their numbers. Raises Conflict if none of them is one."""
        rows = revive(self._database, By(caller.name, caller.acts_as, now), seqs=seqs)
        self._lanes.resume(_by_connector(rows))
        return _numbers(rows, "none of these messages is rejected")

    def drop(self, seqs: Sequence[int], caller: Principal, now: int, reason: str) -> list[int]:
        """Delete messages that wait, and dead letters; returns their numbers. Raises Conflict if none is one."""
        rows = drop(self._database, seqs, By(caller.name, caller.acts_as, now), reason)
        self._lanes.withdraw(_by_connector([row for row in rows if row.ended is None]))
        return _numbers(rows, "none of these messages waits or is rejected")

    @staticmethod
    def _receiver(name: str, lane: LaneState | None, backlog: Backlog) -> Receiver:
        if lane is None:
            return Receiver(name, "off", 0, None, backlog)
        error = failure_text(lane.error.row, lane.error) if lane.down else None
        return Receiver(name, "down" if lane.down else "up", lane.failures, error, backlog)


def _numbers(rows: Sequence[OutboxRow], none: str) -> list[int]:
    if not rows:
        raise Conflict(none)
    return [row.seq for row in rows]


def _by_connector(rows: Sequence[OutboxRow]) -> dict[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = {}
    for row in rows:
        found.setdefault(row.connector, []).append(row.waiting)
    return found
