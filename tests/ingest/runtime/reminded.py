"""The small plant with an interlock and somebody who is to be reminded, by a clock of the test's own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from ingest.delivery.config import ConnectorsConfig
from ingest.domain.cases.config import CasesConfig
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.domain.model.notice import Matter
from ingest.domain.model.outbox import Message
from ingest.runtime.automations import notice_sources
from ingest.runtime.case_books import CaseBooks
from ingest.runtime.notice_automation import NoticeAutomation
from ingest.runtime.registers import Registers
from ingest.storage.journal.commit import Commit
from ingest.storage.state.cleaning_board import CleaningBoard
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from ingest.storage.state.notice_store import NoticeStore
from ingest.storage.state.outbox_store import OutboxStore
from ingest.storage.state.work_board import WorkBoard
from tests.ingest.runtime.automated_plant import DAY, SECOND
from tests.ingest.runtime.test_instrument_automation import HEAD, Works
from tests.small_plant import PLANT

MINUTE = 60 * SECOND
LANCE = """
[[points]]
id = "LANCE"
signal = "STL_LANCE_INTLK_FLOW"
gateway = "GW-01"
"""
SETTINGS = {
    "webhooks": [
        {"name": "all", "url": "https://all.example/hook", "secret": {"env": "HOOK"}, "notices": list(Matter)},
        {"name": "checks", "url": "https://c.example/hook", "secret": {"env": "HOOK"}, "notices": ["check-due"]},
        {"name": "elsewhere", "url": "https://e.example/hook", "secret": {"env": "HOOK"}, "notices": list(Matter),
         "plants": ["another"]},
        {"name": "alarms", "url": "https://a.example/hook", "secret": {"env": "HOOK"}},
    ]
}  # fmt: skip


class Reminded(Works):
    """The small plant with an interlock, and somebody who is to be reminded."""

    def __init__(self, folder: Path, database: Database, more: str = HEAD + LANCE) -> None:
        self.settings = ConnectorsConfig.model_validate(SETTINGS)
        self.woken = 0
        super().__init__(folder, database, more)

    def restart(self) -> None:
        """As after a crash."""
        super().restart()
        daily = DailyStore(self.database)
        works, self.given = WorkBoard(daily, self.clock.wall), NoticeStore(self.database)
        books = CaseBooks(self.store, daily, works, CleaningBoard(daily), self.given, self.board)
        self.registers = Registers(
            books, lambda: self.engine.configuration, lambda: self.engine.engine_state.view(self.clock.wall()),
            lambda index: self.engine.engine_state.latest(index, self.clock.wall()),
            lambda: self.engine.engine_state.flagged(Flag.MAINTENANCE), CasesConfig(),
            self.clock.wall,
        )  # fmt: skip
        self.notices = NoticeAutomation(
            self.given, notice_sources(self.automation, self.registers), lambda: self.engine.configuration,
            self.settings, self.wake, CasesConfig(), self.clock.wall,
        )  # fmt: skip

    def wake(self) -> None:
        self.woken += 1

    async def run_automations(self) -> None:
        await super().run_automations()
        await self.registers.run_once()
        await self.notices.run_once()

    async def on(self, day: dt.date) -> None:
        """Time goes by to a day; the automations run on that day and the one before it."""
        self.clock.time += ((day - self.today).days - 1) * DAY
        await self.run_automations()
        await self.until(day)

    async def after(self, minutes: float) -> None:
        """Time goes by; the automations run in the end."""
        self.clock.time += int(minutes * MINUTE)
        await self.run_automations()

    def show(self, value: float, point: str = "LANCE", flags: int = 0) -> None:
        """A point sends a reading."""
        found = self.configuration.find(PLANT, point)
        assert found is not None
        now = np.array([self.clock.wall()])
        self.journal.append(
            Commit(
                Batch(np.array([found.index], np.int32), now, np.array([value]), np.array([flags], np.uint16), now), 1
            )
        )
        self.engine.process()

    def messages(self, receiver: str = "all") -> list[Message]:
        """What waits for a receiver, in its order."""
        outbox = OutboxStore(self.database)
        return list(outbox.messages(receiver, [waiting.seq for waiting in outbox.waiting(receiver, "notice", 0, 999)]))

    def sent(self, receiver: str = "all") -> list[tuple[str, str]]:
        """Events and matters sent to a receiver."""
        return [(message.body["event"], message.body["notice"]["matter"]) for message in self.messages(receiver)]
