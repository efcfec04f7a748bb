"""Settings of alarm management are refused where they contradict each other, and lose no plant."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ingest.domain.alarms.config import AlarmsConfig, OperatorPositionConfig


def test_every_plant_belongs_to_exactly_one_position() -> None:
    """Also one whose id another position has for its name."""
    rooms = (OperatorPositionConfig(name="room", plants=("a", "b")), OperatorPositionConfig(name="c", plants=("gone",)))
    found = AlarmsConfig(positions=rooms).position_plants(["a", "b", "c", "d"])
    assert found == {"room": ("a", "b"), "c": ("gone",), "plant c": ("c",), "d": ("d",)}
    assert AlarmsConfig().position_plants(["a"]) == {"a": ("a",)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flood_begins_above": 5, "flood_ends_below": 6}, "at most flood_begins_above, which is 5"),
        ({"chatter_count": 1}, "greater than or equal to 2"),
        ({"reopen_s": 0}, "greater than 0"),
        (
            {"positions": [{"name": "a", "plants": ["p"]}, {"name": "a", "plants": ["q"]}]},
            "a name that no other position has",
        ),
        (
            {"positions": [{"name": "a", "plants": ["p"]}, {"name": "b", "plants": ["p"]}]},
            "each plant at one position only",
        ),
        ({"positions": [{"name": "a", "plants": []}]}, "at least 1"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AlarmsConfig.model_validate(settings)
