"""The watchdog: detects parts of the service without progress, for people, a heartbeat file and systemd.

A part that waits for something external (a full disk, a history that is down) still shows progress, and reports itself
what it waits for: a restart would not help. The watchdog finds parts that hang.
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

_CHECK_S: Final = 1.0


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
    """A part to monitor.

    Attributes:
        beat: returns when it last showed progress, by the watchdog's clock. Called from any thread; never blocks.
        limit_s: how long it may show no progress.
        vital: whether systemd is to restart the service if it is stuck.
    """

    name: str
    beat: Callable[[], float]
    limit_s: float
    vital: bool = False


class ProgressBeat:
    """The beat of a part that only reports its position: it shows progress if that changed or nothing is pending.

    Args:
        probe: returns its position, and whether anything is pending.
    """

    def __init__(self, probe: Callable[[], tuple[int, bool]], clock: Callable[[], float] = time.monotonic) -> None:
        self._probe = probe
        self._clock = clock
        self._position, self._progressed_at = -1, clock()

    def __call__(self) -> float:
        """Return when it last showed progress, as far as the probes show."""
        position, pending = self._probe()
        if position != self._position or not pending:
            self._position, self._progressed_at = position, self._clock()
        return self._progressed_at


class Watchdog:
    """Checks every part once a second.

    Args:
        parts: what to monitor.
        heartbeat: a file rewritten at each check at which no part is stuck; None = none.
        supervisor: notified at each check at which no vital part is stuck.
        clock: the clock of the beats, seconds.
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
        """Return part -> "ok" or what is wrong. From any thread."""
        return {
            part.name: "ok" if (idle := self._idle(part)) < part.limit_s else f"no progress for {idle:.0f} s"
            for part in self._parts
        }

    async def run(self) -> None:
        """Check periodically, on the event loop, so that a hanging loop is noticed too."""
        every_s = min(_CHECK_S, self._supervisor.interval_s or _CHECK_S)
        while True:
            if self._heartbeat is None:  # nothing is written: no thread has to wake for it
                self.check()
            else:
                await asyncio.to_thread(self.check)
            await asyncio.sleep(every_s)

    def check(self) -> None:
        """Check once: emit what changed, and notify heartbeat and supervisor unless parts are stuck."""
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
        heartbeat = {"time": time.time(), "pid": os.getpid(), "idle_s": {name: round(s, 3) for name, s in idle.items()}}
        temporary = file.with_name(f"{file.name}.new")
        try:
            temporary.write_text(json.dumps(heartbeat), encoding="utf-8")
            temporary.replace(file)
        except OSError as error:
            if not self._unwritable:
                emit(HeartbeatUnwritable(f"{file}: {error.strerror}"))
            self._unwritable = True
        else:
            self._unwritable = False
