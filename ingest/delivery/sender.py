"""The outbox sender: hands messages to their connectors, most urgent first, until each is delivered."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from ingest.delivery.connector import Scheduled
from ingest.delivery.lane import Lane, Standing
from ingest.delivery.outbox_access import Outbox
from ingest.delivery.outcomes import RECORD_S
from ingest.domain.model.outbox import LaneState, Message, Waiting

GRACE_S = 1.5
"""Time that deliveries in flight are given to end when the sender stops."""

CLOSE_S = 0.3
"""Time that a connector is given to close its connections."""

DOWN_AFTER = 3
"""Failures in a row after which a receiver is reported as down; fewer are normal in a network."""


class OutboxSender:
    """Delivers the outbox, each connector in a `Lane` of its own: a slow receiver delays only itself.

    Every message is tried until it is delivered, in the order `DeliveryQueue` decides. All waiting goes by the steady
    clock, and a restart tries everything at once, so a time stored under a wrong clock delays no alarm. A crash or stop
    between delivery and record repeats the message under the same id.
    """

    def __init__(
        self,
        outbox: Outbox,
        connectors: Sequence[Scheduled],
        *,
        escalate_after: int = 10,
        record_s: float = RECORD_S,
        now: Callable[[], int] = time.time_ns,
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`record_s`: see `ingest.delivery.outcomes`."""
        self._lanes = [
            Lane(
                outbox,
                connector,
                escalate_after=escalate_after,
                record_s=record_s,
                now=now,
                steady=steady,
                jitter=jitter,
            )
            for connector in connectors
        ]
        self._steady = steady
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Send until `stop`, then close the connectors, within 2 s."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(lane.serve(), name=f"outbox-{lane.connector.name}") for lane in self._lanes]
                await self._stopping.wait()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_S):
                        await asyncio.gather(*tasks)  # cancels what is left when time is up
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await asyncio.gather(*(lane.connector.close() for lane in self._lanes))

    def stop(self) -> None:
        """Ask `run` to end. Call on the event loop."""
        self._stopping.set()
        for lane in self._lanes:
            lane.stop()

    @property
    def progressed(self) -> float:
        """When the connector that is furthest behind last queried the outbox; checked by the watchdog."""
        return min((lane.queried for lane in self._lanes), default=time.monotonic())

    def down(self) -> dict[str, str]:
        """Connectors whose receiver failed several times in a row, with the last error."""
        return {
            lane.connector.name: f"{failures} tries in a row failed: {lane.error}"
            for lane in self._lanes
            if (failures := lane.queue.failures) >= DOWN_AFTER
        }

    def lane_states(self) -> dict[str, LaneState]:
        """How the receiver of each connector answers. Callable from any thread."""
        return {
            lane.connector.name: LaneState(lane.queue.down, lane.queue.failures, lane.error) for lane in self._lanes
        }

    def standing(self) -> dict[str, Standing]:
        """How deliveries stand, by connector. Callable from any thread."""
        return {lane.connector.name: lane.standing() for lane in self._lanes}

    def next_at(self) -> float | None:
        """When the next attempt is due, by the steady clock; None if nothing is due by time alone."""
        times = [lane.queue.next_at(self._steady()) for lane in self._lanes]
        return min((time for time in times if time is not None), default=None)

    def wake(self, committed: Sequence[Message] | None = None) -> None:
        """Signal that messages were committed to the outbox. Callable from any thread at any time; never blocks.

        `committed`: all of them, in the order of `seq`, so that the outbox need not be queried. None: it must be.
        """
        if self._loop is not None and (committed is None or committed):  # before `run` there is nobody asleep
            with contextlib.suppress(RuntimeError):  # the loop is closed: the next start reads the outbox first
                self._loop.call_soon_threadsafe(self._wake, committed)

    def retry(self, connector: str) -> None:
        """Try what waits for a connector at once, whatever it waits for. Callable from any thread at any time."""
        self._call(lambda lane: lane.retry(), [connector])

    def resume(self, messages: Mapping[str, Sequence[Waiting]]) -> None:
        """Send these, by connector, which wait in the outbox again. Callable from any thread at any time."""
        self._call(lambda lane: lane.resume(messages[lane.connector.name]), messages)

    def withdraw(self, messages: Mapping[str, Sequence[Waiting]]) -> None:
        """Send these no more, by connector: they ended in the outbox. Callable from any thread at any time.

        One that is under way may be accepted all the same, and is recorded so.
        """
        self._call(lambda lane: lane.withdraw(messages[lane.connector.name]), messages)

    def _call(self, act: Callable[[Lane], None], connectors: Collection[str]) -> None:
        """Have these connectors' lanes do something, on the event loop; before `run` there is nothing to do."""
        lanes = [lane for lane in self._lanes if lane.connector.name in connectors]
        if self._loop is not None and lanes:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the next start reads the outbox first
                for lane in lanes:
                    self._loop.call_soon_threadsafe(act, lane)

    def _wake(self, committed: Sequence[Message] | None) -> None:
        for lane in self._lanes:
            if committed is None:
                lane.query()
            elif mine := [message for message in committed if message.connector == lane.connector.name]:
                lane.hand_over(mine)
