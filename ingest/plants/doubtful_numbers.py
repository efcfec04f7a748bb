"""Finds rules whose numbers contradict the instrument. Works over arrays: the number of points hardly matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import RuleTable
from detectors.calibration import least_budget, needed_s
from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import Point, Rule
from ingest.domain.model.text import Text
from ingest.plants.catalogue import load_catalogue
from ingest.plants.configuration import PlantConfiguration

_LEAST_DELAY_S: Final = 90.0
_LEAST_DELAY_RED_S: Final = 15.0
"""Engineering defaults. Found: in a casting accident of 2022 metal ran into the pit for 92 s unnoticed."""

BEYOND: Final = 0.03125
"""How far beyond its range an instrument still shows values, as a share of span: 20.5 mA of 4-20 mA (NAMUR NE 43)."""

_MOST_LEARNING_S: Final = 365 * 86_400.0
"""Engineering default: a rule that is to learn for longer is as good as none."""

_Mask = NDArray[np.bool_]
_Check = Callable[[RuleTable, NDArray[np.float64], NDArray[np.float64]], _Mask]


def doubts_of_numbers(configuration: PlantConfiguration, folder: Path) -> Iterator[Fault]:
    """Yield a doubt about each rule of an instrument that can never trip, never return, or trips too late."""
    for kind, key, expected, check in _CHECKS:
        table = configuration.tables.get(kind)
        if table is None:
            continue
        low, high = configuration.ranges(table.point)
        own = table.point < len(configuration.points)  # others are expressions, of no known range
        for row in np.flatnonzero(check(table, low, high) & own):
            rule = configuration.rules[int(table.rule[row])]
            point = configuration.points[int(table.point[row])]
            if point is not None and not point.is_device and rule.unit in {point.unit, f"{point.unit}/min", "%"}:
                value = _written(table, int(row), key, kind)
                yield _fault(rule, folder, key, value, expected(point, rule))
    least = least_budget(_MOST_LEARNING_S)
    for table in configuration.tables.values():
        for row in np.flatnonzero(table.on_delay > _LEAST_DELAY_RED_S * 1e9):
            yield from _of_delay(configuration, int(table.rule[row]), table.on_delay[row] / 1e9, folder)
        if table.budget is not None:
            for row in np.flatnonzero(table.budget < least):
                rule, budget = configuration.rules[int(table.rule[row])], float(table.budget[row])
                if budget != configuration.budgets[rule.plant].share:
                    yield _fault(rule, folder, "budget", f"{budget:g}", _more(budget, least))
    yield from _of_plants(configuration, least, folder)


def _of_delay(configuration: PlantConfiguration, number: int, delay_s: float, folder: Path) -> Iterator[Fault]:
    """Yield a doubt if a grave rule waits longer than an accident leaves time, and longer than by default."""
    rule = configuration.rules[number]
    point = configuration.find(rule.plant, rule.point)
    most = _LEAST_DELAY_RED_S if rule.red else _LEAST_DELAY_S
    plant = configuration.plants[rule.plant]
    if point is None or point.is_device or rule.level != 2 or delay_s <= most or plant.kind == "service":
        return
    default = load_catalogue().signals[plant.kind][point.signal].rules.get(rule.code)
    if default is None or delay_s > default.on_delay_s:
        expected = Text(
            f"至多 {most:g} s：事故不等这么久（查到：清远 2022 年铝液入井 92 s 无人察觉，5 人死亡）",
            f"at most {most:g} s: an accident does not wait (found: 92 s of metal in the pit unnoticed, 5 dead, 2022)",
        )
        yield _fault(rule, folder, "on_delay_s", f"{delay_s:g}", expected)


def _more(budget: float, least: float) -> Text:
    """Return what is expected instead of a budget that needs years of readings before its rule is evaluated at all."""
    days = float(needed_s(np.array(budget))) / 86_400
    return Text(
        f"至少 {least:.2g}，否则规则要有 {days:.0f} 天的读数后才判断",
        f"at least {least:.2g}, or the rule is not evaluated before {days:.0f} days of readings",
    )


def _of_plants(configuration: PlantConfiguration, least: float, folder: Path) -> Iterator[Fault]:
    """Yield a doubt about each plant whose budget is too small for its rules, or is exceeded by their own ones."""
    for plant, budget in configuration.budgets.items():
        file, shown = str(folder / f"{plant}.toml"), f"{budget.allowed:g}"
        if budget.share is not None and budget.share < least:
            allowed, each = budget.allowed * least / budget.share, _more(budget.share, least)
            expected = Text(
                f"至少 {allowed:.2g}，即每条自学规则{each.zh}",
                f"at least {allowed:.2g}, for each rule that learns {each.en}",
            )
            yield Fault(file, "enterprise.budget", shown, expected)
        if budget.expected > budget.allowed * (1 + 1e-9):
            expected = Text(
                f"至少 {budget.expected:.3g}：自学规则自己的预算合计每天这么多次",
                f"at least {budget.expected:.3g}: so many a day the rules' own budgets come to",
            )
            yield Fault(file, "enterprise.budget", shown, expected)


def _fault(rule: Rule, folder: Path, key: str, value: str, expected: Text) -> Fault:
    file = str(folder / f"{rule.plant}.toml")
    return Fault(file, f"points ({rule.point}) rules.{rule.code}.{key}", value, expected)


def _written(table: RuleTable, row: int, key: str, kind: str) -> str:
    """Return the number as its plant file has it: limits of the low side are negated in the table."""
    value = table.off[row] if key == "off" else table.on[row]
    return f"{value * table.param['side'][row] + 0.0 if kind == 'limit' else value:g}"


def _least(table: RuleTable, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lowest score an instrument can give to its limit."""
    return np.where(table.param["side"] > 0, low, -high)


