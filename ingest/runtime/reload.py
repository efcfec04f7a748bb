"""Re-reads the settings on SIGHUP, applies what can change while the service runs, and names the rest.

They are read in a separate thread that is not joined at the end: a path may hang (an unavailable file server, a pipe)
without blocking the service or its stop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.base.telemetry import Event, configure_logging, emit
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text
from ingest.runtime.settings import InForce, Settings, load_in_force

_PATIENCE_S: Final = 10.0
_MOST_HUNG: Final = 8
"""The most unfinished reads; beyond them none is begun."""


@dataclass(frozen=True, slots=True)
class SettingsReread(Event):
    """The settings were read again, as asked for by SIGHUP; plant files and certificates are, whenever they change."""

    log_level: str
    restart_for: tuple[str, ...]  # tables that are not as they were: they count from the next start


@dataclass(frozen=True, slots=True)
class SettingsNotReread(Event, level="error"):
    """The settings cannot be used as they stand; the service goes on by those it has."""

    key: str
    value: str
    expected: str


class Reloader:
    """Re-reads the settings on request, one read at a time. All but the reading runs on the event loop."""

    def __init__(self, file: Path, running: Settings, patience_s: float = _PATIENCE_S) -> None:
        """Prepare; nothing is read yet.

        Args:
            file: the settings.
            running: those the service was started with.
            patience_s: how long a read may take; a later result is not used.
        """
        self._file = file
        self._running = running
        self._patience_s = patience_s
        self._requested = False
        self._task: asyncio.Task[None] | None = None
        self._threads: list[threading.Thread] = []

    def request(self) -> None:
        """Request a read, also during one: the file may have changed since. Never blocks."""
        self._requested = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._read_until_done(), name="reread")

    async def _read_until_done(self) -> None:
        while self._requested:
            self._requested = False
            try:
                async with asyncio.timeout(self._patience_s):
                    found = await self._read()
            except InvalidConfig as error:
                _refuse(error.faults)
            except TimeoutError:
                expected = Text(
                    f"{self._patience_s:g} s 内能读完的文件：磁盘或服务器是否应答？",
                    f"a file that is read within {self._patience_s:g} s: does its disk or server answer?",
                )
                _refuse([Fault(str(self._file), "(file)", str(self._file), expected)])
            else:
                take_over(found, self._running)

    async def _read(self) -> InForce:
        """Read the settings of the file now. Raises InvalidConfig."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) >= _MOST_HUNG:
            raise TimeoutError
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[InForce] = loop.create_future()

        def settle(found: InForce | None, error: Exception | None) -> None:
            if answer.done():  # nobody waits for it any more
                return
            if found is not None:
                answer.set_result(found)
            elif error is not None:
                answer.set_exception(error)

        def read() -> None:
            found, failed = None, None
            try:
                found = load_in_force(self._file)
            except Exception as error:  # noqa: BLE001  raised where it is waited for
                failed = error
            with suppress(RuntimeError):  # the service has ended meanwhile
                loop.call_soon_threadsafe(settle, found, failed)

        thread = threading.Thread(target=read, name="reread", daemon=True)
        self._threads.append(thread)
        thread.start()
        return await answer


def take_over(found: InForce, running: Settings) -> None:
    """Apply the log level that was read, unless there are faults, and name what applies from the next start.

    Args:
        found: what was read.
        running: the settings the service was started with.
    """
    if found.faults:
        _refuse(found.faults)
        return
    log = found.settings.log
    configure_logging(level=log.level, json=log.json_lines)
    changed = [name for name in Settings.model_fields if getattr(found.settings, name) != getattr(running, name)]
    if "log" in changed and log.heartbeat == running.log.heartbeat:
        changed.remove("log")
    emit(SettingsReread(log.level, tuple(changed)))


def _refuse(faults: Sequence[Fault]) -> None:
    for fault in faults:
        emit(SettingsNotReread(fault.key, str(fault.value), fault.expected.both))
