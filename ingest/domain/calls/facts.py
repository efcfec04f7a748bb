"""What a message says of the warning or alarm that people are called for (pure)."""

from __future__ import annotations

from ingest.domain.calls.needs import Need
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.plant import Plant, Point
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning

Facts = dict[str, dict[str, str]]


def facts_of(need: Need, plant: Plant | None) -> tuple[Facts, int]:
    """Return the fields of the message by language, and since when there is what it is for (ns).

    `plant` is None once it was removed.
    """
    named = plant.name if plant else Text(need.plant, need.plant)
    if isinstance(need.of, Alarm):
        fields, since = _of_alarm(need.of, plant), need.of.annunciated
    else:
        fields, since = _of_warning(need.of, plant), need.of.raised
    fields["enterprise"] = named
    return {
        "zh": {name: text.zh for name, text in fields.items()},
        "en": {name: text.en for name, text in fields.items()},
    }, since


def _of_alarm(alarm: Alarm, plant: Plant | None) -> dict[str, Text]:
    point = _point(plant, alarm.point)
    return {
        "level": Text("二级报警", "alarm of level 2"),
        "what": alarm.title,
        "equipment": _equipment(plant, point.equipment if point else None),
        "point": point.name if point else _same(alarm.point),
    } | _numbers(alarm.value, alarm.limit, alarm.unit)


def _of_warning(warning: EarlyWarning, plant: Plant | None) -> dict[str, Text]:
    colour = warning.peak.text
    fields = {"level": Text(f"{colour.zh}预警", f"{colour.en} warning")}
    if not warning.inputs:
        return fields
    fields["what"] = warning.inputs[0].text
    if warning.inputs[0].facts:
        fact = warning.inputs[0].facts[0]
        point = _point(plant, fact.point)
        fields["equipment"] = _equipment(plant, fact.equipment)
        fields["point"] = point.name if point else _same(fact.point)
        fields |= _numbers(fact.value, fact.limit, fact.unit)
    return fields


def _numbers(value: float | None, limit: float | None, unit: str) -> dict[str, Text]:
    given = {"value": value, "limit": limit}
    return {"unit": _same(unit)} | {name: _same(f"{of:.6g}") for name, of in given.items() if of is not None}


def _point(plant: Plant | None, point: str) -> Point | None:
    return next((of for of in plant.points if of.id == point), None) if plant else None


def _equipment(plant: Plant | None, equipment: str | None) -> Text:
    """Return the equipment's name; empty where the point belongs to none."""
    if equipment is None:
        return _same("")
    known = plant.equipment if plant else ()
    return next((of.name for of in known if of.id == equipment), _same(equipment))


def _same(word: str) -> Text:
    return Text(word, word)
