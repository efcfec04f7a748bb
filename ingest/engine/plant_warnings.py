"""Early warnings in the engine state: the warning episodes of every plant with known facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from ingest.domain.model.alarm import AlarmEvent, AlarmState
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.suppression import Suppression
from ingest.domain.model.warning import Colour, EarlyWarning, Fact, WarningEvent
from ingest.domain.warnings import risk
from ingest.domain.warnings.episodes import NEVER, WarningEpisodes
from ingest.domain.warnings.facts import counts, in_state, service_key
from ingest.domain.warnings.policy import PlantContext, WarningPolicy
from ingest.engine import warning_facts as facts
from ingest.engine.equipment_states import EquipmentStates
from ingest.plants.configuration import PlantConfiguration

if TYPE_CHECKING:  # the engine state holds these
    from ingest.engine.engine_state import EngineState


@dataclass(slots=True)
class _News:
    """Changes of one plant's facts at one moment."""

    time: int
    known: dict[str, Fact] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)
    void: list[str] = field(default_factory=list)

    def mentions(self, key: str) -> bool:
        return key in self.known or key in self.over or key in self.void


class PlantWarnings:
    """Warning episodes by plant. Inactive until `resume`, since a replay commits nothing.

    Attributes:
        by_plant: no entry for a plant without facts and open warnings.
    """

    def __init__(self) -> None:
        self.by_plant: dict[str, WarningEpisodes] = {}
        self._policy: WarningPolicy | None = None
        self._due = NEVER
        self._configuration: PlantConfiguration | None = None
        self._equipment = EquipmentStates()  # that there are facts of
        self._stepped = 0

    @property
    def due(self) -> int:
        """When time alone next changes something, ns."""
        return NEVER if self._policy is None else min(self._due, self._equipment.due)

    @property
    def fall_after(self) -> int:
        """How long a lower colour must hold before the colour falls, ns; 0 before `resume`."""
        return self._policy.fall_after if self._policy else 0

    def resume(
        self, warnings: Iterable[EarlyWarning], engine_state: EngineState, now: int, policy: WarningPolicy
    ) -> None:
        """Start at `now` (ns) from the warnings that are not closed and from present alarms and suppressions."""
        self._policy, self._configuration, self._stepped = policy, engine_state.configuration, engine_state.stepped
        live: dict[str, list[EarlyWarning]] = {}
        for warning in warnings:
            live.setdefault(warning.plant, []).append(warning)
        facts: dict[str, list[Fact]] = {}
        for plant, fact in self._active_facts(engine_state, _learnt(live, engine_state.stepped), now):
            facts.setdefault(plant, []).append(fact)
        for plant in live.keys() | facts.keys():
            self._start_episodes(plant, engine_state, policy, now).resume(live.get(plant, ()), facts.get(plant, ()))
        self._set_due()

    def advance(
        self,
        alarm_events: Iterable[AlarmEvent],
        suppressions: Iterable[Suppression],
        engine_state: EngineState,
        now: int,
    ) -> list[WarningEvent]:
        """Warning events that follow from alarm events, suppressions, and time up to `now` (ns)."""
        policy = self._policy
        if policy is None:
            return []
        events: list[WarningEvent] = []
        if engine_state.configuration is not self._configuration:
            events += self._apply_configuration(engine_state, policy, now)
        for plant, news in self._news(alarm_events, suppressions, engine_state, policy, now):
            events += self._apply_news(plant, news, engine_state, policy, now)
        events += self._equipment_changes(engine_state, now)
        if now >= self._due:
            for episodes in list(self.by_plant.values()):
                if episodes.due <= now:
                    events += episodes.pass_time(now)
                    self.update_due(episodes)
            self._set_due()
        return events

    def excuse(self, since: int, until: int) -> list[WarningEvent]:
        """Stop deadlines between these times (ns), in which the service reached nobody."""
        events: list[WarningEvent] = []
        for episodes in list(self.by_plant.values()):
            events += episodes.extend_deadlines(since, until)
            self.update_due(episodes)
        return events

    def open_colours(self) -> dict[Colour, int]:
        """How many warnings are open, by colour. From any thread."""
        found = [episodes.open for episodes in list(self.by_plant.values())]
        counted = Counter(warning.colour for warning in found if warning is not None)
        return {colour: counted[colour] for colour in Colour}

    def find(self, warning: UUID) -> WarningEpisodes:
        """The episodes that hold this warning. Raises KeyError."""
        for episodes in self.by_plant.values():
            if warning in episodes.live:
                return episodes
        raise KeyError(f"warning {warning}, not closed,")

    def update_due(self, episodes: WarningEpisodes) -> None:
        """Follow a change of these episodes: update when they are next due, and drop them if idle."""
        self._due = min(self._due, episodes.due)
        if episodes.idle:
            self.by_plant.pop(episodes.context.plant, None)

    def shift(self, step: int) -> None:
        """Follow a clock jump of `step` ns."""
        self._stepped += step
        self._equipment.shift()
        for episodes in self.by_plant.values():
            episodes.shift(step)
        self._set_due()

    def _news(
        self,
        alarm_events: Iterable[AlarmEvent],
        suppressions: Iterable[Suppression],
        engine_state: EngineState,
        policy: WarningPolicy,
        now: int,
    ) -> Iterator[tuple[str, _News]]:
        """Changes of each plant's facts, moment by moment; at most one change of an alarm at a time."""
        pending: dict[str, _News] = {}
        view = engine_state.view(now)
        for event in alarm_events:
            alarm, key = event.alarm, str(event.alarm.id)
            if alarm.historical or alarm.plant == SERVICE:
                continue
            news = pending.get(alarm.plant)
            if news is not None and (news.time != event.received or news.mentions(key)):
                yield alarm.plant, pending.pop(alarm.plant)
            news = pending.setdefault(alarm.plant, _News(event.received))
            if counts(alarm):
                news.known[key] = facts.of_alarm(engine_state, view, alarm, event.received, policy.rules.bypass_signals)
            elif alarm.state in _VOID:
                news.void.append(key)
            else:
                news.over.append(key)
        for suppression in suppressions:
            fact = facts.of_suppression(engine_state, view, suppression)
            news = pending.setdefault(suppression.plant, _News(now))
            if fact is not None:
                news.known[fact.key] = fact
            else:
                news.over.append(service_key(suppression))
        yield from pending.items()

    def _apply_news(
        self, plant: str, news: _News, engine_state: EngineState, policy: WarningPolicy, now: int
    ) -> list[WarningEvent]:
        """Pass changed facts to the plant's episodes."""
        episodes = self.by_plant.get(plant)
        have: Mapping[str, Fact] = episodes.facts if episodes is not None else {}
        known = [fact for key, fact in news.known.items() if not _same(have.get(key), fact)]
        over = [key for key in news.over if key in have and have[key].gone is None]
        void = [key for key in news.void if key in have]
        if not (known or over or void):
            return []
        if episodes is None:
            episodes = self._start_episodes(plant, engine_state, policy, news.time)
        self._track_equipment(plant, known, engine_state, now)
        events = episodes.learn(news.time, known=known, over=over, void=void)
        self.update_due(episodes)
        return events

    def _apply_configuration(self, engine_state: EngineState, policy: WarningPolicy, now: int) -> list[WarningEvent]:
        """Derive all facts again after a change of plant files."""
        self._configuration = engine_state.configuration
        self._equipment.clear()
        active: dict[str, dict[str, Fact]] = {}
        for plant, fact in self._active_facts(engine_state, {}, now):
            if fact.gone is None:
                active.setdefault(plant, {})[fact.key] = fact
        events: list[WarningEvent] = []
        for plant, episodes in list(self.by_plant.items()):
            if plant not in engine_state.configuration.plants:
                events += episodes.remove(now)
                self.update_due(episodes)
                continue
            episodes.context = _place(plant, engine_state, policy)
            known = active.get(plant, {})
            void = [key for key, fact in episodes.facts.items() if fact.gone is None and key not in known]
            events += episodes.learn(now, known=known.values(), void=void)
        self._set_due()
        return events

    def _active_facts(
        self, engine_state: EngineState, learnt: Mapping[str, int], now: int
    ) -> Iterator[tuple[str, Fact]]:
        signals = self._policy.rules.bypass_signals if self._policy else ()
        for plant, fact in facts.active_facts(engine_state, learnt, now, signals):
            self._track_equipment(plant, [fact], engine_state, now)
            yield plant, fact

    def _track_equipment(self, plant: str, known: Iterable[Fact], engine_state: EngineState, now: int) -> None:
        """Track the equipment of these facts, if its state may change."""
        for fact in known:
            if fact.equipment is not None:
                self._equipment.track(plant, fact.equipment, engine_state, now)

    def _equipment_changes(self, engine_state: EngineState, now: int) -> Iterator[WarningEvent]:
        """Warning events that follow from equipment that began or ceased to run, or changed its phase."""
        for (plant, equipment), state in self._equipment.changed(engine_state, now):
            episodes = self.by_plant.get(plant)
            mine = [fact for fact in episodes.facts.values() if fact.equipment == equipment] if episodes else []
            if episodes is None or not mine:
                self._equipment.forget((plant, equipment))
                continue
            yield from episodes.learn(now, known=[in_state(fact, state) for fact in mine if not fact.gone])
            self.update_due(episodes)

    def _start_episodes(self, plant: str, engine_state: EngineState, policy: WarningPolicy, at: int) -> WarningEpisodes:
        episodes = WarningEpisodes(_place(plant, engine_state, policy), policy, at, stepped=self._stepped)
        self.by_plant[plant] = episodes
        return episodes

    def _set_due(self) -> None:
        self._due = min((episodes.due for episodes in self.by_plant.values()), default=NEVER)


_VOID: Final = frozenset({AlarmState.OUT_OF_SERVICE, AlarmState.REMOVED})
"""States in which an alarm no longer counts, though its condition may not be over."""


def _place(plant: str, engine_state: EngineState, policy: WarningPolicy) -> PlantContext:
    """The plant as its file configures it now."""
    known = engine_state.configuration.plants.get(plant)
    if known is None:  # it was removed, and its warning will end
        return PlantContext(plant, 0.0, policy.duty_of(plant, ""))
    return PlantContext(plant, risk.inherent(known), policy.duty_of(plant, known.region))


def _learnt(live: Mapping[str, Iterable[EarlyWarning]], stepped: int) -> dict[str, int]:
    """When the service learnt of the facts stored with warnings, by key and by the present clock."""
    return {
        fact.key: fact.since + stepped - warning.stepped
        for warnings in live.values()
        for warning in warnings
        for ground in warning.inputs
        for fact in ground.facts
    }


def _same(have: Fact | None, fact: Fact) -> bool:
    """Whether a fact is unchanged; the known `since` is the better one."""
    return have is not None and have.gone is None and replace(fact, since=have.since) == have
