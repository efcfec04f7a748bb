from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import get_args

import pytest

from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.plant import Confidence, PhaseName, PlantKind
from ingest.domain.model.text import Text
from ingest.plants.catalogue import DIRECTORY, Signal, load_catalogue
from ingest.plants.enrolment import Dust
from ingest.plants.gates import Missing
from ingest.plants.kinds import KINDS, BorrowedLimit, LimitSpec, Measure
from ingest.plants.written import Sourced

SIGNALS: dict[PlantKind, str] = {
    "dust": """
        DUST_HOPPER_TEMP DUST_DP DUST_LOCK_FAULT DUST_FAN_RUN DUST_SPARK DUST_IN_TEMP DUST_OUT_TEMP DUST_DUCT_V
        DUST_PULSE_P DUST_WET_LEVEL DUST_WET_FLOW DUST_H2 DUST_VENT DUST_CONC DUST_CLEAN_AGE DUST_HEADCOUNT
        DUST_WET_DP DUST_SMOKE DUST_WET_TEMP""",
    "steel": """
        STL_CO STL_O2 STL_GH_LEVEL STL_GH_RATE STL_GH_P STL_GH_TILT STL_GAS_O2 STL_BF_TOP_P STL_BF_TOP_T
        STL_CW_DT STL_CW_OUT_T STL_CW_DFLOW STL_CW_FLOW STL_CW_P STL_LANCE_INTLK STL_LADLE_T STL_PERSON_GATHER
        STL_WATER_POOL STL_LANCE_O2_P STL_BF_RELIEF_INTLK STL_BF_RELIEF_SET STL_DRAIN_SEAL STL_HEAT_ENERGY STL_OFFGAS_H2
        STL_HEARTH_T STL_STAVE_HEAT
        STL_LANCE_INTLK_O2_P STL_LANCE_INTLK_FLOW STL_LANCE_INTLK_OUT_T STL_LANCE_INTLK_DFLOW STL_LANCE_INTLK_TILT
        STL_SUBLANCE_INTLK_FLOW STL_SUBLANCE_INTLK_OUT_T STL_SUBLANCE_INTLK_DFLOW STL_SUBLANCE_INTLK_TILT""",
    "aluminium": """
        ALC_CW_IN_P ALC_CW_IN_F ALC_CW_IN_T ALC_CW_OUT_T ALC_LAUNDER_LVL_FURN ALC_LAUNDER_LVL_MOLD ALC_CAST_LEN
        ALC_CAST_SPEED ALC_METAL_T ALC_PIT_LVL ALC_EMG_WATER_P ALC_EMG_WATER_LVL ALC_CUTOFF_V ALC_DUMP_V
        ALC_LAUNDER_BRK ALC_TILT_CTRL ALC_ROPE_AGE ALC_HYD_P ALC_LEAK_ACOUSTIC ALC_PIT_PERSON
        ALC_PLATFORM_LOAD ALC_CYL_P ALC_WATCHER ALC_PLATFORM_TILT ALC_ROPE_DIFF""",
}
GATES_ONLY = {"DUST_PROC_RUN", "DUST_INSPECTED"}
"""Not in the research, but what it calls "process running" and "inspected" has to be told by something."""
SHARED = {"STATUS_CONTACT"}
"""Of every kind of plant: what instruments say of themselves."""

CATALOGUE = load_catalogue()
ALL = [signal for signals in CATALOGUE.signals.values() for signal in signals.values()] + [
    *CATALOGUE.gateway.values(),
    *CATALOGUE.service.values(),
    *CATALOGUE.instrument.values(),
]


@pytest.mark.parametrize("kind", SIGNALS)
def test_every_signal_of_the_domain_is_there(kind: PlantKind) -> None:
    assert set(CATALOGUE.signals[kind]) - GATES_ONLY == set(SIGNALS[kind].split()) | SHARED
    assert set(CATALOGUE.shared) == SHARED


