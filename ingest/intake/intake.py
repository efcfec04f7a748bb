"""Intake: decodes messages, journals and syncs them, and only then acknowledges and announces them."""

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
from ingest.intake.gaps import GapTracker
from ingest.intake.grouping import PIECE, GatewayState, Group, Presence
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
_RELEASE_S: Final = 0.005  # while back-fill is staged or evaluated: longest wait before the next check of it
_FULL_S: Final = 0.1  # while the disk is full: interval between checks for room
_HOUSEKEEPING_S: Final = 1.0  # interval of housekeeping, and the longest wait for a message
_IDLE_S: Final = 0.01  # who waits so long for messages has time to do more with them than to journal them
_MAX_RETRIES: Final = 100  # quarantined messages retried in one commit
_WILD: Final = 64 << 10  # bytes of its share that a surplus gap or boot costs a gateway


class IntakeConfig(Config):
    """How intake treats what gateways send."""

    clock_tolerance_s: float = Field(default=60.0, gt=0, le=1800)  # how far a gateway's clock may run ahead
    gap_named_s: float = Field(default=20.0, ge=0, le=50)  # a missing frame is told after so long; resends come first
    gap_lost_h: float = Field(default=72.0, gt=0)  # and listed as lost after so long
    gateway_mb_per_s: float = Field(default=2.0, gt=0)  # what each gateway may send in the long run
    gateway_burst_mb: float = Field(default=16.0, ge=2)  # and at once; what is beyond is not read, and sent again


