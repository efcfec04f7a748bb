"""What a caller can reach: every look-up by plant goes through here, so scope is enforced in one place.

What is out of scope looks exactly like what does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from ingest.domain.alarms.lifecycle import OUTSTANDING, UNSEEN
from ingest.domain.model.alarm import Alarm, AlarmFilter, AlarmState
from ingest.domain.model.plant import Plant, Point, Rule
from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning
from ingest.intake.wire.topics import parse_topic
from ingest.plants.in_force import HeldBack
from ingest.plants.view import Latest
from ingest.services.access import Principal
from ingest.services.all_pages import whole
from ingest.services.errors import Away, NotThere
from ingest.services.ports import Ports
from ingest.storage.history.errors import HistoryError, HistorySuspended, HistoryUnavailable
from ingest.storage.history.store import Trend, TrendQuery
from ingest.storage.journal.records import GatewaySequence, Quarantined

QUARANTINE_PAGE: Final = 500
QUARANTINE_PAGES: Final = 10  # looked through, at most, to fill one page of a token with few plants
EXCERPT: Final = 400  # bytes of a quarantined payload that are shown


@dataclass(frozen=True, slots=True)
class GatewayView:
    """A gateway as registered and as heard; `name` is None once it is no longer registered.

    Attributes:
        ahead_s: how far its clock is ahead of the service's, s; None: not known now.
        clock_off: whether that is beyond a limit of its rules.
    """

    plant: str
    gateway: str
    name: Text | None
    online: bool | None
    position: GatewaySequence | None
    ahead_s: float | None = None
    clock_off: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Standing alarms by level, and how many of them nobody has acknowledged."""

    level_1: int = 0
    level_2: int = 0
    unacknowledged: int = 0

    @property
    def total(self) -> int:
        """Both levels."""
        return self.level_1 + self.level_2

    def __add__(self, other: Standing) -> Standing:
        """Return both together."""
        return Standing(
            self.level_1 + other.level_1,
            self.level_2 + other.level_2,
            self.unacknowledged + other.unacknowledged,
        )


def plants(ports: Ports, caller: Principal) -> list[Plant]:
    """Every plant in scope, by id."""
    return [plant for key, plant in sorted(ports.live.configuration().plants.items()) if caller.sees(key)]


def held_back(ports: Ports, caller: Principal) -> list[HeldBack]:
    """The files of plants in scope that are not in force as they stand."""
    return [held for held in ports.live.held_back() if caller.sees(held.plant)]


def plant(ports: Ports, caller: Principal, key: str) -> Plant:
    """One plant in scope. Raises NotThere."""
    found = ports.live.configuration().plants.get(key) if caller.sees(key) else None
    if found is None:
        raise NotThere(f"plant {key!r} is not known")
    return found


def point(ports: Ports, caller: Principal, plant_key: str, key: str) -> Point:
    """One point of a plant in scope. Raises NotThere."""
    configuration = ports.live.configuration()
    found = configuration.find(plant(ports, caller, plant_key).id, key)
    if found is None:
        now = configuration.renamed.get((plant_key, key))
        raise NotThere(f"point {key!r} of plant {plant_key!r} is {f'called {now!r} now' if now else 'not known'}")
    return found


def alarm(ports: Ports, caller: Principal, key: UUID) -> Alarm:
    """One alarm of a plant in scope. Raises NotThere."""
    found = ports.alarms.alarm(key)
    if found is None or not caller.sees(found.plant):
        raise NotThere(f"alarm {str(key)!r} is not known")
    return found


def warning(ports: Ports, caller: Principal, key: UUID) -> EarlyWarning:
    """One warning of a plant in scope. Raises NotThere."""
    found = ports.warnings.warning(key)
    if found is None or not caller.sees(found.plant):
        raise NotThere(f"warning {str(key)!r} is not known")
    return found


def rule(ports: Ports, of: Alarm) -> Rule | None:
    """The rule an alarm was raised by, or None if it is no longer configured."""
    point = ports.live.configuration().find(of.plant, of.point)
    return next((one for one in point.rules if one.code == of.rule), None) if point else None


def narrowed(caller: Principal, plant_key: str | None) -> frozenset[str] | None:
    """The plants to ask for: the one named, as far as it is in scope; else the whole scope (None = all)."""
    if plant_key is None:
        return caller.plants
    return frozenset({plant_key}) if caller.sees(plant_key) else frozenset()


def standing(ports: Ports, caller: Principal, plant_key: str | None = None) -> dict[str, Standing]:
    """Standing alarms by plant; plants without any are left out."""
    return counted(ports.alarms.counts(AlarmFilter(plants=narrowed(caller, plant_key), states=OUTSTANDING)))


