"""The API on a real socket for the length of a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ingest.domain.model.audit import Act
from ingest.services.ports import Ports
from ingest.web.app import build_api
from ingest.web.protocol import PATIENCE_S
from ingest.web.server import ApiServer
from tests.ingest.web.stand_in import StandIn, config

DEADLINE_S = 60
DAY_S = 24 * 3600


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Halls:
    """One application on whichever hall is current: building it takes longer than most that is asked of it.

    A day on its clock ends every session and whatever a token has used up.
    """

    def __init__(self, folder: Path) -> None:
        self.hall = StandIn()
        self.clock = Clock()
        through: dict[str, Any] = {name: _Through(self, name) for name in Ports.__dataclass_fields__}
        ports = Ports(**(through | {"now": self._now, "record": self._record}))
        self.app = build_api(ports, config(folder), closing=lambda: True, clock=self.clock)

    def _record(self, act: Act) -> None:
        self.hall.record(act)

    def _now(self) -> int:
        return self.hall.time


class _Through:
    """One port of the current hall."""

    def __init__(self, halls: Halls, port: str) -> None:
        self._halls, self._port = halls, port

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(self._halls.hall.ports, self._port), name)


@asynccontextmanager
async def served(
    hall: StandIn, folder: Path, *, patience_s: float = PATIENCE_S, **settings: Any
) -> AsyncIterator[ApiServer]:
    """Serve the hall; ends in good order or fails."""
    server = ApiServer(hall.ports, config(folder, **settings), patience_s=patience_s)
    server.bind()
    serving = asyncio.create_task(server.serve())
    yield server
    server.stop()
    async with asyncio.timeout(DEADLINE_S):
        await serving