class Room(Protocol):
    """Tells whether the disk has room for readings from outside."""

    def room(self) -> bool:
        """Whether messages may be taken now."""

    def full(self) -> None:
        """Note that a commit failed for lack of room."""


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
        follow: Callable[[bool], None] = lambda _at_once: None,
        shares: Shares | None = None,
    ) -> None:
        """`flush`: sends acknowledgements and announcements; called once a cycle.

        `caught_up`: whether everything in the journal was evaluated, so that back-fill delays nothing live.

        `follow`: called once a cycle that was journaled, when it is announced, with whether there is time for more.

        `shares`: each gateway's share, also used by the source; charged here for what is costly.
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
        self._sequences = journal.sequence_states()
        self._states = {who: GatewayState(TimeLine(boot, clock)) for who, (boot, clock) in journal.boots().items()}
        known = journal.gateways()
        self._presences = {
            (gateway.plant, gateway.gateway): Presence(gateway.online)
            for gateway in known
            if gateway.online is not None
        }
        self._recent = journal.recent()
        self._witnesses = Witnesses(self._tolerance)
        self._healths: dict[Who, Health] = {}
        self._boots = Boots(self._sequences)
        self._gaps = GapTracker(self._sequences, config.gap_named_s, config.gap_lost_h)
        self._caught_up = caught_up
        self._follow = follow
        self._followed = True  # whether what was journaled was passed on
        self._had_time = False  # whether it had waited for messages for long
        self._backfill = Backfill()
        self._distinct_times = DistinctTimes()
        self._release = BackfillRelease()
        self._shares = shares or Shares(
            config.gateway_mb_per_s, config.gateway_burst_mb, lambda: configuration().gateways
        )
        self._set_by = 0  # ns by which the service's clock was set since the start
        # And before it: if the newest arrival lies in the future, the clock was set back while the service was down.
        self._set_before = min(0, clock.read()[0] - journal.newest())
        self._observed: list[tuple[int, float]] = []
        self._lock = threading.Lock()
        self._housekeeping_due = 0.0
        self.progressed = time.monotonic()  # start of the newest cycle, for the watchdog

    def wake(self) -> None:
        """End a wait early."""
        self._handover.wake()

    def announce_all(self) -> None:
        """Announce every gateway's frames again, since the broker may have lost them. From any thread."""
        known = self._configuration().gateways
        keys = [(*who, state.line.boot) for who, state in [*self._states.items()] if who in known]
        self._announcer.mark_due(keys, at_once=True)
        self.wake()

    def observe(self, values: Sequence[tuple[int, float]]) -> None:
        """Journal readings the service made itself, (point index, value) each; also while messages are held back.

        From any thread.
        """
        with self._lock:
            self._observed += values

    def missing(self, older_than_s: float) -> int:
        """How many frames have been missing for longer than that."""
        before = self._clock.read()[0] - int(older_than_s * 1e9)
        return self._gaps.frames(self._sequences, before, self._configuration().gateways)

    def take(self, messages: Sequence[Raw], retries: Sequence[Quarantined] = (), staged: Sequence[Staged] = ()) -> None:
        """Journal a group of messages, then acknowledge them in order and mark what is to be announced.

        Args:
            messages: from the source; the service's clock was not set between any two of them (`set_by`).
            retries: messages from quarantine that are to be taken again.
            staged: back-fill that is released to the journal.

        Raises:
            JournalUnavailable: nothing was written, acknowledged or announced.
        """
        now, set_by = self._clock.read()
        observed: list[tuple[int, float]] = []
        if messages and messages[0].set_by != set_by:
            set_by = messages[0].set_by  # what the service observed is of another time, and waits for its own group
        else:
            with self._lock:
                observed, self._observed = self._observed, []
        step = set_by - self._set_by
        began = self._clock.steady_s()
        configuration = self._configuration()
        self._distinct_times.set_gateways(configuration.gateways)
        group = Group(
            configuration,
            Sequencer(self._sequences, self._recent, configuration.gateways),
            self._states,
            self._presences,
            self._tolerance,
            self._set_before + set_by,
            self._backfill,
            self._spare(began),
            self._witnesses.reference,
            self._distinct_times,
        )
        for message in messages:
            (group.count_unread if message.unread else group.sort)(message)
        for quarantined in retries:
            group.sort(Raw(quarantined.topic, quarantined.payload, quarantined.received), retry=True)
            group.retried.append(quarantined.id)
        group.release(staged, now)
        for point, value in observed:
            group.observe(point, value, now)
        commit = group.commit(step)
        try:
            self._journal.append(commit)
        except JournalUnavailable:
            with self._lock:
                self._observed = observed + self._observed
            raise
        self._set_by, self._followed = set_by, False
        self._release.joined(group.backfilled, began)
        changed = {
            who: state
            for who, gateway in group.gateways.items()
            if (state := gateway.state) is not None and state is not gateway.before
        }
        self._states.update(changed)
        self._presences.update(group.presence_changes)
        self._recent.update(group.numbers.recalled)
        for key, progress in commit.sequences.items():
            self._sequences[key] = progress.state
            self._gaps.update(key, progress)
            if progress.beyond:
                self._shares.charge(key[:2], _WILD * len(progress.beyond))
        self._boots.record(commit.sequences)
        self._note_health(group)
        self._check_service_clock(changed, group.set_by)
        self._acknowledge(messages)
        self._announcer.add_refusals(group.refusals)
        self._announcer.mark_due(commit.sequences)
        if messages or retries:
            emit(FramesJournaled(len(messages), commit.readings + sum(piece.size for piece in commit.backfill)))
        if step:
            emit(ServiceClockStepped(step / 1e9))

    @property
    def clock_ahead_s(self) -> float:
        """How far the service's own clock is ahead, if all gateways agree against it, s; behind: negative; else 0."""
        return self._witnesses.service_ahead / 1e9

    def _check_service_clock(self, changed: Mapping[Who, GatewayState], set_by: int) -> None:
        """Compare the service's own clock with those of the gateways in the group."""
        clocks = {who: clock for who, now in changed.items() if (clock := now.line.clock) is not None}
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
        """Update each gateway's health; readings of it go into the next commit."""
        for who, gateway in group.gateways.items():
            if gateway.tally is None:
                continue
            health = self._healths.get(who)
            if health is None:
                health = self._healths[who] = Health(gateway.tally.received)
            fresh = health.add(gateway.tally)
            if fresh:
                own = gateway.configuration.own
                self.observe([(own[point], value) for point, value in fresh])

    def _run(self) -> None:
        waiting: list[Raw] = []
        while not self._stopping.is_set():
            self.progressed = time.monotonic()
            self._announcer.send(self._sequences)
            self._flush()
            self._pass_on()
            try:
                self._housekeeping()
                if not self._room.room():
                    self._stopping.wait(_FULL_S)
                    continue
                self._release_backfill()
                self._pass_on()
                waiting = waiting or self._await_messages()
                while waiting:
                    until = _until_clock_jump(waiting)
                    self.take(waiting[:until])
                    waiting = waiting[until:]
            except JournalUnavailable as error:
                emit(JournalRefused(str(error)))
                if isinstance(error, JournalFull):
                    self._room.full()
                self._stopping.wait(_RETRY_S)

    def _pass_on(self) -> None:
        """Have what was journaled evaluated."""
        if not self._followed:
            self._followed = True
            self._follow(self._had_time and not len(self._handover))

    def _await_messages(self) -> list[Raw]:
        """The messages of the next commit, and whether they were long in coming."""
        asked = time.monotonic()
        messages = self._next_messages()
        self._had_time = time.monotonic() - asked >= _IDLE_S
        return messages

    def _next_messages(self) -> list[Raw]:
        """The messages of the next commit; none if something else is due first."""
        if self._journal.waiting() or self._release.evaluating:  # pieces join between commits
            return self._handover.take(GROUP, _RELEASE_S)
        return self._handover.take(GROUP, min(_HOUSEKEEPING_S, self._announcer.due_s()))

    def _spare(self, now: float) -> int:
        """How many readings of back-fill may join the journal at once without delaying anything."""
        at_once = not self._journal.waiting() and self._caught_up() and self._release.due(now, caught_up=True)
        return PIECE if at_once else 0

    def _release_backfill(self) -> None:
        """Release a piece of staged back-fill to the journal, if one is due."""
        due = self._release.due(self._clock.steady_s(), caught_up=self._caught_up())
        if due and self._journal.waiting():
            self.take([], staged=self._journal.staged(PIECE))

    def _housekeeping(self) -> None:
        """At intervals, journal own readings, retry quarantined messages, check gaps and forget surplus boots."""
        if time.monotonic() < self._housekeeping_due:
            return
        self._housekeeping_due = time.monotonic() + _HOUSEKEEPING_S
        retries = self._journal.to_retry(_MAX_RETRIES) if self._room.room() else []
        if self._observed or retries:
            self.take([], retries)
        now = self._clock.read()[0]
        known = self._configuration().gateways
        self._forget_boots(self._boots.surplus(known, self._boot_of))
        for key, sequence in self._gaps.check(self._sequences, now, known, self._announcer.blocking_gaps):
            self._journal.save_sequence_state(key, sequence)
            self._sequences[key] = sequence
            self._announcer.mark_due([key])
        for who, unread, size in self._shares.take_throttled():
            emit(GatewayThrottled(*who, unread, size))

    def _boot_of(self, who: Who) -> str | None:
        return self._states[who].line.boot if who in self._states else None

    def _forget_boots(self, boots: Sequence[BootKey]) -> None:
        """Forget these boots, with an event for each gateway."""
        self._journal.forget(boots)
        missing: dict[Who, list[int]] = {}
        for key in boots:
            sequence = self._sequences.pop(key)
            missing.setdefault(key[:2], []).append(sum(gap.frames for gap in sequence.missing))
            self._gaps.forget(key)
        for who, frames in missing.items():
            self._shares.charge(who, _WILD * len(frames))
            emit(BootsForgotten(*who, len(frames), sum(frames)))


def _until_clock_jump(messages: Sequence[Raw]) -> int:
    """How many messages precede a jump of the service's clock; a group must not span one."""
    return next((at for at, message in enumerate(messages) if message.set_by != messages[0].set_by), len(messages))
