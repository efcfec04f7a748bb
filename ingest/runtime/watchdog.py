"""The watchdog: which parts of the service make no progress, told to people, to a heartbeat file and to systemd.

A part that waits for something outside (a full disk, a history that is down) still lives, and says itself what it waits
for: a restart would not help. What the watchdog finds is a part that hangs.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.runtime.supervisor import Supervisor

_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class PartStuck(Event, level="error", labels=("part",)):
    """A part of the service makes no progress."""

    part: str
    idle_s: float


@dataclass(frozen=True, slots=True)
class PartMoves(Event, labels=("part",)):
    """A part that made no progress does so again."""

    part: str


@dataclass(frozen=True, slots=True)
class HeartbeatUnwritable(Event, level="warning"):
    """The heartbeat file could not be written: who watches it will take the service for dead."""

    error: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part to watch.

    Attributes:
        beat: when it last showed that it is not stuck, by the watchdog's clock. Called from any thread; never blocks.
        limit_s: how long it may show nothing.
        vital: whether systemd shall restart the service if it is stuck.
    """

    name: str
    beat: Callable[[], float]
    limit_s: float
    vital: bool = False


class Moving:
    """A beat for a part that only tells how far it is: it beats whenever that changed, or nothing waits for it.

    Args:
        look: how far it is, and whether anything waits for it.
    """

    def __init__(self, look: Callable[[], tuple[int, bool]], clock: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._clock = clock
        self._at, self._moved = -1, clock()

    def __call__(self) -> float:
        """When it last moved, as far as the looks tell."""
        at, waits = self._look()
        if at != self._at or not waits:
            self._at, self._moved = at, self._clock()
        return self._moved


class Watchdog:
    """Looks at every part once a second.

    Args:
        parts: what to watch.
        heartbeat: a file written anew at each look at which no part is stuck; None = none.
        supervisor: told that we are alive at each look at which no vital part is stuck.
        clock: the clock of the parts' beats, seconds.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        heartbeat: Path | None = None,
        supervisor: Supervisor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = parts
        self._heartbeat = heartbeat
        self._supervisor = supervisor or Supervisor({})
        self._clock = clock
        self._stuck: set[str] = set()
        self._unwritable = False

    def state(self) -> Mapping[str, str]:
        """Part -> "ok" or what is wrong. From any thread."""
        return {
            part.name: "ok" if (idle := self._idle(part)) < part.limit_s else f"no progress for {idle:.0f} s"
            for part in self._parts
        }

    async def run(self) -> None:
        """Look, again and again. On the event loop, so that a loop that hangs is seen by its silence, too."""
        every_s = min(_LOOK_S, self._supervisor.interval_s or _LOOK_S)
        while True:
            if self._heartbeat is None:  # nothing is written: no thread has to wake for it
                self.look()
            else:
                await asyncio.to_thread(self.look)
            await asyncio.sleep(every_s)

    def look(self) -> None:
        """Look once: tell what changed, and show that we are alive as far as we are."""
        idle = {part.name: self._idle(part) for part in self._parts}
        stuck = {part.name for part in self._parts if idle[part.name] >= part.limit_s}
        for name in sorted(stuck - self._stuck):
            emit(PartStuck(name, round(idle[name], 1)))
        for name in sorted(self._stuck - stuck):
            emit(PartMoves(name))
        self._stuck = stuck
        if not any(part.vital and part.name in stuck for part in self._parts):
            self._supervisor.alive()
        if self._heartbeat is not None and not stuck:
            self._beat(self._heartbeat, idle)

    def _idle(self, part: Part) -> float:
        return max(0.0, self._clock() - part.beat())

    def _beat(self, file: Path, idle: Mapping[str, float]) -> None:
        said = {"time": time.time(), "pid": os.getpid(), "idle_s": {name: round(s, 3) for name, s in idle.items()}}
        aside = file.with_name(f"{file.name}.new")
        try:
            aside.write_text(json.dumps(said), encoding="utf-8")
            aside.replace(file)
        except OSError as error:
            if not self._unwritable:
                emit(HeartbeatUnwritable(f"{file}: {error.strerror}"))
            self._unwritable = True
        else:
            self._unwritable = False
