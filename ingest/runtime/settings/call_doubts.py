"""Finds plants for which nobody would be called, and ways by which nobody would be reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingest.domain.calls.config import CallsConfig
from ingest.domain.model.call import Cause, LadderStep
from ingest.domain.model.expectations import one_of, with_near
from ingest.domain.model.plant import SERVICE, Plant
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour
from ingest.plants.configuration import PlantConfiguration

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
    """Yield plants without a ladder for red warnings, and positions that no shift is planned for."""
    unplanned = dict[str, list[str]]()
    alone = []
    roster = config.roster()
    for plant in plants:
        ladder = config.ladder(plant.id, plant.region, Cause.WARNING, Colour.RED)
        if not ladder:
            alone.append(plant.id)
        positions = {shift.position for shift in config.shifts if shift.plants is None or plant.id in shift.plants}
        for step in ladder:
            if step.position is not None and step.position not in positions:
                unplanned.setdefault(step.position, []).append(plant.id)
        if ladder and not any(_somebody(step, positions) for step in ladder):
            alone.append(plant.id)
    if alone:
        expected = Text(
            "叫应阶梯，或 nobody = true：红色预警时不会有人被叫到",
            "a ladder, or nobody = true: nobody would be called for a red warning",
        )
        yield "calls.ladders", ", ".join(alone), expected
    for position, of in unplanned.items():
        expected = Text(
            f"{position} 的班次：{'、'.join(of)} 没有排班", f"a shift of it: none is planned at {', '.join(of)}"
        )
        yield "calls.shifts", position, expected
    without = [person.name for person in roster.people.values() if not person.channels]
    for name in without:
        yield (
            f"calls.people.{name}.channels",
            "(none)",
            Text("至少一种联系方式", "at least one way to reach the person"),
        )


def _somebody(step: LadderStep, positions: set[str]) -> bool:
    return bool(step.people) or step.position in positions


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
