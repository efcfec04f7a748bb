"""Intake: messages from the sources, decoded, journaled and synced, and only then acknowledged and announced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, Protocol

from pydantic import Field

from ingest.base.config import Config
from ingest.base.telemetry import Event, emit
from ingest.base.worker import Worker
from ingest.domain.quality.backfill import Backfill
from ingest.domain.quality.distinct_times import DistinctTimes
from ingest.domain.quality.timeline import TimeLine
from ingest.domain.quality.witnesses import Witnesses
from ingest.intake.announcer import Announcer
from ingest.intake.backfill_release import BackfillRelease
from ingest.intake.boots import Boots, BootsForgotten
from ingest.intake.gaps import GapWatch
from ingest.intake.grouping import PIECE, Group, Life, Standing
from ingest.intake.health import Health
from ingest.intake.sequencing import Sequencer
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.raw import Raw
from ingest.intake.sources.shares import GatewayThrottled, Shares
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.errors import JournalFull, JournalUnavailable
from ingest.storage.journal.records import Quarantined, Staged
from ingest.storage.journal.roles import IntakeJournal
from ingest.storage.journal.sequence_state import BootKey, Who

_received: Final = attrgetter("received")

GROUP: Final = 256
"""Most messages in one commit; a commit takes whatever waits, so an idle service adds no delay."""

_RETRY_S: Final = 1.0
_FEED_S: Final = 0.005  # while back-fill is staged or judged: how soon it is seen that a piece is due, or done
_FULL_S: Final = 0.1  # while the disk is full: how soon it is seen that there is room again
_CARE_S: Final = 1.0  # gaps, and messages to be taken again, are looked after so often: the longest wait for a message
_RETRIES: Final = 100  # put-aside messages taken again in one commit
_WILD: Final = 64 << 10  # bytes of its share that a gap or a boot too many costs a gateway


class IntakeConfig(Config):
    """How intake treats what gateways send."""

    clock_tolerance_s: float = Field(default=60.0, gt=0, le=1800)  # how far a gateway's clock may run ahead
    gap_named_s: float = Field(default=20.0, ge=0, le=50)  # a missing frame is told after so long; resends come first
    gap_lost_h: float = Field(default=72.0, gt=0)  # and listed as lost after so long
    gateway_mb_per_s: float = Field(default=2.0, gt=0)  # what each gateway may send in the long run
    gateway_burst_mb: float = Field(default=16.0, ge=2)  # and at once; what is beyond is not read, and sent again


class Room(Protocol):
    """Says whether there is room on disk for readings from outside."""

    def room(self) -> bool:
        """Whether messages may be taken now."""

    def full(self) -> None:
        """A commit found no room."""


@dataclass(frozen=True, slots=True)
class FramesJournaled(Event, level="debug", amount="readings"):
    """Readings on disk."""

    messages: int
    readings: int


@dataclass(frozen=True, slots=True)
class ServiceClockStepped(Event, level="warning"):
    """The service's own clock was set: silences go on being counted as if it had not been."""

    step_s: float


@dataclass(frozen=True, slots=True)
class ServiceClockSuspected(Event, level="error"):
    """All gateways agree against the service's own clock: their times are kept as they are. Set the service's clock."""

    ahead_s: float


@dataclass(frozen=True, slots=True)
class ServiceClockConfirmed(Event):
    """A gateway agrees with the service's own clock again."""


@dataclass(frozen=True, slots=True)
class JournalRefused(Event, level="error"):
    """The journal could not be written. Nothing is acknowledged until it can: the broker holds back."""

    error: str


