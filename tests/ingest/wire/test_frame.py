"""What a gateway sends is read exactly, or refused with a reason; nothing in between."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model.batch import Batch, concat
from ingest.model.flags import Flag
from ingest.wire.assemble import Arrival, assemble
from ingest.wire.errors import Reason, Rejected
from ingest.wire.frame import (
    MAX_BYTES,
    Decoded,
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


def batch(got: Decoded, received: int = 0) -> Batch:
    """The frame's readings."""
    return assemble([Arrival(got, received)])


def packed(column: object) -> bytes:
    """A MessagePack frame with one column."""
    return msgspec.msgpack.encode({"boot": "b", "seq": 1, "time": [T0], "values": {"A": column}})


def test_both_encodings_give_the_same_readings_in_order_of_time() -> None:
    frame = Frame("b1", 5, [T0, T0 + 1000], {"A": [1.5, None], "B": [2.0, 3.0]}, {"B": [1, 2]})
    for payload in (encode_json(frame), encode_msgpack(frame), encode_msgpack(frame, packed=False)):
        got = decode(payload, COLUMNS)
        assert (got.boot, got.seq, got.unknown, got.historical) == ("b1", 5, (), False)
        read = batch(got, received=42)
        assert read.point.tolist() == [7, 3, 7, 3]
        assert read.time.tolist() == [T0 * 10**6, T0 * 10**6, (T0 + 1000) * 10**6, (T0 + 1000) * 10**6]
        assert np.array_equal(read.value, [1.5, 2.0, np.nan, 3.0], equal_nan=True)
        assert read.flags.tolist() == [0, Flag.UNCERTAIN, Flag.NO_VALUE, Flag.BAD]
        assert set(read.received.tolist()) == {42}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["A", "B", "AB", "BA", "X", ""]), st.integers(0, 2))))
def test_frames_of_any_shapes_become_the_same_readings_together_as_one_by_one(
    shapes: list[tuple[int, str, int]],
) -> None:
    arrivals = []
    for number, (times, names, encoding) in enumerate(shapes):
        values: dict[str, list[float | None]] = {name: [number + 0.5, None, 7.0][:times] for name in names}
        quality = {name: [0, 1, 2][:times] for name in names[:1]} if number % 2 else None
        frame = Frame("b", number + 1, [T0 + at for at in range(times)], values, quality)
        payload = encode_json(frame) if encoding == 0 else encode_msgpack(frame, packed=encoding == 1)
        shift, flags = (-5, int(Flag.CLOCK)) if number % 3 == 0 else (0, 0)
        arrivals.append(Arrival(decode(payload, COLUMNS), number, shift, flags))
    together, alone = assemble(arrivals), concat([assemble([arrival]) for arrival in arrivals])
    for name in ("point", "time", "value", "flags", "received"):
        assert np.array_equal(getattr(together, name), getattr(alone, name), equal_nan=name == "value")


def test_a_shift_moves_a_whole_frame_and_its_flags_stand_on_every_reading() -> None:
    got = decode(encode_json(Frame("b", 1, [T0, T0 + 1000], {"A": [1.0, None]})), COLUMNS)
    read = assemble([Arrival(got, 9, shift=-(10**9), flags=int(Flag.CLOCK))])
    assert read.time.tolist() == [(T0 - 1000) * 10**6, T0 * 10**6]
    assert read.flags.tolist() == [Flag.CLOCK, Flag.CLOCK | Flag.NO_VALUE]


@pytest.mark.parametrize("time", [0, -5, 1_763_884_800, 1_763_884_800_000_000, 1_763_884_800_000_000_000])
def test_a_time_that_cannot_be_is_no_reason_to_refuse_a_frame(time: int) -> None:
    """Its readings may be of now: what to do with them is decided by the gateway's line of time."""
    for payload in (
        encode_json(Frame("b", 1, [time], {"A": [1.0]})),
        encode_msgpack(Frame("b", 1, [time], {"A": [1.0]})),
    ):
        assert decode(payload, COLUMNS).times == [time]


