"""Every reason of quarantine has a Chinese text."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from ingest.intake.wire.decode import decode
from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.frame import MAX_BYTES, decode_status
from ingest.storage.journal.journal import HISTORY_REJECTED
from ingest.web.texts.quarantine import REASONS, in_chinese
from tests.ingest.intake.wire.test_corrections import FRAME, SLIPS

GOLDEN = Path(__file__).parents[1] / "intake" / "wire" / "golden"
HEAD = {"boot": "b", "seq": 1, "time": [1_763_884_800_000]}
PACKED = [
    HEAD | {"values": {"A": bytes(7), "B": [1.0]}},
    HEAD | {"values": {"A": [{}], "B": [1.0]}},
    HEAD | {"values": {"A": [1.0]}, "quality": {"A": [8]}},
    HEAD | {"values": 7},
    HEAD | {"values": {"A": [1.0]}, "more": 1},
    HEAD | {"boot": 7, "values": {}},
    HEAD | {"time": [], "values": {}},
    {"seq": 1},
]
PAYLOADS = {
    **{file.stem: file.read_bytes().rstrip() for file in GOLDEN.glob("*.json")},
    **{f"packed {number}": msgspec.msgpack.encode(fields) for number, fields in enumerate(PACKED)},
    **{what: msgspec.json.encode(FRAME | slip) for slip, what, _ in SLIPS},
    "packed and cut off": msgspec.msgpack.encode(PACKED[0])[:-3],
    "no object": b"[1]",
    "no JSON": b"{x",
    "nothing": b"",
    "no UTF-8": b'{"boot":"\xff"}',
    "deep": b'{"a":' * 100_000,
    "large": b"{" + b" " * MAX_BYTES,
    "name too long": msgspec.json.encode(HEAD | {"values": {"A" * 65: [1]}}),
    "many": msgspec.json.encode(HEAD | {"values": {f"{n}": [n] for n in range(30)}}),
    "too many": msgspec.json.encode(HEAD | {"time": [*range(100)], "values": {f"{n}": [] for n in range(2000)}}),
    "cut within a text": b'{"boot":"b',
    "more after it": b"{}{}",
}


def details_of(payload: bytes) -> list[str]:
    """What the wire says of it."""
    try:
        return [refused.detail for refused in decode(payload, {"A": 7, "B": 3}).refused]
    except Rejected as error:
        return [error.detail]


@pytest.mark.parametrize("name", PAYLOADS)
def test_every_sentence_of_the_wire_has_a_chinese_text(name: str) -> None:
    """What stays English is quoted, or the name of a field, a point or a format."""
    details = details_of(PAYLOADS[name])
    assert details
    for detail in details:
        chinese = in_chinese(detail)
        assert re.search("[\u4e00-\u9fff]", chinese), chinese
        bare = re.sub(r'"(?:[^"\\]|\\.)*"?|`[^`]*`|b\'.*?\'|(?:values|quality)\.\S+|^A\S+', "", chinese)
        words = set(re.findall("[A-Za-z]{2,}", bare)) - KEPT
        assert not words, chinese


KEPT = {
    "time",
    "seq",
    "historical",
    "UTC",
    "boot",
    "values",
    "quality",
    "null",
    "true",
    "false",
    "NaN",
    "Infinity",
    "JSON",
    "MessagePack",
    "Unicode",
    "UTF",
}


def test_every_reason_has_its_words_and_a_status_too() -> None:
    assert REASONS.keys() == {*Reason, HISTORY_REJECTED}
    with pytest.raises(Rejected) as caught:
        decode_status(b'{"online": "yes"}')
    assert in_chinese(caught.value.detail) == "应为 `bool`，实为 `str`，位于 `$.online`"


def test_what_is_quoted_and_what_is_not_known_stays_as_it_is() -> None:
    assert in_chinese('values.A[0] = "has 2 entries"; expected a finite number or null') == (
        'values.A[0] = "has 2 entries"；应为有限数值或 null'
    )
    assert in_chinese("partial write: field type conflict") == "partial write: field type conflict"
