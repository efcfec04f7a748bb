"""Instruments of the made-up plants: a gauge of the casting machine, two gas detector heads of the steel works."""

from __future__ import annotations

from ingest.domain.model.instrument import Check, Instrument, Period
from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text

YEAR = Period(12, 0, "engineering default: once a year", Confidence.ENGINEERING_DEFAULT)
QUARTER = Period(3, 0, "plant file", Confidence.ENGINEERING_DEFAULT)
WEEK = Period(0, 7, "plant file", Confidence.ENGINEERING_DEFAULT)


def gauge(plant: str) -> Instrument:
    """A pressure transmitter that is calibrated once a year and inspected once a week."""
    name = Text("结晶器进水压力变送器", "Mould inlet pressure transmitter")
    periods = {Check.CALIBRATION: YEAR, Check.INSPECTION: WEEK}
    return Instrument(plant, "PT-101", name, ("CW_IN_P-01",), "P-7731", "闽测仪表", "MC-20", "1号机水冷柜", periods)


def head(plant: str, point: str, serial: str) -> Instrument:
    """A gas detector head that is calibrated once a year and tested with gas each quarter."""
    name = Text("一氧化碳探头", "Carbon monoxide head")
    periods = {Check.CALIBRATION: YEAR, Check.FUNCTION_TEST: QUARTER}
    return Instrument(plant, point, name, (point,), serial, "闽安传感", "", "热风炉区", periods)