def _always(table: RuleTable, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Mask:
    within = table.on >= _least(table, low, high) - BEYOND * (high - low)  # beyond: said already
    return within & (table.on <= _least(table, low, high) + 1e-6 * (high - low))


def _wide(table: RuleTable, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Mask:
    return table.on - table.off > (high - low) * (1 + 1e-6)


def _never_returns(table: RuleTable, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Mask:
    return (table.off < _least(table, low, high) - BEYOND * (high - low)) & ~_wide(table, low, high)


def _too_fast(table: RuleTable, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Mask:
    return table.on * table.param["window_s"] / 60 > high - low


def _beyond_span(table: RuleTable, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Mask:
    return table.on > high - low


def _never_deviates(table: RuleTable, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Mask:
    setpoint, side = table.param["setpoint"], table.param["side"]
    off = np.where(table.param["relative"] > 0, np.abs(setpoint) * table.on / 100, table.on)
    above, below = high - setpoint, setpoint - low
    return off > np.where(side > 0, above, np.where(side < 0, below, np.maximum(above, below))) + BEYOND * (high - low)


def _span(point: Point) -> str:
    return f"{point.low:g} … {point.high:g} {point.unit}".rstrip()


_CHECKS: Final[tuple[tuple[str, str, Callable[[Point, Rule], Text], _Check], ...]] = (
    (
        "limit",
        "on",
        lambda point, _: Text(
            f"量程 {_span(point)} 之内并非总是成立的限值", f"a limit that the range {_span(point)} does not always meet"
        ),
        _always,
    ),
    (
        "limit",
        "off",
        lambda point, _: Text(f"回差小于量程 {_span(point)}", f"a deadband below the span of {_span(point)}"),
        _wide,
    ),
    (
        "limit",
        "off",
        lambda point, _: Text(
            f"在仪表量程 {_span(point)} 之内，否则报警永不恢复",
            f"within the range {_span(point)}, or the alarm never returns",
        ),
        _never_returns,
    ),
    (
        "rate",
        "on",
        lambda point, _: Text(
            f"窗口内量程 {_span(point)} 容得下的变化",
            f"a change within its window that the range {_span(point)} has room for",
        ),
        _too_fast,
    ),
    (
        "step",
        "on",
        lambda point, _: Text(f"小于量程 {_span(point)} 的变化", f"a change below the span of {_span(point)}"),
        _beyond_span,
    ),
    (
        "deviation",
        "on",
        lambda point, _: Text(
            f"从设定值 {point.setpoint:g} 在量程 {_span(point)} 内可达的偏差",
            f"a deviation from the set-point {point.setpoint:g} that the range {_span(point)} has room for",
        ),
        _never_deviates,
    ),
)
