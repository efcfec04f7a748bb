"""The closed loop's books for tests of the API: real ones, in a database and a folder that go away with their owner."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ingest.domain.cases.bypass import Bypass
from ingest.domain.cases.config import CasesConfig
from ingest.services.allowances import Allowances
from ingest.services.cases.instrument_board import InstrumentBoard
from ingest.services.ports import Cases
from ingest.storage.state.bypass_table import bypass as bypass_table
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_rows import row_of
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.cleaning_board import CleaningBoard
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from ingest.storage.state.evidence_files import EvidenceFiles
from ingest.storage.state.notice_store import NoticeStore
from ingest.storage.state.upsert import upsert
from tests import migrated

MAX_EVIDENCE = 100_000
DATABASES: Final = migrated.EmptiedFiles()


def save_bypasses(database: Database, records: Sequence[Bypass]) -> None:
    """Commit what a cycle of the engine did to registrations of bypasses."""
    with database.write() as connection:
        upsert(connection, bypass_table, [row_of(record) for record in records])


def books_for(owner: object) -> tuple[Cases, Database]:
    """Empty books, and the database they are in: to be given back to `DATABASES`, or closed with whoever holds it."""
    folder = Path(tempfile.mkdtemp())
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    database = DATABASES.take()
    config = CasesConfig(evidence=folder / "evidence", max_evidence_mb=MAX_EVIDENCE / 2**20)
    files = EvidenceFiles(config.evidence, config.max_evidence_bytes)
    daily = DailyStore(database)
    cleaned = CleaningBoard(daily)
    instruments = InstrumentBoard(CaseStore(database), config)

    def written(records: Sequence[object]) -> None:
        cleaned.note(records)
        instruments.note(records)

    store = CaseStore(database, written)
    notices = NoticeStore(database)
    figures, allowances = CaseFigures(database), Allowances.of(config)
    return Cases(store, daily, cleaned, notices, instruments, figures, files, config, allowances), database
