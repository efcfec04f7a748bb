"""What the engine keeps of early warnings: a watch for every plant of which anything is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from ingest.domain.model.alarm import AlarmEvent, AlarmState
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.suppression import Suppression
from ingest.domain.model.warning import Colour, EarlyWarning, Fact, Trait, WarningEvent
from ingest.domain.warnings import risk
from ingest.domain.warnings.episodes import NEVER, WarningEpisodes
from ingest.domain.warnings.facts import counts, service_key
from ingest.domain.warnings.policy import PlantContext, WarningPolicy
from ingest.engine import warning_facts as facts
from ingest.engine.machines import Machines
from ingest.plants.configuration import PlantConfiguration

if TYPE_CHECKING:  # the memory holds the watches
    from ingest.engine.engine_state import EngineState


@dataclass(slots=True)
class _News:
    """What is learnt of one plant at one moment."""

    time: int
    known: dict[str, Fact] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)
    void: list[str] = field(default_factory=list)

    def tells_of(self, key: str) -> bool:
        return key in self.known or key in self.over or key in self.void


class PlantWarnings:
    """The watches, by plant. Asleep until `resume`: what a replay would say was said.

    Attributes:
        of_plant: none for a plant of which nothing is known and nothing asked.
    """

    def __init__(self) -> None:
        self.of_plant: dict[str, WarningEpisodes] = {}
        self._terms: WarningPolicy | None = None
        self._due = NEVER
        self._configuration: PlantConfiguration | None = None
        self._machines = Machines()  # those of which there were facts
        self._stepped = 0

    @property
    def due(self) -> int:
        """When time alone leads to something next, ns."""
        return min(self._due, self._machines.due)

    @property
    def fall_after(self) -> int:
        """A colour falls when the lower one has held for so long, ns; 0 before `resume`."""
        return self._terms.fall_after if self._terms else 0

    def resume(
        self, warnings: Iterable[EarlyWarning], engine_state: EngineState, now: int, terms: WarningPolicy
    ) -> None:
        """Wake up at `now` (ns), with what is not closed, and with alarms and suppressions as they stand."""
        self._terms, self._configuration, self._stepped = terms, engine_state.configuration, engine_state.stepped
        live: dict[str, list[EarlyWarning]] = {}
        for warning in warnings:
            live.setdefault(warning.plant, []).append(warning)
        facts: dict[str, list[Fact]] = {}
        for plant, fact in self._standing(engine_state, _learnt(live, engine_state.stepped), now):
            facts.setdefault(plant, []).append(fact)
        for plant in live.keys() | facts.keys():
            self._watch(plant, engine_state, terms, now).resume(live.get(plant, ()), facts.get(plant, ()))
        self._set_due()

    def advance(
        self, events: Iterable[AlarmEvent], suppressions: Iterable[Suppression], engine_state: EngineState, now: int
    ) -> list[WarningEvent]:
        """What steps of alarms' lives, of suppressions, and time up to `now` (ns) lead to."""
        terms = self._terms
        if terms is None:
            return []
        told: list[WarningEvent] = []
        if engine_state.configuration is not self._configuration:
            told += self._look_anew(engine_state, terms, now)
        for plant, news in self._news(events, suppressions, engine_state, terms, now):
            told += self._tell(plant, news, engine_state, terms, now)
        told += self._look_at_machines(engine_state, now)
        if now >= self._due:
            for watch in list(self.of_plant.values()):
                if watch.due <= now:
                    told += watch.pass_time(now)
                    self.touched(watch)
            self._set_due()
        return told

    def excuse(self, since: int, until: int) -> list[WarningEvent]:
        """Between these times (ns) the service reached nobody."""
        told: list[WarningEvent] = []
        for watch in list(self.of_plant.values()):
            told += watch.excuse(since, until)
            self.touched(watch)
        return told

    def open_colours(self) -> dict[Colour, int]:
        """How many warnings are open, by colour. From any thread."""
        found = [watch.open for watch in list(self.of_plant.values())]
        counted = Counter(warning.colour for warning in found if warning is not None)
        return {colour: counted[colour] for colour in Colour}

    def find(self, warning: UUID) -> WarningEpisodes:
        """The watch that has this warning. Raises KeyError."""
        for watch in self.of_plant.values():
            if warning in watch.live:
                return watch
        raise KeyError(f"warning {warning}, not closed,")

    def touched(self, watch: WarningEpisodes) -> None:
        """Something happened in this watch."""
        self._due = min(self._due, watch.due)
        if watch.idle:
            self.of_plant.pop(watch.place.plant, None)

    def shift(self, step: int) -> None:
        """The service's clock was set by `step` ns."""
        self._stepped += step
        self._machines.shift()
        for watch in self.of_plant.values():
            watch.shift(step)
        self._set_due()

    def _news(
        self,
        events: Iterable[AlarmEvent],
        suppressions: Iterable[Suppression],
        engine_state: EngineState,
        terms: WarningPolicy,
        now: int,
    ) -> Iterator[tuple[str, _News]]:
        """What is learnt of each plant, moment by moment; of one alarm one thing at a time."""
        pending: dict[str, _News] = {}
        view = engine_state.view(now)
        for event in events:
            alarm, key = event.alarm, str(event.alarm.id)
            if alarm.historical or alarm.plant == SERVICE:
                continue
            news = pending.get(alarm.plant)
            if news is not None and (news.time != event.received or news.tells_of(key)):
                yield alarm.plant, pending.pop(alarm.plant)
            news = pending.setdefault(alarm.plant, _News(event.received))
            if counts(alarm):
                news.known[key] = facts.of_alarm(engine_state, view, alarm, event.received, terms.rules.bypass_signals)
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
                news.over.append(service_key(suppression.point))
        yield from pending.items()

    def _tell(
        self, plant: str, news: _News, engine_state: EngineState, terms: WarningPolicy, now: int
    ) -> list[WarningEvent]:
        """Let the plant's watch know what is news to it."""
        watch = self.of_plant.get(plant)
        have: Mapping[str, Fact] = watch.facts if watch is not None else {}
        known = [fact for key, fact in news.known.items() if not _same(have.get(key), fact)]
        over = [key for key in news.over if key in have and have[key].gone is None]
        void = [key for key in news.void if key in have]
        if not (known or over or void):
            return []
        if watch is None:
            watch = self._watch(plant, engine_state, terms, news.time)
        self._mind_machines(plant, known, engine_state, now)
        told = watch.learn(news.time, known=known, over=over, void=void)
        self.touched(watch)
        return told

    def _look_anew(self, engine_state: EngineState, terms: WarningPolicy, now: int) -> list[WarningEvent]:
        """Plant files changed: what is known is seen as they have it now."""
        self._configuration = engine_state.configuration
        self._machines.clear()
        stands: dict[str, dict[str, Fact]] = {}
        for plant, fact in self._standing(engine_state, {}, now):
            if fact.gone is None:
                stands.setdefault(plant, {})[fact.key] = fact
        told: list[WarningEvent] = []
        for plant, watch in list(self.of_plant.items()):
            if plant not in engine_state.configuration.plants:
                told += watch.remove(now)
                self.touched(watch)
                continue
            watch.place = _place(plant, engine_state, terms)
            known = stands.get(plant, {})
            void = [key for key, fact in watch.facts.items() if fact.gone is None and key not in known]
            told += watch.learn(now, known=known.values(), void=void)
        self._set_due()
        return told

    def _standing(self, engine_state: EngineState, learnt: Mapping[str, int], now: int) -> Iterator[tuple[str, Fact]]:
        signals = self._terms.rules.bypass_signals if self._terms else ()
        for plant, fact in facts.standing(engine_state, learnt, now, signals):
            self._mind_machines(plant, [fact], engine_state, now)
            yield plant, fact

    def _mind_machines(self, plant: str, known: Iterable[Fact], engine_state: EngineState, now: int) -> None:
        """Remember which equipment has to be looked at: there is a fact of it, and it may stop."""
        for fact in known:
            if fact.equipment is not None:
                self._machines.mind(plant, fact.equipment, engine_state, now)

    def _look_at_machines(self, engine_state: EngineState, now: int) -> Iterator[WarningEvent]:
        """Equipment that began or ceased to run."""
        for (plant, equipment), runs in self._machines.changed(engine_state, now):
            watch = self.of_plant.get(plant)
            mine = [fact for fact in watch.facts.values() if fact.equipment == equipment] if watch else []
            if watch is None or not mine:
                self._machines.forget((plant, equipment))
                continue
            yield from watch.learn(now, known=[_producing(fact, runs=runs) for fact in mine if not fact.gone])
            self.touched(watch)

    def _watch(self, plant: str, engine_state: EngineState, terms: WarningPolicy, at: int) -> WarningEpisodes:
        watch = WarningEpisodes(_place(plant, engine_state, terms), terms, at, stepped=self._stepped)
        self.of_plant[plant] = watch
        return watch

    def _set_due(self) -> None:
        self._due = min((watch.due for watch in self.of_plant.values()), default=NEVER)


