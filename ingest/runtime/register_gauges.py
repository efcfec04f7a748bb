"""Gauges of the registers of the closed loop: instruments, bypasses, interlocks, declared work, pledges, notices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily

from ingest.domain.cases.bypass import OPEN_STATES, BypassState
from ingest.domain.cases.ledger_due import DueState
from ingest.domain.model.notice import Matter
from ingest.runtime.instrument_automation import NO_CHECK
from ingest.runtime.registers import PLEDGES, SHOWN, STANDINGS, UNREGISTERED, RegisterFigures

_BYPASSES: Final = (*(state for state in BypassState if state in OPEN_STATES), UNREGISTERED)


def register_gauges(
    instruments: Mapping[str, int] | None,
    figures: RegisterFigures,
    notices: Mapping[str, int] | None,
    undelivered: Mapping[str, int] | None,
) -> Iterator[GaugeMetricFamily]:
    """Yield the gauges, as of the last round; one of which nothing is known yet has no value, which is not zero."""
    for name, text, label, values, counts in (
        ("yujing_instruments", "By the most urgent state of their checks", "state", (*DueState, NO_CHECK), instruments),
        ("yujing_bypasses", "Not closed, by state; or without a registration", "state", _BYPASSES, figures.bypasses),
        ("yujing_interlocks", "By what they show of themselves", "shows", SHOWN.values(), figures.interlocks),
        ("yujing_works_open", "Declared work that is not closed", "standing", STANDINGS, figures.works),
        ("yujing_pledges", "Plants that owe a safety pledge today", "standing", PLEDGES, figures.pledges),
        ("yujing_notices_standing", "Given and not withdrawn", "matter", Matter, notices),
        ("yujing_notices_undelivered", "Messages that wait", "connector", undelivered or (), undelivered),
    ):
        yield _gauge(name, text, label, values, counts)


def _gauge(
    name: str, text: str, label: str, values: Iterable[str], counts: Mapping[str, int] | None
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, text, labels=[label])
    for value in values if counts is not None else ():
        gauge.add_metric([str(value)], (counts or {}).get(str(value), 0))
    return gauge
