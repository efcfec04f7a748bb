"""Calls people for warnings and alarms that nobody has acknowledged, until somebody answers; over restarts, too.

It compares what is committed with the calls that began: so a process that is killed between a warning and its call
begins the call after its start, and nobody is called twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from prometheus_client.core import GaugeMetricFamily

from ingest.base.telemetry import Event, emit
from ingest.delivery.sender import OutboxSender
from ingest.domain.calls.needs import LEVEL, UNANSWERED, Need, covered, of_alarm, of_warning, rests_on, settled
from ingest.domain.calls.roll_calls import roll_call_due
from ingest.domain.model.alarm import Alarm, AlarmFilter
from ingest.domain.model.call import OVER, Call, CallState, Cause, call_id
from ingest.domain.model.plant import Plant
from ingest.domain.model.warning import EarlyWarning, WarningFilter, WarningState
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.settings import Settings
from ingest.services.all_pages import read_all
from ingest.services.calls.desk import CallDesk
from ingest.services.ports import AlarmBook, WarningBook
from ingest.storage.state.call_store import CallStore
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateUnavailable

CHECK_S: Final = 30.0
"""At least so often everything is compared, whatever was committed."""

RINGING_S: Final = 1.0
"""At least so often while somebody is rung: a message that its receiver rejects for good is no commit of the engine."""

_PAUSE_S: Final = 0.2
"""Between two rounds: many commits within it are one round."""

_AGAIN_S: Final = 1.0
_AWAITED: Final = frozenset({WarningState.OPEN, WarningState.OVER})


@dataclass(frozen=True, slots=True)
class NobodyToCall(Event, level="error", labels=("cause",)):
    """People should be called, and the settings have no ladder for that plant."""

    cause: str
    plant: str
    subject: str


@dataclass(frozen=True, slots=True)
class CallsPutOff(Event, level="error"):
    """The state database could not be used: who is to be called is not known until it can."""

    error: str


class CallAutomation:
    """Begins, advances and ends calls. Times are ns since the epoch, from the clock given."""

    def __init__(
        self,
        desk: CallDesk,
        alarms: AlarmBook,
        warnings: WarningBook,
        news: Callable[[], asyncio.Event],
        now: Callable[[], int],
        plants: Callable[[], Sequence[Plant]] = tuple,
        secret: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Call people by that desk.

        Args:
            desk: of calls.
            alarms: as committed.
            warnings: as committed.
            news: returns the event that is set at the engine's next commit.
            now: ns since the epoch.
            plants: whose rolls are called at night.
            secret: from which the times of that are drawn; None: it is not known yet.
        """
        self._plants = plants
        self._secret = secret
        self._desk = desk
        self._alarms = alarms
        self._warnings = warnings
        self._news = news
        self._now = now
        self._seen: tuple[int, int] | None = None  # numbers of the newest events that were compared
        self._compared = 0
        self._without_ladder: set[UUID] = set()
        self._open: tuple[Call, ...] = ()

    async def run(self) -> None:
        """Run until cancelled; at once at an end if nobody can ever be called."""
        while await self._has_work():
            news = self._news()  # before the comparison, so that no commit is missed
            try:
                due = await asyncio.to_thread(self.check)
            except StateUnavailable as error:
                emit(CallsPutOff(str(error)))
                self._seen = None
                await asyncio.sleep(_AGAIN_S)
                continue
            await asyncio.sleep(_PAUSE_S)
            most_s = RINGING_S if any(call.ringing for call in self._open) else CHECK_S
            wait_s = most_s if due is None else min(most_s, max(0.0, (due - self._now()) / 1e9))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await news.wait()

    def check(self) -> int | None:
        """Do all that is due; returns when time alone calls for more, ns. Blocking. Raises StateUnavailable."""
        now = self._now()
        newest = self._alarms.last_event(), self._warnings.last_warning()
        if newest != self._seen or not 0 <= now - self._compared < CHECK_S * 1e9:
            self._end_settled(now)
            self._begin_missing(now)
            self._call_rolls(now)
            self._seen, self._compared = newest, now
        due = self._desk.pass_time(now)
        self._open = tuple(self._desk.store.open_calls())
        return due

    def gauges(self) -> Iterator[GaugeMetricFamily]:
        """Yield how many calls are under way."""
        open_calls = GaugeMetricFamily("yujing_calls_open", "Calls by state, errands included", labels=["state"])
        for state in CallState:
            open_calls.add_metric([str(state)], sum(call.state is state for call in self._open))
        yield open_calls

    async def _has_work(self) -> bool:
        """Whether anybody can be called, or was before the settings changed."""
        return bool(self._desk.config.ladders) or bool(await asyncio.to_thread(self._desk.store.open_calls))

    def _end_settled(self, now: int) -> None:
        for call in self._desk.store.open_calls():
            if call.state not in OVER and call.cause is not Cause.ROLL_CALL:
                happened = settled(call, self._subject(call), now)
                if happened is not None:
                    self._desk.take(call.id, happened)

    def _subject(self, call: Call) -> EarlyWarning | Alarm | None:
        key = UUID(call.subject)
        return self._warnings.warning(key) if call.cause is Cause.WARNING else self._alarms.alarm(key)

    def _begin_missing(self, now: int) -> None:
        config = self._desk.config
        which = WarningFilter(states=_AWAITED)
        warnings = read_all(partial(self._warnings.warnings, which), lambda warning: (warning.raised, warning.id))
        standing = list(warnings)
        needs = [need for need in (of_warning(warning, config) for warning in standing) if need is not None]
        self._begin(needs, now)
        unseen = AlarmFilter(level=LEVEL, states=UNANSWERED)
        alarms = read_all(partial(self._alarms.alarms, unseen), lambda alarm: (alarm.raised, alarm.id))
        self._begin_for_alarms(list(alarms), standing, now)

    def _begin_for_alarms(self, alarms: Sequence[Alarm], warnings: Sequence[EarlyWarning], now: int) -> None:
        """Begin calls for alarms, the newest last; each may cover those after it."""
        needs = [need for need in (of_alarm(alarm, self._desk.config) for alarm in alarms) if need is not None]
        known = self._desk.store.known([need.id for need in needs])
        fresh = [need for need in needs if need.id not in known]
        config = self._desk.config
        awaited = self._desk.store.open_calls() if fresh else []
        calls: dict[str, list[Call]] = {}
        for need in sorted(fresh, key=_raised):
            alarm = need.of
            if not isinstance(alarm, Alarm):
                continue
            if need.plant not in calls:
                since = min(_raised(of) for of in fresh if of.plant == need.plant)
                changed = min(since, now - config.again_s * 10**9)
                calls[need.plant] = self._desk.store.changed_since(need.plant, changed) + [
                    call for call in awaited if call.plant == need.plant
                ]
            resting = {str(warning.id) for warning in warnings if rests_on(warning, alarm)}
            if not covered(alarm, calls[need.plant], resting, config, now):
                calls[need.plant] += self._begin([need], now)

    def _call_rolls(self, now: int) -> None:
        """Call the roll of each plant whose moment of this night has come."""
        config = self._desk.config.roll_call
        secret = self._secret() if config.nights_a_week else None
        if secret is None:
            return
        for plant in self._plants():
            subject = roll_call_due(config, secret, plant.id, now)
            if subject is not None and not self._desk.store.known([call_id(Cause.ROLL_CALL, subject, None)]):
                self._desk.call_the_roll(plant, subject, now)

    def _begin(self, needs: Sequence[Need], now: int) -> list[Call]:
        known = self._desk.store.known([need.id for need in needs])
        begun = []
        for need in needs:
            if need.id in known:
                continue
            call = self._desk.begin(need, now)
            if call is not None:
                begun.append(call)
            elif need.id not in self._without_ladder:
                self._without_ladder.add(need.id)
                emit(NobodyToCall(str(need.cause), need.plant, str(need.of.id)))
        return begun


def _raised(need: Need) -> int:
    return need.of.annunciated if isinstance(need.of, Alarm) else need.of.raised


def build_desk(
    database: Database, settings: Settings, configuration: Callable[[], PlantConfiguration], sender: OutboxSender
) -> CallDesk:
    """Build the desk of calls, whose messages that sender delivers."""
    return CallDesk(
        CallStore(database),
        settings.calls,
        settings.connectors.names(),
        lambda plant: configuration().plants.get(plant),  # noqa: PLW0108  of the configuration in force then
        sender.wake,
        sender.withdraw,
    )
