"""Looks up plants, points, alarms and warnings within a caller's scope; the only place where scope is enforced.

What is out of scope is answered exactly like what does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from ingest.domain.alarms.lifecycle import OUTSTANDING, UNSEEN
from ingest.domain.model.alarm import Alarm, AlarmFilter, AlarmState
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import Equipment, Plant, Point, Rule
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning
from ingest.intake.wire.topics import parse_topic
from ingest.plants.in_force import HeldBack
from ingest.plants.view import Latest
from ingest.services.access import Principal
from ingest.services.all_pages import read_all
from ingest.services.errors import NotFound, Unavailable
from ingest.services.ports import Ports
from ingest.storage.history.errors import HistoryError, HistorySuspended, HistoryUnavailable
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery
from ingest.storage.journal.records import GatewaySequence, Quarantined

QUARANTINE_PAGE: Final = 500
QUARANTINE_PAGES: Final = 10  # read at most, to fill one page of a token with few plants
EXCERPT: Final = 400  # bytes of a quarantined payload that are shown


@dataclass(frozen=True, slots=True)
class GatewayView:
    """A gateway's registration and its sequence state; `name` is None once it is no longer registered.

    Attributes:
        ahead_s: how far its clock is ahead of the service's, s; None: not known now.
        clock_off: whether that is beyond a limit of its rules.
    """

    plant: str
    gateway: str
    name: Text | None
    online: bool | None
    sequence: GatewaySequence | None
    ahead_s: float | None = None
    clock_off: bool = False


@dataclass(frozen=True, slots=True)
class OutstandingCounts:
    """Outstanding alarms by level, and how many of them nobody has acknowledged."""

    level_1: int = 0
    level_2: int = 0
    unacknowledged: int = 0

    @property
    def total(self) -> int:
        """Number of outstanding alarms of both levels."""
        return self.level_1 + self.level_2

    def __add__(self, other: OutstandingCounts) -> OutstandingCounts:
        """Return the sum of both counts."""
        return OutstandingCounts(
            self.level_1 + other.level_1,
            self.level_2 + other.level_2,
            self.unacknowledged + other.unacknowledged,
        )


def plants(ports: Ports, caller: Principal) -> list[Plant]:
    """Return every plant in scope, by id."""
    return [plant for key, plant in sorted(ports.live.configuration().plants.items()) if caller.sees(key)]


def held_back(ports: Ports, caller: Principal) -> list[HeldBack]:
    """Return the plant files in scope whose present content is not in force."""
    return [held for held in ports.live.held_back() if caller.sees(held.plant)]


def plant(ports: Ports, caller: Principal, key: str) -> Plant:
    """Return a plant in scope. Raises NotFound."""
    found = ports.live.configuration().plants.get(key) if caller.sees(key) else None
    if found is None:
        raise NotFound(f"plant {key!r} is not known")
    return found


def point(ports: Ports, caller: Principal, plant_key: str, key: str) -> Point:
    """Return a point of a plant in scope. Raises NotFound."""
    configuration = ports.live.configuration()
    found = configuration.find(plant(ports, caller, plant_key).id, key)
    if found is None:
        now = configuration.renamed.get((plant_key, key))
        raise NotFound(f"point {key!r} of plant {plant_key!r} is {f'called {now!r} now' if now else 'not known'}")
    return found


def equipment(ports: Ports, caller: Principal, plant_key: str, key: str) -> Equipment:
    """Return an equipment of a plant in scope. Raises NotFound."""
    found = next((machine for machine in plant(ports, caller, plant_key).equipment if machine.id == key), None)
    if found is None:
        raise NotFound(f"equipment {key!r} of plant {plant_key!r} is not known")
    return found


def alarm(ports: Ports, caller: Principal, key: UUID) -> Alarm:
    """Return an alarm of a plant in scope. Raises NotFound."""
    found = ports.alarms.alarm(key)
    if found is None or not caller.sees(found.plant):
        raise NotFound(f"alarm {str(key)!r} is not known")
    return found


def warning(ports: Ports, caller: Principal, key: UUID) -> EarlyWarning:
    """Return a warning of a plant in scope. Raises NotFound."""
    found = ports.warnings.warning(key)
    if found is None or not caller.sees(found.plant):
        raise NotFound(f"warning {str(key)!r} is not known")
    return found


def rule(ports: Ports, of: Alarm) -> Rule | None:
    """Return the rule that raised an alarm, or None if it is no longer configured."""
    return ports.live.configuration().rule(of.plant, of.point, of.rule)


def narrowed(caller: Principal, plant_key: str | None) -> frozenset[str] | None:
    """Return the plants to query: the one named, if it is in scope; else the whole scope (None = all)."""
    if plant_key is None:
        return caller.plants
    return frozenset({plant_key}) if caller.sees(plant_key) else frozenset()


def outstanding_alarms(ports: Ports, caller: Principal, plant_key: str | None = None) -> dict[str, OutstandingCounts]:
    """Count outstanding alarms by plant; plants without any are left out."""
    return counts_by_plant(ports.alarms.counts(AlarmFilter(plants=narrowed(caller, plant_key), states=OUTSTANDING)))


def counts_by_plant(counts: Mapping[tuple[str, int, AlarmState], int]) -> dict[str, OutstandingCounts]:
    """Sum counts by plant, level and state to outstanding alarms by plant."""
    levels, unacknowledged = Counter[tuple[str, int]](), Counter[str]()
    for (plant, level, state), alarms in counts.items():
        levels[plant, level] += alarms
        unacknowledged[plant] += alarms if state in UNSEEN else 0
    return {key: OutstandingCounts(levels[key, 1], levels[key, 2], unacknowledged[key]) for key in unacknowledged}


def positions(ports: Ports, caller: Principal, name: str | None = None) -> dict[str, tuple[str, ...]]:
    """Return the operator positions (or the one named) all of whose plants are in scope. Raises NotFound."""
    seen = {key: plants for key, plants in ports.load.positions().items() if all(map(caller.sees, plants))}
    if name is not None and name not in seen:
        raise NotFound(f"operator position {name!r} is not known")
    return {name: seen[name]} if name is not None else seen


def gateways(ports: Ports, caller: Principal) -> list[GatewayView]:
    """Return every registered gateway in scope, then those that sent frames but are no longer registered."""
    configuration = ports.live.configuration()
    sequences = {(s.plant, s.gateway): s for s in ports.journal.gateways() if caller.sees(s.plant)}
    found = []
    for plant in plants(ports, caller):
        for gateway in plant.gateways:
            key = (plant.id, gateway.id)
            sequence = sequences.pop(key, None)
            registered = configuration.gateways.get(key)
            device = ports.live.latest(registered.device) if registered else None
            clock = configuration.points[registered.clock] if registered else None
            ahead_s = ports.live.latest(clock.index).trusted if clock else None
            off = clock is not None and ahead_s is not None and _beyond(ahead_s, clock)
            found.append(GatewayView(*key, gateway.name, _online(device, sequence), sequence, ahead_s, off))
    return found + [GatewayView(*key, None, s.online, s) for key, s in sorted(sequences.items())]


def quarantined(
    ports: Ports, caller: Principal, *, limit: int, before: int | None
) -> tuple[Sequence[Quarantined], int | None]:
    """Return quarantined messages, newest first, and the `before` of the next page; None: there are no more.

    A caller with few plants sees only what names one of them: a page may have few messages, or none, and a next one.
    """
    found: list[Quarantined] = []
    size = limit if caller.plants is None else QUARANTINE_PAGE
    for _ in range(QUARANTINE_PAGES):
        records = ports.journal.quarantined(limit=size, before=before)
        for record in records:
            before = record.id
            topic = parse_topic(record.topic)
            if caller.plants is None or (topic is not None and caller.sees(topic.plant)):
                found.append(record)
                if len(found) == limit:
                    return found, before
        if len(records) < size:
            return found, None
    return found, before


def suppressions(
    ports: Ports, plants: frozenset[str] | None, states: frozenset[SuppressionState], point: str | None = None
) -> list[Suppression]:
    """Return all suppressions of these plants in these states, newest first, without a limit.

    For states that are not final: those that ended accumulate.
    """
    pages = partial(ports.suppressions.suppressions, plants=plants, states=states, point=point)
    return list(read_all(pages, lambda suppression: (suppression.applied, suppression.id)))


def uncalled_points(ports: Ports, caller: Principal) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Count the points whose alarms are hidden now, and those under a function check that a person began.

    By plant in scope; plants without any are left out.
    """
    now, in_force = ports.now(), frozenset({SuppressionState.IN_FORCE})
    found = [suppression for suppression in suppressions(ports, caller.plants, in_force) if suppression.holds(now)]
    hidden, checked = (
        Counter(
            plant
            for plant, _ in {
                (suppression.plant, suppression.point) for suppression in found if suppression.kind.hides is hides
            }
        )
        for hides in (True, False)
    )
    return hidden, checked