_VOID: Final = frozenset({AlarmState.OUT_OF_SERVICE, AlarmState.REMOVED})
"""States in which nobody can say that what an alarm told of is over: it just counts no more."""


def _place(plant: str, engine_state: EngineState, terms: WarningPolicy) -> PlantContext:
    """The plant as its file has it now."""
    known = engine_state.configuration.plants.get(plant)
    if known is None:  # it was removed, and its warning will end
        return PlantContext(plant, 0.0, terms.duty_of(plant, ""))
    return PlantContext(plant, risk.inherent(known), terms.duty_of(plant, known.region))


def _learnt(live: Mapping[str, Iterable[EarlyWarning]], stepped: int) -> dict[str, int]:
    """When the service learnt of the facts that warnings have kept, by key, by the clock as it is now."""
    return {
        fact.key: fact.since + stepped - warning.stepped
        for warnings in live.values()
        for warning in warnings
        for ground in warning.inputs
        for fact in ground.facts
    }


def _same(have: Fact | None, fact: Fact) -> bool:
    """Whether a fact says nothing new; since when it stands is known better already."""
    return have is not None and have.gone is None and replace(fact, since=have.since) == have


def _producing(fact: Fact, *, runs: bool) -> Fact:
    return replace(fact, traits=fact.traits | Trait.IN_PRODUCTION if runs else fact.traits & ~Trait.IN_PRODUCTION)
