"""What a gateway sends is read exactly, or refused with a reason; nothing in between."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model.flags import Flag
from ingest.wire.errors import Reason, Rejected
from ingest.wire.frame import (
    MAX_BYTES,
    Frame,
    decode,
    decode_status,
    encode_json,
    encode_msgpack,
    encode_status,
    identify,
    only_columns,
)

T0 = 1_763_884_800_000
COLUMNS = {"A": 7, "B": 3}
GOLDEN = Path(__file__).parent / "golden"


def packed(column: object) -> bytes:
    """A MessagePack frame with one column."""
    return msgspec.msgpack.encode({"boot": "b", "seq": 1, "time": [T0], "values": {"A": column}})


def test_both_encodings_give_the_same_readings_in_order_of_time() -> None:
    frame = Frame("b1", 5, [T0, T0 + 1000], {"A": [1.5, None], "B": [2.0, 3.0]}, {"B": [1, 2]})
    for payload in (encode_json(frame), encode_msgpack(frame), encode_msgpack(frame, packed=False)):
        got = decode(payload, COLUMNS, received=42)
        assert (got.boot, got.seq, got.unknown) == ("b1", 5, ())
        assert got.batch.point.tolist() == [7, 3, 7, 3]
        assert got.batch.time.tolist() == [T0 * 10**6, T0 * 10**6, (T0 + 1000) * 10**6, (T0 + 1000) * 10**6]
        assert np.array_equal(got.batch.value, [1.5, 2.0, np.nan, 3.0], equal_nan=True)
        assert got.batch.flags.tolist() == [0, Flag.UNCERTAIN, Flag.NO_VALUE, Flag.BAD]
        assert set(got.batch.received.tolist()) == {42}


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda f: f.stem)
def test_every_kind_of_wrong_frame_is_refused_for_its_own_reason(file: Path) -> None:
    """Files are named `<reason>.<what is wrong>.json`."""
    with pytest.raises(Rejected) as caught:
        decode(file.read_bytes().rstrip(b"\n"), COLUMNS, 0)
    assert caught.value.reason == file.name.split(".")[0]
    assert caught.value.detail


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.NOT_READABLE),
        (b"\x00\x01", Reason.NOT_READABLE),
        (b'{"boot": "\xff\xfe"}', Reason.NOT_READABLE),
        (b"{" + b" " * MAX_BYTES + b"}", Reason.TOO_LARGE),
        (b"[" * 100_000, Reason.NOT_READABLE),
        (b'{"values":' + b'{"a":' * 50_000, Reason.SCHEMA),
        (
            msgspec.msgpack.encode({"boot": "b", "seq": 1, "time": [T0], "values": {"A": [float("inf")]}}),
            Reason.NOT_FINITE,
        ),
        (
            msgspec.msgpack.encode({"boot": "b", "seq": 1, "time": [T0], "values": {"A": [float("nan")]}}),
            Reason.NOT_FINITE,
        ),
        (
            msgspec.msgpack.encode({"boot": "b", "seq": 1, "time": [T0], "values": {"A": b"1234567"}}),
            Reason.COLUMN_LENGTH,
        ),
    ],
)
def test_hostile_bytes_are_refused(payload: bytes, reason: Reason) -> None:
    with pytest.raises(Rejected) as caught:
        decode(payload, COLUMNS, 0)
    assert caught.value.reason is reason


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutated_frame_is_read_or_refused_but_never_breaks_the_reader(data: st.DataObject) -> None:
    frame = Frame("b1", 5, [T0, T0 + 1000], {"A": [1.5, None], "B": [2.0, 3.0]}, {"B": [1, 2]})
    payload = bytearray(data.draw(st.sampled_from([encode_json(frame), encode_msgpack(frame)])))
    for at in data.draw(st.lists(st.integers(0, len(payload) - 1), min_size=1, max_size=4)):
        payload[at] = data.draw(st.integers(0, 255))
    try:
        got = decode(bytes(payload), COLUMNS, 0)
    except Rejected:
        return
    assert not np.isinf(got.batch.value).any()


def test_unknown_columns_are_named_and_can_be_cut_out_whole() -> None:
    frame = Frame("b1", 5, [T0], {"A": [1.0], "X": [9.0]}, {"X": [1]})
    for payload in (encode_json(frame), encode_msgpack(frame)):
        got = decode(payload, COLUMNS, 0)
        assert got.unknown == ("X",)
        assert got.batch.point.tolist() == [7]
        assert json.loads(only_columns(payload, got.unknown)) == {
            "boot": "b1", "seq": 5, "time": [T0], "values": {"X": [9.0]}, "quality": {"X": [1]}
        }  # fmt: skip


def test_a_wrong_frame_can_still_say_which_one_it_is() -> None:
    assert identify(b'{"boot": "b1", "seq": 9, "time": "yesterday"}') == ("b1", 9)
    assert identify(msgspec.msgpack.encode({"boot": "b1", "seq": 9, "extra": [1]})) == ("b1", 9)
    assert identify(b"\x00") is None


def test_a_status_says_online_or_not_and_nothing_else() -> None:
    assert decode_status(encode_status(online=False)).online is False
    with pytest.raises(Rejected):
        decode_status(b'{"online": "yes"}')
