"""The instruments of a plant file: whose points they measure, and how often each check is due."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.instrument import Check, Instrument, Period, StatusContact
from ingest.domain.model.plant import Confidence
from ingest.plants.configuration import PlantConfiguration
from tests.small_plant import PLANT, TEXT, small_configuration

HEAD = """
[[instruments]]
id = "CO-01"
points = ["CO-01"]
name = "1号探头"
serial = "K-101"
maker = "闽安传感"
place = "1号炉前"
[instruments.periods]
function-test = { months = 3 }
proof-test = { months = 12, source = "design file 7", confidence = "published" }
inspection = { days = 7 }
"""


def loaded(folder: Path, more: str) -> PlantConfiguration:
    return small_configuration(folder, text=TEXT + more)


def refused(folder: Path, more: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidConfig) as fault:
        loaded(folder, more)
    return [(found.key, found.expected.en) for found in fault.value.faults]


def test_an_instrument_has_its_serial_number_place_and_periods_each_with_its_source(tmp_path: Path) -> None:
    (head,) = loaded(tmp_path, HEAD).instruments[PLANT]
    default = Confidence.ENGINEERING_DEFAULT
    assert (head.id, head.serial, head.maker, head.place, head.points) == (
        "CO-01", "K-101", "闽安传感", "1号炉前", ("CO-01",),
    )  # fmt: skip
    assert head.periods == {
        Check.CALIBRATION: Period(
            12, 0, "recalled, verify: JJG 915-2008, carbon monoxide detectors, at most 1 year", default
        ),
        Check.FUNCTION_TEST: Period(3, 0, "plant file", default),
        Check.PROOF_TEST: Period(12, 0, "design file 7", Confidence.PUBLISHED),
        Check.INSPECTION: Period(0, 7, "plant file", default),
    }


def test_each_check_but_the_inspection_is_watched_by_a_point_of_its_own_which_no_gateway_carries(
    tmp_path: Path,
) -> None:
    known = loaded(tmp_path, HEAD)
    points = {point.id: point for point in known.plants[PLANT].points}
    own = [key for key in points if key.startswith("CO-01.")]
    assert own == ["CO-01.calibration", "CO-01.function-test", "CO-01.proof-test"]
    watched = points["CO-01.calibration"]
    assert (watched.is_device, watched.gateway, watched.name.zh) == (True, "", "1号探头 检定校准")
    (rule,) = watched.rules
    assert (rule.level, rule.title.zh, rule.title.en) == (1, "1号探头 检定校准 已逾期", "1号探头 calibration overdue")
    assert rule.rationalization is not None
    assert not any(watched.index in of.columns.values() for of in known.gateways.values())


def test_what_the_file_says_of_a_calibration_stands_instead_of_the_default(tmp_path: Path) -> None:
    (head,) = loaded(tmp_path, HEAD + 'calibration = { months = 6, source = "maker" }\n').instruments[PLANT]
    assert head.periods[Check.CALIBRATION].months == 6


def test_contacts_stand_by_what_they_say_the_gravest_first_and_a_normally_closed_one_says_it_by_zero(
    tmp_path: Path,
) -> None:
    """Whatever the order in the file, and whichever digital signal they have."""
    points = "".join(
        f'\n[[points]]\nid = "{name}"\nsignal = "{signal}"\ngateway = "GW-02"\n'
        for name, signal in (("FAULT", "STATUS_CONTACT"), ("CAL", "STL_WATER_POOL"))
    )
    status = '[instruments.status]\nfunction_check = "CAL"\nfailure = "FAULT == 0"\n'
    (head,) = loaded(tmp_path, points + HEAD + status).instruments[PLANT]
    assert [*head.contacts.items()] == [
        (DeviceStatus.FAILURE, StatusContact("FAULT", 0)),
        (DeviceStatus.FUNCTION_CHECK, StatusContact("CAL", 1)),
    ]
    assert head.points == ("CO-01",)


def test_a_plant_file_without_instruments_has_no_points_of_theirs(tmp_path: Path) -> None:
    known = loaded(tmp_path, "")
    assert known.instruments == {}
    assert not any("." in point.id and "calibration" in point.id for point in known.plants[PLANT].points)


@pytest.mark.parametrize(
    ("more", "key", "expected"),
    [
        ('points = ["CO-09"]', "instruments.0.points.0 (X)", "the id of a point of this file; near: "),
        ("points = []", "instruments.0.points (X)", ""),
        ('points = ["CO-02"]\nserial = ""', "instruments.0.serial (X)", "a name"),
        ('points = ["CO-02"]\nperiods = { calibraton = { months = 1 } }', "instruments.0.periods.calibraton", ""),
        ('points = ["CO-02"]\nperiods = { calibration = {} }', "instruments.0.periods.calibration (X)", "months or"),
        ('points = ["CO-02"]\nperiods = { calibration = { months = 0 } }', "months (X)", "greater than 0"),
    ],
)
def test_what_cannot_be_is_a_fault_with_its_key(tmp_path: Path, more: str, key: str, expected: str) -> None:
    found = refused(tmp_path, f'\n[[instruments]]\nid = "X"\n{more}\n')
    assert len(found) == 1
    assert key.split(" ", maxsplit=1)[0] in found[0][0]
    assert expected.split(";", maxsplit=1)[0] in found[0][1]


def test_no_two_instruments_measure_one_point_and_no_point_has_the_id_of_a_check(tmp_path: Path) -> None:
    second = '\n[[instruments]]\nid = "K-2"\npoints = ["CO-01"]\n'
    assert "a point that no other instrument measures" in refused(tmp_path, HEAD + second)[0][1]
    clash = '\n[[points]]\nid = "CO-01.calibration"\nsignal = "STL_CO"\ngateway = "GW-01"\n'
    assert "it is that of CO-01's calibration" in refused(tmp_path, clash + HEAD)[0][1]


def test_the_strictest_signal_of_an_instrument_with_several_points_decides(tmp_path: Path) -> None:
    both = HEAD.replace('points = ["CO-01"]', 'points = ["CO-01", "CO-02"]')
    (head,) = loaded(tmp_path, both).instruments[PLANT]
    assert isinstance(head, Instrument)
    assert head.points == ("CO-01", "CO-02")
    assert head.periods[Check.CALIBRATION].months == 12
