"""Finds plants for which nobody would be called, and ways by which nobody would be reached."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from ingest.domain.calls.config import CallsConfig
from ingest.domain.calls.coverage import Gap, gaps
from ingest.domain.calls.roster import Roster
from ingest.domain.model.call import Cause, LadderStep
from ingest.domain.model.expectations import one_of, with_near
from ingest.domain.model.plant import SERVICE, Plant
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour
from ingest.plants.configuration import PlantConfiguration

_DAY: Final = dt.timedelta(days=1)
_DAYS_ZH: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_DAYS_EN: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_Doubt = tuple[str, str, Text]


def doubts_of_calls(
    config: CallsConfig, connectors: Sequence[str], configuration: PlantConfiguration
) -> Iterator[_Doubt]:
    """Yield every doubt about whom the settings call: key, value, and what is expected."""
    plants = configuration.enterprises()
    if not config.nobody:
        yield from _nobody_called(config, plants)
    yield from _unreachable(config, connectors)
    people = {person.name for person in config.people}
    for key, name in config.named():
        if name not in people:
            yield key, name, with_near(Text("[[calls.people]] 中的姓名", "a name of [[calls.people]]"), name, people)
    named = [(f"calls.shifts.{number}.plants", shift.plants) for number, shift in enumerate(config.shifts)]
    named += [(f"calls.ladders.{number}.plants", ladder.plants) for number, ladder in enumerate(config.ladders)]
    known = {plant.id for plant in plants} | {SERVICE}
    for key, given in named:
        for plant in sorted((given or frozenset()) - known):
            yield key, plant, with_near(Text("有其文件的企业", "a plant that has a file"), plant, known)


def _nobody_called(config: CallsConfig, plants: Sequence[Plant]) -> Iterator[_Doubt]:
    """Yield plants for which, or times at which, nobody would be called, and positions that no shift is planned for."""
    yield from _without_ladder(config, plants)
    roster = config.roster()
    unplanned = dict[str, list[str]]()
    for plant in plants:
        ladders = dict.fromkeys(filter(None, (_ladder(config, plant, *cause) for cause in _causes(config))))
        positions = roster.positions(plant.id)
        for step in (step for ladder in ladders for step in ladder):
            if step.position is not None and step.position not in positions:
                unplanned.setdefault(step.position, []).append(plant.id)
        for ladder in ladders:
            yield from _gaps(config, roster, plant.id, ladder)
    for position, of in unplanned.items():
        at = list(dict.fromkeys(of))
        expected = Text(
            f"{position} 的班次：{'、'.join(at)} 没有排班", f"a shift of it: none is planned at {', '.join(at)}"
        )
        yield "calls.shifts", position, expected
    for name in (person.name for person in roster.people.values() if not person.channels):
        yield (
            f"calls.people.{name}.channels",
            "(none)",
            Text("至少一种联系方式", "at least one way to reach the person"),
        )


def _causes(config: CallsConfig) -> list[tuple[Cause, Colour | None]]:
    """Return what people are called for at a plant."""
    graver: list[tuple[Cause, Colour | None]] = [
        (Cause.WARNING, colour) for colour in Colour if config.calls_for(colour)
    ]
    return [*graver, (Cause.ALARM, None)] if config.alarms else graver


def _ladder(config: CallsConfig, plant: Plant, cause: Cause, colour: Colour | None) -> tuple[LadderStep, ...]:
    return config.ladder(plant.id, plant.region, cause, colour)


def _without_ladder(config: CallsConfig, plants: Sequence[Plant]) -> Iterator[_Doubt]:
    """Yield what no ladder is for, with the plants of which that is so."""
    uncalled = dict[tuple[Text, ...], list[str]]()
    for plant in plants:
        causes = [cause for cause in _causes(config) if not _ladder(config, plant, *cause)]
        if causes:
            uncalled.setdefault(tuple(_named(*cause) for cause in causes), []).append(plant.id)
    if config.ladders and config.system and not config.ladder(SERVICE, "", Cause.SYSTEM, None):
        uncalled[_named(Cause.SYSTEM, None),] = [SERVICE]
    for texts, of in uncalled.items():
        zh, en = "、".join(text.zh for text in texts), ", ".join(text.en for text in texts)
        expected = Text(
            f"叫应阶梯，或 nobody = true：{zh}时不会有人被叫到",
            f"a ladder, or nobody = true: nobody would be called for {en}",
        )
        yield "calls.ladders", ", ".join(of), expected


def _named(cause: Cause, colour: Colour | None) -> Text:
    if colour is not None:
        return Text(f"{colour.text.zh}预警", f"{colour.text.en} warnings")
    if cause is Cause.SYSTEM:
        return Text("监测服务的二级报警", "alarms of level 2 of the service itself")
    return Text("二级报警", "alarms of level 2")


def _gaps(config: CallsConfig, roster: Roster, plant: str, ladder: Sequence[LadderStep]) -> Iterator[_Doubt]:
    """Yield the times of the week at which a ladder calls nobody, those of holidays where they are others."""
    if any(roster.people[name].channels for step in ladder for name in step.people if name in roster.people):
        return  # called whether on duty or not
    ordinary = gaps(roster, plant, ladder, holidays=False)
    if ordinary:
        yield _gap(plant, ladder, ordinary, Text("", ""))
    feast = gaps(roster, plant, ladder, holidays=True) if config.holidays else ordinary
    if feast and feast != ordinary:
        yield _gap(plant, ladder, feast, Text("节假日", "on holidays, "))


def _gap(plant: str, ladder: Sequence[LadderStep], found: Sequence[Gap], when: Text) -> _Doubt:
    begin, end, more = found[0].begin, found[0].end, len(found) - 1
    day = begin.isoweekday() - 1
    span = f"{begin:%H:%M}–{end:%H:%M}"
    whole = end - begin >= _DAY
    zh = f"{when.zh}{_DAYS_ZH[day]} {span}" if not whole else f"{when.zh}整天"
    en = f"{when.en}{_DAYS_EN[day]} {span}" if not whole else f"{when.en}whole days"
    zh, en = zh + (f" 等 {more + 1} 段" if more else ""), en + (f" and {more} more times" if more else "")
    titles = "、".join(step.title for step in ladder)
    expected = Text(
        f"各时段都有能叫到的人：{titles} 在{zh}无人可叫", f"somebody at any time: {titles} calls nobody {en}"
    )
    return "calls.shifts", plant, expected


def _unreachable(config: CallsConfig, connectors: Sequence[str]) -> Iterator[_Doubt]:
    """Yield channels that no connector delivers: calls by them fail at once."""
    for person in config.people:
        for channel in person.channels:
            if channel.connector not in connectors:
                expected = one_of(connectors) if connectors else Text("[connectors] 中的名称", "a name of [connectors]")
                yield (
                    f"calls.people.{person.name}.channels",
                    channel.connector,
                    with_near(expected, channel.connector, connectors),
                )