@pytest.mark.parametrize("signal", ALL, ids=lambda signal: signal.code)
def test_every_number_has_a_source_and_a_confidence(signal: Signal) -> None:
    sourced: list[Sourced] = [signal.table.silence_s, *signal.rules.values()]
    if signal.table.range is not None:
        sourced.append(signal.table.range)
    for each in sourced:
        assert each.source.strip()
        assert isinstance(each.confidence, Confidence)


@pytest.mark.parametrize("signal", ALL, ids=lambda signal: signal.code)
def test_a_signal_is_mandatory_where_its_basis_is_a_duty(signal: Signal) -> None:
    """A duty that is only recalled counts as well, and its text says that it is."""
    basis = signal.table.basis or ""
    if basis.startswith("duty:") or "first class: must be present" in basis:
        assert signal.table.mandatory
    elif signal.table.mandatory:
        assert basis.startswith("recalled, verify: ")


@pytest.mark.parametrize("signal", ALL, ids=lambda signal: signal.code)
def test_no_default_is_called_regulation(signal: Signal) -> None:
    """Nothing in the research is a number fixed by a regulation whose text was read."""
    sourced: list[Sourced] = [signal.table.silence_s, *signal.rules.values()]
    assert Confidence.REGULATION not in {each.confidence for each in sourced}
    for each in sourced:
        if each.source.startswith(("recalled", "engineering default")):
            assert each.confidence == Confidence.ENGINEERING_DEFAULT


@pytest.mark.parametrize("signal", ALL, ids=lambda signal: signal.code)
def test_the_longest_silence_is_three_of_the_periods_it_names(signal: Signal) -> None:
    silence = signal.table.silence_s
    found = re.search(r"3 × (\d+) s", silence.source)
    assert found
    assert silence.value == 3 * int(found[1])


MODELS = [model for models in load_catalogue().phases.values() for model in models.values()]


@pytest.mark.parametrize("signal", ALL, ids=lambda signal: signal.code)
def test_every_default_rule_is_sound_numbers(signal: Signal) -> None:
    """Off stands on the safe side of on, for any positive set-point."""
    of = Measure(
        signal.table.unit,
        0.0,
        1.0,
        60.0,
        7.0,
        ("A", "B"),
        60.0,
        BorrowedLimit(5.0, 1.0, Text("高报", "high")),
        ("A", "B"),
        tuple(
            PhaseName(phase.code, phase.text)
            for model in MODELS
            if model.signal == signal.code
            for phase in model.phases
        ),
    )
    for code, spec in signal.rules.items():
        assert spec.limit_of() is None or isinstance(signal.rules[str(spec.limit_of())], LimitSpec)
        try:
            score = spec.score(of)
        except Missing as missing:
            left_to_plants = {("ALC_PIT_LVL", "on"), ("DUST_HEADCOUNT", "beyond_setpoint")}
            assert (signal.code, missing.key) in left_to_plants, code  # noqa: PT017
        else:
            sentence = spec.reason(code, of, score)
            assert sentence.zh
            assert sentence.en
            assert score.off <= score.on
            assert set(score.param) == set(KINDS[spec.kind].params)


@pytest.mark.parametrize("signal", ALL, ids=lambda signal: signal.code)
@pytest.mark.parametrize("dust", [None, *get_args(Dust)])
def test_the_milder_limit_is_reached_first(signal: Signal, dust: Dust | None) -> None:
    """Of the plain limits on one side, under one gate, those of level 1 lie before those of level 2."""
    limits: dict[tuple[object, ...], dict[int, list[float]]] = {}
    for code, spec in signal.rules.items():
        if isinstance(spec, LimitSpec) and re.fullmatch(r"(L|H)\1?(_METAL)?", code) and not spec.of:
            if spec.dust and dust not in spec.dust:
                continue
            number, form = (spec.on, "on") if spec.on is not None else (spec.on_percent, "%")
            if number is not None:
                limits.setdefault((spec.side, form, spec.when), {}).setdefault(spec.level, []).append(number)
    for (side, *_), by_level in limits.items():
        if {1, 2} <= by_level.keys():
            if side == "low":
                assert min(by_level[1]) > max(by_level[2])
            else:
                assert max(by_level[1]) < min(by_level[2])


