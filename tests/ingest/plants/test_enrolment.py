from __future__ import annotations

import datetime as dt

import pytest

from ingest.domain.model.plant import PlantKind
from ingest.plants.enrolment import due

Y24, Y25 = dt.date(2024, 12, 31), dt.date(2025, 12, 31)


@pytest.mark.parametrize(
    ("kind", "dust", "workers", "deep_well", "pilot", "by", "tier"),
    [
        ("dust", "metal", 30, False, False, Y24, "金属、木粉尘"),
        ("dust", "wood", 30, False, False, Y24, "金属、木粉尘"),
        ("dust", "aluminium", 30, False, False, Y24, "金属、木粉尘"),  # aluminium is a metal: the earlier date wins
        ("dust", "magnesium", 31, False, False, Y24, "金属、木粉尘"),
        ("dust", "metal", 29, False, False, Y25, "10人及以上"),
        ("dust", "grain", 30, False, False, Y25, "10人及以上"),
        ("dust", "grain", 10, False, False, Y25, "10人及以上"),
        ("dust", "grain", 9, False, False, None, "not mandatory"),
        ("dust", "wood", 9, False, False, None, "not mandatory"),
        ("dust", "metal", 5, False, False, None, "not mandatory"),
        ("dust", "aluminium", 5, False, False, Y25, "铝、镁粉尘"),
        ("dust", "magnesium", 5, False, False, Y25, "铝、镁粉尘"),
        ("dust", "aluminium", 4, False, False, None, "not mandatory"),
        ("steel", None, 0, False, True, Y24, "试点钢铁"),
        ("steel", None, 0, False, False, Y25, "钢铁企业"),
        ("aluminium", None, 0, True, True, Y24, "试点铝加工"),
        ("aluminium", None, 0, True, False, Y25, "铝加工（深井铸造）企业"),
        ("aluminium", None, 0, False, True, None, "not mandatory"),
        ("aluminium", None, 10, False, False, Y25, "10人及以上"),
    ],
)
def test_the_earliest_deadline_that_applies_wins(
    kind: PlantKind, dust: str | None, workers: int, *, deep_well: bool, pilot: bool, by: dt.date | None, tier: str
) -> None:
    enrolment = due(kind, dust=dust, dust_workers=workers, deep_well=deep_well, pilot=pilot)
    assert enrolment.connect_by == by
    assert tier in f"{enrolment.tier.zh} / {enrolment.tier.en}"
