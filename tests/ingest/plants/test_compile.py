from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.rules import GATE_OPS, NO_GATE
from ingest.domain.model.plant import SERVICE, Confidence, Gate, GatewayPoint, ServicePoint, gateway_point_of
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.kinds import KINDS
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point

S = 1_000_000_000


def configuration_of(directory: Path, *texts: str) -> PlantConfiguration:
    for i, text in enumerate(texts):
        (directory / f"{'pqr'[i]}.toml").write_text(text, encoding="utf-8")
    return load_configuration(directory, MemoryNumbering(), 1)


def row(configuration: PlantConfiguration, kind: str, key: str) -> dict[str, object]:
    """A row of a detector's table, its gate by point id."""
    table = configuration.tables[kind]
    i = table.key.index(key)
    looked_at = configuration.points[table.gate.point[i]] if table.gate.point[i] != NO_GATE else None
    gate = (looked_at.id, GATE_OPS[table.gate.op[i]], table.gate.threshold[i]) if looked_at else None
    return {
        "on": table.on[i],
        "off": table.off[i],
        "on_delay": table.on_delay[i],
        "off_delay": table.off_delay[i],
        "gate": gate,
        **{name: column[i] for name, column in table.param.items()},
    }


def test_the_demo_plant_compiles_to_the_numbers_worked_out_by_hand(directory: Path) -> None:
    configuration = load_configuration(directory, MemoryNumbering(), 7)
    p = "demo-aluminium/CW_IN_P-01"
    cast, steady = ("CAST_LEN-01", ">", 0.0), ("CAST_LEN-01", ">=", 500.0)
    assert row(configuration, "limit", f"{p}/LL") == {
        "on": -0.28, "off": -0.30, "on_delay": 3 * S, "off_delay": 0, "gate": cast, "side": -1.0,
    }  # fmt: skip
    assert row(configuration, "limit", f"{p}/L") == {
        "on": pytest.approx(-0.315), "off": pytest.approx(-0.3255), "on_delay": 5 * S, "off_delay": 0, "gate": cast,
        "side": -1.0,
    }  # fmt: skip
    assert row(configuration, "limit", f"{p}/HH") == {
        "on": 0.45, "off": 0.45, "on_delay": 0, "off_delay": 0, "gate": ("CAST_LEN-02", "<", 50.0), "side": 1.0,
    }  # fmt: skip
    assert row(configuration, "stuck", f"{p}/STUCK") == {
        "on": 1800, "off": 1800, "on_delay": 0, "off_delay": 0, "gate": ("CAST_LEN-01", ">", 0.0),
        "band": pytest.approx(0.0005), "nonzero": 0.0,
    }  # fmt: skip
    assert row(configuration, "range", f"{p}/RANGE") == {
        "on": np.nextafter(1.0, 2.0), "off": 1.0, "on_delay": 5 * S, "off_delay": 10 * S, "gate": None,
        "low": 0.0, "high": 0.5,
    }  # fmt: skip
    assert row(configuration, "silence", f"{p}/SILENT") == {
        "on": 12.0, "off": 12.0, "on_delay": 0, "off_delay": 0, "gate": None,
    }  # fmt: skip
    assert row(configuration, "rate", "demo-aluminium/LAUNDER-01/RATE") == {
        "on": 900.0, "off": 600.0, "on_delay": 0, "off_delay": 0, "gate": steady, "side": 0.0, "window_s": 2.0,
    }  # fmt: skip
    assert f"{p}/BAD" not in configuration.tables["bad"].key
    assert row(configuration, "bad", "demo-aluminium/CAST_LEN-01/BAD")["on"] == 1.0
    assert configuration.version == 7


def test_a_rule_reads_as_a_person_would_write_it(directory: Path) -> None:
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    rules = {(rule.point, rule.code): rule for rule in configuration.rules}
    low = rules["CW_IN_P-01", "LL"]
    assert low.title == Text("结晶器冷却水进水压力 低低报", "Mould cooling water inlet pressure low-low")
    assert (low.limit, low.unit, low.level, low.kind) == (0.28, "MPa", 2, "limit")
    assert low.gate == Gate("CAST_LEN-01", ">", 0.0)
    rate = rules["LAUNDER-01", "RATE"]
    assert (rate.limit, rate.unit, rate.title.zh) == (900.0, "mm/min", "1号炉口液位 变化过快")
    assert (rules["CW_IN_P-01", "SILENT"].limit, rules["CW_IN_P-01", "SILENT"].unit) == (12.0, "s")
    assert rules["CW_IN_P-01", "RANGE"].limit == 0.5
    assert all(np.isfinite(rule.limit) for rule in configuration.rules)


