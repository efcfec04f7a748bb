"""Expressions over points: judged instead of a value, and as conditions of several comparisons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors import NO_GATE, compile_expression
from ingest.domain.model.fault import InvalidConfig
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.formula import condition, parse_formula
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point

ON_E1 = 'equipment = "E-1"\n'
WATER = point("IN-1", "ALC_CW_IN_T", ON_E1) + point("OUT-1", "ALC_CW_OUT_T", ON_E1)


def configuration_of(folder: Path, kind: str, text: str) -> PlantConfiguration:
    (folder / "p.toml").write_text(plant(kind, text), encoding="utf-8")
    return load_configuration(folder, MemoryNumbering(), 1)


def ids(configuration: PlantConfiguration, points: tuple[int, ...]) -> list[str]:
    found = [configuration.points[at] for at in points]
    return [known.id for known in found if known is not None]


def length(setpoint: str = "") -> str:
    return point("LEN-1", "ALC_CAST_LEN", ON_E1 + setpoint)


def test_a_rule_judges_the_channel_of_its_expression(tmp_path: Path) -> None:
    configuration = configuration_of(tmp_path, "aluminium", WATER + length())
    table = configuration.tables["limit"]
    at = table.key.index("p/OUT-1/DT")
    derived = next(derived for derived in configuration.derived if derived.channel == table.point[at])
    assert derived.channel >= len(configuration.points)
    assert derived.text == "ALC_CW_OUT_T - ALC_CW_IN_T"
    assert (ids(configuration, derived.inputs), ids(configuration, derived.drivers)) == (["OUT-1", "IN-1"], ["OUT-1"])
    assert derived.fresh_s == 30  # the longest silence of the other point
    rule = next(rule for rule in configuration.rules if rule.code == "DT")
    assert (rule.limit, rule.unit, rule.of) == (15.0, "K", "OUT-1 - IN-1")
    assert "OUT-1 - IN-1 is at or above 15 K" in rule.reason.en


def test_rules_over_the_same_expression_share_a_channel(tmp_path: Path) -> None:
    """Also a forecast, which judges what the rule it takes its limit from judges."""
    configuration = configuration_of(tmp_path, "aluminium", WATER + length())
    judged = {
        key.rsplit("/", 1)[-1]: table.point[i]
        for table in configuration.tables.values()
        for i, key in enumerate(table.key)
        if key.startswith("p/OUT-1/")
    }
    assert judged["DT"] == judged["PHYS"] == judged["FORECAST_DT"]
    assert len({derived.channel for derived in configuration.derived}) == len(configuration.derived)
    assert [derived.channel for derived in configuration.derived] == list(
        range(len(configuration.points), len(configuration.points) + len(configuration.derived))
    )


def test_every_channel_can_be_compiled(tmp_path: Path) -> None:
    configuration = configuration_of(tmp_path, "aluminium", WATER + length("setpoint = 6500\n"))
    for derived in configuration.derived:
        assert len(compile_expression(derived.text).names) == len(derived.inputs)


def test_several_comparisons_are_a_gate_on_a_channel(tmp_path: Path) -> None:
    rule = '[points.rules.H]\nwhen = "{LEN-1} >= 500 and ALC_CAST_LEN <= 6300 or ALC_CW_OUT_T > 90"\n'
    configuration = configuration_of(
        tmp_path, "aluminium", point("IN-1", "ALC_CW_IN_T", ON_E1 + rule) + WATER.replace("IN-1", "IN-2") + length()
    )
    table = configuration.tables["limit"]
    at = table.key.index("p/IN-1/H")
    derived = next(derived for derived in configuration.derived if derived.channel == table.gate.point[at])
    assert ids(configuration, derived.inputs) == ["LEN-1", "LEN-1", "OUT-1"]
    assert ids(configuration, derived.drivers) == ["LEN-1", "OUT-1"]
    assert (table.gate.threshold[at], table.gate.op[at]) == (0.5, 5)  # >=
    gated = next(rule for rule in configuration.rules if (rule.point, rule.code) == ("IN-1", "H"))
    assert gated.when == "LEN-1 >= 500 and LEN-1 <= 6300 or OUT-1 > 90"
    assert gated.gate is None


def test_the_end_of_a_cast_is_recognised_where_the_ordered_length_is_known(tmp_path: Path) -> None:
    launder = point("LVL-1", "ALC_LAUNDER_LVL_FURN", ON_E1 + "setpoint = 150\n")
    configuration = configuration_of(tmp_path, "aluminium", launder + length("setpoint = 6500\n"))
    rules = {rule.code: rule for rule in configuration.rules if rule.point == "LVL-1"}
    assert rules["H"].when == "(LEN-1 >= 500) and not (LEN-1 > 6500 - 200)"
    table = configuration.tables["limit"]
    gate = {code: int(table.gate.point[table.key.index(f"p/LVL-1/{code}")]) for code in ("LL", "L", "H", "HH")}
    assert gate["L"] == gate["H"]  # one channel for all of steady casting
    assert gate["LL"] == gate["HH"]  # and one for all of the whole cast
    assert {*gate.values()} < {derived.channel for derived in configuration.derived}


def test_without_the_ordered_length_it_is_judged_to_the_very_end(tmp_path: Path) -> None:
    launder = point("LVL-1", "ALC_LAUNDER_LVL_FURN", ON_E1 + "setpoint = 150\n")
    configuration = configuration_of(tmp_path, "aluminium", launder + length())
    rules = {rule.code: rule for rule in configuration.rules if rule.point == "LVL-1"}
    assert rules["H"].when == "LEN-1 >= 500"
    assert rules["H"].gate is not None
    table = configuration.tables["limit"]
    assert table.gate.point[table.key.index("p/LVL-1/H")] != NO_GATE


def test_plants_do_not_share_channels(tmp_path: Path) -> None:
    for name in ("p", "q"):
        (tmp_path / f"{name}.toml").write_text(plant("aluminium", WATER + length(), name=name), encoding="utf-8")
    configuration = load_configuration(tmp_path, MemoryNumbering(), 1)
    table = configuration.tables["limit"]
    judged = [table.point[table.key.index(f"{name}/OUT-1/DT")] for name in ("p", "q")]
    assert judged[0] != judged[1]
    assert len({derived.key for derived in configuration.derived}) == len(configuration.derived)


def test_an_expression_in_percent_of_the_flow(tmp_path: Path) -> None:
    text = point("D", "STL_CW_DFLOW", ON_E1) + point("F", "STL_CW_FLOW", ON_E1 + "range = [0, 600]\n")
    configuration = configuration_of(tmp_path, "steel", text)
    derived = configuration.derived[0]
    assert ids(configuration, derived.inputs) == ["D", "F"]
    value = compile_expression(derived.text).evaluate([np.array([-12.6, 1.0]), np.array([420.0, 0.0])])
    assert value[0] == pytest.approx(3.0)
    assert np.isnan(value[1])


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ('of = "ALC_CW_OUT_T - "', "points.0.rules.H.of (IN-1) = 'ALC_CW_OUT_T - ': expected an expression of signals"),
        (
            'of = "ALC_CW_OUT_T - ALC_CW_INT"',
            "points.0.rules.H.of (IN-1) = 'ALC_CW_OUT_T - ALC_CW_INT': expected a known",
        ),
        ('of = "ALC_CW_OUT_T - eval(1)"', "'eval(1)'"),
        ('of = "ALC_METAL_T + 1"', "H.of (IN-1) = 'ALC_METAL_T + 1': expected a point of ALC_METAL_T, which it needs"),
        ('when = "ALC_CAST_LEN + 3"', "H.when (IN-1) = 'ALC_CAST_LEN + 3': expected \"always\""),
        ('when = "ALC_CAST_LEN > 1 and"', "H.when (IN-1) = 'ALC_CAST_LEN > 1 and': expected \"always\""),
        ('unless = "ALC_CAST_LEN > setpoint(ALC_CAST_LEN) - 200"', "expected setpoint of LEN-1, which it needs"),
        ('when = "ALC_CAST_LEN > setpoint(ALC_CAST_LEN) / 2"', "expected setpoint of LEN-1, which it needs"),
    ],
)
def test_an_expression_that_cannot_stand_says_where_and_why(tmp_path: Path, rule: str, fault: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        configuration_of(
            tmp_path,
            "aluminium",
            point("IN-1", "ALC_CW_IN_T", f"{ON_E1}[points.rules.H]\n{rule}\n")
            + WATER[WATER.index("[[", 3) :]
            + length(),
        )
    assert fault in str(refused.value)


LEVEL = point("LVL-1", "ALC_LAUNDER_LVL_FURN", ON_E1 + "setpoint = 150\n")


def test_an_alternative_of_a_default_condition_that_the_plant_cannot_judge_is_left_out(tmp_path: Path) -> None:
    """And what is left is a plain comparison like any other; with both instruments, both count."""
    speed = point("SPEED-1", "ALC_CAST_SPEED", ON_E1 + "setpoint = 60\n")
    alone = configuration_of(tmp_path, "aluminium", LEVEL + length())
    both = configuration_of(tmp_path, "aluminium", LEVEL + length() + speed)
    when = [next(r.when for r in each.rules if (r.point, r.code) == ("LVL-1", "LL")) for each in (alone, both)]
    assert when == ["LEN-1 > 0", "SPEED-1 > 5 or LEN-1 > 0"]


def test_a_default_condition_of_which_no_alternative_can_be_judged_is_missed_by_name(tmp_path: Path) -> None:
    configuration = configuration_of(tmp_path, "aluminium", LEVEL)
    missed = next(p.not_evaluated for p in configuration.plants["p"].points if p.id == "LVL-1")
    assert "LL: needs a point of ALC_CAST_SPEED" in map(str, missed)


def test_a_condition_the_plant_wrote_itself_loses_nothing_silently(tmp_path: Path) -> None:
    written = '[points.rules.LL]\nwhen = "ALC_CAST_SPEED > 5 or ALC_CAST_LEN > 0"\n'
    with pytest.raises(InvalidConfig, match="expected a point of ALC_CAST_SPEED"):
        configuration_of(tmp_path, "aluminium", LEVEL + written + length())


def test_names_and_set_points_are_distinguished() -> None:
    found = parse_formula("max(LEN, {A-1}) <= setpoint(LEN) - setpoint({B-2})")
    assert (found.points, found.setpoints) == (("LEN", "A-1"), ("LEN", "B-2"))
    assert found.names == ("LEN", "A-1", "B-2")


@pytest.mark.parametrize("text", ["", "LEN", "LEN = 5", "> 5", "LEN + 5", "LEN > 5 or", "len(x) > 1"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="always"):
        condition(text)
