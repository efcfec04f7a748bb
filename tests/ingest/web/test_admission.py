"""Guessing is braked wherever tokens are tried, and brakes nobody else."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from ingest.services.access import Principal, TokenStore
from ingest.services.errors import TooManyGuesses
from ingest.web.admission import GUESSES, GUESSES_OF_PREFIX, WINDOW_S, Admission
from ingest.web.app import build_api
from ingest.web.proxies import Proxies
from ingest.web.sessions import MOST_OF_TOKEN, Sessions
from tests.ingest.web.serving import Clock
from tests.ingest.web.stand_in import ADMIN, INSPECTOR, OPERATOR, StandIn, config

HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(tmp_path: Path, clock: Clock) -> Admission:
    return Admission(TokenStore(config(tmp_path).tokens), clock)


def waits(admission: Admission, client: str, token: str) -> int:
    try:
        admission.admit(client, token)
    except TooManyGuesses as braked:
        return braked.wait_s
    return 0


def test_a_right_token_between_the_guesses_forgives_none_of_them(admission: Admission, clock: Clock) -> None:
    for number in range(GUESSES_OF_PREFIX):
        assert admission.admit(HERE, f"{ADMIN[:6]}{number}") is None
        assert admission.admit(HERE, OPERATOR) is not None, "the guesser's own token"
    assert 0 < waits(admission, HERE, ADMIN) <= WINDOW_S + 1, "also the right one: that tells a guesser nothing"
    clock.now += WINDOW_S + 1
    assert admission.admit(HERE, ADMIN) is not None


def test_who_was_let_in_is_not_locked_out_by_others_behind_the_same_address(admission: Admission) -> None:
    assert admission.admit(HERE, OPERATOR) is not None
    for number in range(GUESSES + 9):
        waits(admission, HERE, f"{number:04} guess")
    assert waits(admission, HERE, INSPECTOR), "was never here"
    for number in range(GUESSES_OF_PREFIX + 9):
        waits(admission, HERE, f"{OPERATOR[:4]}{number}")
    assert waits(admission, HERE, OPERATOR) == 0
    assert waits(admission, ELSEWHERE, INSPECTOR) == 0


def test_one_who_mistypes_keeps_only_himself_waiting(admission: Admission) -> None:
    for number in range(GUESSES_OF_PREFIX):
        assert admission.admit(HERE, f"{ADMIN[:6]}{number}") is None
    assert waits(admission, HERE, ADMIN)
    assert waits(admission, HERE, OPERATOR) == waits(admission, HERE, INSPECTOR) == 0


def test_a_client_with_an_old_token_keeps_nobody_out(admission: Admission) -> None:
    for _ in range(10 * GUESSES):
        assert admission.admit(HERE, f"{ADMIN[:4]} of last year") is None
    assert waits(admission, HERE, ADMIN) == 0


def test_all_addresses_of_one_ipv6_subscriber_are_one_place(admission: Admission) -> None:
    for number in range(GUESSES_OF_PREFIX):
        admission.admit(f"2001:db8::{number}", f"{ADMIN[:4]}{number}")
    assert waits(admission, "2001:db8::9", ADMIN)
    assert waits(admission, "2001:db8:0:1::9", ADMIN) == 0


def test_what_is_remembered_of_guessers_is_bounded(admission: Admission) -> None:
    for number in range(30_000):
        admission.admit(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"{number:04} guess")
    remembered = admission._by_prefix._guessed, admission._overall._guessed
    assert [len(keys) for keys in remembered] == [2_000, 2_000]


async def test_bearer_tokens_are_guessed_no_faster_than_at_the_sign_in_page(hall: StandIn, tmp_path: Path) -> None:
    app = build_api(hall.ports, config(tmp_path, trusted_proxies=["127.0.0.1"]), clock=Clock())
    for number in range(GUESSES_OF_PREFIX):
        assert (await asked(app, f"{ADMIN[:4]}{number}", HERE)).status_code == 401
    braked = await asked(app, ADMIN, HERE)
    assert braked.status_code == 429
    assert 0 < int(braked.headers["retry-after"]) <= WINDOW_S + 1
    assert (await asked(app, ADMIN, ELSEWHERE)).status_code == 200, "another address behind the same proxy"
    signed = await asked(app, None, HERE, {"token": ADMIN})
    assert signed.status_code == 429, "they count together"
    assert signed.headers["retry-after"] == braked.headers["retry-after"]


async def asked(app: FastAPI, bearer: str | None, forwarded: str, form: dict[str, str] | None = None) -> httpx.Response:
    headers = {"x-forwarded-for": forwarded} | ({"authorization": f"Bearer {bearer}"} if bearer else {})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("127.0.0.1", 1)), base_url="http://yujing.test", headers=headers
    ) as client:
        return await (client.get("/api/v1/plants") if form is None else client.post("/signin", data=form))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),  # what the client wrote itself is not asked
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("203.0.113.1", ["10.0.0.1"], "203.0.113.1"),  # no proxy of ours
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
    ],
)
def test_only_a_trusted_proxy_says_where_a_request_comes_from(peer: str, forwarded: list[str], client: str) -> None:
    assert Proxies([ip_network("10.0.0.0/24")]).client(peer, forwarded) == client


def test_a_token_that_signs_in_without_end_ends_its_own_sessions_only(clock: Clock) -> None:
    sessions = Sessions(clock)
    other = sessions.begin(Principal("admin", "admin", None))
    own = [sessions.begin(Principal("weak", "operator", frozenset())) for _ in range(1500)]
    assert sessions.find(other.id) is not None
    assert [sessions.find(session.id) is not None for session in own] == [False] * (1500 - MOST_OF_TOKEN) + [
        True
    ] * MOST_OF_TOKEN


def test_signing_in_again_in_one_browser_ends_no_other_browsers_session(clock: Clock) -> None:
    sessions, shift = Sessions(clock), Principal("control room", "operator", None)
    others = [sessions.begin(shift) for _ in range(MOST_OF_TOKEN - 1)]
    own = [sessions.begin(shift)]
    for _ in range(MOST_OF_TOKEN):
        own.append(sessions.begin(shift, instead_of=own[-1].id))
    assert all(sessions.find(other.id) for other in others)
    assert [sessions.find(session.id) is not None for session in own] == [False] * MOST_OF_TOKEN + [True]
