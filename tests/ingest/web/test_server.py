"""The real server on a real socket: its stream, its limits, its stopping."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import selectors
import signal
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ingest.services.errors import CannotListen
from ingest.web.server import ApiServer
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.serving import served
from tests.ingest.web.stand_in import ELSEWHERE, OPERATOR, StandIn, config

STREAM = "/api/v1/alarms/stream"
DEADLINE_S = 60


@pytest.fixture
def hall() -> StandIn:
    return StandIn()


@pytest.fixture
async def server(hall: StandIn, tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with served(hall, tmp_path) as server:
        yield server


def client(server: ApiServer, token: str = OPERATOR, **headers: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}", **headers}
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=DEADLINE_S, trust_env=False)


async def events(answer: httpx.Response, count: int) -> list[tuple[str, dict[str, Any]]]:
    """The next alarm events of a stream: (id, data)."""
    found: list[tuple[str, dict[str, Any]]] = []
    number, data = "", ""
    async with asyncio.timeout(DEADLINE_S):
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                number = line[4:]
            elif line.startswith("data: "):
                data = line[6:]
            elif not line and data.startswith("{"):
                found.append((number, json.loads(data)))
                if len(found) == count:
                    return found
    raise AssertionError(f"the stream ended after {found}")


async def test_an_alarm_reaches_the_stream_as_it_is_raised(hall: StandIn, server: ApiServer) -> None:
    hall.raise_alarm(STEEL, "CO-01", "H", 25.0)  # before anyone listened: not sent again
    async with client(server) as http, http.stream("GET", STREAM) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        alarm = hall.raise_alarm(STEEL, "CO-01", "HH", 170.0)
        ((number, data),) = await events(answer, 1)
    assert number == "2"
    assert data["event"] == "raised"
    assert data["alarm"]["id"] == str(alarm.id)
    assert data["enterprise"]["name"] == "泉州宏远钢铁有限公司"
    assert data["reason"] == {"zh": "数值越过 160 ppm：高高报", "en": "The value is beyond 160 ppm: high-high"}


async def test_a_stream_goes_on_where_it_broke_off(hall: StandIn, server: ApiServer) -> None:
    for code in ("L", "LL"):
        hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", code, 0.27)
    async with client(server, **{"last-event-id": "1"}) as http, http.stream("GET", STREAM) as answer:
        ((number, _),) = await events(answer, 1)
    assert number == "2"


async def test_wherever_a_stream_is_cut_whoever_goes_on_by_its_numbers_has_seen_what_they_cover(
    hall: StandIn, server: ApiServer
) -> None:
    """Also a plain client that takes every line for itself, and does not wait for the end of an event."""
    for code in ("L", "LL"):
        hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", code, 0.27)
    sent = ""
    async with client(server, **{"last-event-id": "0"}) as http, http.stream("GET", STREAM) as answer:
        async with asyncio.timeout(DEADLINE_S):
            async for piece in answer.aiter_text():
                sent += piece
                if sent.count("event: alarm") == 2 and sent.endswith("\n\n"):
                    break
    for end in range(len(sent)):
        seen, last = 0, 0
        for line in sent[:end].splitlines()[: sent[:end].count("\n")]:  # what is cut is no line
            seen += line.startswith("data: {")
            last = int(line[4:]) if line.startswith("id: ") else last
        assert last <= seen, sent[:end]


async def test_a_number_from_a_longer_log_is_not_waited_for(hall: StandIn, server: ApiServer) -> None:
    """After a restore from backup, numbers begin lower than what browsers remember."""
    async with client(server, **{"last-event-id": "900"}) as http, http.stream("GET", STREAM) as answer:
        hall.raise_alarm(STEEL, "CO-01", "HH", 170.0)
        assert [number for number, _ in await events(answer, 1)] == ["1"]


async def test_a_stream_shows_only_plants_of_its_token(hall: StandIn, server: ApiServer) -> None:
    async with client(server, ELSEWHERE) as http, http.stream("GET", STREAM) as answer:
        hall.raise_alarm(STEEL, "CO-01", "HH", 170.0)
        hall.raise_alarm(WOOD, "HOPPER_T-01", "HH", 71.0)
        ((number, data),) = await events(answer, 1)
    assert (number, data["alarm"]["plant"]) == ("2", WOOD)


async def test_warnings_have_a_stream_of_their_own(hall: StandIn, server: ApiServer) -> None:
    """With numbers of its own, only plants of its token, and on from where it broke off."""
    path = "/api/v1/warnings/stream"
    async with client(server, ELSEWHERE) as http, http.stream("GET", path) as answer:
        hall.raise_alarm(STEEL, "CO-01", "HH", 170.0)
        hall.raise_alarm(WOOD, "HOPPER_T-01", "HH", 71.0)
        hall.pass_time(901)
        found = await events(answer, 3)
    assert [(data["event"], data["warning"]["plant"]) for _, data in found] == [
        ("raised", WOOD),
        ("reminded", WOOD),
        ("escalated", WOOD),
    ]
    async with client(server, **{"last-event-id": found[0][0]}) as http, http.stream("GET", path) as answer:
        again = await events(answer, len(hall.warned) - int(found[0][0]))
    assert [number for number, _ in again] == [str(event.seq) for event in hall.warned[int(found[0][0]) :]]


async def test_a_last_event_id_that_is_none_is_refused(server: ApiServer) -> None:
    async with client(server, **{"last-event-id": "latest"}) as http:
        assert (await http.get(STREAM)).status_code == 422


@pytest.mark.parametrize("way", ["stop", "cancel"])
async def test_the_server_stops_within_seconds_while_streams_are_open(
    hall: StandIn, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They end of themselves: nobody waits until they are cut off."""
    monkeypatch.setattr("ingest.web.server.SHUTDOWN_S", 10 * DEADLINE_S)
    server = ApiServer(hall.ports, config(tmp_path))
    server.bind()
    serving = asyncio.create_task(server.serve())
    before = signal.getsignal(signal.SIGTERM)
    async with client(server) as http, http.stream("GET", STREAM) as answer:
        reading = asyncio.create_task(answer.aread())
        if way == "stop":
            server.stop()
        else:
            serving.cancel()
        async with asyncio.timeout(DEADLINE_S):
            with contextlib.suppress(asyncio.CancelledError):
                await serving
            await reading
    assert signal.getsignal(signal.SIGTERM) is before


