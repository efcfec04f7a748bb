"""Phases of equipment: the gates they become, what the plant file changes, and the phase a plant is in."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import compile_expression
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import PlantKind
from ingest.plants.catalogue import load_catalogue
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.explain import explain_point
from ingest.plants.explain_json import as_json
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.phases import PHASES
from ingest.plants.view import NEVER, Latest, PlantView
from tests.ingest.plants.samples import plant, point

ON_E1 = 'equipment = "E-1"\n'
FURN = point("FURN", "ALC_LAUNDER_LVL_FURN", ON_E1 + "setpoint = 150\n")
SPEED = point("SPEED", "ALC_CAST_SPEED", ON_E1 + "setpoint = 60\n")
LEN = point("LEN", "ALC_CAST_LEN", ON_E1 + "setpoint = 6000\n")
OUT_T = point("OUT_T", "ALC_CW_OUT_T", ON_E1)
PIT = FURN + SPEED + LEN + OUT_T

ORDER = ("idle", "preparing", "start", "steady", "end")


def configured(folder: Path, text: str) -> PlantConfiguration:
    (folder / "p.toml").write_text(text, encoding="utf-8")
    return load_configuration(folder, MemoryNumbering(), 1)


def own(phases: str, points: str = PIT) -> str:
    """A plant file whose machine has these keys besides."""
    return plant("aluminium", points).replace('name_en = "Machine"', f'name_en = "Machine"\n{phases}')


def gates(configuration: PlantConfiguration) -> Mapping[tuple[str, str], str]:
    return {(rule.point, rule.code): rule.when for rule in configuration.rules}


def view(configuration: PlantConfiguration, values: Mapping[str, Latest]) -> PlantView:
    at = {point.index: values.get(point.id, NEVER) for point in configuration.points if point is not None}
    return PlantView(configuration, at.__getitem__)


def fresh(value: float) -> Latest:
    return Latest(1, value, 0, stale=False)


@pytest.mark.parametrize("kind", load_catalogue().signals)
def test_rules_of_the_catalogue_name_phases_of_their_kind(kind: PlantKind) -> None:
    catalogue = load_catalogue()
    known = {phase.code for model in catalogue.phases[kind].values() for phase in model.phases}
    named = {
        code for signal in catalogue.signals[kind].values() for r in signal.rules.values() for code in r.phases or ()
    }
    assert named <= known


def test_phases_become_the_conditions_they_stand_for(tmp_path: Path) -> None:
    found = gates(configured(tmp_path, plant("aluminium", PIT)))
    assert found["OUT_T", "HH"] == "SPEED > 5 or LEN > 0"  # start, steady, end
    assert found["OUT_T", "RATE"] == "LEN >= 500"  # steady, end
    assert found["FURN", "L"] == "(LEN >= 500) and not (LEN > 6000 - 200)"  # steady
    assert found["LEN", "START_LONG"] == "(SPEED > 5 or LEN > 0) and not (LEN >= 500)"


def test_without_the_ordered_length_steady_lasts_to_the_end(tmp_path: Path) -> None:
    configuration = configured(tmp_path, plant("aluminium", FURN + point("LEN", "ALC_CAST_LEN", ON_E1)))
    assert gates(configuration)["FURN", "L"] == "LEN >= 500"
    machine = configuration.plants["p"].equipment[0]
    assert [phase.code for phase in machine.phases] == list(ORDER[:-1])
    assert view(configuration, {"LEN": fresh(7000), "FURN": fresh(0)}).phase("p", "E-1") == machine.phases[-1]


def test_a_condition_of_the_plant_file_replaces_its_part_of_the_phases(tmp_path: Path) -> None:
    sooner = FURN + '[points.rules.L]\nwhen = "ALC_CAST_LEN >= 300"\n'
    longer = sooner + '[points.rules.H]\nunless = "ALC_CAST_LEN > 5900"\n'
    always = longer + '[points.rules.RATE]\nwhen = "always"\n'
    found = gates(configured(tmp_path, plant("aluminium", always + SPEED + LEN)))
    assert found["FURN", "L"] == "(LEN >= 300) and not (LEN > 6000 - 200)"
    assert found["FURN", "H"] == "(LEN >= 500) and not (LEN > 5900)"
    assert found["FURN", "RATE"] == "not (LEN > 6000 - 200)"


def test_a_plant_changes_numbers_of_a_phase(tmp_path: Path) -> None:
    changed = own(
        '[[equipment.phases]]\ncode = "steady"\nwhen = "ALC_CAST_LEN >= 350"\n'
        '[[equipment.phases]]\ncode = "start"\n'
        'at_most = { seconds = 600, source = "plant file", confidence = "engineering default" }\n'
    )
    configuration = configured(tmp_path, changed)
    assert gates(configuration)["OUT_T", "RATE"] == "LEN >= 350"
    rules = {rule.code: rule for rule in configuration.rules if rule.point == "LEN"}
    assert (rules["START_LONG"].limit, rules["START_LONG"].unit) == (600, "s")


def test_a_plant_gives_phases_of_its_own(tmp_path: Path) -> None:
    text = own(
        'phase_model = "none"\n'
        '[[equipment.phases]]\ncode = "cold"\nname = "冷"\nname_en = "cold"\n'
        '[[equipment.phases]]\ncode = "hot"\nname = "热"\nname_en = "hot"\nwhen = "ALC_CW_OUT_T > 50"\n',
        OUT_T + '[points.rules.DT2]\nkind = "limit"\nside = "high"\non = 70\nlevel = 2\nphases = ["hot"]\n'
        'label = "过热"\nlabel_en = "too hot"\n',
    )
    configuration = configured(tmp_path, text)
    assert gates(configuration)["OUT_T", "DT2"] == "OUT_T > 50"
    found = view(configuration, {"OUT_T": fresh(60)}).phase("p", "E-1")
    assert found is not None
    assert found.name.zh == "热"
    assert ("OUT_T", "HH") not in gates(configuration)  # names phases that this machine has not


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (own('phase_model = "blowing"'), "phase_model (E-1) = 'blowing': expected a model of this kind of plant"),
        (
            own('[[equipment.phases]]\ncode = "steady"\nwhen = "ALC_LENGTH >= 5"\n'),
            "expected a known signal or point, which ALC_LENGTH is not",
        ),
        (
            own('[[equipment.phases]]\ncode = "steady"\nwhen = "always"\n'),
            "expected a condition, but for the first phase",
        ),
        (own('[[equipment.phases]]\ncode = "cleaning"\nwhen = "ALC_CAST_LEN > 1"\n'), "phases.5.name (E-1)"),
        (
            own(
                '[[equipment.phases]]\ncode = "steady"\n'
                'after = { phases = ["stat"], source = "s", confidence = "engineering default" }\n'
            ),
            "after (E-1) = 'stat': expected the code of another phase",
        ),
        (plant("aluminium", PIT + '[points.rules.HH]\nphases = ["stready"]\n'), "phase stready of its equipment"),
        (plant("aluminium", PIT + '[points.rules.HH]\nphases = ["start", "end"]\n'), "steady lies between them"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        configured(tmp_path, text)
    assert fault in str(refused.value)


def test_phases_are_explained_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(plant("aluminium", PIT), encoding="utf-8")
    rules = {rule["code"]: rule for rule in as_json(explain_point(tmp_path, "p", "FURN"))["rules"]}
    assert rules["L"][PHASES] == [{"zh": "稳定铸造", "en": "steady"}]
    assert rules["STUCK"][PHASES] == []


def test_the_order_of_phases_is_judged_only_where_the_plant_can_tell_them_apart(tmp_path: Path) -> None:
    """Without a level in the launder preparing shows by nothing: that rule waits, and the other one does not."""
    whole = configured(tmp_path, plant("aluminium", PIT))
    orders = [rule.code for rule in whole.rules if rule.kind == "sequence"]
    assert orders == ["START_ORDER", "STEADY_ORDER"]
    (rule,) = (rule for rule in whole.rules if rule.code == "START_ORDER")
    assert rule.title.zh.endswith("未经准备即进入起铸")
    assert rule.reason.zh.startswith("进入“起铸”阶段，而此前 1 分钟内所处的阶段不是“准备”")
    blind = configured(tmp_path, plant("aluminium", SPEED + LEN))
    (point_,) = (point for point in blind.plants["p"].points if point.id == "LEN")
    assert [rule.code for rule in blind.rules if rule.kind == "sequence"] == ["STEADY_ORDER"]
    assert [str(each) for each in point_.not_evaluated if each.code == "START_ORDER"] == [
        "START_ORDER: needs signals that tell preparing from start"
    ]


def test_a_phase_that_the_plant_sees_only_partly_is_not_judged_in_the_next_one(tmp_path: Path) -> None:
    """A cast of an hour is no preparing that takes too long, whichever of the signals of its start are missing."""
    partly = configured(tmp_path, plant("aluminium", FURN + LEN))
    assert gates(partly)["LEN", "PREPARING_LONG"] == "(FURN > 30 or LEN > 0) and not (LEN > 0)"
    blind = configured(tmp_path, plant("aluminium", LEN))
    assert ("LEN", "PREPARING_LONG") not in gates(blind)
    assert gates(blind)["LEN", "START_LONG"] == "(LEN > 0) and not (LEN >= 500)"
    (point_,) = (point for point in blind.plants["p"].points if point.id == "LEN")
    assert [str(each) for each in point_.not_evaluated if each.code == "PREPARING_LONG"] == [
        "PREPARING_LONG: needs signals that tell preparing from start"
    ]
    (lacking,) = (each for each in point_.not_evaluated if each.code == "START_ORDER")
    assert "能区分阶段“准备”与“起铸”的测点" in lacking.needs.zh
    by_hand = '[points.rules.PREPARING_LONG]\nunless = "ALC_CAST_LEN > 20"\n'
    found = gates(configured(tmp_path, plant("aluminium", LEN + by_hand)))
    assert found["LEN", "PREPARING_LONG"] == "(LEN > 0) and not (LEN > 20)"


def test_a_plant_writes_an_order_of_its_own(tmp_path: Path) -> None:
    rule = """
