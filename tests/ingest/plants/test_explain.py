"""An explanation leaves nothing out: rules in force with their numbers, rules that are not, and dependent rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.plant import NotEvaluated
from ingest.domain.model.text import Text
from ingest.plants.explain import Unknown, explain_point
from ingest.plants.explain_json import as_json
from tests.ingest.plants.samples import plant, point


def test_every_number_says_who_gave_it(directory: Path) -> None:
    note = explain_point(directory, "demo-aluminium", "CW_IN_P-01")
    low = next(rule for rule in note.rules if rule.code == "LL")
    origins = {key.name: (key.value, key.origin) for key in low.keys}
    assert origins["on"] == (0.28, "plant file")
    assert origins["on_delay_s"] == (3.0, "plant file")
    assert origins["phases"] == (["start", "steady", "end"], "catalogue")
    assert "on_percent" not in origins
    assert (low.gate, [text.en for text in low.lacking]) == ("CAST_LEN-01 > 0", ["a point of ALC_CAST_SPEED"])
    assert [phase.en for phase in low.phases] == ["start", "steady", "end"]
    assert low.source == "plant file"
    other = next(rule for rule in note.rules if rule.code == "L")
    assert {key.origin for key in other.keys} == {"catalogue"}


def test_rules_not_evaluated_are_listed_with_their_reason(directory: Path) -> None:
    note = explain_point(directory, "demo-aluminium", "LAUNDER-01")
    assert NotEvaluated("LL", Text("设定值", "setpoint")) in note.not_evaluated
    assert explain_point(directory, "demo-aluminium", "CW_IN_P-01").disabled == (("BAD", "plant file"),)


def test_what_a_rule_lacks_is_named(directory: Path) -> None:
    rules = explain_point(directory, "demo-aluminium", "LAUNDER-01").rules
    (lacking,) = next(rule for rule in rules if rule.code == "RATE").lacking
    assert lacking == Text("测点 CAST_LEN-01 的设定值", "setpoint of CAST_LEN-01")


def test_rules_of_other_points_that_depend_on_this_one_are_listed(directory: Path) -> None:
    dependents = explain_point(directory, "demo-aluminium", "CAST_LEN-01").dependents
    assert ("CW_IN_P-01", "LL", "CAST_LEN-01 > 0") in [
        (dependent.point, dependent.code, dependent.how) for dependent in dependents
    ]
    assert explain_point(directory, "demo-aluminium", "CAST_LEN-02").dependents[0].code == "HH"


def test_groups_and_expressions_count_as_dependents_too(tmp_path: Path) -> None:
    text = "".join(point(name, "STL_CO", 'equipment = "E-1"') for name in ("A", "B", "C"))
    text += point("D", "STL_CW_DFLOW") + point("F", "STL_CW_FLOW", "range = [0, 600]")
    (tmp_path / "p.toml").write_text(plant("steel", text), encoding="utf-8")
    seen = [
        (dependent.point, dependent.code, dependent.how) for dependent in explain_point(tmp_path, "p", "A").dependents
    ]
    both = [("SPREAD", "votes"), ("NEIGHBOUR", "neighbour")]
    assert seen == [(point, code, how) for point in ("B", "C") for code, how in both]
    seen = [
        (dependent.point, dependent.code, dependent.how) for dependent in explain_point(tmp_path, "p", "F").dependents
    ]
    assert seen == [("D", "SHARE", "100 * abs(D) / F")]


def test_a_gateway_is_explained_as_well(directory: Path) -> None:
    assert [rule.code for rule in explain_point(directory, "demo-aluminium", "GW-01").rules] == ["OFFLINE", "SILENT"]


@pytest.mark.parametrize(
    ("names", "near"),
    [(("demo-alu", "X"), "near: demo-aluminium"), (("demo-aluminium", "LAUNDER"), "near: LAUNDER-01")],
)
def test_a_mistyped_name_is_answered_with_similar_ones(directory: Path, names: tuple[str, str], near: str) -> None:
    with pytest.raises(Unknown, match=near):
        explain_point(directory, *names)


def test_a_file_with_faults_is_not_explained_but_refused(directory: Path) -> None:
    file = directory / "demo-aluminium.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("on = 0.28", 'on = "low"'), encoding="utf-8")
    with pytest.raises(InvalidConfig, match=r"points\.0\.rules\.LL\.on"):
        explain_point(directory, "demo-aluminium", "CW_IN_P-01")


def test_an_explanation_is_json(directory: Path) -> None:
    given = json.loads(json.dumps(as_json(explain_point(directory, "demo-aluminium", "CW_IN_P-01")), allow_nan=False))
    rule = next(rule for rule in given["rules"] if rule["code"] == "LL")
    assert rule["keys"]["on"] == {"value": 0.28, "from": "plant file"}
    assert rule["reason"]["zh"] == "数值达到或低于 0.28 MPa（持续 3 秒）：低低报"
    assert given["disabled"] == [{"code": "BAD", "by": "plant file"}]


def test_a_duty_and_a_rule_that_alone_calls_for_red_are_named(directory: Path) -> None:
    given = as_json(explain_point(directory, "demo-aluminium", "CW_IN_P-01"))
    assert (given["mandatory"], given["basis"]) == (True, "duty: 令第10号 Art.5")
    assert {rule["code"]: rule["red"] for rule in given["rules"]}["LL"] is True
    assert {rule["red"] for rule in given["rules"] if rule["code"] != "LL"} == {False}
    other = as_json(explain_point(directory, "demo-aluminium", "CAST_LEN-01"))
    assert other["mandatory"] is False
    assert other["basis"].startswith("variable of the machine standard")
