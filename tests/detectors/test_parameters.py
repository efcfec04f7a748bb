"""What a rule's numbers may be is said once, and held to by the workbench and by plant files alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from detectors import KINDS, Rule
from detectors.parameter import Parameter
from detectors.parameters import PARAMETERS
from detectors.workbench import FORMS, InvalidRule
from ingest.plants.kinds import KINDS as SPECS
from tests.detectors.rule_tables import SPECIMENS

GIVEN = {"low": 0.0, "high": 1.0, "at": 0.0, "band": 1.0, "limit": 1.0, "lead_s": 60.0, "above": 0.0, "window_s": 60.0}
REQUIRED: dict[str, dict[str, Any]] = {
    "rate": {"side": "rise"}, "step": {"side": "rise", "on": 1.0}, "forecast": {"side": "high", "limit": 1.0},
    "pinned": {"at": 0.0}, "count": {}, "deviation": {"side": "either", "on": 1.0}, "phase": {"phase": "X"},
    "restart": {"after": {"X": 1.0}}, "sequence": {"enters": "X", "after": ["Y"]}, "votes": {"at": 1.0},
    "first_out": {"at": 1.0}, "limit": {"side": "high", "on": 1.0},
}  # fmt: skip
PERCENT = {(kind, name) for kind in ("t2", "spe", "mahalanobis") for name in ("share", "quantile")} | {
    ("mahalanobis", name) for name in ("ridge", "culprit", "shrink")
}
_SITE = {"level": 1, "source": "s", "confidence": "engineering default"}


def edges(parameter: Parameter) -> Iterator[tuple[float, bool]]:
    """Values at and about the ends of a range, and whether they are in it."""
    for end, is_open, out in ((parameter.low, parameter.open_low, -1.0), (parameter.high, parameter.open_high, 1.0)):
        if math.isfinite(end):
            step = 1.0 if parameter.whole else 1e-6
            yield from ((end + out * step, False), (end, not is_open))
    if parameter.whole:
        yield max(parameter.low, 0.0) + 0.5, False
    yield math.inf, False


def numbers(kind: str) -> dict[str, Parameter]:
    """Every number of a kind."""
    return {"on": PARAMETERS[kind].on, **PARAMETERS[kind].param}


def test_every_kind_and_every_parameter_of_it_is_described() -> None:
    assert set(PARAMETERS) == set(KINDS)
    for kind, specimen in SPECIMENS.items():
        assert set(specimen.param) - {"at_1"} <= set(PARAMETERS[kind].param), kind
    for kind, spec in SPECS.items():
        assert set(spec.params) == set(PARAMETERS[kind].param), kind
        for name, parameter in numbers(kind).items():
            assert parameter.meaning, (kind, name)
            assert parameter.default is None or parameter.accepts(parameter.default), (kind, name)


@pytest.mark.parametrize("kind", FORMS)
def test_a_rule_takes_what_is_in_range_and_names_what_is_not(kind: str) -> None:
    param: Any = {name: GIVEN.get(name, 1.0) for name, value in FORMS[kind].param.items() if value is None}
    on = 0.0 if kind == "forecast" else PARAMETERS[kind].on.default or 2.0
    for name, parameter in numbers(kind).items():
        for value, good in edges(parameter):
            given: Any = {"on": on, **param, name: value}
            if good:
                Rule(kind, **given)
                continue
            with pytest.raises(InvalidRule) as refused:
                Rule(kind, **given)
            assert str(refused.value).startswith(f"{kind}: {name} = {value!r}: expected {parameter.expected}")
            assert refused.value.zh.startswith(f"{kind}：{name} = {value!r}：应为{parameter.expected_zh}")


@pytest.mark.parametrize("kind", SPECS)
def test_a_plant_file_takes_the_same_numbers(kind: str) -> None:
    """Where a key of a plant file has the parameter's name; a share is in percent there."""
    spec, written = SPECS[kind], {**_SITE, "kind": kind, **REQUIRED.get(kind, {})}
    for name, parameter in numbers(kind).items():
        if name in spec.model_fields and spec.model_fields[name].is_required() and name not in written:
            written[name] = 2 if parameter.whole else GIVEN.get(name, max(parameter.low, 0.0) + 1.0)
    spec.model_validate(written)
    for name, parameter in numbers(kind).items():
        if name not in spec.model_fields or isinstance(written.get(name), str | list) or name in {"single", "setpoint"}:
            continue
        scale = 100 if (kind, name) in PERCENT else 1
        for value, good in edges(parameter):
            number = int(value) if parameter.whole and value == value // 1 and math.isfinite(value) else value * scale
            given = {key: value for key, value in written.items() if key not in {f"{name}_percent", "of_limit"}}
            if good:
                spec.model_validate({**given, name: number})
                continue
            with pytest.raises(ValidationError) as refused:
                spec.model_validate({**given, name: number})
            assert name in {fault["loc"][0] for fault in refused.value.errors()}, (kind, name, value)


def test_one_number_in_words() -> None:
    assert Parameter("", low=20.0).expected == "a number at least 20"
    assert Parameter("", low=1.0, high=16.0, whole=True).expected_zh == "不小于 1 且不大于 16 的整数"
    assert Parameter("", choices=(-1.0, 1.0)).expected_zh == "-1、1 之一"
    with pytest.raises(InvalidRule, match=r"surprise: one_in = 1: expected a number at least 20 \(readings: one"):
        Rule("surprise", one_in=1)