def test_numbers_changed_by_a_plant_are_no_longer_the_catalogues(directory: Path) -> None:
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    rules = {(rule.point, rule.code): rule for rule in configuration.rules}
    assert rules["CW_IN_P-01", "LL"].source == "plant file"
    assert rules["CW_IN_P-01", "L"].source.startswith("engineering default")
    assert rules["CW_IN_P-01", "LL"].confidence == Confidence.ENGINEERING_DEFAULT


def test_a_red_marked_rule_of_the_catalogue_is_red_in_the_roster(directory: Path) -> None:
    """Also after a plant changed its numbers; a rule that is not marked is not."""
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    red = {(rule.point, rule.code) for rule in configuration.rules if rule.red}
    assert ("CW_IN_P-01", "LL") in red
    assert ("CW_IN_P-01", "L") not in red


def test_a_point_of_a_duty_is_mandatory_and_says_which(tmp_path: Path) -> None:
    configuration = configuration_of(
        tmp_path, plant("steel", point("CO", "STL_CO") + point("TILT", "STL_GH_TILT", "range = [0, 9]"))
    )
    co, tilt = configuration.find("p", "CO"), configuration.find("p", "TILT")
    assert co is not None
    assert tilt is not None
    assert (co.mandatory, tilt.mandatory) == (True, False)
    assert "Art.4(6)" in str(co.basis)


def test_equipment_runs_while_a_point_of_its_plant_says_so(tmp_path: Path) -> None:
    """Where the plant file says nothing there is no condition: it is always taken to run."""
    text = plant("dust", point("FAN-1", "DUST_FAN_RUN")).replace(
        'name_en = "Machine"\n', 'name_en = "Machine"\nrunning = "FAN-1 == 1"\n', 1
    )
    configuration = configuration_of(tmp_path, text, plant("dust", point("FAN-1", "DUST_FAN_RUN"), name="q"))
    assert [equipment.running for equipment in configuration.plants["p"].equipment] == [Gate("FAN-1", "==", 1.0)]
    assert [equipment.running for equipment in configuration.plants["q"].equipment] == [None]


def test_every_row_names_its_rule_and_its_point(directory: Path) -> None:
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    assert set(configuration.tables) <= set(KINDS)
    assert all(len(table) for table in configuration.tables.values())
    assert sum(map(len, configuration.tables.values())) == len(configuration.rules)
    index = {(point.plant, point.id): point.index for point in configuration.points if point is not None}
    for kind, table in configuration.tables.items():
        for i, key in enumerate(table.key):
            rule = configuration.rules[table.rule[i]]
            at = table.point[i] if not rule.of else index[rule.plant, rule.point]  # else a channel
            judged = configuration.points[at]
            assert judged is not None
            assert (rule.kind, key) == (kind, f"{judged.plant}/{judged.id}/{rule.code}")
            assert rule in judged.rules


def test_a_gateway_is_a_point_carried_by_itself(directory: Path) -> None:
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    gateway = configuration.gateways["demo-aluminium", "GW-01"]
    device = configuration.points[gateway.device]
    assert device is not None
    assert device.is_device
    assert (device.id, device.low, device.high, device.silence_s) == ("GW-01", 0.0, 1.0, 20.0)
    assert device.name == Text("铸造车间网关", "Casting hall gateway")
    assert configuration.carrier[device.index] == device.index
    assert row(configuration, "limit", "demo-aluminium/GW-01/OFFLINE")["on"] == -0.5
    assert row(configuration, "silence", "demo-aluminium/GW-01/SILENT")["on"] == 20.0
    assert set(gateway.columns) == {"CW_IN_P-01", "CAST_LEN-01", "CAST_LEN-02", "LAUNDER-01"}
    assert all(configuration.carrier[index] == device.index for index in gateway.columns.values())
    assert configuration.find("demo-aluminium", "GW-01") is device


