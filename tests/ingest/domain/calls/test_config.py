"""Settings of calls that cannot be meant are faults, not something else than what was written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ingest.domain.calls.config import CallsConfig

SHIFT = {"position": "值班长", "start": "20:00", "end": "08:00", "people": ["张三"]}
LADDER = {"steps": [{"position": "值班长"}]}


@pytest.mark.parametrize(
    ("table", "of", "key"),
    [
        *(("shifts", SHIFT, key) for key in ("plants", "weekdays")),
        *(("ladders", LADDER, key) for key in ("plants", "regions", "colours", "causes")),
    ],
)
def test_a_selection_of_nothing_is_a_fault_and_not_a_selection_of_all(table: str, of: dict[str, Any], key: str) -> None:
    assert CallsConfig.model_validate({table: [of]})
    with pytest.raises(ValidationError) as error:
        CallsConfig.model_validate({table: [of | {key: []}]})
    assert [each["loc"] for each in error.value.errors()] == [(table, 0, key)]


def test_blanks_around_a_name_make_nobody_else() -> None:
    """So that who is written with one more is the same person, and one of blanks alone is nobody."""
    written = {"people": [{"name": " 张三 ", "channels": [{"connector": "voice", "address": " 1 "}]}]}
    [person] = CallsConfig.model_validate(written).people
    assert (person.name, person.channels[0].address) == ("张三", "1")
    for wrong in ({"name": " "}, {"name": "张三", "channels": [{"connector": "voice", "address": " "}]}):
        with pytest.raises(ValidationError):
            CallsConfig.model_validate({"people": [wrong]})
    with pytest.raises(ValidationError, match="张三"):
        CallsConfig.model_validate({"people": [{"name": "张三"}, {"name": "张三 "}]})
