"""Prometheus counts what is overdue, bypassed, not closed and given; what is not known yet is no zero."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from uuid import uuid4

from prometheus_client.core import GaugeMetricFamily

from ingest.domain.cases.bypass_steps import Approve
from ingest.domain.cases.pledge import Pledge
from ingest.domain.model.flags import Flag
from ingest.engine.bypasses import RequestBypass, TakeBypassStep
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.register_gauges import register_gauges
from ingest.runtime.registers import RegisterFigures
from tests import migrated
from tests.ingest.runtime.reminded import LANCE, Reminded
from tests.ingest.runtime.test_instrument_automation import HEAD, INSPECTOR, OPERATOR, QUIET, START, calibrated
from tests.small_plant import PLANT, small_configuration

SECOND_HEAD = HEAD.replace("HEAD-1", "HEAD-2").replace("CO-01", "CO-02").replace("K-101", "K-102")
LABELS = {
    "yujing_instruments": [
        *("failed", "overdue", "due-soon", "unknown", "in-order", "out-of-service", "scrapped", "no-check"),
    ],
    "yujing_bypasses": ["requested", "approved", "in-force", "expired", "unregistered"],
    "yujing_interlocks": ["bypassed", "in-service", "unknown"],
    "yujing_works_open": ["waiting", "not-approved", "planned", "not-begun", "under-way", "overran", "lapsed"],
    "yujing_pledges": ["in-time", "late", "due", "missing"],
    "yujing_notices_standing": [
        *("check-due", "checks-unrecorded", "bypass-ending", "bypass-not-closed", "work-not-closed"),
        "maintenance-required",
    ],
    "yujing_notices_undelivered": ["all", "checks", "elsewhere", "alarms"],
}
"""Every value a label may have: so the number of series is known, whatever plants there are."""


def gauges(plant: Reminded) -> dict[str, GaugeMetricFamily]:
    notices = plant.notices
    found = register_gauges(plant.automation.figures, plant.registers.figures, notices.figures(), notices.undelivered)
    return {gauge.name: gauge for gauge in found}


def values(plant: Reminded) -> dict[str, dict[str, float]]:
    """Gauge -> label -> value, zeros left out."""
    return {
        name: {next(iter(sample.labels.values())): sample.value for sample in gauge.samples if sample.value}
        for name, gauge in gauges(plant).items()
    }


def test_a_gauge_of_which_nothing_is_known_has_no_value() -> None:
    found = list(register_gauges(None, RegisterFigures(), None, None))
    assert [gauge.name for gauge in found] == list(LABELS)
    assert [gauge.samples for gauge in found] == [[]] * len(LABELS)


class Promising(Reminded):
    """One that owes a pledge by half past nine."""

    def written(self, text: str) -> PlantConfiguration:
        owed = 'dust_workers = 0\npledge_by = "09:30"\npledge_since = 2020-01-01\n'
        return small_configuration(
            self.folder, self.journal.number_points, QUIET.replace("dust_workers = 0\n", owed, 1) + text
        )


async def test_the_pledges_of_today_are_counted_by_how_plants_stand_with_them(tmp_path: Path) -> None:
    """Due until the hour, then missing, however late it is given; and the next day anew."""
    database = migrated.opened(tmp_path / "state.db")
    plant = Promising(tmp_path, database)
    seen = []
    for day in range(2):
        await plant.run_automations()  # at nine
        seen.append(values(plant)["yujing_pledges"])
        await plant.after(31)
        seen.append(values(plant)["yujing_pledges"])
        today, now = plant.today, plant.clock.wall()
        plant.store.commit(added=[Pledge(uuid4(), PLANT, today, 1, "已研判", "我承诺", "陈总", 3, 1, now, "陈总")])
        await plant.run_automations()
        seen.append(values(plant)["yujing_pledges"])
        if not day:
            await plant.after(24 * 60 - 31)
    assert seen == [{"due": 1}, {"missing": 1}, {"late": 1}] * 2
    database.close()


async def test_instruments_bypasses_works_and_notices_are_counted_by_bounded_labels(tmp_path: Path) -> None:
    """After a restart there is no value before the first round; then the same."""
    database = migrated.opened(tmp_path / "state.db")
    plant = Reminded(tmp_path, database, HEAD + SECOND_HEAD + LANCE)
    await plant.run_automations()
    assert {
        name: [next(iter(sample.labels.values())) for sample in gauge.samples] for name, gauge in gauges(plant).items()
    } == LABELS
    assert values(plant) == {
        "yujing_instruments": {"unknown": 2},
        "yujing_bypasses": {},
        "yujing_interlocks": {"unknown": 1},
        "yujing_works_open": {},
        "yujing_pledges": {},
        "yujing_notices_standing": {"checks-unrecorded": 1},
        "yujing_notices_undelivered": {"all": 1},
    }
    plant.enter(calibrated(START))
    plant.show(1.0)
    await plant.run_automations()
    assert values(plant)["yujing_instruments"] == {"unknown": 1, "in-order": 1}
    assert values(plant)["yujing_bypasses"] == {"unregistered": 1}
    made = plant.submit(RequestBypass(PLANT, "LANCE", "换变送器", "专人监护", OPERATOR, 8))
    plant.submit(TakeBypassStep(made.id, made.version, Approve(), INSPECTOR))
    await plant.on(START + dt.timedelta(days=340))
    plant.show(0.0, flags=int(Flag.BAD))
    await plant.run_automations()
    expected = {
        "yujing_instruments": {"overdue": 1, "due-soon": 1},
        "yujing_bypasses": {"expired": 1},
        "yujing_interlocks": {"unknown": 1},
        "yujing_works_open": {},
        "yujing_pledges": {},
        "yujing_notices_standing": {"check-due": 1, "checks-unrecorded": 1, "bypass-ending": 1},
        "yujing_notices_undelivered": {"all": 3, "checks": 1},
    }
    assert values(plant) == expected
    plant.restart()
    assert not any(gauge.samples for gauge in gauges(plant).values())
    await plant.run_automations()
    assert values(plant) == expected
    database.close()
