"""A refusal names the field or point, what was sent there, and how to write it."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import pytest

from ingest.intake.wire.decode import decode
from ingest.intake.wire.errors import Rejected
from ingest.web.texts.quarantine import in_chinese

T0: Final = 1_763_884_800_000
FRAME: Final[dict[str, Any]] = {"boot": "b", "seq": 1, "time": [T0], "values": {"B": [4.8]}}


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in FRAME.items() if field != name}


SLIPS: Final[list[tuple[dict[str, Any], str, str]]] = [
    ({"time": [1763884800.5]}, "time[0] = 1763884800.5", f"{T0 + 500}, it is in seconds"),
    ({"time": ["1763884800"]}, 'time[0] = "1763884800"', f"{T0}, it is in seconds"),
    ({"time": [1763884800000.0]}, "time[0] = 1763884800000.0", f"milliseconds since 1970, UTC: {T0}"),
    ({"time": ["2025-11-23T16:00:00+08:00"]}, 'time[0] = "2025-11-23T16:00', f"milliseconds since 1970, UTC: {T0}"),
    ({"time": T0}, f"time = {T0}", f"[{T0}] for one time"),
    ({"seq": "5"}, 'seq = "5"', "5 without quotes"),
    ({"seq": 0}, "seq = 0", "1 for the first frame of a boot"),
    ({"boot": 7}, "boot = 7", "a text of 1 to 64 characters"),
    ({"vaules": {}}, 'no field is called "vaules"', "expected values"),
    ({"historical": "true"}, 'historical = "true"', "expected true or false"),
    ({"values": {"A": ["4.8"], "B": [1]}}, 'values.A[0] = "4.8"', "a finite number or null: 4.8 without quotes"),
    ({"values": {"A": ["4,8"], "B": [1]}}, 'values.A[0] = "4,8"', "a finite number or null: 4.8 without quotes"),
    ({"values": {"A": [True], "B": [1]}}, "values.A[0] = true", "1 for true, 0 for false"),
    ({"values": {"A": 4.8, "B": [1]}}, "values.A = 4.8", "[4.8] for one time"),
    ({"values": {"A": ["n/a"], "B": [1]}}, 'values.A[0] = "n/a"', "a finite number or null"),
]


def detail_of(payload: bytes) -> str:
    try:
        (refused,) = decode(payload, {"A": 7, "B": 3}).refused
    except Rejected as error:
        return error.detail
    return refused.detail


@pytest.mark.parametrize("encode", [lambda fields: json.dumps(fields).encode(), msgspec.msgpack.encode])
@pytest.mark.parametrize(("slip", "what", "cure"), SLIPS, ids=[what for _, what, _ in SLIPS])
def test_a_typing_error_is_reported_with_its_place_and_the_right_form(
    encode: Any, slip: dict[str, Any], what: str, cure: str
) -> None:
    detail = detail_of(encode(FRAME | slip))
    assert detail.startswith(what)
    assert cure in detail
    chinese = in_chinese(detail)
    assert "expected" not in chinese
    assert "without" not in chinese


@pytest.mark.parametrize("name", ["boot", "seq", "time", "values"])
def test_a_field_that_is_missing_is_named_with_what_belongs_there(name: str) -> None:
    assert detail_of(json.dumps(without(name)).encode()).startswith(f"{name} is missing; expected ")


def test_faults_beside_the_columns_are_reported_up_to_a_limit() -> None:
    """However many a hostile frame has."""
    detail = detail_of(json.dumps({"boot": 7} | {f"field{n}": n for n in range(10_000)} | {"seq": "x"}).encode())
    assert detail.count("; expected ") == 5
    both = detail_of(json.dumps(FRAME | {"boot": 7, "seq": "5"}).encode())
    assert (both.count("boot = 7"), both.count('seq = "5"')) == (1, 1)
