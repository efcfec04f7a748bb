"""Opens the records of the closed loop, and what the engine has to know of them."""

from __future__ import annotations

import time

from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from ingest.storage.state.work_board import WorkBoard


def open_cases(database: Database) -> tuple[CaseStore, WorkBoard]:
    """Return the records, and the declared work among them as the engine sees it. Raises StateUnavailable."""
    board = WorkBoard(DailyStore(database), time.time_ns)
    return CaseStore(database, written=board.note), board
