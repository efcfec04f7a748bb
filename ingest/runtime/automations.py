"""Runs the automations of the closed loop, one after the other, every `cases.look_every_s`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily

from ingest.base.telemetry import Event, emit
from ingest.domain.model.flags import Flag
from ingest.domain.model.notice import Matter
from ingest.engine.engine import Engine
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.case_automation import CaseAutomation
from ingest.runtime.case_books import CaseBooks
from ingest.runtime.cleaning_automation import CleaningAutomation
from ingest.runtime.instrument_automation import InstrumentAutomation
from ingest.runtime.live import LiveService
from ingest.runtime.notice_automation import NoticeAutomation, Source
from ingest.runtime.register_gauges import register_gauges
from ingest.runtime.registers import Registers
from ingest.runtime.settings import Settings
from ingest.services.ports import AlarmBook, WarningBook
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.suppressions import SuppressionStore


@dataclass(frozen=True, slots=True)
class CaseworkPutOff(Event, level="warning"):
    """An automation could not finish its part of a round; it is repeated in the next one."""

    error: str


class Automations:
    """Runs every automation in each round; one that finds no state database does not hold up the others."""

    def __init__(
        self,
        parts: Sequence[Callable[[], Awaitable[None]]],
        every_s: float,
        gauges: Callable[[], Iterator[GaugeMetricFamily]] = lambda: iter(()),
    ) -> None:
        """`gauges` yields what the last round knows in figures."""
        self.gauges = gauges
        self._parts = parts
        self._every_s = every_s

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            for part in self._parts:
                try:
                    await part()
                except StateUnavailable as error:
                    emit(CaseworkPutOff(str(error)))
            await asyncio.sleep(self._every_s)


def build_automations(
    books: CaseBooks,
    database: Database,
    alarms: AlarmBook,
    warnings: WarningBook,
    engine: Engine,
    live: LiveService,
    observe: Callable[[Sequence[tuple[int, float]]], None],
    settings: Settings,
    wake: Callable[[], None],
) -> Automations:
    """Build every automation.

    `observe` journals values of the service's own points (`Intake.observe`); `wake` is told of messages to be sent.
    """
    config = settings.cases

    def configuration() -> PlantConfiguration:
        return engine.configuration

    cases = CaseAutomation(books.store, alarms, warnings, configuration, live.view, live.order, config, time.time_ns)
    suppressions = SuppressionStore(database)
    instruments = InstrumentAutomation(
        books.store, books.instruments, suppressions, configuration, observe, config, time.time_ns
    )
    cleaning = CleaningAutomation(books, configuration, observe, time.time_ns)
    registers = Registers(
        books,
        configuration,
        live.view,
        live.latest,
        lambda: engine.engine_state.flagged(Flag.MAINTENANCE),
        config,
        time.time_ns,
    )
    notices = NoticeAutomation(
        books.notices,
        notice_sources(instruments, registers),
        configuration,
        settings.connectors,
        wake,
        config,
        time.time_ns,
    )
    parts = cases.run_once, instruments.run_once, cleaning.run_once, registers.run_once, notices.run_once
    return Automations(
        parts,
        config.look_every_s,
        lambda: register_gauges(instruments.figures, registers.figures, notices.figures(), notices.undelivered),
    )


def notice_sources(instruments: InstrumentAutomation, registers: Registers) -> dict[frozenset[Matter], Source]:
    """Return the sources of notices, by the matters that each may call for."""
    return {
        frozenset({Matter.CHECK_DUE, Matter.CHECKS_UNRECORDED}): instruments.occasions,
        frozenset({Matter.BYPASS_ENDING, Matter.BYPASS_NOT_CLOSED}): registers.bypasses,
        frozenset({Matter.WORK_NOT_CLOSED}): registers.works,
        frozenset({Matter.MAINTENANCE}): registers.maintenance,
    }
