"""The API on a real socket for the length of a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ingest.api.server import ApiServer
from tests.ingest.api.stand_in import StandIn, config

DEADLINE_S = 10


@asynccontextmanager
async def served(hall: StandIn, folder: Path) -> AsyncIterator[ApiServer]:
    """Serve the hall; ends in good order or fails."""
    server = ApiServer(hall.ports, config(folder))
    server.bind()
    serving = asyncio.create_task(server.serve())
    yield server
    server.stop()
    async with asyncio.timeout(DEADLINE_S):
        await serving
