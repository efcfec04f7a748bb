"""Every figure of the yearly summary, counted again from the records by plain loops that share no code with it."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest.domain.cases.duties import SelfInspection, owed
from ingest.domain.cases.hazard import Hazard
from ingest.domain.cases.hazard_steps import Action, Dismiss
from ingest.domain.cases.inspection import Inspection, Result
from ingest.domain.cases.lead import Lead, LeadSource
from ingest.domain.cases.sheet import Sheet
from ingest.domain.cases.summary import AlarmFigures, Records, summarise
from ingest.domain.model.text import Text
from tests.ingest.domain.cases import inspecting, made
from tests.ingest.domain.cases.leading import close
from tests.ingest.domain.cases.made import DAY, HOUR

PLANTS = [
    ("a", Text("甲铝业", "a"), "aluminium"),
    ("b", Text("乙钢铁", "b"), "steel"),
    ("c", Text("丙木业", "c"), "dust"),
]
CHINA = dt.timezone(dt.timedelta(hours=8))


def at(year: int, day: float) -> int:
    """A time so many days into a year, as the plants count it."""
    return int(dt.datetime(year, 1, 1, tzinfo=CHINA).timestamp() * 1e9) + int(day * DAY)


def day(time: int) -> dt.date:
    return dt.datetime.fromtimestamp(time // 10**9, CHINA).date()


def some_hazard(chance: random.Random) -> Hazard:
    """Found some time in three years, and as far as it came."""
    found = at(2025, chance.uniform(0, 3 * 365))
    hazard = made.hazard(chance.choice("abc"), found)
    major = chance.random() < 0.3
    deadline = day(found) + dt.timedelta(days=chance.randint(1, 40))
    steps: list[Action] = [made.REGISTER, made.MAJOR if major else made.GENERAL]
    steps += [made.REPORT, made.SUPERVISE] if major else []
    steps += [made.rectify(deadline), made.SUBMIT, made.CLOSE]
    if chance.random() < 0.1:
        return made.stepped(hazard, Dismiss("不是"), at=found + DAY)
    for step in steps[: chance.randint(0, len(steps))]:
        wait = 20 * DAY if step.step == "submit" else HOUR
        found += int(chance.uniform(0, wait))
        hazard = made.stepped(hazard, step, at=found)
    since = None if hazard.supervised_since is None else day(found)
    return replace(hazard, supervised_since=since)


def some_inspection(chance: random.Random) -> Inspection:
    inspection = made.inspection(chance.choice("abc"), at(2025, chance.uniform(0, 3 * 365)))
    if chance.random() < 0.2:
        return inspection
    inspection = inspecting.begin(inspection, time=inspection.made + DAY)
    for _ in range(chance.randint(0, 3)):
        inspection = inspecting.find(inspection, "问题", uuid4(), by="x", time=inspection.made + DAY)
    if chance.random() < 0.2:
        return inspecting.cancel(inspection, by="x", time=inspection.made + DAY, remark="x")
    result = Result.RECTIFY if inspection.findings else Result.PASSED
    return inspecting.conclude(inspection, result, "文号", by="x", time=inspection.made + 2 * DAY)


def some_lead(chance: random.Random) -> Lead:
    source = chance.choice(list(LeadSource))
    lead = replace(made.lead(chance.choice("abc"), at(2025, chance.uniform(0, 3 * 365))), source=source)
    return close(lead, by="x", time=lead.opened + 30 * DAY, remark="x") if chance.random() < 0.5 else lead


def some_records(seed: int) -> Records:
    chance = random.Random(seed)  # noqa: S311
    done = []
    for plant, months in (("a", 1), ("b", 1), ("c", 3)):
        for month in range(1, 13, months):
            name = f"2026-{month:02}" if months == 1 else f"2026-Q{(month + 2) // 3}"
            if chance.random() < 0.7:
                when = dt.date(2026, month, 1) + dt.timedelta(days=chance.randint(0, 120))
                done.append(SelfInspection(UUID(int=chance.getrandbits(128)), plant, name, when, "x", "x", 0, "x", 0))
    duties = [
        duty for key, _, kind in PLANTS for duty in owed(key, kind, dt.date(2026, 1, 1), dt.date(2026, 12, 31), done)
    ]
    figures = {key: AlarmFigures(*(chance.randint(0, 99) for _ in range(9))) for key, _, _ in PLANTS[:2]}
    return Records(
        PLANTS,
        [some_hazard(chance) for _ in range(300)],
        [some_lead(chance) for _ in range(60)],
        [some_inspection(chance) for _ in range(60)],
        duties,
        figures,
    )


def lines(sheet: Sheet) -> dict[str, dict[str, Any]]:
    keys = [column.key for column in sheet.columns]
    return {str(row[0]): dict(zip(keys, row, strict=True)) for row in sheet.rows}


def counted(records: Records, plants: str, first: int, end: int) -> dict[str, Any]:  # noqa: C901  plain on purpose
    """The same figures, one after the other."""
    n: dict[str, Any] = {}

    def more(key: str, *conditions: bool) -> None:
        n[key] = n.get(key, 0) + all(conditions)

    for hazard in records.hazards:
        if hazard.plant not in plants:
            continue
        major, closed = hazard.level == "major", hazard.state == "closed"
        within = first <= hazard.found < end
        over = hazard.closed is not None and hazard.closed < end
        ended = closed and hazard.closed is not None and first <= hazard.closed < end
        more("hazards_found", within)
        more("major_found", within, major)
        more("hazards_closed", ended)
        more("major_closed", ended, major)
        in_time = (
            hazard.deadline is not None and hazard.submitted is not None and day(hazard.submitted) <= hazard.deadline
        )
        more("closed_in_time", ended, in_time)
        there = hazard.found < end and not over
        more("hazards_open", there)
        more("major_open", there, major)
        late = hazard.state == "rectifying" and hazard.deadline is not None and hazard.deadline < day(end - 1)
        more("overdue", there, late)
        since = hazard.supervised_since
        more("supervised", hazard.found < end, since is not None and day(first) <= since <= day(end - 1))
    for check in records.inspections:
        if check.plant in plants and check.state == "concluded" and check.concluded is not None:
            inside = first <= check.concluded < end
            more("inspections", inside)
            n["findings"] = n.get("findings", 0) + (len(check.findings) if inside else 0)
    for lead in records.leads:
        if lead.plant in plants:
            inside = first <= lead.opened < end
            more("leads", inside)
            more("leads_overdue", inside, lead.source == "overdue-hazard")
            more("leads_closed", lead.closed is not None and first <= lead.closed < end)
    for duty in records.duties:
        if duty.plant in plants and day(first) <= duty.period.due:
            due = duty.period.due <= day(end - 1) or duty.done is not None
            more("self_inspections_due", due)
            more("self_inspections_done", due, duty.done is not None)
            more("self_inspections_late", due, duty.done is not None and duty.done.day > duty.period.due)
    for key, figures in records.alarm_figures.items():
        if key in plants:
            for name in AlarmFigures.__slots__:
                n[name] = n.get(name, 0) + getattr(figures, name)
    closed_all = n.get("hazards_closed", 0)
    n["in_time_share"] = n["closed_in_time"] / closed_all if closed_all else None
    return n


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("now_day", [333.5, 400.0])
def test_the_summary_is_what_the_records_say(seed: int, now_day: float) -> None:
    """Of a year under way, and of one that is over; by plant, by kind, and altogether."""
    records, now = some_records(seed), at(2026, now_day)
    first, end = at(2026, 0), min(at(2027, 0), now + 1)
    found = lines(summarise(records, 2026, now))
    groups = {"甲铝业": "a", "乙钢铁": "b", "丙木业": "c", "合计": "abc"}
    groups |= {"铝加工（深井铸造）小计": "a", "钢铁小计": "b", "粉尘涉爆小计": "c"}
    assert set(found) == set(groups)
    for name, plants in groups.items():
        line, again = found[name], counted(records, plants, first, end)
        assert {key: value for key, value in line.items() if key not in {"name", "kind"}} == {
            key: again.get(key, 0) for key in line if key not in {"name", "kind"}
        }, name
    assert found["合计"]["hazards_found"] > 50
    assert found["合计"]["overdue"] > 0


def test_what_was_found_at_a_plant_that_is_configured_no_more_counts_and_says_so() -> None:
    """After the plants there are, before the subtotals; whatever kind of record names it."""
    hazards = [some_hazard(random.Random(seed)) for seed in range(60)]  # noqa: S311  not a secret
    gone = [replace(hazard, plant="y", found=at(2026, 30), closed=None) for hazard in hazards[:3]]
    lead = made.lead("x", at(2026, 40))
    records = Records(PLANTS, iter([*hazards, *gone]), iter([lead]))
    found = lines(summarise(records, 2026, at(2026, 333)))
    assert [*found][: len(PLANTS) + 2] == [*(name.zh for _, name, _ in PLANTS), "x（已移除）", "y（已移除）"]
    assert (found["x（已移除）"]["leads"], found["x（已移除）"]["hazards_found"]) == (1, 0)
    assert found["y（已移除）"]["hazards_found"] == 3
    of_all = [found[name]["hazards_found"] for name in [*found][: len(PLANTS) + 2]]
    assert found["合计"]["hazards_found"] == sum(of_all)


def test_a_year_without_records_has_no_share() -> None:
    found = lines(summarise(Records(PLANTS), 2026, at(2026, 333)))
    assert found["合计"]["in_time_share"] is None
    assert found["合计"]["hazards_found"] == 0


def test_the_summary_says_by_when_it_is_due_and_until_when_it_counts() -> None:
    sheet = summarise(Records(PLANTS), 2026, at(2026, 333.5))
    assert sheet.subtitle.zh == "2026-01-01 至 2026-11-30　报送期限 2026-12-01"
    assert "至 2026-12-31" in summarise(Records(PLANTS), 2026, at(2027, 30)).subtitle.zh
