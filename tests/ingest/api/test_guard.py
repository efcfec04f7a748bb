"""The door keeps what browsers attach by themselves from doing anything, and says nothing of our faults."""

from __future__ import annotations

import httpx
import pytest

from tests.ingest.api.conftest import Ask
from tests.ingest.api.serving import Clock
from tests.ingest.api.stand_in import OPERATOR, STEEL, StandIn


async def signed_in(ask: Ask, token: str = OPERATOR) -> httpx.AsyncClient:
    client = ask(None)
    answer = await client.post("/signin", data={"token": token})
    assert answer.status_code == 303
    return client


def form_token(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(ask: Ask) -> None:
    answer = await ask(None).post("/signin", data={"token": OPERATOR})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert OPERATOR not in cookie


async def test_a_form_without_its_session_token_does_nothing(hall: StandIn, ask: Ask) -> None:
    client = await signed_in(ask)
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    refused = await client.post(f"/alarms/{alarm.id}/acknowledge", data={"csrf": "guess"})
    assert refused.status_code == 403
    assert hall.book[alarm.id].acked is None
    token = form_token((await client.get(f"/alarms/{alarm.id}")).text)
    taken = await client.post(f"/alarms/{alarm.id}/acknowledge", data={"csrf": token, "comment": " 已通风 "})
    assert taken.status_code == 303
    assert hall.book[alarm.id].comment == "已通风"
    assert hall.book[alarm.id].acked_by == "中控室 王建国"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
    ],
)
async def test_a_form_from_elsewhere_does_nothing(headers: dict[str, str], ask: Ask) -> None:
    client = await signed_in(ask)
    token = form_token((await client.get("/plants")).text)
    assert (await client.post("/signout", data={"csrf": token}, headers=headers)).status_code == 403
    assert (await client.post("/signin", data={"token": OPERATOR}, headers=headers)).status_code == 403
    assert (await client.get("/plants")).status_code == 200


async def test_a_cookie_reads_the_api_but_never_acts_on_it(hall: StandIn, ask: Ask) -> None:
    client = await signed_in(ask)
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    assert (await client.get("/api/v1/plants")).status_code == 200
    assert (await client.post(f"/api/v1/alarms/{alarm.id}/acknowledge", json={})).status_code == 401
    assert hall.book[alarm.id].acked is None


async def test_signing_out_ends_the_session_not_only_the_cookie(ask: Ask) -> None:
    client = await signed_in(ask)
    kept = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    token = form_token((await client.get("/plants")).text)
    assert (await client.post("/signout", data={"csrf": token})).status_code == 303
    assert (await ask(None).get("/plants", headers={"cookie": kept})).status_code == 401


async def test_a_session_ends_after_twelve_hours(ask: Ask, clock: Clock) -> None:
    client = await signed_in(ask)
    clock.now += 12 * 3600 - 1
    assert (await client.get("/plants")).status_code == 200
    clock.now += 1
    assert (await client.get("/plants")).status_code == 401


async def test_guessing_is_slowed_down_and_forgiven_after_a_minute(ask: Ask, clock: Clock) -> None:
    client = ask(None)
    for _ in range(5):
        assert (await client.post("/signin", data={"token": "guess"})).status_code == 401
    braked = await client.post("/signin", data={"token": OPERATOR})
    assert braked.status_code == 429
    assert 0 < int(braked.headers["retry-after"]) <= 61
    clock.now += 61
    assert (await client.post("/signin", data={"token": OPERATOR})).status_code == 303


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example", "/\tx", ""])
async def test_signing_in_never_leads_to_another_site(onward: str, ask: Ask) -> None:
    answer = await ask(None).post("/signin", data={"token": OPERATOR, "onward": onward})
    assert answer.headers["location"] == "/"


async def test_signing_in_leads_on_to_what_was_asked_for(ask: Ask) -> None:
    page = await ask(None).get("/alarms?level=2")
    assert page.status_code == 401
    assert 'name="onward" value="/alarms?level=2"' in page.text


@pytest.mark.parametrize("path", ["/alarms", "/signin", "/static/console.css", "/api/v1/plants", "/health/live", "/x"])
async def test_every_answer_carries_the_security_headers(path: str, ask: Ask) -> None:
    for token in (OPERATOR, None):
        headers = (await ask(token).get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "cache-control" in headers
    assert (await ask(OPERATOR).get("/alarms")).headers["cache-control"] == "no-store"


async def test_a_body_too_large_is_refused_with_or_without_its_length(hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    path = f"/api/v1/alarms/{alarm.id}/acknowledge"

    async def pieces() -> object:
        for _ in range(100):
            yield b" " * 1000

    assert (await ask(OPERATOR).post(path, content=b" " * 70_000)).status_code == 413
    assert (await ask(OPERATOR).post(path, content=pieces())).status_code == 413  # type: ignore[arg-type]
    assert hall.book[alarm.id].acked is None


async def test_a_fault_of_ours_tells_the_caller_nothing_of_it(hall: StandIn, ask: Ask) -> None:
    hall.positions = None  # type: ignore[assignment]
    answer = await ask(OPERATOR).get("/api/v1/gateways")
    assert answer.status_code == 500
    assert answer.json() == {"type": "about:blank", "title": "Internal error", "status": 500}
    page = await ask(OPERATOR).get("/gateways")
    assert page.status_code == 500
    assert "Traceback" not in page.text
    assert "NoneType" not in page.text