def hiding(ports: Ports, plant: str, point: str | None = None) -> dict[str, tuple[Suppression, ...]]:
    """Return the suppressions in force of a plant's points (or of one point), by point, the strongest first."""
    now = ports.now()
    found: dict[str, list[Suppression]] = {}
    for suppression in suppressions(ports, frozenset({plant}), frozenset({SuppressionState.IN_FORCE}), point):
        if suppression.kind.hides and suppression.holds(now):
            found.setdefault(suppression.point, []).append(suppression)
    return {key: tuple(sorted(kept, key=lambda suppression: -suppression.kind.strength)) for key, kept in found.items()}


def function_check(ports: Ports, plant: str, point: str) -> Suppression | None:
    """Return the function check of a point that somebody has begun and nobody has ended, or None."""
    found = suppressions(ports, frozenset({plant}), frozenset({SuppressionState.IN_FORCE}), point)
    return next((suppression for suppression in found if suppression.kind is SuppressionKind.FUNCTION_CHECK), None)


async def trends(ports: Ports, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
    """Return the trends of points in one query.

    Raises:
        Unavailable: the history store does not answer in time, or refuses. What the store itself says is for the log
            alone: it may name addresses inside.
    """
    with _history_answers():
        return await ports.history.trends(queries)


async def phases(ports: Ports, query: PhaseQuery) -> Sequence[PhaseRecord]:
    """Return records of the phases of one equipment, by time. Raises as `trends`."""
    with _history_answers():
        return await ports.history.phases(query)


@contextmanager
def _history_answers() -> Iterator[None]:
    try:
        yield
    except HistorySuspended as error:
        wait = error.retry_after_s
        raise Unavailable(
            f"history: trends are missing; it has answered nothing for {error.away_s:.0f} s and is asked again by"
            f" itself, try again in {wait or 1:.0f} s",
            retry_after_s=wait,
        ) from error
    except HistoryUnavailable as error:
        wait = error.retry_after_s
        raise Unavailable(
            f"history: trends are missing; it failed or did not answer in time, try again in {wait or 1:.0f} s",
            retry_after_s=wait,
        ) from error
    except HistoryError as error:
        raise Unavailable("history: trends are missing; it refused what was asked, and the log says why") from error


def excerpt(payload: bytes) -> str:
    r"""Return the beginning of a payload as text; unprintable characters show as \x.. or U+FFFD."""
    text = payload[:EXCERPT].decode("utf-8", "replace")
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return shown + ("…" if len(payload) > EXCERPT else "")


def _online(device: Latest | None, sequence: GatewaySequence | None) -> bool | None:
    if device is not None and device.time > 0:
        return not device.stale and device.value == 1.0
    return sequence.online if sequence else None


def _beyond(ahead_s: float, clock: Point) -> bool:
    """Whether a clock is beyond one of its limits; one that is behind is negative, and so is its limit."""
    limits = [rule.limit for rule in clock.rules if rule.kind == "limit"]
    return any(ahead_s >= limit if limit > 0 else ahead_s <= limit for limit in limits)
