"""Finds parts of a plant file that watch nothing, or that describe one thing twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import SERVICE, Plant, Point
from ingest.domain.model.text import Text
from ingest.plants.catalogue import STATUS_CONTACT, Catalogue, Signal, load_catalogue
from ingest.plants.configuration import PlantConfiguration

ABSOLUTE_ZERO: Final = -273.15
"""℃."""

_OTHER_UNIT: Final = 300.0
"""From this factor on between a range and the usual one, its numbers are of another unit: kPa for MPa is 1 000."""

_SILENCE: Final = 10.0
"""Engineering default: a silence shorter or longer than the usual one by this factor is hardly meant."""

_SHARES: Final = ("%vol", "%LEL")  # others, as a difference in %, may be more
_Doubt = tuple[str, str, Text]


def doubts_of_structure(plant: Plant, file: str) -> Iterator[Fault]:
    """Yield every doubt about how the plant's parts belong together."""
    for key, value, expected in (
        *_of_parts(plant),
        *_of_equipment(plant),
        *_of_instruments(plant, load_catalogue()),
    ):
        yield Fault(file, key, value, expected)


def shared_codes(plants: Sequence[Plant], folder: Path) -> Iterator[Fault]:
    """Yield a doubt about each plant with another one's unified social credit code."""
    first: dict[str, Plant] = {}
    for plant in plants:
        other = first.setdefault(plant.uscc, plant)
        if other is not plant:
            yield Fault(
                str(folder / f"{plant.id}.toml"),
                "enterprise.uscc",
                plant.uscc,
                Text(
                    f"本企业自己的代码：{other.id} 也用它（同一企业的两个厂区可以相同）",
                    f"a code of its own: {other.id} has it too (two sites of one enterprise may)",
                ),
            )


def loose_contacts(configuration: PlantConfiguration, folder: Path) -> Iterator[Fault]:
    """Yield a doubt about each status contact that no instrument names: nothing follows from what it shows."""
    for plant in configuration.enterprises():
        named = {name for each in configuration.instruments.get(plant.id, ()) for name in each.contact_points}
        for point in plant.points:
            if point.signal == STATUS_CONTACT and point.id not in named:
                expected = Text(
                    "某台仪表 status 中写明的触点，否则它的状态不起作用",
                    "a contact that the `status` of an instrument names: else nothing follows from it",
                )
                yield Fault(str(folder / f"{plant.id}.toml"), f"points ({point.id}) signal", point.signal, expected)


def _of_parts(plant: Plant) -> Iterator[_Doubt]:
    instruments = [point for point in plant.points if not point.is_device]
    if not plant.gateways:
        yield "gateways", "(none)", Text("至少一个网关，否则没有数据", "a gateway at least: nothing can be received")
    if not instruments:
        yield "points", "(none)", Text("至少一个测点，否则没有监测", "a point at least: nothing is watched")
    carrying = {point.gateway for point in instruments}
    for gateway in plant.gateways if instruments else ():
        if gateway.id not in carrying:
            yield (
                f"gateways ({gateway.id})",
                gateway.id,
                Text("至少一个测点用到的网关", "a gateway that some point names"),
            )
    for point in instruments:
        if not point.rules:
            yield (
                f"points ({point.id}) rules",
                "(none)",
                Text("至少一条规则，否则不会报警", "a rule at least: it never alarms"),
            )


def _of_equipment(plant: Plant) -> Iterator[_Doubt]:
    points = {point.id: point for point in plant.points}
    used = {point.equipment for point in plant.points}
    for machine in plant.equipment:
        if machine.id not in used and machine.running is None:
            yield (
                f"equipment ({machine.id})",
                machine.id,
                Text("至少一个测点所属的设备", "an equipment that some point names"),
            )
        asked = points.get(machine.running.point) if machine.running else None
        if machine.running and asked and asked.equipment not in {None, machine.id} and machine.id in used:
            yield (
                f"equipment ({machine.id}) running",
                machine.running.point,
                Text(
                    f"本设备的测点；它属于 {asked.equipment}",
                    f"a point of this equipment; it belongs to {asked.equipment}",
                ),
            )


def _of_instruments(plant: Plant, catalogue: Catalogue) -> Iterator[_Doubt]:
    signals = catalogue.signals[plant.kind] if plant.kind != SERVICE else {}
    first: dict[tuple[object, ...], str] = {}
    for point in plant.points:
        signal = signals.get(point.signal)
        if point.is_device or signal is None:
            continue
        key = point.gateway, point.equipment, point.signal, point.name
        before = first.setdefault(key, point.id)
        if before != point.id and point.name != signal.name:
            yield (
                f"points ({point.id}) name",
                point.name.zh,
                Text(
                    f"自己的名称；{before} 是同名同信号的测点",
                    f"a name of its own; {before} has it, and the same signal",
                ),
            )
        doubts = (*_of_range(point, signal), *_of_silence(point, signal), *_of_sentinels(point))
        yield from ((f"points ({point.id}) {key}", value, text) for key, value, text in doubts)


def _of_range(point: Point, signal: Signal) -> Iterator[_Doubt]:
    shown = f"[{point.low:g}, {point.high:g}]"
    if point.unit == "℃" and point.low < ABSOLUTE_ZERO:
        yield (
            "range",
            shown,
            Text(f"不低于绝对零度 {ABSOLUTE_ZERO:g} ℃", f"from absolute zero, {ABSOLUTE_ZERO:g} ℃, upwards"),
        )
    elif point.unit in _SHARES and point.high > 100:
        yield "range", shown, Text("至多 100 %", "at most 100 %")
    elif point.states is not None and (point.low, point.high) != (0.0, 1.0):
        yield "range", shown, Text("开关量为 [0, 1]", "[0, 1] of a point with two states")
    usual = signal.table.range
    if usual is not None and usual.high > usual.low:
        factor = (point.high - point.low) / (usual.high - usual.low)
        if not 1 / _OTHER_UNIT < factor < _OTHER_UNIT:
            span = f"{usual.low:g} … {usual.high:g} {point.unit}".rstrip()
            yield "range", shown, Text(f"以 {point.unit} 计，通常 {span}", f"numbers in {point.unit}, usually {span}")


def _of_sentinels(point: Point) -> Iterator[_Doubt]:
    for value in point.sentinels.values() if point.sentinels is not None else ():
        if point.low <= value <= point.high:
            span = f"{point.low:g} … {point.high:g} {point.unit}".rstrip()
            yield (
                "sentinels",
                f"{value:g}",
                Text(
                    f"量程 {span} 之外的数：等于它的测量值会被当作通道状态，不再判断",
                    f"a number outside the range {span}: a measurement that equals it is taken for a channel's state",
                ),
            )


def _of_silence(point: Point, signal: Signal) -> Iterator[_Doubt]:
    usual, shown = signal.table.silence_s.value, f"{point.silence_s:g}"
    if point.silence_s < usual / _SILENCE:
        least = f"{usual / _SILENCE:g} s"
        yield (
            "silence_s",
            shown,
            Text(
                f"至少 {least}：仪表没有这么快，会一直报警",
                f"at least {least}: instruments send more seldom",
            ),
        )
    if point.silence_s > _SILENCE * usual:
        most = f"{_SILENCE * usual:g} s"
        yield (
            "silence_s",
            shown,
            Text(f"至多 {most}：仪表失效太久才会发现", f"at most {most}: a dead instrument would go unseen"),
        )
