"""The door keeps what browsers attach by themselves from doing anything, and says nothing of our faults."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from ingest.base.config import Secret
from ingest.plants.saved_files import SavedFiles
from ingest.services.access import TokenStore
from ingest.services.config import TokenConfig
from ingest.web.app import build_api
from ingest.web.guard import SESSION_COOKIE
from ingest.web.session_store import SessionStore
from ingest.web.sessions import Sessions
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import SECOND, STEEL
from tests.ingest.web.serving import Clock
from tests.ingest.web.stand_in import INSPECTOR, OPERATOR, StandIn, config


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


async def test_a_browser_that_signs_in_anew_leaves_no_session_behind(ask: Ask) -> None:
    browser = await signed_in(ask)
    first = browser.cookies[SESSION_COOKIE]
    await browser.post("/signin", data={"token": INSPECTOR})
    second = browser.cookies[SESSION_COOKIE]
    statuses = [
        (await ask(None).get("/api/v1/plants", headers={"cookie": f"{SESSION_COOKIE}={key}"})).status_code
        for key in (first, second)
    ]
    assert statuses == [401, 200]


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


def client_of(hall: StandIn, home: Path, clock: Clock) -> httpx.AsyncClient:
    """A browser at a service that was started again on the same folder."""
    kept = SavedFiles(home / "sessions")
    app = build_api(hall.ports, config(home), closing=lambda: True, clock=clock, kept=kept)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing.test")


async def test_a_restart_signs_nobody_out(hall: StandIn, tmp_path: Path, clock: Clock) -> None:
    """Pages that stand open go on, forms on them too; who signed out stays so; a session ends when it would have."""
    async_client = client_of(hall, tmp_path, clock)
    await async_client.post("/signin", data={"token": OPERATOR})
    token = form_token((await async_client.get("/alarms")).text)
    cookies = dict(async_client.cookies)
    (file,) = (tmp_path / "sessions").iterdir()
    assert not any(value in file.read_text() for value in (*cookies.values(), token, OPERATOR))
    assert file.stat().st_mode & 0o777 == 0o600
    hall.time, clock.now = hall.time + 11 * 3600 * SECOND, 7.0  # the machine was started anew: its clock begins at 0
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    other = client_of(hall, tmp_path, clock)
    other.cookies.update(cookies)
    assert (await other.post(f"/alarms/{alarm.id}/acknowledge", data={"csrf": token})).status_code == 303
    assert hall.book[alarm.id].acked_by == "中控室 王建国"
    clock.now += 3599
    assert (await other.get("/alarms")).status_code == 200
    clock.now += 1
    assert (await other.get("/alarms")).status_code == 401
    clock.now -= 1
    await other.post("/signout", data={"csrf": token})
    again = client_of(hall, tmp_path, clock)
    again.cookies.update(cookies)
    assert (await again.get("/alarms")).status_code == 401


@pytest.mark.parametrize("change", ["none", "secret", "gone", "damage"])
def test_a_restart_ends_the_sessions_of_a_token_that_is_another(tmp_path: Path, clock: Clock, change: str) -> None:
    """And everybody's, but not the service, where what was kept cannot be read."""
    tokens, files = config(tmp_path).tokens, SavedFiles(tmp_path / "sessions")

    def started() -> Sessions:
        return Sessions(clock, SessionStore(files, TokenStore(tokens), lambda: int(clock() * SECOND)))

    principal = TokenStore(tokens).find(OPERATOR)
    assert principal is not None
    session = started().begin(principal)
    if change == "secret":
        (tmp_path / "token-0").write_text("a new secret of the same name")
    elif change == "gone":
        tokens = tokens[1:]
    elif change == "damage":
        (tmp_path / "sessions" / "sessions.json").write_text("[{")
    assert started().find(session.id) == (session if change == "none" else None)


def done(hall: StandIn) -> int:
    """Acts in the trail, but what was denied."""
    return sum(row.act.kind != "access" for row in hall.trail)


async def test_a_display_shows_everything_for_good_and_does_nothing(
    hall: StandIn, tmp_path: Path, clock: Clock
) -> None:
    """Whoever stands before it: no form of it does anything, nor does its token anywhere in the API."""
    (tmp_path / "wall").write_text("token-of-the-wall-display")
    wall = TokenConfig(name="大屏", role="display", token=Secret(file=tmp_path / "wall"))
    settings = config(tmp_path)
    settings = settings.model_copy(update={"tokens": (*settings.tokens, wall)})
    app = build_api(hall.ports, settings, closing=lambda: True, clock=clock)
    bearer = {"authorization": "Bearer token-of-the-wall-display"}
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing.test") as page,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing.test", headers=bearer) as api,
    ):
        cookie = (await page.post("/signin", data={"token": "token-of-the-wall-display"})).headers["set-cookie"]
        assert "Max-Age=31536000" in cookie
        alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
        before = len(hall.log), done(hall), dict(hall.book)
        clock.now += 300 * 86_400
        for path in (
            "/alarms",
            f"/alarms/{alarm.id}",
            "/warnings",
            f"/warnings/{hall.warned[-1].warning.id}",
            "/plants",
        ):
            answer = await page.get(path)
            assert answer.status_code == 200
            posts = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', answer.text)
            assert set(posts) == {"/language", "/signout"}, path
        token = form_token(answer.text)
        posts = sorted(
            str(context.path) for context in iter_route_contexts(app.routes) if "POST" in (context.methods or ())
        )
        assert len(posts) > 60
        for path in posts:
            if path not in {"/signin", "/signout", "/language"}:
                where = re.sub(r"{\w+}", str(alarm.id), path)
                assert (await api.post(where, json={"comment": "x"})).status_code == 403, path
                if not path.startswith("/api/"):
                    assert (await page.post(where, data={"comment": "x", "csrf": token})).status_code == 403, path
        assert (len(hall.log), done(hall), hall.book) == before


async def test_a_form_sent_after_the_session_ended_is_reported_as_not_done(hall: StandIn, ask: Ask) -> None:
    """And it leads back to the page that the form was on. A form of an earlier session is reported as such."""
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    page, headers = f"/alarms/{alarm.id}", {"referer": f"http://yujing.test/alarms/{alarm.id}"}
    ended = await ask(None).post(f"{page}/comment", data={"csrf": "x", "comment": "已撤人"}, headers=headers)
    assert ended.status_code == 401
    assert "没有完成：登录已失效" in ended.text
    assert f'name="onward" value="{page}"' in ended.text
    assert "没有完成：" not in (await ask(None).get(page)).text
    client = await signed_in(ask)
    token = form_token((await client.get(page)).text)
    await client.post("/signin", data={"token": OPERATOR})
    anew = await client.post(f"{page}/comment", data={"csrf": token, "comment": "已撤人"}, headers=headers)
    assert anew.status_code == 403
    assert "没有完成：打开此表单之后又重新登录过" in anew.text
    assert f'href="{page}"' in anew.text
    assert hall.book[alarm.id].comment is None


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


@pytest.mark.parametrize("secure", [False, True])
async def test_over_https_browsers_get_strict_transport_security(
    hall: StandIn, tmp_path: Path, *, secure: bool
) -> None:
    app = build_api(hall.ports, config(tmp_path, secure_cookies=secure))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing.test") as client:
        for path in ("/signin", "/plants", "/health/live"):
            assert ("strict-transport-security" in (await client.get(path)).headers) is secure


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
