"""Every kind of rule: what a person writes becomes the numbers its detector is promised, and a sentence."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import numpy as np
import pytest

from detectors import NO_POINT, Bank
from detectors.calibration import USUAL_BUDGET
from detectors.registry import KINDS as DETECTORS
from ingest.domain.model.fault import InvalidConfig
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.kinds import KINDS, NUMBERS, label_of
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point
from tests.ingest.plants.written_rules import CASES

ON_E1 = 'equipment = "E-1"\n'
OTHERS = "".join(point(name, "STL_CO", ON_E1) for name in ("CO-2", "CO-3")) + point("T", "STL_CW_OUT_T", ON_E1)
REST = 'level = 1\nlabel = "名"\nlabel_en = "name"\n'


def loaded(folder: Path, rule: str, *, signal: str = "STL_CO", text: str = "") -> PlantConfiguration:
    """A plant whose point P has one rule X beside its defaults."""
    own = point("P", signal, f"{ON_E1}{text}\n[points.rules.X]\n{rule}\n{REST}")
    (folder / "p.toml").write_text(plant("steel", own + OTHERS), encoding="utf-8")
    return load_configuration(folder, MemoryNumbering(), 1)


def refused(folder: Path, rule: str, *, text: str = "") -> str:
    with pytest.raises(InvalidConfig) as error:
        loaded(folder, rule, text=text)
    return str(error.value)


def columns(configuration: PlantConfiguration, kind: str) -> dict[str, float]:
    table = configuration.tables[kind]
    i = table.key.index("p/P/X")
    return {"on": table.on[i], "off": table.off[i]} | {name: column[i] for name, column in table.param.items()}


def looked_at(configuration: PlantConfiguration, kind: str) -> list[str]:
    table = configuration.tables[kind]
    assert table.inputs is not None
    points = [configuration.points[at] for at in table.inputs[table.key.index("p/P/X")] if at != NO_POINT]
    return [known.id for known in points if known is not None]


@pytest.mark.parametrize(("kind", "text", "row", "inputs", "sentence"), CASES)
def test_a_rule_becomes_a_row_and_a_sentence(
    tmp_path: Path, kind: str, text: str, row: dict[str, float], inputs: list[str], sentence: str
) -> None:
    configuration = loaded(tmp_path, f'kind = "{kind}"\n{text}', text="setpoint = 30")
    found = columns(configuration, kind)
    assert set(found) == set(row)
    for name, value in row.items():
        assert found[name] == pytest.approx(value) or (isnan(value) and isnan(found[name])), name
    if KINDS[kind].has_peers:
        assert looked_at(configuration, kind) == inputs
    Bank(configuration.tables, configuration.derived)  # the detector finds every parameter it asks for
    rule = next(rule for rule in configuration.rules if (rule.point, rule.code) == ("P", "X"))
    assert rule.inputs == tuple(inputs)
    assert sentence.lower() in rule.reason.en.lower()
    assert rule.reason.zh
    assert rule.source == "plant file"


@pytest.mark.parametrize(
    ("text", "on", "budget"),
    [
        ('kind = "ewma"', 3.0, USUAL_BUDGET),
        ('kind = "cusum"\nbudget = 60', 5.0, 60.0),
        ('kind = "spike"\non = 8\nbudget = 10', 8.0, 10.0),
        ('kind = "stuck"\non = 600\nbudget = 10', 600.0, 10.0),
        ('kind = "page_hinkley"\non = 8\ndelta = 0.5\nbudget = 10', 8.0, 10.0),
        ('kind = "surprise"\nbudget = 10', 0.5, 10.0),
        ('kind = "noise"\non = 5\nwindow_s = 600\nbudget = 3', 5.0, 3.0),
        ('kind = "forecast"\nlimit = 50\nside = "high"\nwindow_s = 60\nlead_s = 60\nbudget = 3', -60.0, 3.0),
        *((f'kind = "{group}"\nbudget = 90', 1.0, 90.0) for group in ("mahalanobis", "t2", "spe")),
    ],
)
def test_the_limit_of_a_rule_that_learns_is_learnt_for_its_budget(
    tmp_path: Path, text: str, on: float, budget: float
) -> None:
    """Without `on` it begins at that of the theory; how many findings it may have is said in both languages."""
    configuration = loaded(tmp_path, text)
    kind = text.split('"')[1]
    table = configuration.tables[kind]
    row = table.key.index("p/P/X")
    assert table.budget is not None
    assert (table.on[row], table.budget[row]) == (on, budget)
    reason = next(rule.reason for rule in configuration.rules if (rule.point, rule.code) == ("P", "X"))
    assert f"at most {budget:g} findings on 100 points in 30 days" in reason.en
    assert f"每 100 个测点 30 天至多报 {budget:g} 次" in reason.zh
    Bank(configuration.tables, configuration.derived)


def test_how_long_a_rule_with_a_budget_is_not_evaluated_is_part_of_its_reason(tmp_path: Path) -> None:
    for budget, zh, en in (("30", "20 天", "20 d"), ("14400", "1 天", "1 d"), ("7", "85.7 天", "85.7 d")):
        configuration = loaded(tmp_path, f'kind = "ewma"\nbudget = {budget}')
        reason = next(rule.reason for rule in configuration.rules if (rule.point, rule.code) == ("P", "X"))
        assert reason.zh.endswith(f"有 {zh}的读数后才判断")
        assert reason.en.endswith(f"not evaluated before {en} of readings")


def test_the_budget_of_the_documentation_is_one_that_a_plant_file_takes(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/detectors.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("```toml\n[points.rules.DRIFT]\n")
    drift = point("P", "STL_CO", f"{ON_E1}\n[points.rules.DRIFT]\n{rest.partition('```')[0]}")
    (tmp_path / "p.toml").write_text(plant("steel", drift), encoding="utf-8")
    table = load_configuration(tmp_path, MemoryNumbering(), 1).tables["ewma"]
    assert table.budget is not None
    assert table.budget.tolist() == [60.0]


def test_a_limit_by_hand_has_no_budget_and_hard_limits_take_none(tmp_path: Path) -> None:
    """Plant files from before keep what they have."""
    assert loaded(tmp_path, 'kind = "zscore"\non = 6').tables["zscore"].budget is None
    assert "budget" in refused(tmp_path, 'kind = "limit"\nside = "high"\non = 50\nbudget = 30')
    assert "budget" in refused(tmp_path, 'kind = "ewma"\nbudget = 0')


def test_every_kind_is_proven_above_and_has_its_detector() -> None:
    assert {case[0] for case in CASES} | {"sequence"} == set(KINDS)  # that one needs phases: `test_phases.py`
    assert set(KINDS) == set(DETECTORS)


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("deviation", 'side = "above"', "X.on_percent (P) = (missing): expected on or on_percent"),
        ("deviation", 'side = "above"\non = 3', "X.setpoint (P) = (missing): expected setpoint, which it needs"),
        ("deviation", 'side = "above"\non = 3\nsetpoint = "CO-9"', "near: CO-3, CO-2"),
        (
            "limit",
            'side = "high"\non = 3\non_offset = 3',
            "X.on_offset (P) = 3: expected either on or on_offset, not both",
        ),
        ("limit", 'side = "high"\non_offset = 3', "X.on_offset (P) = 3: expected setpoint, which it needs"),
        ("count", "on = 17\nwindow_s = 60", "X.on (P) = 17: expected less than or equal to 16"),
        ("step", 'side = "rise"\nwindow_s = 9', "X.on_span_percent (P) = (missing): expected on or on_span_percent"),
        ("pinned", "band = 1\nwindow_s = 60", "X.at (P) = (missing): expected of_limit or at"),
        (
            "pinned",
            'of_limit = "H"\nat = 3\nband = 1\nwindow_s = 60',
            "X.at (P) = 3: expected either of_limit or at, not both",
        ),
        (
            "forecast",
            'of_limit = "HHH"\nwindow_s = 9\nlead_s = 9',
            "X.of_limit (P) = 'HHH': expected a limit rule of the point: H, HH",
        ),
        (
            "forecast",
            "limit = 3\nwindow_s = 9\nlead_s = 9",
            "X.side (P) = (missing): expected a side for a limit of its own",
        ),
        ("forecast", 'of_limit = "STUCK"\nwindow_s = 9\nlead_s = 9', "X.of_limit (P) = 'STUCK'"),
        ("neighbour", 'peers = ["CO-2"]\non = 5\nfloor = 1', "X.peers (P) = ['CO-2']: expected at least 2 besides P"),
        ("neighbour", "peers = []\non = 5\nfloor = 1", "X.peers (P) = []: expected"),
        ("votes", 'peers = ["P"]\non = 2\nat = 3', "X.peers (P) = ['P']: expected at least 1 besides P"),
        ("votes", "on = 2\nat = 3\noff = 4", "X.off (P) = 4: expected at most on, which is 2"),
        (
            "restart",
            'after = { STL_CO = 160, T = 60 }\nsingle = ["CO-2", "SPARK"]\nhold_s = 60',
            "X.single (P) = 'SPARK': expected one of what trips: STL_CO, T",
        ),
        (
            "phase",
            'phase = "STL_LADLE_T"\nlow = 0\nhigh = 1\non = 5',
            "X.phase (P) = 'STL_LADLE_T': expected a point of STL_LADLE_T",
        ),
        ("surprise", "on = 1", "X.on (P) = 1: expected less than 1"),
        ("surprise", "off = 0.6", "X.off (P) = 0.6: expected at most on, which is 0.5"),
        ("surprise", "on_delay_s = 5", "X.on_delay_s (P) = 5: expected no on_delay_s: it speaks once an event"),
        ("surprise", "need = 2\nof_last = 3", "X.of_last (P) = 3: expected no of_last: it speaks once an event"),
        ("surprise", "need = 2", "X.of_last (P) = (missing): expected need and of_last together"),
        ("bad", "need = 3", "X.of_last (P) = (missing): expected need and of_last together, need at most of_last"),
        ("bad", "need = 3\nof_last = 2", "X.of_last (P) = 2: expected need and of_last together"),
        ("zscoer", "on = 3", "X.kind (P) = 'zscoer': expected one of limit, deviation,"),
    ],
)
def test_a_rule_that_cannot_stand_says_what_is_expected(tmp_path: Path, kind: str, text: str, fault: str) -> None:
    message = refused(tmp_path, f'kind = "{kind}"\n{text}')
    assert "p.toml: points.0.rules." in message
    assert fault in message


def test_latch_reaches_the_rule_and_m_of_n_the_row(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, 'kind = "limit"\nside = "high"\non = 50\nlatch = true\nneed = 3\nof_last = 5')
    table = configuration.tables["limit"]
    at = table.key.index("p/P/X")
    assert table.need is not None
    assert table.of is not None
    assert (table.need[at], table.of[at]) == (3, 5)
    assert (np.delete(table.need, at) == 1).all()
    assert (np.delete(table.of, at) == 1).all()
    rule = next(rule for rule in configuration.rules if rule.code == "X")
    assert rule.latch
    assert "(3 of 5 readings)" in rule.reason.en


def test_a_table_without_counting_does_not_carry_their_columns(tmp_path: Path) -> None:
    table = loaded(tmp_path, 'kind = "limit"\nside = "high"\non = 50').tables["limit"]
    assert (table.need, table.of, table.inputs) == (None, None, None)


def test_what_is_taken_from_a_rule_follows_it(tmp_path: Path) -> None:
    """Number, side and condition; a plant that moves its limit moves the forecast with it."""
    text = '[points.rules.H]\non = 30\nwhen = "T >= 20"'
    configuration = loaded(tmp_path, 'kind = "forecast"\nof_limit = "H"\nwindow_s = 60\nlead_s = 60', text=text)
    assert columns(configuration, "forecast")["limit"] == 30
    assert {rule.code: rule.when for rule in configuration.rules if rule.point == "P"}["X"] == "T >= 20"


def test_what_stands_on_a_disabled_rule_is_not_judged_and_says_so(tmp_path: Path) -> None:
    own = point("P", "STL_CO", 'disabled_rules = ["H", "NEIGHBOUR", "PEOPLE", "SPREAD"]')
    (tmp_path / "p.toml").write_text(plant("steel", own), encoding="utf-8")
    known = load_configuration(tmp_path, MemoryNumbering(), 1).find("p", "P")
    assert known is not None
    assert (*map(str, known.not_evaluated),) == (
        "PINNED: needs rule H, which is disabled",
        "FORECAST: needs rule H, which is disabled",
    )


def test_a_lone_sensor_has_no_neighbours_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(plant("steel", point("P", "STL_CO", ON_E1)), encoding="utf-8")
    known = load_configuration(tmp_path, MemoryNumbering(), 1).find("p", "P")
    assert known is not None
    assert (*map(str, known.not_evaluated),) == (
        "PEOPLE: needs a point of STL_PERSON_GATHER",
        "SPREAD: needs another STL_CO on E-1",
        "NEIGHBOUR: needs 2 other STL_CO on E-1",
    )


def test_a_plant_may_give_a_number_in_another_form(tmp_path: Path) -> None:
    """Forms do not mix: the default's goes away."""
    text = "[points.rules.PINNED]\nat = 50\n"
    own = point("P", "STL_CO", f"{ON_E1}{text}")
    (tmp_path / "p.toml").write_text(plant("steel", own + OTHERS), encoding="utf-8")
    table = load_configuration(tmp_path, MemoryNumbering(), 1).tables["pinned"]
    assert table.param["at"][table.key.index("p/P/PINNED")] == 50


