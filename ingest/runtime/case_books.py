"""The books of the closed loop: its records in the state database, and what is kept in memory of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.domain.cases.config import CasesConfig
from ingest.services.cases.instrument_board import InstrumentBoard
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.cleaning_board import CleaningBoard
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from ingest.storage.state.notice_store import NoticeStore
from ingest.storage.state.work_board import WorkBoard


@dataclass(frozen=True, slots=True)
class CaseBooks:
    """The records, their registers of daily duty, and of these what is kept in memory."""

    store: CaseStore
    daily: DailyStore
    works: WorkBoard
    cleaned: CleaningBoard
    notices: NoticeStore
    instruments: InstrumentBoard


def open_case_books(database: Database, config: CasesConfig) -> CaseBooks:
    """Open the books; the boards follow what is committed. Raises StateUnavailable."""
    daily = DailyStore(database)
    works, cleaned = WorkBoard(daily, time.time_ns), CleaningBoard(daily)
    instruments = InstrumentBoard(CaseStore(database), config)

    def written(records: Sequence[object]) -> None:
        works.note(records)
        cleaned.note(records)
        instruments.note(records)

    def in_doubt(records: Sequence[object]) -> None:
        works.doubt()
        cleaned.note(records)  # it reads them again
        instruments.doubt()

    store = CaseStore(database, written, in_doubt)
    return CaseBooks(store, daily, works, cleaned, NoticeStore(database), instruments)
