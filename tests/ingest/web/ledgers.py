"""Ledgers of the made-up instruments, opened as the service does it, and what is entered in them over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx

from ingest.domain.cases.ledger import ledger_of
from ingest.domain.model.plant import Confidence, InstrumentPoint, Point, Rule
from ingest.domain.model.text import Text
from ingest.plants.view import Latest
from ingest.runtime.instrument_automation import InstrumentAutomation
from tests.ingest.web.stand_in import StandIn

PDF = b"%PDF-1.7 a certificate"


async def check_instruments(hall: StandIn) -> list[tuple[int, float]]:
    """Let the automation run once, as after a start; return what it passes on to the engine."""
    passed: list[tuple[int, float]] = []
    work = InstrumentAutomation(
        hall.cases.store,
        hall.cases.instruments,
        hall,
        hall.configuration,
        passed.extend,
        hall.cases.config,
        lambda: hall.time,
    )
    await work.run_once()
    return passed


def key_of(hall: StandIn, plant: str, instrument: str) -> UUID:
    """The id of an instrument's ledger."""
    return next(ledger_of(known) for known in hall.known.instruments[plant] if known.id == instrument)


async def certificate(client: httpx.AsyncClient, plant: str) -> str:
    """Hand a certificate in; return its id."""
    file = {"file": ("检定证书.pdf", PDF, "application/pdf")}
    answer = await client.post("/api/v1/evidence", data={"plant": plant}, files=file)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def take(client: httpx.AsyncClient, ledger: UUID, step: str, **form: Any) -> httpx.Response:
    """Take a step of a ledger as it stands."""
    shown = (await client.get(f"/api/v1/instruments/{ledger}")).json()
    return await client.post(f"/api/v1/instruments/{ledger}/{step}", json={"version": shown["version"], **form})


def put_in_place(hall: StandIn, plant: str, instrument: str, serial: str) -> None:
    """The plant file names another device in an instrument's place."""
    changed = tuple(
        replace(known, serial=serial) if known.id == instrument else known for known in hall.known.instruments[plant]
    )
    instruments = {**hall.known.instruments, plant: changed}
    hall.known = replace(hall.known, version=hall.known.version + 1, instruments=instruments)


def overdue(hall: StandIn, plant: str, instrument: str, check: InstrumentPoint, days: float) -> None:
    """The service's own point of a check says that it is overdue for so many days."""
    index = len(hall.known.points)
    name = Text("一氧化碳探头 检定校准", "Carbon monoxide head calibration")
    title, why = (
        Text("一氧化碳探头 检定校准 已逾期", "Carbon monoxide head calibration overdue"),
        Text("逾期", "overdue"),
    )
    rule = Rule(
        plant,
        check.of(instrument),
        "OVERDUE",
        "limit",
        1,
        1.0,
        "d",
        title,
        None,
        "",
        Confidence.ENGINEERING_DEFAULT,
        why,
    )
    own = Point(index, plant, check.of(instrument), check.signal, name, "d", None, "", 0.0, 1e5, 1e6, None, (rule,), ())
    of = hall.known.plants[plant]
    plants = {**hall.known.plants, plant: replace(of, points=(*of.points, own))}
    hall.known = replace(hall.known, plants=plants, points=(*hall.known.points, own))
    hall.values[index] = Latest(hall.time, days, 0, stale=False)