async def test_a_taken_address_is_reported_before_anything_starts(
    server: ApiServer, hall: StandIn, tmp_path: Path
) -> None:
    other = ApiServer(hall.ports, config(tmp_path, port=server.port))
    with pytest.raises(CannotListen, match=f"port {server.port}"):
        other.bind()


async def test_an_unreadable_certificate_is_reported_before_anything_starts(hall: StandIn, tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    with pytest.raises(CannotListen, match="No such file"):
        ApiServer(hall.ports, config(tmp_path, tls_cert=missing, tls_key=missing)).bind()


async def test_the_server_speaks_tls_and_then_marks_its_cookie_secure(hall: StandIn, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    server = ApiServer(hall.ports, config(tmp_path, tls_cert=cert, tls_key=key))
    assert server.bind().startswith("https://127.0.0.1:")
    serving = asyncio.create_task(server.serve())
    trust = ssl.create_default_context(cafile=str(cert))
    async with httpx.AsyncClient(base_url=server.url, verify=trust, trust_env=False) as http:
        answer = await http.post("/signin", data={"token": OPERATOR})
    assert "; secure" in answer.headers["set-cookie"].lower()
    server.stop()
    await serving


def certificate(home: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = home / "cert.pem", home / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


async def test_the_server_does_not_say_what_it_is(server: ApiServer) -> None:
    async with client(server) as http:
        answer = await http.get("/health/live")
    assert "server" not in answer.headers


async def test_a_session_that_ended_takes_its_stream_along(server: ApiServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=DEADLINE_S, trust_env=False) as http:
        await http.post("/signin", data={"token": OPERATOR})
        page = (await http.get("/plants")).text
        async with http.stream("GET", STREAM) as answer:
            token = page.split('name="csrf" value="')[1].split('"')[0]
            await http.post("/signout", data={"csrf": token})
            async with asyncio.timeout(DEADLINE_S):
                await answer.aread()


def test_no_answer_waits_for_the_client_to_confirm_its_beginning(hall: StandIn, tmp_path: Path) -> None:
    """Nagle's algorithm is off on what is accepted: with it each answer takes 40 ms longer than its work."""
    server = ApiServer(hall.ports, config(tmp_path))
    server.bind()
    assert server._socket is not None
    with server._socket as listening, socket.create_connection(("127.0.0.1", server.port)):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class Watched(selectors.DefaultSelector):
    """Tells when the loop waits for nothing but what comes from outside: no time of its own is due."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = threading.Event()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self.asleep.set()
        return super().select(timeout)


def test_a_server_that_nobody_asks_sleeps_until_it_is_stopped(hall: StandIn, tmp_path: Path) -> None:
    """It does not poll for its end, and ends all the same as soon as it is asked to."""
    server, selector = ApiServer(hall.ports, config(tmp_path)), Watched()
    server.bind()
    loop = asyncio.SelectorEventLoop(selector)
    serving = threading.Thread(target=lambda: loop.run_until_complete(server.serve()))
    serving.start()
    try:
        assert selector.asleep.wait(DEADLINE_S)
    finally:
        loop.call_soon_threadsafe(server.stop)
        serving.join(DEADLINE_S)
    assert not serving.is_alive()
    loop.close()


async def test_every_answer_bears_the_date_at_which_it_was_made(server: ApiServer) -> None:
    async with client(server) as http:
        before = dt.datetime.now(dt.UTC).replace(microsecond=0)
        dates = [parsedate_to_datetime((await http.get("/health/live")).headers["date"]) for _ in range(2)]
    assert before <= dates[0] <= dates[1] <= dt.datetime.now(dt.UTC)
