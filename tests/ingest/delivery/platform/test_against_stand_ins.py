"""Alarms and readings reach each platform, whatever it does; the stand-ins were written apart from our sender."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_sim.provinces import STAND_INS
from gateway_sim.stand_in import Mode, StandIn
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.loading import shipped
from ingest.delivery.platform.opening import open_platform
from ingest.delivery.sender import OutboxSender
from ingest.domain.model.alarm import AlarmEventKind
from tests.ingest.delivery.outbox import (
    PLANT,
    START,
    Clock,
    MemoryOutbox,
    alarm_message,
    hurry,
    readings_message,
    running,
)
from tests.ingest.delivery.platform.profiles import profile
from tests.ingest.delivery.platform.stand_ins import code_of, settings_for, started

POINTS = ("CW_IN_P-01", "CAST_LEN-01", "P-1", "P-2")
MARKS = {"isConnectDataSource", "connected"}
PLACES = {"tianjin-dust-sm4": "quotaId", "hebei-dust-v1.1": "oname", "steel-module": "bitNo", "generic-json": "point"}


def alarms_at(platform: StandIn, field: str) -> list[str]:
    """The points of all alarm events that were taken, in order."""
    found = []
    for content in platform.received:
        inner = content.get("data", content)
        items = inner.get("events", inner.get("datas", inner.get("items", [])))
        found += [item[field] for item in items if item.keys() & {"scd", "alarmValue", "eventId", "alarm"}]
    return found


def test_every_shipped_profile_has_its_stand_in() -> None:
    """Those that take alarms are all in the round trip below; `test_frames.py` has the others."""
    assert sorted(STAND_INS) == sorted(shipped())
    assert sorted(PLACES) == [name for name in sorted(shipped()) if profile(name).alarm is not None]


@pytest.mark.parametrize("fault", [mode for mode in Mode if mode not in {Mode.UP, Mode.HANG, Mode.SLOW}])
@pytest.mark.parametrize("name", list(PLACES))
async def test_everything_arrives_once_and_in_order_whatever_the_platform_did(
    name: str, fault: Mode, tmp_path: Path
) -> None:
    """Two alarms raised and returned, and readings; a platform that lost its answer knows the repeat."""
    with started(name, tmp_path, slow_s=0.2) as platform:
        config = PlatformConfig.model_validate(settings_for(name, platform, tmp_path, PLANT.id, POINTS))
        codes = {p: code_of(name, platform.issued, at) if "codes" in config.model_fields_set else p
                 for at, p in enumerate(POINTS, start=1)}  # fmt: skip
        platform.unknown = frozenset({codes["P-1"], codes["CW_IN_P-01"]})
        platform.mode = fault
        outbox, clock = MemoryOutbox(), Clock()
        kinds = (AlarmEventKind.RAISED, AlarmEventKind.RETURNED)
        events = [alarm_message(10 * at + k, kind, point=f"P-{at}") for at in (1, 2) for k, kind in enumerate(kinds)]
        outbox.put(*events, readings_message(90), connector="platform")
        connector = open_platform(config, lambda: START)
        sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady)
        async with running(sender):
            await hurry(lambda: any(row.errors for row in outbox.rows.values()), clock, outbox, sender)
            platform.mode = Mode.UP
            await hurry(outbox.done, clock, outbox, sender)
    points = alarms_at(platform, PLACES[name])
    assert sorted(points) == sorted([codes["P-1"], codes["P-2"]] * 2)
    assert (platform.duplicates > 0) is (fault is Mode.DUPLICATE)
    readings = [content for content in platform.received if "rts" in content.get("data", {}) or content.keys() & MARKS]
    assert len(readings) == 1


@pytest.mark.parametrize("fault", [Mode.HANG, Mode.SLOW])
async def test_a_platform_that_takes_its_time_is_given_some(fault: Mode, tmp_path: Path) -> None:
    """One that is slow gets one report; one that hangs is tried again."""
    name = "hebei-dust-v1.1"
    with started(name, tmp_path, slow_s=0.3) as platform:
        given = settings_for(name, platform, tmp_path, PLANT.id, POINTS) | {"timeout_s": 1}
        connector = open_platform(PlatformConfig.model_validate(given), lambda: START)
        platform.mode = fault
        (outcome,) = await connector.deliver([alarm_message(1)])
        assert outcome.error == ("no complete answer within 1 s" if fault is Mode.HANG else None)
        await connector.close()
