"""Connectors to platforms that take frames, and servers in their place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway_sim.stand_in import StandIn
from ingest.delivery.platform import hj212
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.connector import PlatformConnector
from ingest.delivery.platform.opening import open_platform
from ingest.domain.model.outbox import Message
from tests.ingest.delivery.outbox import (
    PLANT,
    START,
)
from tests.ingest.delivery.platform.profiles import changed_copy
from tests.ingest.delivery.platform.stand_ins import settings_for, started

NAME = "hj212-2017"
POINTS = ("CW_IN_P-01", "CAST_LEN-01", "P-1", "P-2")
MN = "010000A8900016F000169DC0"
SHIPPED = Path("ingest/delivery/platform/profiles") / f"{NAME}.toml"


def row(point: str, value: float | None, status: str = "good") -> dict[str, Any]:
    return {"point": point, "signal": "DUST_DP", "gateway": "gw", "time": "2026-06-21T00:10:34Z", "value": value,
            "valid": status == "good", "status": status}  # fmt: skip


def with_rows(message: Message, *rows: dict[str, Any]) -> Message:
    return replace(message, body={**message.body, "readings": list(rows)})


def variant(folder: Path, *changes: tuple[str, str]) -> str:
    return str(changed_copy(SHIPPED, folder / "county.toml", *changes))


def connected(platform: StandIn, folder: Path, **more: Any) -> PlatformConnector:
    given = settings_for(NAME, platform, folder, PLANT.id, POINTS) | {"timeout_s": 1} | more
    return open_platform(PlatformConfig.model_validate(given), lambda: START)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, folder: Path, *, scheme: str = "tcp", **more: Any) -> AsyncIterator[PlatformConnector]:
    """A connector to a server that does as `serve` does; the stand-in only issues what it needs."""
    ended: list[asyncio.Task[None] | None] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.current_task())
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with started(NAME, folder) as issuer:
        connector = connected(issuer, folder, url=f"{scheme}://127.0.0.1:{port}", **more)
    try:
        yield connector
    finally:
        await connector.close()
        server.close()
        await asyncio.gather(*(task for task in ended if task is not None))


def answer(qn: str, cn: str = "9014", content: str = "") -> bytes:
    return hj212.wrapped(f"QN={qn};ST=91;CN={cn};PW=123456;MN={MN};Flag=4;CP=&&{content}&&")
