"""The smaller rules: criteria and signals, causes, inspections, duties, connections, days."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest

from ingest import plants
from ingest.domain.cases.causes import CAUSES, DEVICE_RULES, FALSE_ALARMS, Form, form_of
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.days import begins, day_of, year_of
from ingest.domain.cases.duties import period_of, periods
from ingest.domain.cases.enterprise import RiskClass, connection
from ingest.domain.cases.errors import Impossible, Incomplete
from ingest.domain.cases.inspection import Inspection, InspectionState, Result
from ingest.domain.cases.labels import LABELS, label
from ingest.domain.cases.lead import LeadState
from ingest.plants.kinds import LABELS as RULES
from tests.ingest.domain.cases import inspecting, leading, made
from tests.ingest.domain.cases.made import DAY, HOUR, NOON, TODAY


def test_every_clause_names_signals_and_rules_that_there_are() -> None:
    files = (Path(plants.__file__).parent / "catalogue").glob("*.toml")
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    known = set(re.findall(r"^\[(?:gateway\.)?([A-Z][A-Z0-9_]+)\]$", text, re.MULTILINE))
    assert len(known) > 50
    for clause in load_criteria().clauses.values():
        assert clause.signals <= known, clause.id
        assert clause.rules <= RULES.keys(), clause.id
        assert clause.source


def test_what_was_only_recalled_says_so() -> None:
    """Items 5 to 8 of Art. 4 and those of dust from the sixth on were not read again."""
    clauses = load_criteria().clauses
    assert {clauses[key].confidence for key in ("art4-5", "art11-lock", "art11-sander")} == {"recalled"}
    found = ("art14", "art4-1", "art5-mould-water", "art5-open-circuit", "art11-building", "art11-duct")
    assert {clauses[key].confidence for key in found} == {"found"}
    assert all("memory" in clause.source for clause in clauses.values() if clause.confidence == "recalled")


def test_spark_detection_does_not_cure_metal_dust_under_positive_pressure() -> None:
    """That is a major hazard outright: no signal points to it, and sanders are a clause of their own."""
    clauses = load_criteria().clauses
    assert clauses["art11-metal-pressure"].signals == frozenset()
    assert "火花" not in clauses["art11-metal-pressure"].text.zh
    assert clauses["art11-spark"].text.zh.startswith("其他可燃性粉尘")
    assert "砂光" not in clauses["art11-spark"].text.zh
    assert clauses["art11-explosion"].text.zh.startswith("干式除尘系统")


@pytest.mark.parametrize(
    ("kind", "signal", "rule", "clauses"),
    [
        ("aluminium", "ALC_CW_IN_P", "LL", ["art5-mould-water"]),
        ("aluminium", "ALC_CW_IN_P", "SILENT", ["art14", "art5-mould-water"]),
        ("steel", "STL_WATER_POOL", "H", ["art4-2"]),
        ("dust", "GATEWAY_ONLINE", "OFFLINE", ["art14"]),
        ("dust", "STL_CO", "H", []),
    ],
)
def test_an_alarm_points_to_clauses_of_its_kind_of_plant(kind: str, signal: str, rule: str, clauses: list[str]) -> None:
    assert [clause.id for clause in load_criteria().suggested(kind, signal, rule)] == clauses


def test_codes_have_one_form_and_texts_in_both_languages() -> None:
    for form, codes in CAUSES.items():
        assert all(code.startswith(f"{form}.") for code in codes)
    texts = [text for codes in (*CAUSES.values(), FALSE_ALARMS) for text in codes.values()]
    assert all(text.zh and text.en for text in texts)
    assert RULES.keys() >= DEVICE_RULES
    assert form_of("STL_CO", "FORECAST_HH") is Form.PROCESS


def test_every_value_is_called_something() -> None:
    for kind, texts in LABELS.items():
        assert set(texts) == {str(value) for value in kind}
        assert all(label(value).zh and label(value).en for value in kind)


def test_an_inspection_goes_from_planned_to_concluded() -> None:
    inspection = made.inspection()
    steps: dict[str, Callable[[Inspection], Inspection]] = {
        "begin": lambda it: inspecting.begin(it, time=NOON),
        "find": lambda it: inspecting.find(it, "x", uuid4(), by="a", time=NOON),
        "conclude": lambda it: inspecting.conclude(it, Result.PENALTY, "文", by="a", time=NOON),
        "cancel": lambda it: inspecting.cancel(it, by="a", time=NOON, remark="x"),
    }
    allowed: dict[str, dict[str, str]] = {
        "planned": {"begin": "under-way", "cancel": "cancelled"},
        "under-way": {"find": "under-way", "conclude": "concluded", "cancel": "cancelled"},
        "concluded": {},
        "cancelled": {},
    }
    for state in InspectionState:
        for name, step in steps.items():
            here = replace(inspection, state=state)
            if name in allowed[state]:
                after = step(here)
                assert (after.state, after.version) == (allowed[state][name], 2)
            else:
                with pytest.raises(Impossible, match=f"is {state}"):
                    step(here)


def test_a_hazard_is_a_finding_once_and_a_result_fits_what_was_found() -> None:
    inspection = inspecting.begin(made.inspection(), time=NOON)
    with pytest.raises(Incomplete, match="result"):
        inspecting.conclude(inspection, Result.RECTIFY, "文", by="a", time=NOON)
    with pytest.raises(Incomplete, match="document"):
        inspecting.conclude(inspection, Result.PASSED, " ", by="a", time=NOON)
    hazard = uuid4()
    inspection = inspecting.find(inspection, "x", hazard, by="a", time=NOON)
    with pytest.raises(Impossible, match="finding of this inspection already"):
        inspecting.find(inspection, "y", hazard, by="a", time=NOON)
    with pytest.raises(Incomplete, match="fits 1 findings"):
        inspecting.conclude(inspection, Result.PASSED, "文", by="a", time=NOON)


def test_a_lead_is_taken_once_and_closed_once() -> None:
    lead = made.lead()
    taken = leading.take(lead, by="a", time=NOON)
    with pytest.raises(Impossible, match="is taken"):
        leading.take(taken, by="b", time=NOON)
    closed = leading.close(taken, by="a", time=NOON, remark="查实")
    assert closed.state is LeadState.CLOSED
    with pytest.raises(Impossible, match="is closed"):
        leading.close(closed, by="a", time=NOON, remark="x")
    with pytest.raises(Incomplete, match="remark"):
        leading.close(lead, by="a", time=NOON, remark=" ")


def test_months_and_quarters_follow_each_other_without_a_gap() -> None:
    for kind, count in (("dust", 12), ("steel", 36), ("aluminium", 36)):
        span = periods(kind, dt.date(2025, 1, 1), dt.date(2027, 12, 31))
        assert len(span) == count
        assert span[0].first == dt.date(2025, 1, 1)
        assert span[-1].due == dt.date(2027, 12, 31)
        for before, after in pairwise(span):
            assert after.first == before.due + dt.timedelta(days=1)
        for period in span:
            assert {period_of(kind, period.first), period_of(kind, period.due)} == {period}


@pytest.mark.parametrize(
    ("connect_by", "heard", "state", "days"),
    [
        (TODAY, NOON - HOUR, "connected", None),
        (None, NOON - 2 * DAY, "not-mandatory", None),
        (None, NOON - HOUR, "connected", None),
        (TODAY, None, "due", 0),
        (TODAY + dt.timedelta(days=30), None, "due", 30),
        (TODAY - dt.timedelta(days=1), None, "late", 1),
        (TODAY - dt.timedelta(days=30), NOON - 5 * DAY, "late", 5),
        (TODAY - dt.timedelta(days=3), NOON - 5 * DAY, "late", 3),
    ],
)
def test_how_a_plant_stands_with_its_connection(
    connect_by: dt.date | None, heard: int | None, state: str, days: int | None
) -> None:
    found = connection(connect_by, heard, NOON, recent_s=86_400)
    assert (found.state, found.days) == (state, days)


def test_a_day_begins_at_the_plants_midnight() -> None:
    assert day_of(begins(TODAY)) == TODAY
    assert day_of(begins(TODAY) - 1) == TODAY - dt.timedelta(days=1)
    first, end = year_of(2026)
    assert (day_of(first), day_of(end - 1)) == (dt.date(2026, 1, 1), dt.date(2026, 12, 31))


def test_classes_have_letters() -> None:
    assert [risk_class.letter for risk_class in RiskClass] == ["A", "B", "C", "D"]
