"""Plants whose people are called: alarms in memory, calls on a real database, a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from ingest.domain.calls.config import CallsConfig
from ingest.domain.calls.happenings import Answer, Arrival, ReceiptArrived, UnderWay
from ingest.domain.model.alarm import Alarm, AlarmState
from ingest.domain.model.call import Call, CallEventKind, Cause, Receipt
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Attempt, Message, Waiting
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text
from ingest.domain.model.warning import (
    Asked,
    Colour,
    EarlyWarning,
    Step,
    WarningEvent,
    WarningEventKind,
    WarningState,
)
from ingest.runtime.call_automation import CallAutomation
from ingest.services.calls.desk import CallDesk
from ingest.storage.state.call_store import CallFilter, CallStore
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_store import OutboxStore
from tests.ingest.web.memory_books import MemoryBooks

SECOND = 10**9
START = 1_767_204_660 * SECOND  # 02:11 at the plant, on the first day of 2026


def ways(name: str) -> list[dict[str, str]]:
    return [{"connector": "voice", "address": f"+86-{name}"}, {"connector": "sms", "address": f"+86-{name}"}]


SETTINGS: Mapping[str, Any] = {
    "people": [{"name": name, "channels": ways(name)} for name in ("甲", "乙", "丙", "镇长", "县长")]
    + [{"name": "丁", "channels": [{"connector": "fax", "address": "1"}]}],
    "shifts": [
        {"position": "值班长", "start": "20:00", "end": "08:00", "people": ["甲", "乙"]},
        {"position": "值班长", "start": "08:00", "end": "20:00", "people": ["丙"]},
        {"position": "镇值班", "plants": ["p1"], "start": "00:00", "end": "00:00", "people": ["镇长"]},
    ],
    "ladders": [
        {"plants": ["p1", "p2"], "steps": [{"position": "值班长"}, {"position": "镇值班", "tier": "township"}]},
        {"causes": ["system"], "steps": [{"people": ["丁", "县长"], "tries": 1}]},
    ],
}


class CalledPlants(MemoryBooks):
    """Plants p1 and p2, and whom they call."""

    def __init__(self, database: Database, settings: Mapping[str, Any] = SETTINGS) -> None:
        super().__init__()
        self.database, self.time = database, START
        self.config = CallsConfig.model_validate(settings)
        self.outbox = OutboxStore(database)
        self.woken = 0
        self.enterprises: list[Plant] = []
        self.withdrawn: list[Waiting] = []
        self.restart()

    def restart(self) -> None:
        """As after a crash: nothing is remembered but what is on disk."""
        self.store = CallStore(self.database)
        self.desk = CallDesk(self.store, self.config, {"voice", "sms"}, lambda _plant: None, self.wake, self.silence)
        self.automation = CallAutomation(
            self.desk, self, self, asyncio.Event, lambda: self.time, lambda: self.enterprises, lambda: "secret"
        )

    def wake(self, _messages: Sequence[Message] | None) -> None:
        self.woken += 1

    def silence(self, messages: Mapping[str, Sequence[Waiting]]) -> None:
        self.withdrawn += [waiting for of in messages.values() for waiting in of]

    def after(self, seconds: float = 0) -> None:
        """Time goes by, and what is due is done."""
        self.time += int(seconds * SECOND)
        self.automation.check()

    def warn(self, plant: str = "p1", colour: Colour = Colour.RED) -> EarlyWarning:
        """A warning is raised."""
        return self.write(
            EarlyWarning(
                uuid4(), plant, colour, colour, self.time, self.time, WarningState.OPEN, Step.ENTERPRISE,
                Asked.ACKNOWLEDGEMENT, self.time, 0, 50.0, "1", (),
            )
        )  # fmt: skip

    def write(self, warning: EarlyWarning, **changes: Any) -> EarlyWarning:
        """The warning is so from now on."""
        changed = replace(warning, **changes)
        event = WarningEvent(len(self.warned) + 1, uuid4(), WarningEventKind.RAISED, self.time, changed)
        self.warned.append(event)
        return changed

    def acknowledge(self, warning: EarlyWarning, by: str = "王工") -> EarlyWarning:
        return self.write(warning, asking=Asked.FEEDBACK, acknowledged=self.time, acknowledged_by=by)

    def raise_alarm(self, plant: str = "p1", point: str = "T-1") -> Alarm:
        """An alarm of level 2 is raised."""
        now = self.time
        alarm = Alarm(
            uuid4(), plant, point, "HH", 2, AlarmState.UNACKNOWLEDGED, Text("高高报", "high high"), 91.5, 90.0, "℃",
            now, now, now, 1,
        )  # fmt: skip
        return self.set_alarm(alarm)

    def set_alarm(self, alarm: Alarm, **changes: Any) -> Alarm:
        """The alarm is so from now on."""
        changed = replace(alarm, **changes)
        self.book[alarm.id] = changed
        self.automation._seen = None
        return changed

    def calls(self, plant: str | None = None) -> list[Call]:
        """Every call, the oldest first."""
        which = CallFilter(frozenset({plant}) if plant else None)
        return self.store.calls(which, limit=99)[::-1]

    @property
    def call(self) -> Call:
        """The newest call."""
        return self.calls()[-1]

    def rung(self, call: Call | None = None) -> list[str]:
        """Who is rung now."""
        return [ringing.person for ringing in (call or self.call).ringing]

    def waiting(self) -> list[tuple[str, str]]:
        """To whom messages wait, by connector."""
        return [
            (connector, message.body["person"]["name"])
            for connector in ("voice", "sms")
            for message in self.outbox.messages(
                connector, [waiting.seq for waiting in self.outbox.waiting(connector, "call", 0, 999)]
            )
        ]

    def reject(self, person: str, connector: str) -> None:
        """The connector's receiver rejects what waits for a person for good."""
        waiting = self.outbox.waiting(connector, "call", 0, 999)
        error = Failure("http-words", status=400, words="no such number")
        self.outbox.record(
            connector,
            [
                Attempt(message.seq, self.time, None, error, self.time)
                for message in self.outbox.messages(connector, [each.seq for each in waiting])
                if message.body["person"]["name"] == person
            ],
        )

    def receipt(self, receipt: Receipt, person: str, connector: str = "voice") -> Call | None:
        """The newest attempt on a person has a receipt."""
        attempt = next(
            each for each in reversed(self.call.attempts) if (each.person, each.connector) == (person, connector)
        )
        return self.desk.receive(ReceiptArrived(self.time, attempt.id, receipt))

    def says(self, happened: Answer | UnderWay | Arrival, call: Call | None = None) -> Call | None:
        return self.desk.take((call or self.call).id, happened, (happened.by, "operator"))

    def kinds(self, key: UUID | None = None) -> list[CallEventKind]:
        """What happened to a call, in order."""
        return [event.kind for event in self.store.events(key or self.call.id)]

    def of(self, cause: Cause) -> list[Call]:
        return [call for call in self.calls() if call.cause is cause]
