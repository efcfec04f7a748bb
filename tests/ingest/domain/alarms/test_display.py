"""What is folded explains itself by what it is folded under; every alarm given is shown exactly once."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, Final, Literal

import pytest

from detectors.registry import KINDS
from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.consequential_suppression import INSTRUMENT, CommonCause, CommonCauseKind
from ingest.domain.alarms.display import Group, Shown, display, fold
from ingest.domain.model.alarm import Alarm, AlarmState, alarm_id
from ingest.domain.model.annunciations import Annunciations
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.domain.alarms.annunciated import Call, S, columns
from tests.ingest.plants.samples import plant, point

NOW: Final = 10_000_000 * S
ON_E1: Final = 'equipment = "E-1"'


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    """A machine with a fan and two sensors, a sensor beside it; plant q is the same."""
    directory = tmp_path_factory.mktemp("plants")
    points = (
        point("RUN", "DUST_PROC_RUN")
        + point("FAN", "DUST_FAN_RUN", ON_E1)
        + point("T", "DUST_IN_TEMP", ON_E1)
        + point("U", "DUST_OUT_TEMP", ON_E1)
    )
    for name in ("p", "q"):
        text = plant("dust", points + point("V", "DUST_DUCT_V"), name=name)
        (directory / f"{name}.toml").write_text(text, encoding="utf-8")
    return load_configuration(directory, MemoryNumbering(), 1)


def alarm(
    name: str,
    rule: str,
    *,
    ago: float = 5,
    level: Literal[1, 2] = 1,
    state: AlarmState = AlarmState.UNACKNOWLEDGED,
    of: str = "p",
    **more: Any,
) -> Alarm:
    at = NOW - int(ago * S)
    title = Text("", "")
    made = Alarm(alarm_id(of, name, rule, at), of, name, rule, level, state, title, 1.0, 1.0, "", at, at, at, raises=1)
    return replace(made, **more)


def shown(
    configuration: PlantConfiguration,
    *alarms: Alarm,
    stopped: dict[tuple[str, str], str] | None = None,
    raises: Annunciations | None = None,
    **settings: Any,
) -> list[Shown]:
    return display(
        alarms,
        find=configuration.find,
        stopped=stopped or {},
        raises=raises or Annunciations(),
        config=AlarmsConfig(**settings),
        now=NOW,
    )


def everything(groups: list[Group]) -> list[Alarm]:
    found = []
    for group in groups:
        for row in group.rows:
            found += [row.shown.alarm, *(entry.alarm for entry in row.folded)]
        found += [entry.alarm for entry in group.folded]
    return found


def test_silent_points_are_folded_under_their_offline_gateway(configuration: PlantConfiguration) -> None:
    """A gateway that is both offline and silent is one row; limits violated before stay in view."""
    gateway, silent = alarm("GW-1", "SILENT"), [alarm(name, "SILENT") for name in ("T", "U", "V")]
    own, hot = alarm("GW-1", "OFFLINE"), alarm("T", "H")
    found = shown(configuration, gateway, *silent, own, hot)
    cover = CommonCause(CommonCauseKind.GATEWAY, "p", "GW-1", own.id)
    assert [entry.cover for entry in found] == [cover, cover, cover, cover, None, None]
    assert [entry.covers for entry in found] == [0, 0, 0, 0, 4, 0]
    groups = fold(found)
    assert [(group.equipment, len(group.rows), len(group.rows[0].folded)) for group in groups] == [
        (None, 1, 4),
        ("E-1", 1, 0),
    ]


def test_a_gateway_covers_only_points_it_carries_and_only_while_it_is_offline(
    configuration: PlantConfiguration,
) -> None:
    silent = alarm("T", "SILENT")
    assert shown(configuration, alarm("GW-1", "OFFLINE", of="q"), silent)[1].cover is None
    back = alarm("GW-1", "OFFLINE", state=AlarmState.RETURNED, returned=NOW)
    assert shown(configuration, back, silent)[1].cover is None


@pytest.mark.parametrize("state", [AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE])
def test_what_is_itself_hidden_covers_nothing(configuration: PlantConfiguration, state: AlarmState) -> None:
    """Else its points would vanish from the list together with it."""
    assert shown(configuration, alarm("GW-1", "OFFLINE", state=state), alarm("T", "SILENT"))[1].cover is None


def test_alarms_of_the_process_are_folded_under_a_machine_that_stands(configuration: PlantConfiguration) -> None:
    """Not those of instruments, nor any of the point that says it stands, nor of a machine nobody knows to stand."""
    alarms = [alarm("T", "H"), alarm("T", "RANGE"), alarm("FAN", "OFF"), alarm("V", "L"), alarm("T", "H", of="q")]
    found = shown(configuration, *alarms, stopped={("p", "E-1"): "FAN"})
    assert [entry.cover for entry in found] == [
        CommonCause(CommonCauseKind.EQUIPMENT, "p", "E-1", None),
        None,
        None,
        None,
        None,
    ]
    groups = {(group.plant, group.equipment): group for group in fold(found)}
    assert [entry.alarm for entry in groups["p", "E-1"].folded] == [alarms[0]]


def test_covers_within_covers_lead_to_the_outermost(configuration: PlantConfiguration) -> None:
    broker, offline = alarm("BROKER", "OFFLINE", of=SERVICE, level=2), alarm("GW-1", "OFFLINE")
    found = shown(
        configuration, broker, offline, alarm("GW-1", "SILENT"), alarm("T", "SILENT"), alarm("U", "SILENT", of="q")
    )
    cover = CommonCause(CommonCauseKind.SERVICE, SERVICE, "BROKER", broker.id)
    assert [entry.cover for entry in found] == [None, cover, cover, cover, None]
    assert found[0].covers == 3


def test_the_highest_level_is_folded_only_where_the_settings_say_so(configuration: PlantConfiguration) -> None:
    alarms = alarm("GW-1", "OFFLINE", level=2), alarm("T", "SILENT", level=2), alarm("T", "HH", level=2)
    stopped = {("p", "E-1"): "FAN"}
    assert [entry.cover for entry in shown(configuration, *alarms, stopped=stopped)] == [None, None, None]
    found = shown(configuration, *alarms, stopped=stopped, inhibit_level_2=True)
    assert [entry.cover and entry.cover.kind for entry in found] == [
        None,
        CommonCauseKind.GATEWAY,
        CommonCauseKind.EQUIPMENT,
    ]


def test_the_first_of_a_burst_on_a_machine_is_marked(configuration: PlantConfiguration) -> None:
    """Two bursts have two firsts; an alarm alone is the first of nothing."""
    burst = [alarm("T", "H", ago=100), alarm("U", "H", ago=60), alarm("T", "HH", ago=20, level=2)]
    earlier = [alarm("U", "FORECAST", ago=900), alarm("U", "SLOPE", ago=840)]
    alone, other = alarm("T", "H", ago=99, of="q"), alarm("V", "L", ago=101)
    found = shown(configuration, *burst, *earlier, alone, other)
    assert [entry.first_out for entry in found] == [True, False, False, True, False, False, False]
    assert [entry.first_out for entry in shown(configuration, *burst, first_out_gap_s=30)] == [False, False, False]


def test_a_first_that_has_left_the_list_leaves_its_place_empty(configuration: PlantConfiguration) -> None:
    burst = [alarm("U", "H", ago=60), alarm("T", "HH", ago=20, level=2)]
    gone = columns([Call(("p", "T", "H"), 1, NOW - 100 * S, NOW - 99 * S)])
    assert [entry.first_out for entry in shown(configuration, *burst)] == [True, False]
    assert [entry.first_out for entry in shown(configuration, *burst, raises=gone)] == [False, False]


def test_what_a_gateway_covers_is_the_first_of_nothing(configuration: PlantConfiguration) -> None:
    alarms = alarm("GW-1", "OFFLINE"), alarm("T", "SILENT", ago=9), alarm("U", "H", ago=8), alarm("T", "H", ago=7)
    assert [entry.first_out for entry in shown(configuration, *alarms)] == [False, False, True, False]


def test_three_raises_of_a_rule_within_a_minute_are_chattering(configuration: PlantConfiguration) -> None:
    calls = [Call(("p", "T", "H"), 1, NOW - ago * S, NOW) for ago in (60, 30, 0)]
    calls += [Call(("p", "U", "H"), 1, NOW - ago * S, NOW) for ago in (61, 30, 0)]
    found = shown(configuration, alarm("T", "H"), alarm("U", "H"), raises=columns(calls))
    assert [entry.chattering for entry in found] == [True, False]


def test_an_alarm_that_stands_for_more_than_a_day_is_stale(configuration: PlantConfiguration) -> None:
    """Counted from its newest raise; not once its condition is gone, nor while it is hidden on purpose."""
    day = 86_400
    alarms = [
        alarm("T", "H", ago=day + 1),
        alarm("T", "HH", ago=day),
        alarm("U", "H", ago=2 * day, annunciated=NOW),
        alarm("U", "SLOPE", ago=2 * day, state=AlarmState.RETURNED, returned=NOW),
        alarm("V", "L", ago=2 * day, state=AlarmState.SHELVED),
    ]
    assert [entry.stale for entry in shown(configuration, *alarms)] == [True, False, False, False, False]


def test_an_alarm_of_a_point_that_is_no_longer_enrolled_is_shown(configuration: PlantConfiguration) -> None:
    (found,) = shown(configuration, alarm("GONE", "H", ago=10))
    assert (found.equipment, found.cover, found.first_out) == (None, None, False)


@pytest.mark.parametrize("seed", range(200))
def test_every_alarm_given_comes_out_exactly_once(configuration: PlantConfiguration, seed: int) -> None:
    """Whatever stands, stops, is hidden or filtered out: no two covers in a circle, and nothing folded twice."""
    rng = random.Random(seed)  # noqa: S311  not a secret
    rules = [(p.plant, p.id, rule.code) for p in configuration.points if p is not None for rule in p.rules]
    alarms = []
    for of, name, code in rng.sample(rules, rng.randint(0, len(rules))):
        state = rng.choice([*AlarmState])
        gone = NOW if state is AlarmState.RETURNED else None
        alarms.append(
            alarm(name, code, of=of, ago=rng.random() * 300, level=rng.choice([1, 2]), state=state, returned=gone)
        )
    stopped = {(of, "E-1"): "FAN" for of in "pq" if rng.random() < 0.5}
    found = shown(configuration, *alarms, stopped=stopped, inhibit_level_2=rng.random() < 0.5)
    assert [entry.alarm for entry in found] == alarms
    part = rng.sample(found, rng.randint(0, len(found)))
    for list_ in (found, part):
        assert sorted(entry.id for entry in everything(fold(list_))) == sorted(entry.alarm.id for entry in list_)
    covered = {entry.alarm.id for entry in found if entry.cover is not None}
    assert not covered & {entry.cover.alarm for entry in found if entry.cover is not None}
    assert sum(entry.covers for entry in found) == sum(
        entry.cover is not None and entry.cover.alarm is not None for entry in found
    )


def test_instrument_kinds_are_kinds_of_detector() -> None:
    assert set(KINDS) >= INSTRUMENT