[points.rules.END_ORDER]
kind = "sequence"
enters = "end"
after = ["steady"]
level = 2
label = "未稳定即收尾"
label_en = "end without steady"
"""
    found = configured(tmp_path, plant("aluminium", FURN + SPEED + OUT_T + LEN + rule))
    row = found.tables["sequence"].key.index("p/LEN/END_ORDER")
    assert {name: column[row] for name, column in found.tables["sequence"].param.items()} == {
        "enters": 4.0, "after": 8.0, "within_s": 60.0,
    }  # fmt: skip
    with pytest.raises(InvalidConfig) as refused:
        configured(tmp_path, plant("aluminium", PIT + rule.replace('"steady"', '"stady"')))
    assert "phase stady of its equipment" in str(refused.value)


def test_two_machines_are_in_phases_of_their_own(tmp_path: Path) -> None:
    second = '[[equipment]]\nid = "E-2"\nname = "二"\n\n[[gateways]]'
    other = point("LEN-2", "ALC_CAST_LEN", 'equipment = "E-2"\nsetpoint = 6000\n') + point(
        "SPEED-2", "ALC_CAST_SPEED", 'equipment = "E-2"\nsetpoint = 60\n'
    )
    configuration = configured(tmp_path, plant("aluminium", PIT + other).replace("[[gateways]]", second, 1))
    now = view(configuration, {"LEN": fresh(5900), "SPEED": fresh(60), "LEN-2": fresh(20), "SPEED-2": fresh(30)})
    assert [phase.code for e in ("E-1", "E-2") if (phase := now.phase("p", e))] == ["end", "start"]
    assert now.phase("p", None) is None


BAD, STALE = Latest(1, 700.0, int(Flag.BAD), stale=False), Latest(1, 700.0, 0, stale=True)


@pytest.mark.parametrize(
    "broken", [BAD, STALE, NEVER, Latest(1, None, 0, stale=False)], ids=("bad", "stale", "never", "no number")
)
def test_a_broken_signal_leaves_the_phase_unknown(tmp_path: Path, broken: Latest) -> None:
    configuration = configured(tmp_path, plant("aluminium", PIT))
    sound = {"LEN": fresh(700), "SPEED": fresh(60), "FURN": fresh(150)}
    for name, code in (("LEN", "unknown"), ("SPEED", "steady"), ("FURN", "steady")):
        found = view(configuration, sound | {name: broken}).phase("p", "E-1")
        assert found is not None
        assert found.code == code, f"{name}: the length alone decides"


VALUES = (0.0, 3.0, 6.0, 20.0, 60.0, 499.0, 500.0, 5800.0, 5801.0, 6300.0)


def plain(length: float, speed: float, level: float) -> str:
    """The phase as a person would tell it."""
    if length > 5800:
        return "end"
    if length >= 500:
        return "steady"
    if length > 0 or speed > 5:
        return "start"
    return "preparing" if level > 30 else "idle"


def possible(values: tuple[float | None, ...]) -> set[str]:
    """The phases that are possible whatever the unknown ones are."""
    return {plain(*each) for each in product(*(VALUES if value is None else (value,) for value in values))}


@pytest.fixture(scope="module")
def pit(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    return configured(tmp_path_factory.mktemp("pit"), plant("aluminium", PIT))


@given(st.tuples(*[st.one_of(st.none(), st.sampled_from(VALUES))] * 3))
def test_the_phase_is_known_if_only_one_is_possible_and_agrees_with_every_gate(
    pit: PlantConfiguration, values: tuple[float | None, float | None, float | None]
) -> None:
    known = dict(zip(("LEN", "SPEED", "FURN"), values, strict=True))
    phase = view(pit, {name: fresh(value) for name, value in known.items() if value is not None}).phase("p", "E-1")
    assert phase is not None
    candidates = possible(values)
    assert {phase.code} == (candidates if len(candidates) == 1 else {"unknown"})
    (order,) = (each for each in pit.derived if each.text.startswith("1 * ("))
    names = {point.index: point.id for point in pit.plants["p"].points}
    inputs = [np.array([np.nan if (value := known[names[at]]) is None else value]) for at in order.inputs]
    (number,) = compile_expression(order.text).evaluate(inputs)
    assert number == ORDER.index(phase.code) if phase.code in ORDER else np.isnan(number)
    for rule in pit.rules:
        if rule.plant == "p" and rule.phases and phase.code != "unknown":
            gate = compile_expression(rule.when)
            (truth,) = gate.evaluate(
                [np.array([np.nan if known[name] is None else known[name]]) for name in gate.names]
            )
            assert (truth == 1) == (phase.name in rule.phases), rule.code


@pytest.mark.parametrize("critical", [True, False])
def test_an_unknown_phase_counts_as_critical_only_where_one_of_them_is(tmp_path: Path, critical: bool) -> None:
    grave = 'critical = { source = "s", confidence = "engineering default" }\n' if critical else ""
    text = own(
        'phase_model = "none"\n'
        '[[equipment.phases]]\ncode = "cold"\nname = "冷"\nname_en = "cold"\n'
        f'[[equipment.phases]]\ncode = "hot"\nname = "热"\nname_en = "hot"\nwhen = "ALC_CW_OUT_T > 50"\n{grave}',
        OUT_T,
    )
    state = view(configured(tmp_path, text), {}).state("p", "E-1")
    assert state.called is not None
    assert (state.called.code, state.critical) == ("unknown", critical)