def test_a_default_that_lacks_a_setpoint_or_a_gate_is_listed_not_lost(directory: Path) -> None:
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    launder = configuration.find("demo-aluminium", "LAUNDER-01")
    length = configuration.find("demo-aluminium", "CAST_LEN-01")
    assert launder is not None
    assert length is not None
    assert (*map(str, launder.not_evaluated),) == (
        "LL: needs setpoint",
        "L: needs setpoint",
        "H: needs setpoint",
        "HH: needs setpoint",
    )
    assert (*map(str, length.not_evaluated),) == ("STUCK: needs a point of ALC_CAST_SPEED",)


def test_a_default_without_a_number_waits_for_the_plants_own(tmp_path: Path) -> None:
    pit = point("PIT", "ALC_PIT_LVL", "range = [0, 12]\n[points.rules.L]\non = 3\noff = 3.2")
    configuration = configuration_of(tmp_path, plant("aluminium", pit + point("LEN", "ALC_CAST_LEN")))
    assert row(configuration, "limit", "p/PIT/L")["on"] == -3.0
    pit_point = configuration.find("p", "PIT")
    assert pit_point is not None
    assert (*map(str, pit_point.not_evaluated),) == ("H: needs on", "FORECAST: needs on for its rule H")


def test_percent_of_a_setpoint_works_on_both_sides_of_zero(tmp_path: Path) -> None:
    rate = point("RATE", "STL_GH_RATE", "setpoint = 3")
    configuration = configuration_of(tmp_path, plant("steel", rate))
    high, low = row(configuration, "limit", "p/RATE/H"), row(configuration, "limit", "p/RATE/L")
    assert (high["on"], high["off"], high["side"]) == (3.0, pytest.approx(2.7), 1.0)
    assert (low["on"], low["off"], low["side"]) == (3.0, pytest.approx(2.7), -1.0)
    assert next(rule.limit for rule in configuration.rules if rule.code == "L") == -3.0


def test_a_gate_in_percent_is_of_the_gate_points_setpoint(tmp_path: Path) -> None:
    flow = point("FLOW", "STL_CW_FLOW", "setpoint = 400\nrange = [0, 600]")
    configuration = configuration_of(tmp_path, plant("steel", point("TOP", "STL_BF_TOP_T") + flow))
    assert row(configuration, "limit", "p/TOP/HH")["gate"] == ("FLOW", "<", 320.0)


def test_an_absolute_limit_takes_the_place_of_a_percent_one_whole(tmp_path: Path) -> None:
    """The default's hysteresis in percent does not survive beside a limit in units."""
    flow = point("FLOW", "STL_CW_FLOW", "range = [0, 600]\n[points.rules.LL]\non = 300")
    configuration = configuration_of(tmp_path, plant("steel", flow))
    found = row(configuration, "limit", "p/FLOW/LL")
    assert (found["on"], found["off"], found["on_delay"]) == (-300.0, -300.0, 3 * S)


def test_a_plant_may_take_a_gate_away(tmp_path: Path) -> None:
    duct = point("DUCT", "DUST_DUCT_V", '[points.rules.STUCK]\nwhen = "always"')
    configuration = configuration_of(tmp_path, plant("dust", duct))
    assert row(configuration, "stuck", "p/DUCT/STUCK")["gate"] is None


@pytest.mark.parametrize(("dust", "judged"), [("wood", False), ("metal", True), ("aluminium", True)])
def test_the_air_velocity_of_metal_dust_is_judged_only_there(tmp_path: Path, dust: str, *, judged: bool) -> None:
    points = point("DUCT", "DUST_DUCT_V") + point("FAN", "DUST_FAN_RUN")
    configuration = configuration_of(tmp_path, plant("dust", points, enterprise=f'dust = "{dust}"'))
    limits = {key.removeprefix("p/DUCT/") for key in configuration.tables["limit"].key if key.startswith("p/DUCT/")}
    assert limits == ({"L_METAL", "LL"} if judged else {"L"})


def test_a_gateways_clock_is_a_point_of_its_own(directory: Path) -> None:
    """Judged on either side, carried by its gateway, and nothing the gateway may send."""
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    gateway = configuration.gateways["demo-aluminium", "GW-01"]
    clock = configuration.points[gateway.clock]
    assert clock is not None
    assert (clock.id, clock.is_device, clock.unit) == ("GW-01.clock", True, "s")
    assert clock.name == Text("铸造车间网关 时钟", "Casting hall gateway clock")
    assert configuration.carrier[clock.index] == gateway.device
    assert clock.index not in gateway.columns.values()
    assert [rule.title.zh for rule in clock.rules] == [
        "铸造车间网关 时钟 超前",
        "铸造车间网关 时钟 滞后",
        "铸造车间网关 时钟 未校时，或时间误以秒发送",
    ]
    ahead, behind = (row(configuration, "limit", f"demo-aluminium/GW-01.clock/{code}") for code in ("AHEAD", "BEHIND"))
    assert (ahead["on"], ahead["off"], ahead["on_delay"]) == (60, 30, 0)
    assert (behind["on"], behind["off"], behind["on_delay"]) == (60, 30, 300 * 10**9)


