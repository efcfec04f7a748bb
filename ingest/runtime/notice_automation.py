"""Gives a notice for each occasion once, and withdraws it when the occasion is over; over restarts, too.

What stands is what the state database holds, and a notice is committed together with its messages: so none is lost
between a decision and its delivery, and none is given twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

from ingest.base.telemetry import Event, emit
from ingest.delivery.config import ConnectorsConfig
from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.notice_report import notice_body
from ingest.domain.model.notice import LASTING, Matter, Notice, Occasion, message_id
from ingest.domain.model.outbox import Message, Urgency
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.state.notice_store import NoticeStore

_AT_ONCE: Final = 200
"""Notices committed in one transaction: the engine's commit waits for it."""

Source = Callable[[int], Collection[Occasion] | None]
"""Returns what calls for notices at a time (ns); None: not known at present. Raises StateUnavailable."""


@dataclass(frozen=True, slots=True)
class NoticeGiven(Event, labels=("matter",)):
    """A notice was given: somebody has to do something by a time, and the receivers of notices are informed."""

    matter: str
    id: str
    plant: str
    subject: str
    receivers: int


@dataclass(frozen=True, slots=True)
class NoticeEnded(Event, labels=("matter",)):
    """What a notice was given for is done, or is not to be done any more."""

    matter: str
    id: str
    plant: str


class NoticeAutomation:
    """Runs in each round of `Automations`, after what it looks at. Times are ns since the epoch, from the clock given.

    Attributes:
        undelivered: by connector how many of its messages wait, as of the last round; None: there was no round yet.
    """

    def __init__(
        self,
        store: NoticeStore,
        sources: Mapping[frozenset[Matter], Source],
        configuration: Callable[[], PlantConfiguration],
        connectors: ConnectorsConfig,
        wake: Callable[[], None],
        config: CasesConfig,
        now: Callable[[], int],
    ) -> None:
        """`sources`: what calls for notices of these matters; `wake` is called once messages were committed."""
        self._store = store
        self._sources = sources
        self._configuration = configuration
        self._connectors = connectors
        self._wake = wake
        self._lasts = int(config.not_closed_min * 60e9)
        self._now = now
        self._outstanding: dict[Occasion, Notice] | None = None  # None: to be read
        self.undelivered: Mapping[str, int] | None = None
        self._since: dict[Occasion, int] = {}  # when those were first seen that have to last

    async def run_once(self) -> None:
        """Give and withdraw notices once. Raises StateUnavailable."""
        await asyncio.to_thread(self.check)

    def check(self) -> None:
        """Give and withdraw notices once, blocking. Raises StateUnavailable."""
        now = self._now()
        if self._outstanding is None:
            self._outstanding = {notice.occasion: notice for notice in self._store.outstanding()}
        for matters, source in self._sources.items():
            occasions = source(now)
            if occasions is not None:
                self._compare(self._outstanding, matters, occasions, now)
        self.undelivered = self._store.undelivered(self._connectors.names())

    def figures(self) -> Counter[str] | None:
        """Return how many notices are outstanding, by matter; None: there was no round yet."""
        outstanding = self._outstanding
        return None if outstanding is None else Counter(str(occasion.matter) for occasion in list(outstanding))

    def _compare(
        self,
        outstanding: Mapping[Occasion, Notice],
        matters: Collection[Matter],
        occasions: Collection[Occasion],
        now: int,
    ) -> None:
        """Withdraw the notices of these matters that nothing calls for any more, and give those that are missing."""
        called = set(occasions)
        over = [notice for of, notice in outstanding.items() if of.matter in matters and of not in called]
        missing = [of for of in occasions if of not in outstanding]
        fresh = [of for of in missing if of.certain]
        lasting = {
            of: self._since.get(of, now) for of in missing if of.matter in LASTING and (of.certain or of in self._since)
        }
        self._since = {of: at for of, at in self._since.items() if of.matter not in matters} | lasting
        given = [self._given(of, now) for of in fresh if of not in lasting or now - lasting[of] >= self._lasts]
        self._commit([*(replace(notice, ended=now) for notice in over), *given], now)

    def _given(self, of: Occasion, now: int) -> Notice:
        receivers = self._connectors.notified(of.plant, of.matter)
        return Notice(
            uuid4(), of.plant, of.matter, of.subject, of.due, of.text.zh, of.text.en, now, receivers=tuple(receivers)
        )

    def _commit(self, changed: Sequence[Notice], now: int) -> None:
        for first in range(0, len(changed), _AT_ONCE):
            notices = changed[first : first + _AT_ONCE]
            messages = [message for notice in notices for message in self._messages(notice, now)]
            known, self._outstanding = self._outstanding or {}, None  # read again should the commit fail
            self._store.commit(notices, messages)
            for notice in notices:
                if notice.ended is None:
                    known[notice.occasion] = notice
                    receivers = len(notice.receivers)
                    emit(NoticeGiven(str(notice.matter), str(notice.id), notice.plant, notice.subject, receivers))
                else:
                    del known[notice.occasion]
                    emit(NoticeEnded(str(notice.matter), str(notice.id), notice.plant))
            self._outstanding = known
            if messages:
                self._wake()

    def _messages(self, notice: Notice, now: int) -> Iterator[Message]:
        """Yield the messages that tell of its newest event, to those it was addressed to."""
        body = notice_body(notice, self._configuration().plants.get(notice.plant))
        number, subject = message_id(notice.id, notice.event), f"{notice.matter}/{notice.subject}"
        for receiver in notice.receivers:
            if receiver in self._connectors.names():
                yield Message(0, receiver, number, "notice", notice.plant, body, now, now, 0, Urgency.BULK, subject)
