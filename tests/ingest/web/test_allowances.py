"""A token that runs wild fills neither disk nor records, and holds up nobody else; an alarm can always be answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from ingest.domain.cases.config import CasesConfig
from ingest.domain.model.alarm import AlarmState
from ingest.services.allowances import DAY_S, Allowance, Allowances
from ingest.services.errors import TooManyRequests
from ingest.web.app import build_api
from tests.ingest.web.case_books import MAX_EVIDENCE
from tests.ingest.web.made_up_plants import STEEL, WOOD
from tests.ingest.web.serving import Clock
from tests.ingest.web.stand_in import ADMIN, OPERATOR, StandIn, config

PNG = b"\x89PNG\r\n\x1a\n" + bytes(MAX_EVIDENCE - 8)
HAZARD = {"plant": WOOD, "title": "灰斗积灰", "description": "厚度超过 3 mm", "place": "布袋除尘器"}


def client(app: FastAPI, token: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing", headers=headers)


@pytest.fixture
def limited(hall: StandIn, clock: Clock, tmp_path: Any) -> FastAPI:
    """Three files, or five acts, a day and token; room for eight files in all."""
    size = MAX_EVIDENCE / 2**20
    bounds = CasesConfig(acts_a_day=5, evidence_mb_a_day=3 * size, evidence_gb=8 * size / 1024, max_evidence_mb=size)
    hall.cases = replace(hall.cases, allowances=Allowances.of(bounds, clock))
    return build_api(hall.ports, config(tmp_path), closing=lambda: True)


async def hand_in(as_one: httpx.AsyncClient, number: int, name: str = "a") -> httpx.Response:
    content = PNG[:-8] + number.to_bytes(8, "big")
    return await as_one.post("/api/v1/evidence", data={"plant": STEEL}, files={"file": (name, content, "image/png")})


async def test_a_flood_of_files_ends_at_what_a_token_may_in_a_day(
    limited: FastAPI, hall: StandIn, clock: Clock
) -> None:
    """Refused before it is on disk; others go on, and a third of a day later there is room for another."""
    async with client(limited, OPERATOR) as async_client, client(limited, ADMIN) as other:
        answers = [await hand_in(async_client, number) for number in range(25)]
        assert [answer.status_code for answer in answers] == [201] * 3 + [429] * 22
        assert "MiB of evidence" in answers[-1].json()["detail"]
        assert "cases.evidence_mb_a_day" in answers[-1].json()["detail"]
        assert int(answers[-1].headers["retry-after"]) == round(DAY_S / 3)
        assert len([path for path in hall.cases.config.evidence.rglob("*") if path.is_file()]) == 3
        assert (await hand_in(other, 100)).status_code == 201
        clock.now += DAY_S / 3 + 1
        assert [(await hand_in(async_client, number)).status_code for number in (200, 201)] == [201, 429]


async def test_a_file_handed_in_again_is_kept_once_and_counted_once(
    limited: FastAPI, hall: StandIn, clock: Clock
) -> None:
    """By the token's day and by the room for all; under whatever name, by whomever. Each handing-in is on record."""
    async with client(limited, OPERATOR) as async_client, client(limited, ADMIN) as other:
        again = [
            await hand_in(who, 0, name)
            for who, name in [(async_client, "a"), (async_client, "b"), (async_client, "a"), (other, "c")]
        ]
        assert [answer.status_code for answer in again] == [201] * 4
        assert len({answer.json()["id"] for answer in again}) == 4
        assert [(await hand_in(async_client, number)).status_code for number in (1, 2, 3)] == [201, 201, 429]
        clock.now += DAY_S
        assert [(await hand_in(async_client, number)).status_code for number in (3, 4, 5)] == [201] * 3
        clock.now += DAY_S
        assert [(await hand_in(async_client, number)).status_code for number in (6, 7, 8, 0)] == [201, 201, 503, 201]


async def test_evidence_has_so_much_room_whoever_hands_it_in(limited: FastAPI, hall: StandIn, clock: Clock) -> None:
    async with client(limited, OPERATOR) as async_client:
        answers = []
        for number in range(10):
            answers.append(await hand_in(async_client, number))
            clock.now += DAY_S
    assert [answer.status_code for answer in answers] == [201] * 8 + [503] * 2
    assert "cases.evidence_gb" in answers[-1].json()["detail"]


async def test_records_of_all_kinds_count_and_answering_an_alarm_never_does(limited: FastAPI, hall: StandIn) -> None:
    alarms = [alarm for alarm in hall.book.values() if alarm.state is AlarmState.UNACKNOWLEDGED]
    async with client(limited, OPERATOR) as async_client:
        found = [(await async_client.post("/api/v1/hazards", json=HAZARD)).status_code for _ in range(8)]
        assert found == [201] * 5 + [429] * 3
        path = f"/api/v1/alarms/{alarms[0].id}"
        assert (await async_client.post(f"{path}/comment", json={"comment": "到场"})).status_code == 429
        assert (await async_client.post(f"{path}/acknowledge")).status_code == 200
    async with client(limited, ADMIN) as other:
        assert (await other.post("/api/v1/hazards", json=HAZARD)).status_code == 201


def test_what_was_used_comes_back_evenly_and_never_more_than_a_day(clock: Clock) -> None:
    allowance = Allowance("acts", "cases.acts_a_day", 24, clock)
    for _ in range(3):
        for _ in range(24):
            allowance.take("a")
        with pytest.raises(TooManyRequests):
            allowance.take("a")
        clock.now += 3600 + 1
        allowance.take("a")
        with pytest.raises(TooManyRequests):
            allowance.take("a")
        clock.now += 30 * DAY_S