def test_whatever_the_service_measures_of_a_gateway_is_a_point_with_rules(directory: Path) -> None:
    """Carried by its gateway, named after it, and nothing the gateway may send."""
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    gateway = configuration.gateways["demo-aluminium", "GW-01"]
    assert set(gateway.own) == set(GatewayPoint)
    for what, index in gateway.own.items():
        point = configuration.points[index]
        assert point is not None
        assert gateway_point_of(point.id) == ("GW-01", what)
        assert point.is_device
        assert point.rules
        assert point.name.zh.startswith("铸造车间网关 ")
        assert configuration.carrier[index] == gateway.device
        assert index not in gateway.columns.values()


def test_the_service_is_a_plant_of_device_points(directory: Path) -> None:
    """All but a count of what is no fault have rules, none can be sent by a gateway, the service is no enterprise."""
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    service = configuration.plants[SERVICE]
    assert [point.id for point in service.points] == list(ServicePoint)
    assert all(point.is_device for point in service.points)
    assert [point.id for point in service.points if not point.rules] == [
        ServicePoint.HISTORY_EXPIRED,
        ServicePoint.HISTORY_DROPPED,
    ]
    assert all(configuration.carrier[point.index] == point.index for point in service.points)
    assert not any(plant == SERVICE for plant, _ in configuration.gateways)
    assert [plant.id for plant in configuration.enterprises()] == ["demo-aluminium"]
    assert row(configuration, "limit", "service/BROKER/OFFLINE")["on_delay"] == 60 * 10**9


def test_a_plant_carries_its_enrolment(directory: Path) -> None:
    known = load_configuration(directory, MemoryNumbering(), 1).plants["demo-aluminium"]
    assert str(known.connect_by) == "2025-12-31"
    assert known.tier.zh.startswith("铝加工（深井铸造）企业")
    assert [p.id for p in known.points] == [
        "GW-01",
        "GW-01.clock",
        "GW-01.refused",
        "GW-01.reused",
        "GW-01.throttled",
        "CW_IN_P-01",
        "CAST_LEN-01",
        "CAST_LEN-02",
        "LAUNDER-01",
    ]
    assert [e.id for e in known.equipment] == ["CAST-01", "CAST-02"]


def test_points_keep_their_index_when_others_come_and_go(tmp_path: Path) -> None:
    """Journal entries and detector state stay valid over a reload."""
    numbering = MemoryNumbering()
    file = tmp_path / "p.toml"

    def load(*names: str) -> PlantConfiguration:
        file.write_text(plant("steel", "".join(point(name, "STL_CO") for name in names)), encoding="utf-8")
        return load_configuration(tmp_path, numbering, 1)

    def indices(configuration: PlantConfiguration) -> dict[str, int]:
        return {known.id: known.index for known in configuration.points if known is not None}

    before = indices(load("A", "B"))
    added = indices(load("NEW", "A", "B"))
    assert {name: added[name] for name in before} == before
    removed = load("NEW", "B")
    assert indices(removed) == {name: index for name, index in added.items() if name != "A"}
    hole = added["A"]
    assert removed.points[hole] is None
    assert np.isnan(removed.low[hole])
    assert np.isnan(removed.high[hole])
    assert removed.carrier[hole] == hole
    assert len(removed.points) == len(removed.low) == len(removed.carrier) == max(added.values()) + 1
    assert all(hole not in table.point for table in removed.tables.values())


def test_plants_with_the_same_point_ids_do_not_meet(tmp_path: Path) -> None:
    text = point("CO", "STL_CO")
    configuration = configuration_of(tmp_path, plant("steel", text), plant("steel", text, name="q"))
    first, other = configuration.find("p", "CO"), configuration.find("q", "CO")
    assert first is not None
    assert other is not None
    assert first.index != other.index
    assert configuration.carrier[other.index] == configuration.gateways["q", "GW-1"].device
