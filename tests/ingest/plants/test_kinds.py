"""Every kind of rule: what a person writes becomes the numbers its detector is promised, and a sentence."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import numpy as np
import pytest

from detectors import NO_POINT, Bank
from detectors.kinds.surprise import USUAL
from detectors.registry import KINDS as DETECTORS
from ingest.domain.model.fault import InvalidConfig
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.kinds import KINDS, NUMBERS, label_of
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point

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


CASES = [
    # kind, what is written, columns of its row, further points, said in English
    (
        "limit",
        'side = "high"\non_offset = 20\noff_offset = 18',
        {"on": 50, "off": 48, "side": 1},
        [],
        "at or above 50 ppm",
    ),
    (
        "deviation",
        'side = "either"\non_percent = 10\noff_percent = 8',
        {"on": 10, "off": 8, "side": 0, "relative": 1, "setpoint": 30, "fresh_s": np.inf},
        [],
        "10 % or more off its set-point 30 ppm",
    ),
    (
        "deviation",
        'side = "below"\non = 5\nsetpoint = "CO-2"',
        {"on": 5, "off": 5, "side": -1, "relative": 0, "setpoint": np.nan, "fresh_s": 30},
        ["CO-2"],
        "5 ppm or more below its set-point CO-2",
    ),
    (
        "rate",
        'side = "fall"\non = 6\nwindow_s = 60',
        {"on": 6, "off": 6, "side": -1, "window_s": 60},
        [],
        "6 ppm a minute",
    ),
    (
        "step",
        'side = "either"\non_span_percent = 20\nwindow_s = 60',
        {"on": 200, "off": 200, "side": 0, "window_s": 60},
        [],
        "by 200 ppm or more from one 1 min to the next",
    ),
    (
        "spike",
        "on = 8\noff = 6\nfloor = 0.5",
        {"on": 8, "off": 6, "floor": 0.5},
        [],
        "stands 8 times its usual scatter or more",
    ),
    (
        "count",
        "on = 3\nabove = 50\nwindow_s = 60\nedges = false",
        {"on": 3, "off": 3, "above": 50, "window_s": 60, "edges": 0},
        [],
        "reaches 50 ppm 3 times or more within 1 min",
    ),
    (
        "stuck",
        "on = 600\nband_percent = 1",
        {"on": 600, "off": 600, "band": 10, "nonzero": 0},
        [],
        "within 10 ppm for 10 min",
    ),
    (
        "pinned",
        'of_limit = "H"\nband = 0.5\nwindow_s = 600',
        {"on": 90, "off": 90, "at": 24, "band": 0.5, "window_s": 600},
        [],
        "at least 90 % of the readings of 10 min lie within 24 ± 0.5 ppm",
    ),
    (
        "pinned",
        "at = 50\nband = 1\nwindow_s = 60\non = 80\noff = 50",
        {"on": 80, "off": 50, "at": 50, "band": 1, "window_s": 60},
        [],
        "within 50 ± 1 ppm",
    ),
    ("noise", "on = 10\noff = 5\nwindow_s = 60", {"on": 10, "off": 5, "window_s": 60}, [], "1/10 of the usual"),
    ("range", "", {"on": np.nextafter(1, 2), "off": 1, "low": 0, "high": 1000}, [], "outside the instrument's range"),
    (
        "current",
        "",
        {"on": 9, "off": 9, "low": 0, "high": 1000},
        [],
        "at most 3 or at least 21 mA (-62.5 / 1062.5 ppm)",
    ),
    ("bad", "", {"on": 1, "off": 1}, [], "no value"),
    ("silence", "", {"on": 30, "off": 30}, [], "no reading for 30 s"),
    (
        "forecast",
        'of_limit = "H"\nwindow_s = 900\nlead_s = 600',
        {"on": -600, "off": -1200, "limit": 24, "side": 1, "window_s": 900, "lead_s": 600},
        [],
        "by its trend over 15 min, the value reaches its high limit 24 ppm within 10 min",
    ),
    (
        "forecast",
        'limit = 2\nside = "low"\nwindow_s = 60\nlead_s = 90',
        {"on": -90, "off": -180, "limit": 2, "side": -1, "window_s": 60, "lead_s": 90},
        [],
        "reaches 2 ppm within 90 s",
    ),
    (
        "neighbour",
        "on = 5\noff = 4\nfloor = 2",
        {"on": 5, "off": 4, "floor": 2, "fresh_s": 30},
        ["CO-2", "CO-3"],
        "the median of CO-2, CO-3 differ by a factor of 5 or more (less than 2 ppm counts as 2 ppm)",
    ),
    (
        "votes",
        'peers = "plant"\non = 2\nat = 24\nfresh_s = 9',
        {"on": 2, "off": 2, "level": 24, "bad_votes": 1, "fresh_s": 9},
        ["CO-2", "CO-3"],
        (
            "2 or more of 3 (CO-2, CO-3 and this one), bad ones counted, are at 24 ppm or above;"
            " as channels go bad the voting is 2oo3→1oo2→trip"
        ),
    ),
    (
        "first_out",
        'peers = ["CO-2"]\nat = 24',
        {"on": 1, "off": 0, "level": 24},
        ["CO-2"],
        "this point or CO-2 is at 24 ppm",
    ),
    (
        "restart",
        'after = { STL_CO = 160, T = 60 }\ninspected = "STL_PERSON_GATHER"\nhold_s = 3600',
        {"on": 1, "off": 0, "level": 0.5, "hold_s": 3600, "at_0": 160, "at_1": 160, "at_2": 60}
        | {f"at_{at}": 0 for at in range(3, 32)},
        ["CO-2", "CO-3", "T"],
        "started again within 1 h of a trip of CO-2, CO-3, T without a signed inspection",
    ),
    (
        "ewma",
        "on = 4\ntrain = 600\nweight = 0.1",
        {"on": 4, "off": 4, "train": 600, "weight": 0.1, "floor": 1},
        [],
        "learnt from 600 readings",
    ),
    (
        "cusum",
        "on = 8\nfloor = 0.2",
        {"on": 8, "off": 8, "train": 1800, "slack": 0.5, "floor": 0.2},
        [],
        "adds up to 8",
    ),
    (
        "page_hinkley",
        "on = 50\ndelta = 0.5",
        {"on": 50, "off": 50, "delta": 0.5, "alpha": 0.9999, "least": 300},
        [],
        "beyond 0.5 ppm add up to 50",
    ),
    ("zscore", "on = 6", {"on": 6, "off": 6, "least": 300, "floor": 1}, [], "6 standard deviations"),
    (
        "robust_z",
        "on = 6\nwindow_s = 600",
        {"on": 6, "off": 6, "window_s": 600, "floor": 1},
        [],
        "the median of 10 min",
    ),
    (
        "profile",
        "on = 5\nperiod_s = 86400\noffset_s = 3600",
        {"on": 5, "off": 5, "period_s": 86400, "offset_s": 3600, "least": 7, "floor": 1},
        [],
        "at this time of a period of 1 d",
    ),
    (
        "phase",
        'phase = "STL_CW_OUT_T"\nlow = 0\nhigh = 60\non = 5',
        {"on": 5, "off": 5, "low": 0, "high": 60, "least": 5, "floor": 1, "fresh_s": 30},
        ["T"],
        "at this stage of T",
    ),
    (
        "surprise",
        "",
        {"on": 0.5, "off": 0.5, **USUAL, "offset_s": 28_800},
        [],
        "as at most one reading in 200 does: name",
    ),
    (
        "surprise",
        "on = 0.6\noff = 0.2\none_in = 100\nhold = 60\noffset_s = 0",
        {"on": 0.6, "off": 0.2, **USUAL, "one_in": 100, "hold": 60},
        [],
        "one reading in 1000 does",
    ),
    (
        "t2",
        'peers = "equipment"\nshare = 95',
        {"on": 1, "off": 1, "train": 3600, "share": 0.95, "quantile": 0.99, "smoothing": 1, "fresh_s": 30},
        ["CO-2", "CO-3", "T"],
        "together with CO-2, CO-3, T, the distance from normal running (T²) is 1 times its normal limit",
    ),
    (
        "spe",
        'peers = ["T"]\nsmoothing = 0.2\nquantile = 95\noff = 0.5',
        {"on": 1, "off": 0.5, "train": 3600, "share": 0.9, "quantile": 0.95, "smoothing": 0.2, "fresh_s": 30},
        ["T"],
        "(SPE)",
    ),
    (
        "mahalanobis",
        'peers = ["T"]\ntrain = 60\nshrink = 20',
        {"on": 1, "off": 0.85, "train": 60, "smoothing": 0.1, "ridge": 0, "adaptation": 0, "clip": np.inf, "limit": 0}
        | {"quantile": 0.99, "release": 0.85, "culprit": 0.2, "shrink": 0.2, "fresh_s": 30, "gap_s": 60},
        ["T"],
        "Mahalanobis",
    ),
]


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


def test_every_kind_is_proven_above_and_has_its_detector() -> None:
    assert {case[0] for case in CASES} == set(KINDS)
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
    assert known.not_evaluated == (
        "PINNED: needs rule H, which is disabled",
        "FORECAST: needs rule H, which is disabled",
    )


def test_a_lone_sensor_has_no_neighbours_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(plant("steel", point("P", "STL_CO", ON_E1)), encoding="utf-8")
    known = load_configuration(tmp_path, MemoryNumbering(), 1).find("p", "P")
    assert known is not None
    assert known.not_evaluated == (
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