@pytest.mark.parametrize("packed", [True, False])
def test_rows_of_a_frame_are_what_they_are_in_the_whole(packed: bool) -> None:
    frame = Frame("b", 1, [T0, T0 + 1, T0 + 2], {"A": [1.0, 2.0, 3.0], "B": [4.0, None, 6.0]}, {"B": [0, 1, 2]})
    whole = decode(encode_msgpack(frame) if packed else encode_json(frame), COLUMNS)
    cut = assemble([Arrival(whole.rows(0, 1, [T0]), 5), Arrival(whole.rows(1, 3, [T0 + 1, T0 + 2]), 5)])
    expected = assemble([Arrival(whole, 5)])
    for name in ("point", "time", "value", "flags"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(expected, name))


def test_a_frame_says_whether_it_was_recorded_earlier() -> None:
    frame = Frame("b", 1, [T0], {"A": [1.0]}, historical=True)
    for payload in (encode_json(frame), encode_msgpack(frame)):
        assert decode(payload, COLUMNS).historical


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda f: f.stem)
def test_every_kind_of_wrong_frame_is_refused_for_its_own_reason(file: Path) -> None:
    """Files are named `<reason>.<what is wrong>.json`."""
    with pytest.raises(Rejected) as caught:
        decode(file.read_bytes().rstrip(b"\n"), COLUMNS)
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
        decode(payload, COLUMNS)
    assert caught.value.reason is reason


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutated_frame_is_read_or_refused_but_never_breaks_the_reader(data: st.DataObject) -> None:
    frame = Frame("b1", 5, [T0, T0 + 1000], {"A": [1.5, None], "B": [2.0, 3.0]}, {"B": [1, 2]})
    payload = bytearray(data.draw(st.sampled_from([encode_json(frame), encode_msgpack(frame)])))
    for at in data.draw(st.lists(st.integers(0, len(payload) - 1), min_size=1, max_size=4)):
        payload[at] = data.draw(st.integers(0, 255))
    try:
        got = decode(bytes(payload), COLUMNS)
    except Rejected:
        return
    assert not np.isinf(batch(got).value).any()


def test_unknown_columns_are_named_and_can_be_cut_out_whole() -> None:
    frame = Frame("b1", 5, [T0], {"A": [1.0], "X": [9.0]}, {"X": [1]})
    for payload in (encode_json(frame), encode_msgpack(frame)):
        got = decode(payload, COLUMNS)
        assert got.unknown == ("X",)
        assert batch(got).point.tolist() == [7]
        assert json.loads(only_columns(payload, got.unknown)) == {
            "boot": "b1", "seq": 5, "time": [T0], "values": {"X": [9.0]}, "quality": {"X": [1]}
        }  # fmt: skip


@pytest.mark.parametrize("column", [bytes(7), bytes(16), [1.0, 2.0], []])
def test_an_uneven_column_is_refused_also_when_nobody_knows_it(column: object) -> None:
    """It could not be put aside: half a number cannot be written down."""
    payload = msgspec.msgpack.encode({"boot": "b1", "seq": 5, "time": [T0], "values": {"A": [1.0], "X": column}})
    with pytest.raises(Rejected) as refused:
        decode(payload, COLUMNS)
    assert refused.value.reason is Reason.COLUMN_LENGTH


def test_a_wrong_frame_can_still_say_which_one_it_is() -> None:
    assert identify(b'{"boot": "b1", "seq": 9, "time": "yesterday"}') == ("b1", 9)
    assert identify(msgspec.msgpack.encode({"boot": "b1", "seq": 9, "extra": [1]})) == ("b1", 9)
    assert identify(b"\x00") is None


def test_a_status_says_online_or_not_and_nothing_else() -> None:
    assert decode_status(encode_status(online=False)).online is False
    with pytest.raises(Rejected):
        decode_status(b'{"online": "yes"}')
