"""One event is one log line and one count, and neither can be had without the other."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import structlog
from structlog.testing import capture_logs

from ingest.base.telemetry import REGISTRY, EmittedOnce, EmittedSeldom, Event, configure_logging, emit


@dataclass(frozen=True, slots=True)
class TankEmptied(Event, level="warning", labels=("tank",), amount="litres"):
    """A tank of the test was emptied."""

    tank: str
    litres: int


@dataclass(frozen=True, slots=True)
class BellRung(Event):
    """A bell of the test was rung."""

    by: str


@dataclass(frozen=True, slots=True)
class LeakFound(Event):
    """A leak of the test was found."""

    number: int


@pytest.fixture(autouse=True)
def _default_logging() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_an_event_is_logged_and_counted_by_its_amount() -> None:
    with capture_logs() as logs:
        emit(TankEmptied("north", 5))
        emit(TankEmptied("north", 7))
    assert logs[0] == {"event": "tank_emptied", "log_level": "warning", "tank": "north", "litres": 5}
    assert len(logs) == 2
    assert REGISTRY.get_sample_value("yujing_tank_emptied_total", {"tank": "north"}) == 12


def test_an_event_that_is_emitted_once_a_key_is_so_from_many_threads() -> None:
    """Eight threads find the same hundred things, each in an order of its own."""
    once: EmittedOnce[int] = EmittedOnce()

    def find(thread: int) -> None:
        for at in range(100):
            number = (at * 7 + thread * 13) % 100
            once.emit(number, LeakFound(number))

    with capture_logs() as logs, ThreadPoolExecutor(8) as threads:
        list(threads.map(find, range(8)))
    assert sorted(line["number"] for line in logs) == sorted(once) == list(range(100))
    assert len(once) == REGISTRY.get_sample_value("yujing_leak_found_total") == 100


def test_without_an_amount_every_event_counts_one() -> None:
    with capture_logs() as logs:
        emit(BellRung("anna"))
        emit(BellRung("ben"))
    assert [entry["log_level"] for entry in logs] == ["info", "info"]
    assert REGISTRY.get_sample_value("yujing_bell_rung_total") == 2


def test_log_lines_are_json_with_chinese_as_written() -> None:
    file = io.StringIO()
    configure_logging(level="info", json=True, file=file)
    emit(BellRung("张三"))
    line = json.loads(file.getvalue())
    assert (line["event"], line["by"], line["level"]) == ("bell_rung", "张三", "info")
    assert "张三" in file.getvalue()


def test_a_level_below_the_wished_one_is_counted_and_not_logged() -> None:
    before = REGISTRY.get_sample_value("yujing_bell_rung_total") or 0
    file = io.StringIO()
    configure_logging(level="error", json=True, file=file)
    emit(BellRung("anna"))
    assert file.getvalue() == ""
    assert REGISTRY.get_sample_value("yujing_bell_rung_total") == before + 1


def test_a_log_that_cannot_be_written_stops_nobody_and_is_counted() -> None:
    before = REGISTRY.get_sample_value("yujing_events_unlogged_total") or 0
    rung = REGISTRY.get_sample_value("yujing_bell_rung_total") or 0
    file = io.StringIO()
    configure_logging(file=file)
    file.close()
    emit(BellRung("anna"))
    assert REGISTRY.get_sample_value("yujing_events_unlogged_total") == before + 1
    assert REGISTRY.get_sample_value("yujing_bell_rung_total") == rung + 1


@dataclass(frozen=True, slots=True)
class RareEvent(Event, amount="many"):
    """Something that happens often."""

    many: int
    first: str


def test_what_happens_often_is_a_line_a_minute_and_counted_whole() -> None:
    """By key: the first at once, the others together with the next minute, none of them lost at an end."""
    now = [0.0]
    seldom: EmittedSeldom[str] = EmittedSeldom(60.0, lambda: now[0])
    with capture_logs() as log:
        for at in range(600):
            now[0] = float(at)
            seldom.add("a", RareEvent(2, f"a{at}"))
            seldom.flush()
        seldom.add("b", RareEvent(1, "b"))
        seldom.flush(everything=True)
        seldom.flush(everything=True)
    assert [line["many"] for line in log if line["first"][0] == "a"][:3] == [2, 120, 120]
    assert sum(line["many"] for line in log if line["first"][0] == "a") == 1_200
    assert len([line for line in log if line["first"][0] == "a"]) == 11
    assert [line["many"] for line in log if line["first"] == "b"] == [1]
    assert REGISTRY.get_sample_value("yujing_rare_event_total") == 1_201
