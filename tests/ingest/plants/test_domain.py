"""Every rule the domain research names for a signal exists by default, and is judged once a plant gives its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors import Bank
from ingest.domain.model.plant import Plant, PlantKind
from ingest.plants.catalogue import load_catalogue
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.gates import Missing
from ingest.plants.kinds import Measure
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point

COMMON = "BAD SILENT"
MEASURED = f"{COMMON} RANGE STUCK CURRENT"

DOMAIN: dict[PlantKind, dict[str, str]] = {
    "dust": {
        "DUST_HOPPER_TEMP": f"{MEASURED} H HH RATE SLOPE FORECAST",
        "DUST_DP": f"{MEASURED} HH LL DEV PHYS",
        "DUST_LOCK_FAULT": f"{COMMON} ON ON_LONG",
        "DUST_FAN_RUN": f"{COMMON} OFF RESTART",
        "DUST_PROC_RUN": f"{COMMON} RESTART",
        "DUST_WET_TEMP": f"{MEASURED} H HH RATE FORECAST",
        "DUST_SPARK": f"{COMMON} ON COUNT",
        "DUST_IN_TEMP": f"{MEASURED} H HH SLOPE FORECAST",
        "DUST_OUT_TEMP": f"{MEASURED} H HH SLOPE FORECAST",
        "DUST_DUCT_V": f"{MEASURED} L_METAL LL",
        "DUST_PULSE_P": f"{MEASURED} L",
        "DUST_WET_LEVEL": f"{MEASURED} L LL H SLOPE FORECAST",
        "DUST_WET_DP": f"{MEASURED} L LL H",
        "DUST_SMOKE": f"{COMMON} ON",
        "DUST_WET_FLOW": f"{MEASURED} L LL FORECAST",
        "DUST_H2": f"{MEASURED} H HH PINNED PINNED_HH FORECAST",
        "DUST_VENT": f"{COMMON} ON",
        "DUST_CONC": f"{MEASURED} H HH FORECAST",
        "DUST_CLEAN_AGE": f"{COMMON} RANGE H HH",
        "DUST_HEADCOUNT": f"{COMMON} RANGE H CLASS_5 CLASS_10 CLASS_30",
    },
    "steel": {
        "STL_CO": f"{MEASURED} H HH PEOPLE SPREAD PINNED PINNED_HH NEIGHBOUR FORECAST",
        "STL_O2": f"{MEASURED} L H PINNED PINNED_H FORECAST",
        "STL_GH_LEVEL": f"{MEASURED} LL L H HH SLOPE FORECAST FORECAST_L",
        "STL_GH_RATE": f"{COMMON} RANGE STUCK L H",
        "STL_GH_P": f"{MEASURED} H L LL",
        "STL_GH_TILT": f"{COMMON} RANGE CURRENT H",
        "STL_GAS_O2": f"{MEASURED} H HH PINNED PINNED_HH FORECAST",
        "STL_BF_TOP_P": f"{MEASURED} H",
        "STL_BF_TOP_T": f"{MEASURED} HH FORECAST",
        "STL_CW_DT": f"{COMMON} RANGE STUCK H HH PHYS FORECAST",
        "STL_CW_OUT_T": f"{MEASURED} H HH SLOPE FORECAST",
        "STL_CW_DFLOW": f"{COMMON} RANGE STUCK LL L H HH SHARE FORECAST FORECAST_L",
        "STL_CW_FLOW": f"{MEASURED} L LL PHYS FORECAST",
        "STL_CW_P": f"{MEASURED} L LL",
        "STL_LANCE_INTLK": f"{COMMON} ON",
        "STL_LANCE_INTLK_O2_P": f"{COMMON} ON",
        "STL_LANCE_INTLK_FLOW": f"{COMMON} ON",
        "STL_LANCE_INTLK_OUT_T": f"{COMMON} ON",
        "STL_LANCE_INTLK_DFLOW": f"{COMMON} ON",
        "STL_LANCE_INTLK_TILT": f"{COMMON} ON",
        "STL_SUBLANCE_INTLK_FLOW": f"{COMMON} ON",
        "STL_SUBLANCE_INTLK_OUT_T": f"{COMMON} ON",
        "STL_SUBLANCE_INTLK_DFLOW": f"{COMMON} ON",
        "STL_SUBLANCE_INTLK_TILT": f"{COMMON} ON",
        "STL_BF_RELIEF_INTLK": f"{COMMON} ON",
        "STL_LANCE_O2_P": f"{MEASURED} L LL H",
        "STL_BF_RELIEF_SET": f"{COMMON} RANGE HH",
        "STL_DRAIN_SEAL": f"{COMMON} RANGE CURRENT L LL",
        "STL_HEAT_ENERGY": f"{COMMON} RANGE",
        "STL_OFFGAS_H2": f"{MEASURED} H REFINING",
        "STL_HEARTH_T": f"{MEASURED} H HH FORECAST BLIND",
        "STL_STAVE_HEAT": f"{COMMON} RANGE STUCK H HH FORECAST",
        "STL_LADLE_T": f"{MEASURED} H HH FORECAST",
        "STL_PERSON_GATHER": f"{COMMON} RANGE H HH",
        "STL_WATER_POOL": f"{COMMON} ON",
    },
    "aluminium": {
        "ALC_CW_IN_P": f"{MEASURED} L LL",
        "ALC_CW_IN_F": f"{MEASURED} L LL PHYS CHOKED FORECAST",
        "ALC_CW_IN_T": f"{MEASURED} H HH SLOPE FORECAST",
        "ALC_CW_OUT_T": f"{MEASURED} HH DT RATE PHYS SLOPE FORECAST FORECAST_DT",
        "ALC_LAUNDER_LVL_FURN": f"{MEASURED} L LL H HH RATE",
        "ALC_LAUNDER_LVL_MOLD": f"{MEASURED} L LL H HH RATE",
        "ALC_CAST_LEN": f"{COMMON} RANGE STUCK PREPARING_LONG START_LONG START_ORDER STEADY_ORDER",
        "ALC_CAST_SPEED": f"{COMMON} RANGE LL HH",
        "ALC_METAL_T": f"{MEASURED} L H SLOPE",
        "ALC_PIT_LVL": f"{MEASURED} L H SLOPE FORECAST FORECAST_L",
        "ALC_EMG_WATER_P": f"{COMMON} RANGE CURRENT LL FORECAST",
        "ALC_EMG_WATER_LVL": f"{COMMON} RANGE CURRENT LL L SLOPE FORECAST",
        "ALC_CUTOFF_V": f"{COMMON} OFF NOT_READY",
        "ALC_DUMP_V": f"{COMMON} OFF NOT_READY",
        "ALC_LAUNDER_BRK": f"{COMMON} OFF NOT_READY",
        "ALC_TILT_CTRL": f"{COMMON} ON",
        "ALC_ROPE_AGE": f"{COMMON} RANGE H",
        "ALC_HYD_P": f"{MEASURED} LL",
        "ALC_PLATFORM_LOAD": f"{MEASURED} HANG",
        "ALC_CYL_P": f"{MEASURED} HANG",
        "ALC_LEAK_ACOUSTIC": f"{COMMON} ON NEXT",
        "ALC_WATCHER": f"{COMMON} OFF",
        "ALC_PLATFORM_TILT": f"{COMMON} RANGE CURRENT H HH",
        "ALC_ROPE_DIFF": f"{COMMON} RANGE STUCK H HH",
        "ALC_PIT_PERSON": f"{COMMON} RANGE H",
    },
}

for rules in DOMAIN.values():
    rules["STATUS_CONTACT"] = COMMON

BY_DESIGN = {"ALC_PIT_LVL": "[points.rules.L]\non = 2\n[points.rules.H]\non = 4\n"}  # limits only the plant knows
SEVERAL = {"STL_CO", "STL_HEARTH_T", "ALC_LEAK_ACOUSTIC"}  # with rules over several of them
SETPOINTS = {"DUST_HEADCOUNT": 4, "ALC_CAST_LEN": 6500}


def whole_plant(kind: PlantKind) -> str:
    """One point of every signal, three of some, all with set-points and on one machine; dust of aluminium."""
    points = [
        point(
            f"{signal}-{number}",
            signal,
            f'equipment = "E-1"\nsetpoint = {SETPOINTS.get(signal, 50)}\n'
            f"{'range = [0, 100]' if known.table.range is None else ''}\n{BY_DESIGN.get(signal, '')}",
        )
        for signal, known in load_catalogue().signals[kind].items()
        for number in (1, 2, 3)[: 3 if signal in SEVERAL else 1]
    ]
    return plant(kind, "".join(points), enterprise='dust = "aluminium"' if kind == "dust" else "")


def load(folder: Path, kind: PlantKind) -> tuple[PlantConfiguration, Plant]:
    (folder / "p.toml").write_text(whole_plant(kind), encoding="utf-8")
    configuration = load_configuration(folder, MemoryNumbering(), 1)
    return configuration, configuration.plants["p"]


@pytest.mark.parametrize("kind", DOMAIN)
def test_every_rule_of_the_domain_is_judged(tmp_path: Path, kind: PlantKind) -> None:
    """Exactly these: a rule more is a decision, and belongs into the list."""
    _, known = load(tmp_path, kind)
    judged = {p.signal: {rule.code for rule in p.rules} for p in known.points if not p.is_device}
    judged.pop("DUST_INSPECTED", None)  # only lets go
    assert judged == {signal: set(codes.split()) for signal, codes in DOMAIN[kind].items()}
    assert [p.not_evaluated for p in known.points if p.not_evaluated] == []


@pytest.mark.parametrize("kind", DOMAIN)
def test_every_default_says_what_it_finds_in_both_languages(tmp_path: Path, kind: PlantKind) -> None:
    configuration, _ = load(tmp_path, kind)
    for rule in configuration.rules:
        assert "：" in rule.reason.zh, rule.code
        assert ": " in rule.reason.en, rule.code
        assert "None" not in rule.reason.en
        assert "nan" not in rule.reason.en


@pytest.mark.parametrize("kind", DOMAIN)
def test_every_row_is_whole(tmp_path: Path, kind: PlantKind) -> None:
    """Numbers where there are to be numbers, channels where expressions are judged."""
    configuration, _ = load(tmp_path, kind)
    channels = {derived.channel for derived in configuration.derived}
    for table in configuration.tables.values():
        assert (table.off <= table.on).all()
        for i, number in enumerate(table.rule):
            rule = configuration.rules[number]
            assert (int(table.point[i]) in channels) is bool(rule.of)
            assert (int(table.gate.point[i]) in channels) is (bool(rule.when) and rule.gate is None)
            assert table.key[i] == f"{rule.plant}/{rule.point}/{rule.code}"


@pytest.mark.parametrize("kind", DOMAIN)
def test_a_whole_plant_can_be_judged(tmp_path: Path, kind: PlantKind) -> None:
    """Every default finds its detector, its parameters and its channel."""
    configuration, _ = load(tmp_path, kind)
    bank = Bank(configuration.tables, configuration.derived)
    assert sum(len(detector.rules) for detector in bank.detectors()) == len(configuration.rules)


def test_dangers_that_pass_are_latched(tmp_path: Path) -> None:
    """A spark is over in a millisecond: the alarm stays until somebody acknowledges it."""
    configuration, _ = load(tmp_path, "dust")
    latched = {(rule.point, rule.code) for rule in configuration.rules if rule.latch}
    assert latched == {
        ("DUST_SPARK-1", "ON"),
        ("DUST_SPARK-1", "COUNT"),
        ("DUST_SMOKE-1", "ON"),
        ("DUST_VENT-1", "ON"),
        ("DUST_FAN_RUN-1", "RESTART"),
        ("DUST_PROC_RUN-1", "RESTART"),
    }


def test_a_class_of_supervision_is_crossed_only_by_plants_registered_below_it(tmp_path: Path) -> None:
    """Registered are 4 people: ten would make another class of the plant, and so would five of aluminium dust."""
    configuration, _ = load(tmp_path, "dust")
    classes = {rule.code for rule in configuration.rules if rule.code.startswith("CLASS_")}
    assert "CLASS_10" in classes
    fewer = Measure("人", 0.0, 200.0, 180.0, 10.0)
    with pytest.raises(Missing, match="setpoint below 10"):
        load_catalogue().signals["dust"]["DUST_HEADCOUNT"].rules["CLASS_10"].score(fewer)
