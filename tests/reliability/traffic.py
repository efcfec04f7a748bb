"""A plant's readings for the reliability tests: known beforehand to the last bit, sent by the reference gateway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway_sim.buffer import FrameBuffer
from gateway_sim.gateway import Link, ReferenceGateway, Tally
from tests.small_plant import PLANT

T = TypeVar("T")

MOST_WAITING: Final = 400  # frames: a gateway that is far ahead would turn every moment of rest into one great commit

GATEWAY: Final = "GW-01"
POINT: Final = "CO-01"
PERIOD: Final = 400
HIGH: Final = range(100, 200)  # of every period: above the limit of rule H
STEP_MS: Final = 1


@dataclass(frozen=True, slots=True)
class Wave:
    """Reading number i is at `start_ms` + i ms, and its value follows from i."""

    start_ms: int

    def times(self, first: int, end: int) -> list[int]:
        """Device times of readings [first, end), ms."""
        return [self.start_ms + STEP_MS * i for i in range(first, end)]

    def values(self, first: int, end: int) -> NDArray[np.float64]:
        """Their values: carbon monoxide, ppm; no two neighbours alike."""
        i = np.arange(first, end)
        high = (i % PERIOD >= HIGH.start) & (i % PERIOD < HIGH.stop)
        return np.where(high, 50.0, 5.0) + i % 7 / 8

    def events(self, readings: int) -> list[tuple[str, int]]:
        """What rule H has to say about the first `readings`: (kind, device time in ns), in order."""
        wanted = []
        for begin in range(0, readings, PERIOD):
            wanted += [("raised", begin + HIGH.start), ("returned", begin + HIGH.stop)]
        return [(kind, (self.start_ms + STEP_MS * i) * 1_000_000) for kind, i in wanted if i < readings]


class Traffic:
    """The reference gateway in a thread of its own, sending a wave."""

    def __init__(
        self,
        broker: tuple[str, int],
        wave: Wave,
        *,
        resend_s: float = 3.0,
        keepalive_s: int = 10,
        protocol: Literal["5", "3.1.1"] = "5",
    ) -> None:
        """Connect to nothing yet."""
        self.wave = wave
        self.sent = 0  # readings handed to the gateway
        self._link = Link(*broker, keepalive_s=keepalive_s, protocol=protocol)
        self._buffer = FrameBuffer(most=1_000_000, resend_s=resend_s)
        self._gateway: ReferenceGateway | None = None
        self._loop = asyncio.new_event_loop()
        # The gateway notices a connection that broke by itself; what asyncio says of its socket is no news.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._thread = threading.Thread(target=self._loop.run_forever, name="traffic", daemon=True)
        self._running: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._thread.start()

        async def begin() -> None:
            self._gateway = ReferenceGateway(PLANT, GATEWAY, self._link, encoding="msgpack", buffer=self._buffer)
            self._running = asyncio.create_task(self._gateway.run())

        self._do(begin())
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            if self._running is not None:
                self._running.cancel()
                await asyncio.gather(self._running, return_exceptions=True)

        self._do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def send(self, readings: int) -> None:
        """The wave's next readings, as one frame."""
        first, end = self.sent, self.sent + readings
        times, values = self.wave.times(first, end), self.wave.values(first, end).tolist()
        self._call(lambda gateway: gateway.publish(times, {POINT: values}))
        self.sent = end

    def waiting(self) -> int:
        """Frames the gateway keeps because they are not announced as on disk."""
        return self.tally().uncommitted

    def tally(self) -> Tally:
        """The gateway's counts."""
        return self._call(lambda gateway: gateway.tally)

    def settle(self, timeout_s: float, frames: int = 0) -> None:
        """Return once at most so many frames wait. Raises TimeoutError."""

        async def settled() -> None:
            async with asyncio.timeout(timeout_s):
                await self._require().at_most_waiting(frames)

        self._do(settled())

    def boot(self) -> str:
        """The gateway's boot id."""
        return self._require().boot

    def _require(self) -> ReferenceGateway:
        if self._gateway is None:
            raise RuntimeError("not running")
        return self._gateway

    def _call(self, ask: Callable[[ReferenceGateway], T]) -> T:
        async def asked() -> T:
            return ask(self._require())

        return asyncio.run_coroutine_threadsafe(asked(), self._loop).result()

    def _do(self, action: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result()


@contextmanager
def flowing(traffic: Traffic, readings: int, pace_s: float) -> Iterator[None]:
    """Frames of so many readings at an even pace while the block runs."""
    ended = threading.Event()

    def flow() -> None:
        while not ended.wait(pace_s):
            if traffic.waiting() < MOST_WAITING:
                traffic.send(readings)

    thread = threading.Thread(target=flow, name="flow")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
