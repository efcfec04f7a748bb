"""Sentinels are listed for a plant, a gateway or a point; the nearest list counts, and absurd ones are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.plant import Sentinels
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.doubts import doubts_of
from tests.small_plant import ENTERPRISE, PLANT, TEXT, small_configuration, write_plant

OF_PLANT = ENTERPRISE + "sentinels = { not_connected = [7777], failure = [9988] }\n"
OF_GATEWAY = 'name_en = "Gateway 1"\nsentinels = { failure = [-999.9] }\n'
OF_POINT = 'id = "CO-01"\nsentinels = { not_connected = [1000] }\n'
NONE = 'id = "CO-01"\nsentinels = {}\n'


def written(*, plant: bool = False, gateway: bool = False, point: str = "") -> str:
    text = TEXT.replace(ENTERPRISE, OF_PLANT) if plant else TEXT
    text = text.replace('name_en = "Gateway 1"\n', OF_GATEWAY, 1) if gateway else text
    return text.replace('id = "CO-01"\n', point, 1) if point else text


def sentinels(configuration: PlantConfiguration) -> dict[str, Sentinels | None]:
    return {point.id: point.sentinels for point in configuration.plants[PLANT].points if not point.is_device}


def test_the_nearest_list_counts_and_an_empty_one_is_none(tmp_path: Path) -> None:
    usual, own = Sentinels((7777.0,), (9988.0,)), Sentinels((), (-999.9,))
    of = [
        (written(), None, None),
        (written(plant=True), usual, usual),
        (written(plant=True, gateway=True), own, usual),
        (written(plant=True, gateway=True, point=OF_POINT), Sentinels((1000.0,)), usual),
        (written(plant=True, gateway=True, point=NONE), None, usual),
    ]
    for text, first, second in of:
        assert sentinels(small_configuration(tmp_path, text=text)) == {"CO-01": first, "CO-02": second}


def test_points_of_a_gateway_itself_have_none(tmp_path: Path) -> None:
    plant = small_configuration(tmp_path, text=written(plant=True)).plants[PLANT]
    assert {point.sentinels for point in plant.points if point.is_device} == {None}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("{ not_connected = [7777], failure = [9988, 7777] }", "numbers that are not in not_connected, as 7777 is"),
        ("{ spare = [7777] }", "spare"),
        ('{ failure = ["9988"] }', "number"),
        ("{ failure = [inf] }", "finite"),
        (f"{{ failure = {[*range(1000, 1017)]} }}", "16"),
    ],
)
def test_a_list_that_cannot_be_is_refused_by_name(tmp_path: Path, listed: str, expected: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        small_configuration(tmp_path, text=written(point=f'id = "CO-01"\nsentinels = {listed}\n'))
    (fault,) = refused.value.faults
    assert "sentinels" in fault.key
    assert expected in f"{fault.key} {fault.expected.en}"


def test_a_sentinel_within_the_instruments_range_is_doubted_and_in_force(tmp_path: Path) -> None:
    text = written(point='id = "CO-01"\nsentinels = { failure = [120, 9988] }\n')
    folder = write_plant(tmp_path, text)
    configuration = small_configuration(tmp_path, text=text)
    (doubt,) = [doubt for doubt in doubts_of(configuration, folder) if "sentinels" in doubt.key]
    assert (doubt.key, doubt.value) == ("points (CO-01) sentinels", "120")
    assert "量程" in doubt.expected.zh
    assert "outside the range" in doubt.expected.en
