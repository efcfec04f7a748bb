"""What the engine knows of declared work when nobody knows whether its declaration was committed."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import pytest

from ingest.domain.cases.config import CasesConfig
from ingest.runtime.case_books import open_case_books
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateInDoubt, StateUnavailable
from tests.ingest.domain.cases.made import HOUR
from tests.ingest.domain.cases.test_work import hot_work
from tests.ingest.storage.history.made_up import alarm_event
from tests.ingest.storage.state.dying import dying_at_commit, until_available


@pytest.mark.parametrize("kept", [True, False])
def test_declared_work_whose_commit_is_in_doubt_is_looked_up_and_not_guessed(
    migrated_at_server: StateConfig, kept: bool
) -> None:
    """The server went away while it committed: an alarm says of the work, or that it is not known."""
    now = time.time_ns()
    alarm = replace(alarm_event(1, at=now, onset=now).alarm, annunciated=now)
    work = replace(hot_work(now - HOUR, now + HOUR, equipment=None, made=now - HOUR), plant=alarm.plant)
    database = Database(migrated_at_server)
    books = open_case_books(database, CasesConfig())
    assert books.works.of(alarm, None) == []
    with dying_at_commit(database, kept=kept), pytest.raises(StateInDoubt):
        books.store.commit(added=[work])
    with patch.object(books.daily, "works_during", side_effect=StateUnavailable("it is starting")):
        assert books.works.of(alarm, None) is None, "unknown is not none"
    until_available(partial(books.daily.work, work.id))
    for _ in range(2):
        assert [each["id"] for each in books.works.of(alarm, None) or ()] == ([str(work.id)] if kept else [])
    database.close()