class Intake(Worker):
    """The thread between the sources' hand-over and the journal."""

    def __init__(
        self,
        handover: Handover,
        journal: IntakeJournal,
        configuration: Callable[[], PlantConfiguration],
        acknowledge: Callable[[Sequence[Raw]], None],
        announcer: Announcer,
        room: Room,
        config: IntakeConfig,
        clock: Clock,
        on_failure: Callable[[BaseException], None],
        *,
        flush: Callable[[], None],
        caught_up: Callable[[], bool] = lambda: True,
        shares: Shares | None = None,
    ) -> None:
        """`flush`: called once a cycle, after what was acknowledged and what was announced.

        `caught_up`: whether everything in the journal was judged, so that back-fill delays nothing live.

        `shares`: what the source asks whether to read a message; here it is charged for what is costly, and told of.
        """
        super().__init__("intake", on_failure)
        self._handover = handover
        self._journal = journal
        self._configuration = configuration
        self._acknowledge = acknowledge
        self._flush = flush
        self._announcer = announcer
        self._room = room
        self._config = config
        self._clock = clock
        self._tolerance = int(config.clock_tolerance_s * 1e9)
        self._positions = journal.positions()
        self._standings = {who: Standing(TimeLine(boot, clock)) for who, (boot, clock) in journal.boots().items()}
        known = journal.gateways()
        self._lives = {(one.plant, one.gateway): Life(one.online) for one in known if one.online is not None}
        self._recent = journal.recent()
        self._witnesses = Witnesses(self._tolerance)
        self._healths: dict[Who, Health] = {}
        self._boots = Boots(self._positions)
        self._gaps = GapWatch(self._positions, config.gap_named_s, config.gap_lost_h)
        self._caught_up = caught_up
        self._backfill = Backfill()
        self._apart = DistinctTimes()
        self._feeding = BackfillRelease()
        self._shares = shares or Shares(
            config.gateway_mb_per_s, config.gateway_burst_mb, lambda: configuration().gateways
        )
        self._set_by = 0  # ns by which the service's clock was set since the start
        # And before it: nothing arrives before what has arrived, so the clock was set back while nobody looked.
        self._set_before = min(0, clock.look()[0] - journal.newest())
        self._observed: list[tuple[int, float]] = []
        self._lock = threading.Lock()
        self._care_due = 0.0
        self.progressed = time.monotonic()  # when it last looked around: what a watchdog looks at

    def wake(self) -> None:
        """Look up from waiting."""
        self._handover.wake()

    def announce_all(self) -> None:
        """Tell every gateway again where it stands, since the broker may have forgotten. From any thread."""
        known = self._configuration().gateways
        keys = [(*who, standing.line.boot) for who, standing in [*self._standings.items()] if who in known]
        self._announcer.due(keys, at_once=True)
        self.wake()

    def observe(self, values: Sequence[tuple[int, float]]) -> None:
        """Journal readings the service made itself, (point index, value) each; also while messages are held back.

        From any thread.
        """
        with self._lock:
            self._observed += values

    def missing(self, older_than_s: float) -> int:
        """How many frames have been missing for longer than that."""
        before = self._clock.look()[0] - int(older_than_s * 1e9)
        return self._gaps.frames(self._positions, before, self._configuration().gateways)

    def take(self, messages: Sequence[Raw], again: Sequence[Quarantined] = (), staged: Sequence[Staged] = ()) -> None:
        """Journal a group of messages, then acknowledge each in order and say what is to be announced.

        Args:
            messages: from the source; the service's clock was not set between any two of them (`set_by`).
            again: messages that were put aside and are to be taken again.
            staged: back-fill whose turn has come.

        Raises:
            JournalUnavailable: nothing was written, acknowledged or announced.
        """
        now, set_by = self._clock.look()
        observed: list[tuple[int, float]] = []
        if messages and messages[0].set_by != set_by:
            set_by = messages[0].set_by  # what the service observed is of another time, and waits for its own group
        else:
            with self._lock:
                observed, self._observed = self._observed, []
        step = set_by - self._set_by
        began = self._clock.steady_s()
        configuration = self._configuration()
        self._apart.set_gateways(configuration.gateways)
        group = Group(
            configuration,
            Sequencer(self._positions, self._recent, configuration.gateways),
            self._standings,
            self._lives,
            self._tolerance,
            self._set_before + set_by,
            self._backfill,
            self._spare(began),
            self._witnesses.reference,
            self._apart,
        )
        for message in messages:
            (group.pass_over if message.unread else group.sort)(message)
        for aside in again:
            group.sort(Raw(aside.topic, aside.payload, aside.received), again=True)
            group.retried.append(aside.id)
        group.feed(staged, now)
        for point, value in observed:
            group.observe(point, value, now)
        commit = group.commit(step)
        try:
            self._journal.append(commit)
        except JournalUnavailable:
            with self._lock:
                self._observed = observed + self._observed
            raise
        self._set_by = set_by
        self._feeding.joined(group.filled, began)
        moved = {
            who: standing
            for who, one in group.heard.items()
            if (standing := one.standing) is not None and standing is not one.before
        }
        self._standings.update(moved)
        self._lives.update(group.lived)
        self._recent.update(group.numbers.recalled)
        for key, progress in commit.positions.items():
            self._positions[key] = progress.position
            self._gaps.moved(key, progress)
            if progress.beyond:
                self._shares.charge(key[:2], _WILD * len(progress.beyond))
        self._boots.heard(commit.positions)
        self._note_health(group)
        self._believe(moved, group.set_by)
        self._acknowledge(messages)
        self._announcer.refused(group.refusals)
        self._announcer.due(commit.positions)
        if messages or again:
            emit(FramesJournaled(len(messages), commit.readings + sum(piece.size for piece in commit.backfill)))
        if step:
            emit(ServiceClockStepped(step / 1e9))

    @property
    def clock_ahead_s(self) -> float:
        """How far the service's own clock is ahead, if all gateways agree against it, s; behind: negative; else 0."""
        return self._witnesses.service_ahead / 1e9

    def _believe(self, moved: Mapping[Who, Standing], set_by: int) -> None:
        """Ask the clocks of gateways that were heard whether the service's own is right."""
        clocks = {who: clock for who, now in moved.items() if (clock := now.line.clock) is not None}
        if not clocks:
            return
        before = self._witnesses.service_ahead
        self._witnesses.update(clocks, max(map(_received, clocks.values())), set_by)
        ahead = self._witnesses.service_ahead
        if ahead and not before:
            emit(ServiceClockSuspected(round(ahead / 1e9, 3)))
        elif before and not ahead:
            emit(ServiceClockConfirmed())

    def _note_health(self, group: Group) -> None:
        """Count what came of each gateway; what is to be told of it goes into the next commit."""
        for who, heard in group.heard.items():
            if heard.tally is None:
                continue
            health = self._healths.get(who)
            if health is None:
                health = self._healths[who] = Health(heard.tally.received)
            fresh = health.add(heard.tally)
            if fresh:
                own = heard.configuration.own
                self.observe([(own[point], value) for point, value in fresh])

    def _run(self) -> None:
        waiting: list[Raw] = []
        while not self._stopping.is_set():
            self.progressed = time.monotonic()
            self._announcer.tell(self._positions)
            self._flush()
            try:
                self._care()
                if not self._room.room():
                    self._stopping.wait(_FULL_S)
                    continue
                self._feed()
                waiting = waiting or self._next()
                while waiting:
                    until = _until_step(waiting)
                    self.take(waiting[:until])
                    waiting = waiting[until:]
            except JournalUnavailable as error:
                emit(JournalRefused(str(error)))
                if isinstance(error, JournalFull):
                    self._room.full()
                self._stopping.wait(_RETRY_S)

    def _next(self) -> list[Raw]:
        """The messages of the next commit; none if something else is due first."""
        if self._journal.waiting() or self._feeding.judging:  # pieces of it join between commits, and have a pace too
            return self._handover.take(GROUP, _FEED_S)
        return self._handover.take(GROUP, min(_CARE_S, self._announcer.due_s()))

    def _spare(self, now: float) -> int:
        """How many readings of back-fill may join the journal straight away: none that would delay anything."""
        at_once = not self._journal.waiting() and self._caught_up() and self._feeding.due(now, caught_up=True)
        return PIECE if at_once else 0

    def _feed(self) -> None:
        """Put a piece of back-fill into the journal, if one waits and is due."""
        due = self._feeding.due(self._clock.steady_s(), caught_up=self._caught_up())
        if due and self._journal.waiting():
            self.take([], staged=self._journal.staged(PIECE))

    def _care(self) -> None:
        """Once in a while: what the service says of itself, messages to take again, old gaps, and boots too many."""
        if time.monotonic() < self._care_due:
            return
        self._care_due = time.monotonic() + _CARE_S
        again = self._journal.to_retry(_RETRIES) if self._room.room() else []
        if self._observed or again:
            self.take([], again)
        now = self._clock.look()[0]
        known = self._configuration().gateways
        self._forget(self._boots.surplus(known, self._boot_of))
        for key, position in self._gaps.look(self._positions, now, known, self._announcer.in_the_way):
            self._journal.save_position(key, position)
            self._positions[key] = position
            self._announcer.due([key])
        for who, unread, size in self._shares.refused():
            emit(GatewayThrottled(*who, unread, size))

    def _boot_of(self, who: Who) -> str | None:
        return self._standings[who].line.boot if who in self._standings else None

    def _forget(self, boots: Sequence[BootKey]) -> None:
        """Nothing is known of these boots any more."""
        self._journal.forget(boots)
        missing: dict[Who, list[int]] = {}
        for key in boots:
            position = self._positions.pop(key)
            missing.setdefault(key[:2], []).append(sum(gap.frames for gap in position.missing))
            self._gaps.forget(key)
        for who, frames in missing.items():
            self._shares.charge(who, _WILD * len(frames))
            emit(BootsForgotten(*who, len(frames), sum(frames)))


def _until_step(messages: Sequence[Raw]) -> int:
    """How many messages there are before the service's clock was set: on both sides of it they are not one group."""
    return next((at for at, one in enumerate(messages) if one.set_by != messages[0].set_by), len(messages))