def test_every_key_is_a_number_or_known_not_to_be() -> None:
    """A new key is to be sorted: numbers changed by a plant lose the catalogue's source."""
    assert {"on", "floor", "train", "window_s", "need", "lead_s"} <= NUMBERS
    assert not {"kind", "when", "of", "peers", "latch", "side"} & NUMBERS


def test_a_code_of_two_is_called_by_both() -> None:
    label = label_of("PINNED_HH")
    assert label is not None
    assert label.zh == "数值贴限（高高报）"
    assert label_of("PINNED_9") is None


def test_what_trips_is_on_the_process_own_equipment_or_where_that_has_none_anywhere_in_the_plant(
    tmp_path: Path,
) -> None:
    here, there = 'equipment = "E-1"\n', 'equipment = "E-2"\n'
    equipment = '[[equipment]]\nid = "E-2"\nname = "二号"\n'
    points = point("FAN-1", "DUST_FAN_RUN", here) + point("FAN-2", "DUST_FAN_RUN", there)
    points += point("SPARK-1", "DUST_SPARK", here) + point("KEY", "DUST_INSPECTED") + point("PROC", "DUST_PROC_RUN")
    points += point("SPARK-2", "DUST_SPARK", here) + point("IN_T", "DUST_IN_TEMP", there)
    (tmp_path / "p.toml").write_text(plant("dust", points).replace("[[gateways]]", f"{equipment}[[gateways]]", 1))
    rules = {r.point: r.inputs for r in load_configuration(tmp_path, MemoryNumbering(), 1).rules if r.code == "RESTART"}
    assert rules == {
        "FAN-1": ("SPARK-1", "SPARK-2", "KEY"),
        "FAN-2": ("IN_T", "KEY"),
        "PROC": ("SPARK-1", "SPARK-2", "IN_T", "KEY"),
    }


@pytest.mark.parametrize(
    ("own", "single"),
    [("", True), ("hold_s = 60", True), ("single = []", False), ("after = { DUST_SPARK = 1, DUST_SMOKE = 1 }", False)],
)
def test_a_plant_that_says_itself_what_trips_says_itself_what_does_so_only_when_it_comes_again(
    tmp_path: Path, own: str, *, single: bool
) -> None:
    rule = f"[points.rules.RESTART]\n{own}\n" if own else ""
    points = point("PROC", "DUST_PROC_RUN", rule) + point("SPARK-1", "DUST_SPARK") + point("SMOKE", "DUST_SMOKE")
    (tmp_path / "p.toml").write_text(plant("dust", points), encoding="utf-8")
    table = load_configuration(tmp_path, MemoryNumbering(), 1).tables["restart"]
    assert (table.param["single"].tolist() == [1.0]) is single
