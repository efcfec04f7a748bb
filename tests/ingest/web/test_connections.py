"""Nobody keeps others out of the API by being connected: clients that say nothing, too little, or take too long."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import numpy as np
import pytest

from ingest.base.telemetry import REGISTRY
from ingest.web.connections import RESERVE, Connections, Place, Reason
from ingest.web.server import ApiServer
from tests.ingest.web.serving import served
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn
from tests.ingest.web.test_server import certificate

STREAM = "/api/v1/alarms/stream"
DEADLINE_S = 20
HEALTH = ("/health/live", "/health/ready")


def ended(reason: Reason) -> float:
    """How many connections were refused or closed for that reason, as the counter has it."""
    return REGISTRY.get_sample_value("yujing_connections_ended_total", {"reason": reason}) or 0.0


@asynccontextmanager
async def silent(
    server: ApiServer, count: int, address: str = "127.0.0.1"
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """So many connections that say nothing."""
    mine = (address, 0)
    pairs = [await asyncio.open_connection("127.0.0.1", server.port, local_addr=mine) for _ in range(count)]
    try:
        yield [reader for reader, _ in pairs]
    finally:
        for _, writer in pairs:
            writer.close()


async def closed(reader: asyncio.StreamReader) -> None:
    """Wait until the server has closed a connection."""
    async with asyncio.timeout(DEADLINE_S):
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            return


def tls(folder: Path, kind: str) -> tuple[dict[str, Any], ssl.SSLContext | bool]:
    """Settings of a server with a certificate of its own or none, and what a client trusts."""
    if kind == "http":
        return {}, True
    cert, key = certificate(folder)
    return {"tls_cert": cert, "tls_key": key}, ssl.create_default_context(cafile=str(cert))


@pytest.mark.parametrize("kind", ["http", "https"])
async def test_connections_that_say_nothing_keep_nobody_out(tmp_path: Path, kind: str) -> None:
    settings, trust = tls(tmp_path, kind)
    before = ended("full")
    async with (
        served(StandIn(), tmp_path, **settings, max_connections=8) as server,
        silent(server, 40),
        httpx.AsyncClient(base_url=server.url, verify=trust, trust_env=False, timeout=DEADLINE_S) as http,
    ):
        for _ in range(3):
            for path in (*HEALTH, "/api/v1/plants"):
                headers = {"authorization": f"Bearer {OPERATOR}", "connection": "close"}
                assert (await http.get(path, headers=headers)).status_code == 200
    assert ended("full") > before


async def test_who_opens_many_connections_loses_his_own(tmp_path: Path) -> None:
    """The one who came first, and has only one, keeps it however many another opens."""
    async with (
        served(StandIn(), tmp_path, max_connections=8) as server,
        silent(server, 1) as (mine,),
        silent(server, 40, "127.0.0.2") as theirs,
    ):
        for reader in theirs[:32]:
            await closed(reader)
        assert not mine.at_eof()
        assert len(server._connections.open) == 8


async def test_while_all_connections_are_busy_health_is_answered_and_others_get_503(tmp_path: Path) -> None:
    """Eight streams hold all places; when one has ended, the same connection serves everything."""
    async with (
        served(StandIn(), tmp_path, max_connections=8) as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=DEADLINE_S) as http,
        AsyncExitStack() as streams,
    ):
        for number in range(8):
            token = (OPERATOR, INSPECTOR, ADMIN, ELSEWHERE)[number % 4]
            async_client = httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=DEADLINE_S)
            await streams.enter_async_context(async_client)
            stream = async_client.stream("GET", STREAM, headers={"authorization": f"Bearer {token}"})
            await streams.enter_async_context(stream)
        for path in HEALTH:
            assert (await http.get(path)).status_code == 200
        mine = {"authorization": f"Bearer {OPERATOR}"}
        refused = await http.get("/api/v1/plants", headers=mine)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["detail"] == "all connections are in use now"
        await streams.aclose()
        async with asyncio.timeout(DEADLINE_S):
            while (await http.get("/api/v1/plants", headers=mine)).status_code != 200:
                await asyncio.sleep(0.05)


async def test_connections_without_a_place_are_refused_and_counted(tmp_path: Path) -> None:
    before = ended("refused")
    async with served(StandIn(), tmp_path, max_connections=8) as server:
        for _ in range(8 + RESERVE):
            place = server._connections.enter(transport("10.0.0.7"))
            assert place is not None
            server._connections.mark_busy(place)
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
            answer = await http.get("/health/live")
    assert (answer.status_code, answer.text) == (503, "all connections are in use now")
    assert ended("refused") > before


HEAD = b"POST /signin HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    ("reason", "first", "drop"),
    [
        ("head", b"", b""),
        ("head", b"GET /health/live HTTP/1.1\r\n", b"x: y\r\n"),
        ("head", b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n", b"GET / HTTP/1.1\r\n"),
        ("body", HEAD + b"content-length: 5000\r\n\r\n", b"t"),
        ("body", HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nt\r\n"),
    ],
)
async def test_who_sends_a_drop_at_a_time_is_closed(tmp_path: Path, reason: Reason, first: bytes, drop: bytes) -> None:
    before = ended(reason)
    async with served(StandIn(), tmp_path, patience_s=0.2) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        end = asyncio.create_task(closed(reader))
        writer.write(first)
        while drop and not end.done():
            await asyncio.wait([end], timeout=0.02)
            writer.write(drop)
        await end
        writer.close()
    assert ended(reason) == before + 1


async def test_who_says_nothing_of_tls_is_closed(tmp_path: Path) -> None:
    settings, _ = tls(tmp_path, "https")
    before = ended("handshake")
    async with served(StandIn(), tmp_path, patience_s=0.2, **settings) as server, silent(server, 1) as (reader,):
        await closed(reader)
        assert ended("handshake") == before + 1
        assert not server._connections.open


async def test_who_does_not_read_is_closed(tmp_path: Path) -> None:
    """Many requests at once, no answer read: what waits for the reader is not kept for ever."""
    before = ended("reader")
    async with served(StandIn(), tmp_path, patience_s=0.2) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /static/console.css HTTP/1.1\r\nhost: x\r\n\r\n" * 1200)
            async with asyncio.timeout(DEADLINE_S):
                while ended("reader") == before:
                    await asyncio.sleep(0.02)
        assert not server._connections.open


async def test_streams_and_honest_uploads_outlast_every_patience(tmp_path: Path) -> None:
    async with (
        served(StandIn(), tmp_path, patience_s=0.1) as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=DEADLINE_S) as http,
        http.stream("GET", STREAM, headers={"authorization": f"Bearer {OPERATOR}"}) as answer,
    ):
        reading = asyncio.create_task(answer.aread())

        async def slowly() -> AsyncIterator[bytes]:
            for _ in range(3):
                await asyncio.sleep(0.05)
                yield b"x" * 20_000

        sent = await http.post("/signin", content=slowly(), headers={"content-length": "60000"})
        assert sent.status_code != 408
        assert not (await asyncio.wait([reading], timeout=0.5))[0]
        reading.cancel()


async def test_slow_sign_ins_hold_up_nobodys(tmp_path: Path) -> None:
    async with served(StandIn(), tmp_path) as server:
        pairs = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(12)]
        for _, writer in pairs:
            writer.write(HEAD + b"content-length: 100\r\n\r\ntoken=")
        async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=5) as http:
            assert (await http.post("/signin", data={"token": OPERATOR})).status_code == 303
        for _, writer in pairs:
            writer.close()


async def test_places_follow_a_plain_model() -> None:
    """Random arrivals, work, tokens, ends: nobody has to go without need, and then always the right one."""
    chance = np.random.default_rng(5)
    most = 12
    for _ in range(20):
        connections = Connections(most)
        idle: list[Place] = []  # longest first
        working: list[Place] = []
        for _ in range(400):
            here = [*idle, *working]
            chosen = here[chance.integers(len(here))] if here else None
            act = chance.integers(8)
            if act < 4:
                enters, may_go = who_goes(idle, working, most)
                place = connections.enter(transport(f"10.0.0.{chance.integers(7, 10)}"))
                gone = [p for p in here if p not in connections.open]
                assert (place is not None) == enters
                assert gone in ([[place] for place in may_go] or [[]])
                assert all(p.transport.abort.called for p in gone)  # type: ignore[attr-defined]
                idle = [p for p in idle if p not in gone] + [place] * (place is not None)  # type: ignore[list-item]
            elif chosen is not None:
                idle, working = [p for p in idle if p is not chosen], [p for p in working if p is not chosen]
                if act == 4:
                    connections.mark_busy(chosen)
                    working.append(chosen)
                elif act == 5:
                    connections.mark_known(chosen)
                    working.append(chosen)
                elif act == 6:
                    connections.mark_idle(chosen)
                    idle.append(chosen)
                else:
                    connections.leave(chosen)
            assert connections.open == {*idle, *working}
            assert len(connections.open) <= most + RESERVE


def who_goes(idle: list[Place], working: list[Place], most: int) -> tuple[bool, list[Place]]:
    """Whether somebody new is let in, and who may have to go for it: the longest idle of each of the largest crowds."""
    if len(idle) + len(working) < most:
        return True, []
    strangers = [p for p in idle if not p.known and not p.reserved]
    crowds = Counter(p.address for p in strangers)
    largest = [address for address, count in crowds.items() if count == max(crowds.values())]
    known = [p for p in idle if p.known and not p.reserved]
    if strangers or known:
        return True, [next(p for p in strangers if p.address == address) for address in largest] or known[:1]
    if len(idle) + len(working) < most + RESERVE:
        return True, []
    reserved = [p for p in idle if p.reserved]
    return bool(reserved), reserved[:1]


def transport(address: str) -> asyncio.Transport:
    """One end of a connection from there."""
    return Mock(spec=asyncio.Transport, **{"get_extra_info.return_value": (address, 1)})