def test_gas_limits_follow_the_exposure_limit_of_co() -> None:
    """At most 100 and 200 % of 24 ppm; oxygen 19.5 and 23.5 %vol."""
    co, oxygen = (CATALOGUE.signals["steel"][code].rules for code in ("STL_CO", "STL_O2"))
    assert [getattr(co[code], "on", None) for code in ("H", "HH")] == [24, 48]
    assert [getattr(oxygen[code], "on", None) for code in ("L", "H")] == [19.5, 23.5]


def test_every_point_is_judged_for_bad_values_and_silence_and_analogue_ones_for_range() -> None:
    for signals in CATALOGUE.signals.values():
        for signal in signals.values():
            analogue = {"RANGE"} if signal.table.kind == "analogue" else set()
            assert {"BAD", "SILENT"} | analogue <= set(signal.rules), signal.code
    assert {code: set(signal.rules) for code, signal in CATALOGUE.gateway.items()} == {
        "GATEWAY_ONLINE": {"OFFLINE", "SILENT"},
        "GATEWAY_CLOCK": {"AHEAD", "BEHIND", "UNSET"},
        "GATEWAY_REFUSED": {"H"},
        "GATEWAY_REUSED": {"H"},
        "GATEWAY_THROTTLED": {"H"},
    }


def test_a_frozen_co_reading_is_only_called_stuck_above_zero_and_after_six_hours() -> None:
    """A signal's own rule changes single keys of the common one."""
    stuck = CATALOGUE.signals["steel"]["STL_CO"].rules["STUCK"]
    common = CATALOGUE.analogue["STUCK"]
    assert stuck.model_dump(include={"on", "band_percent", "nonzero", "level"}) == {
        "on": 21600,
        "band_percent": 0,
        "nonzero": True,
        "level": common.level,
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (
            "dust",
            'unit = "℃"',
            'unit = "℃"\nunits = 3',
            "DUST_HOPPER_TEMP.units = 3: expected no such key here; near: unit",
        ),
        ("dust", "low = -20", "low = 200", "DUST_HOPPER_TEMP.range.high = 150: expected more than low, which is 200"),
        ("dust", "DUST_FAN_RUN == 1", "DUST_FAN == 1", "near: DUST_FAN_RUN"),
        ("dust", 'like = "DUST_IN_TEMP"', 'like = "IN_TEMP"', "DUST_OUT_TEMP.like = 'IN_TEMP'"),
        ("dust", 'kind = "rate"', 'kind = "rates"', "DUST_HOPPER_TEMP.rules.RATE.kind = 'rates'"),
        ("steel", '"published"', '"certain"', "STL_CO.rules.H.confidence = 'certain'"),
        ("steel", 'disabled_rules = ["STUCK"]', 'disabled_rules = ["STUK"]', "STL_GH_TILT.disabled_rules.0 = 'STUK'"),
        ("common", "[every.rules.BAD]", "[evry.rules.BAD]", "evry = "),
        ("common", 'states = ["离线 offline", "在线 online"]\n', "", "GATEWAY_ONLINE.states = (missing)"),
        ("common", "[gateway.GATEWAY_CLOCK]", "[gateway.GATEWAY_CLOK]", "GATEWAY_CLOK = {"),
        ("service", "SERVICE_DISK", "SERVICE_DISC", "SERVICE_DISC = {"),
        ("steel", "mandatory = true", "mandatory = 1", "STL_CO.mandatory = 1"),
        (
            "common",
            'unit = "s"',
            'unit = "s"\nmandatory = true',
            "GATEWAY_CLOCK.mandatory = True: expected only with",
        ),
    ],
)
def test_a_wrong_catalogue_says_where(tmp_path: Path, file: str, old: str, new: str, fault: str) -> None:
    shutil.copytree(DIRECTORY, tmp_path / "catalogue")
    changed = tmp_path / "catalogue" / f"{file}.toml"
    text = changed.read_text(encoding="utf-8")
    assert old in text
    changed.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidConfig) as refused:
        load_catalogue(tmp_path / "catalogue")
    assert fault in str(refused.value)
    assert f"{file}.toml" in str(refused.value)
