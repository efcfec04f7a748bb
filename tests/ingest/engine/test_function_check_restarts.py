"""An engine that dies during a function check, and begins anew, knows and raises what one that never died does."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from ingest.domain.model.batch import Batch
from ingest.domain.model.suppression import SuppressionKind
from ingest.engine.commands import End, Person, Suppress
from ingest.engine.engine import Engine
from ingest.engine.order import Policy
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.state.alarm_store import AlarmStore
from tests import migrated
from tests.ingest.engine.bench import begun
from tests.ingest.engine.clock import Clock
from tests.small_plant import PLANT, small_configuration

SECOND = 10**9
START = 1_763_884_800 * SECOND
GAS = 120.0
WHO = Person("王建国", "operator")


class Story:
    """Readings of CO-01, one a second, by an engine that may die after any of them."""

    def __init__(self, folder: Path, *, dies: bool) -> None:
        folder.mkdir()
        self.clock, self.dies = Clock(START), dies
        self.journal, self.database = Journal(folder / "journal.db"), migrated.opened(folder / "state.db")
        self.configuration = small_configuration(folder, self.journal.number_points)
        self.policy = Policy(function_check_max=60 * SECOND)
        self.engine = self.begin()

    def begin(self) -> Engine:
        return begun(self.clock, self.journal, self.database, self.configuration, self.policy)

    def readings(self, seconds: int, value: float) -> None:
        known = self.configuration.find(PLANT, "CO-01")
        assert known is not None
        for _ in range(seconds):
            self.clock.time += SECOND
            at = np.array([self.clock.wall()])
            batch = Batch(np.array([known.index], np.int32), at, np.array([value]), np.zeros(1, np.uint16), at)
            self.journal.append(Commit(batch, 1))
            self.engine.process()
        if self.dies:
            self.engine = self.begin()

    def check(self) -> UUID:
        command = Suppress(SuppressionKind.FUNCTION_CHECK, PLANT, "CO-01", None, "标气标定", None, WHO)
        answer = self.engine.submit(command)
        self.engine.process()
        return answer.result(0).id

    def end(self, check: UUID) -> None:
        answer = self.engine.submit(End(check, WHO))
        self.engine.process()
        answer.result(0)

    def alarm_events(self) -> list[tuple[str, str, int]]:
        """What happened to alarms of the point: event, rule, second."""
        events = AlarmStore(self.database).events_after(0, limit=1000)
        return [
            (str(event.kind), event.alarm.rule, (event.time - START) // SECOND)
            for event in events
            if event.alarm.point == "CO-01" and event.alarm.rule in {"H", "HH", "BAD"}
        ]


def lived(folder: Path, *, dies: bool) -> tuple[list[tuple[str, str, int]], bytes]:
    story = Story(folder, dies=dies)
    story.readings(10, 5.0)
    check = story.check()
    story.readings(30, GAS)  # within its time
    story.end(check)
    story.readings(10, 5.0)
    story.readings(5, GAS)
    story.readings(10, 5.0)
    check = story.check()
    story.readings(90, GAS)  # forgotten
    story.readings(20, 5.0)
    story.end(check)
    story.readings(20, 5.0)
    dump = story.engine.engine_state.dump()
    story.journal.close()
    story.database.close()
    return story.alarm_events(), dump


@pytest.fixture
def whole(tmp_path: Path) -> tuple[list[tuple[str, str, int]], bytes]:
    return lived(tmp_path / "whole", dies=False)


def test_a_life_with_crashes_is_that_without(tmp_path: Path, whole: tuple[list[tuple[str, str, int]], bytes]) -> None:
    assert lived(tmp_path / "broken", dies=True) == whole


def test_gas_counts_where_nobody_tests_and_where_a_test_is_forgotten(
    whole: tuple[list[tuple[str, str, int]], bytes],
) -> None:
    alarm_events, _ = whole
    assert [second for event, rule, second in alarm_events if (event, rule) == ("raised", "H")] == [51, 125]
    assert [second for event, rule, second in alarm_events if (event, rule) == ("raised", "BAD")] == [130]