def counted(counts: Mapping[tuple[str, int, AlarmState], int]) -> dict[str, Standing]:
    """Counts by plant, level and state as standing alarms by plant."""
    levels, unacknowledged = Counter[tuple[str, int]](), Counter[str]()
    for (plant, level, state), alarms in counts.items():
        levels[plant, level] += alarms
        unacknowledged[plant] += alarms if state in UNSEEN else 0
    return {key: Standing(levels[key, 1], levels[key, 2], unacknowledged[key]) for key in unacknowledged}


def positions(ports: Ports, caller: Principal, name: str | None = None) -> dict[str, tuple[str, ...]]:
    """The operator positions (or the one named) all of whose plants are in scope. Raises NotThere."""
    seen = {key: plants for key, plants in ports.load.positions().items() if all(map(caller.sees, plants))}
    if name is not None and name not in seen:
        raise NotThere(f"operator position {name!r} is not known")
    return {name: seen[name]} if name is not None else seen


def gateways(ports: Ports, caller: Principal) -> list[GatewayView]:
    """Every registered gateway in scope, heard or not, then those heard that are no longer registered."""
    configuration = ports.live.configuration()
    heard = {(p.plant, p.gateway): p for p in ports.journal.gateways() if caller.sees(p.plant)}
    found = []
    for plant in plants(ports, caller):
        for gateway in plant.gateways:
            key = (plant.id, gateway.id)
            position = heard.pop(key, None)
            registered = configuration.gateways.get(key)
            device = ports.live.latest(registered.device) if registered else None
            clock = configuration.points[registered.clock] if registered else None
            ahead_s = ports.live.latest(clock.index).trusted if clock else None
            off = clock is not None and ahead_s is not None and _beyond(ahead_s, clock)
            found.append(GatewayView(*key, gateway.name, _online(device, position), position, ahead_s, off))
    return found + [GatewayView(*key, None, p.online, p) for key, p in sorted(heard.items())]


def quarantined(
    ports: Ports, caller: Principal, *, limit: int, before: int | None
) -> tuple[Sequence[Quarantined], int | None]:
    """Quarantined messages, newest first, and the `before` of the next page; None: there are no more.

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
    """All suppressions of these plants in these states, newest first, however many: for those that are not over."""
    pages = partial(ports.suppressions.suppressions, plants=plants, states=states, point=point)
    return list(whole(pages, lambda suppression: (suppression.applied, suppression.id)))


def hidden_points(ports: Ports, caller: Principal) -> Mapping[str, int]:
    """How many points have alarms hidden now, by plant in scope; those with none are left out."""
    now, in_force = ports.now(), frozenset({SuppressionState.IN_FORCE})
    held = {
        (suppression.plant, suppression.point)
        for suppression in suppressions(ports, caller.plants, in_force)
        if suppression.holds(now)
    }
    return Counter(plant for plant, _ in held)


def hiding(ports: Ports, plant: str, point: str | None = None) -> dict[str, tuple[Suppression, ...]]:
    """What hides alarms of a plant's points (or of one) now, by point, the strongest first."""
    now = ports.now()
    found: dict[str, list[Suppression]] = {}
    for suppression in suppressions(ports, frozenset({plant}), frozenset({SuppressionState.IN_FORCE}), point):
        if suppression.holds(now):
            found.setdefault(suppression.point, []).append(suppression)
    return {key: tuple(sorted(kept, key=lambda suppression: -suppression.kind.strength)) for key, kept in found.items()}


async def trends(ports: Ports, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
    """Points' history, all asked at once.

    Raises:
        Away: the history store does not answer in time, or refuses. What the store itself says is for the log alone:
            it may name addresses inside.
    """
    try:
        return await ports.history.trends(queries)
    except HistorySuspended as error:
        wait = error.retry_after_s
        raise Away(
            f"history: trends are missing; it has answered nothing for {error.away_s:.0f} s and is asked again by"
            f" itself, try again in {wait or 1:.0f} s",
            retry_after_s=wait,
        ) from error
    except HistoryUnavailable as error:
        wait = error.retry_after_s
        raise Away(
            f"history: trends are missing; it failed or did not answer in time, try again in {wait or 1:.0f} s",
            retry_after_s=wait,
        ) from error
    except HistoryError as error:
        raise Away("history: trends are missing; it refused what was asked, and the log says why") from error


def excerpt(payload: bytes) -> str:
    r"""Return the beginning of a payload as text; what is no printable text shows as \x.. or U+FFFD."""
    text = payload[:EXCERPT].decode("utf-8", "replace")
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return shown + ("…" if len(payload) > EXCERPT else "")


def _online(device: Latest | None, position: GatewaySequence | None) -> bool | None:
    if device is not None and device.time > 0:
        return not device.stale and device.value == 1.0
    return position.online if position else None


def _beyond(ahead_s: float, clock: Point) -> bool:
    """Whether a clock is beyond one of its limits; one that is behind is negative, and so is its limit."""
    limits = [rule.limit for rule in clock.rules if rule.kind == "limit"]
    return any(ahead_s >= limit if limit > 0 else ahead_s <= limit for limit in limits)
