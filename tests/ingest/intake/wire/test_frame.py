"""What a gateway sends is read exactly, or refused with a reason; nothing in between."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.flags import Flag
from ingest.intake.wire.assemble import Arrival, assemble
from ingest.intake.wire.decode import Decoded, decode, identify
from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.frame import MAX_BYTES, Frame, decode_status, encode_json, encode_msgpack, encode_status

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
        assert (got.boot, got.seq, got.refused, got.historical) == ("b1", 5, (), False)
        read = batch(got, received=42)
        assert read.point.tolist() == [7, 3, 7, 3]
        assert read.time.tolist() == [T0 * 10**6, T0 * 10**6, (T0 + 1000) * 10**6, (T0 + 1000) * 10**6]
        assert np.array_equal(read.value, [1.5, 2.0, np.nan, 3.0], equal_nan=True)
        assert read.flags.tolist() == [0, Flag.UNCERTAIN, Flag.NO_VALUE, Flag.BAD]
        assert set(read.received.tolist()) == {42}


@settings(max_examples=100)
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
    """Files are named `<reason>.<what is wrong>.json`; in those that end in `.column.json` only column A is wrong."""
    reason, payload = file.name.split(".")[0], file.read_bytes().rstrip(b"\n")
    if file.name.endswith(".column.json"):
        got = decode(payload, COLUMNS)
        (refused,) = got.refused
        assert (refused.reason, refused.columns) == (reason, 1)
        assert "A" in refused.detail
        assert "expected" in refused.detail
        assert batch(got).point.tolist() == [COLUMNS["B"]] * len(got.times), "and the other is taken"
        assert set(batch(got).value.tolist()) == {7.0}
        return
    with pytest.raises(Rejected) as caught:
        decode(payload, COLUMNS)
    assert caught.value.reason == reason
    assert caught.value.detail


@pytest.mark.parametrize(
    ("column", "reason", "detail"),
    [
        ([float("nan")], Reason.NOT_FINITE, "values.A[0] = NaN; expected a finite number or null"),
        ([float("inf")], Reason.NOT_FINITE, "values.A[0] = Infinity; expected a finite number or null"),
        (np.array([-np.inf]).tobytes(), Reason.NOT_FINITE, "values.A[0] = -Infinity; expected a finite number or null"),
        (["12.5"], Reason.SCHEMA, 'values.A[0] = "12.5"; expected a finite number or null: 12.5 without quotes'),
        ([True], Reason.SCHEMA, "values.A[0] = true; expected a finite number or null: 1 for true, 0 for false"),
        (7, Reason.SCHEMA, "values.A = 7; expected an array of finite numbers and null: [7] for one time"),
        ({"v": 1}, Reason.SCHEMA, "values.A = {…}; expected an array of finite numbers and null"),
        ([[1, 2]], Reason.SCHEMA, "values.A[0] = […]; expected a finite number or null"),
        ([1, 2], Reason.COLUMN_LENGTH, "values.A has 2 entries; expected 1"),
        (bytes(7), Reason.COLUMN_LENGTH, "values.A has 7 bytes; expected 8 for 1 times"),
    ],
)
def test_a_wrong_column_of_messagepack_does_not_cost_the_others(column: object, reason: Reason, detail: str) -> None:
    payload = {
        "boot": "b",
        "seq": 1,
        "time": [T0],
        "values": {"A": column, "B": [7.0]},
        "quality": {"A": [1], "B": [1]},
    }
    got = decode(msgspec.msgpack.encode(payload), COLUMNS)
    (refused,) = got.refused
    assert (refused.reason, refused.detail) == (reason, detail)
    assert json.loads(refused.payload)["quality"] == {"A": [1]}, "it is put aside with its quality"
    read = batch(got)
    assert (read.point.tolist(), read.value.tolist(), read.flags.tolist()) == ([3], [7.0], [Flag.UNCERTAIN])


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.column.json")), ids=lambda f: f.stem)
def test_a_quarantined_column_is_refused_again_with_a_valid_reason(file: Path) -> None:
    """What lies in quarantine is the column as it was sent: taking it in again changes nothing, and takes no other."""
    (refused,) = decode(file.read_bytes().rstrip(b"\n"), COLUMNS).refused
    again = decode(refused.payload, COLUMNS)
    assert again.points == []
    assert [refused.columns for refused in again.refused] == [1]


@pytest.mark.parametrize("name", ["GW[1]-2026", "a:b", 'say "no"', "back\\slash", "锅炉{1},[2]:3", "\t"])
def test_a_boot_or_a_point_may_hold_any_sign(name: str) -> None:
    frame = Frame(name, 5, [T0], {name: [1.0], "B": [2.0]}, {name: [1]})
    escaped = json.dumps(json.loads(encode_json(frame))).encode()
    for payload in (encode_json(frame), escaped, encode_msgpack(frame)):
        got = decode(payload, {name: 1, "B": 2})
        assert (got.boot, got.refused, got.readings) == (name, (), 2)


def test_a_key_that_stands_twice_is_found_wherever_it_is_and_whatever_the_names_hold() -> None:
    """Against a plain reader: any of the frame's keys once more, with names that resemble structure."""
    for name in ("A", "A:[", 'A\\":'):
        key = json.dumps(name)
        plain = (
            f'{{"boot":"b:[","seq":1,"time":[{T0}],"values":{{{key}:[1]}},"quality":{{{key}:[0]}},"historical":false'
        )
        assert decode(f"{plain}}}".encode(), {name: 1}).refused == ()
        for field in ('"boot":"b"', '"seq":1', f'"time":[{T0}]', '"quality":null', '"historical":false', '"values":{}'):
            with pytest.raises(Rejected) as caught:
                decode(f"{plain},{field}}}".encode(), {name: 1})
            assert caught.value.reason is Reason.DUPLICATE_KEY
        for part in ("values", "quality"):
            twice = plain.replace(f'"{part}":{{', f'"{part}":{{{key}:[2],')
            (refused,) = decode(f"{twice}}}".encode(), {name: 1}).refused
            assert refused.reason is Reason.DUPLICATE_KEY


def packed_map(*pairs: tuple[str, object]) -> bytes:
    """A MessagePack map with these keys, in order, whether twice or not."""
    parts = [msgspec.msgpack.encode(name) + (v if type(v) is bytes else msgspec.msgpack.encode(v)) for name, v in pairs]
    return bytes([0x80 + len(pairs)]) + b"".join(parts)


def test_a_key_that_stands_twice_in_messagepack_is_found() -> None:
    head: list[tuple[str, object]] = [("boot", "b"), ("seq", 1), ("time", [T0])]
    values, twice = packed_map(("A", [1.0])), packed_map(("A", [1.0]), ("A", [2.0]))
    assert decode(packed_map(*head, ("values", values)), COLUMNS).readings == 1
    marks = packed_map(("A", [0]), ("A", [2]))
    wrong = [
        [*head, ("values", twice)], [*head, ("values", values), ("values", values)],
        [*head, ("seq", 2), ("values", values)],
        [*head, ("values", values), ("quality", marks)],
        [*head, ("values", values), ("historical", False), ("historical", True)],
    ]  # fmt: skip
    for pairs in wrong:
        with pytest.raises(Rejected) as caught:
            decode(packed_map(*pairs), COLUMNS)
        assert caught.value.reason is Reason.DUPLICATE_KEY


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.NOT_READABLE),
        (b"\x00\x01", Reason.NOT_READABLE),
        (b'{"boot": "\xff\xfe", "seq": 1, "time": [1], "values": {}}', Reason.NOT_READABLE),
        (b"{" + b" " * MAX_BYTES + b"}", Reason.TOO_LARGE),
        (b"[" * 100_000, Reason.NOT_READABLE),
        (b'{"values":' + b'{"a":' * 50_000, Reason.NOT_READABLE),
        (b'{"boot": "b", "seq": 1, "time": [1], "values": ' + b"[" * 100_000, Reason.NOT_READABLE),
        (msgspec.msgpack.encode({"boot": "b", "seq": 1, "time": [T0], "values": 7}), Reason.SCHEMA),
        (msgspec.msgpack.encode({"boot": "b", "seq": 1, "time": [T0], "values": {7: [1.0]}}), Reason.SCHEMA),
    ],
)
def test_hostile_bytes_are_refused(payload: bytes, reason: Reason) -> None:
    with pytest.raises(Rejected) as caught:
        decode(payload, COLUMNS)
    assert caught.value.reason is reason


@settings(max_examples=300)
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
    times = [*range(len(got.times))]  # what is to be done about wild ones is for the gateway's line of time
    assert not np.isinf(batch(got.rows(0, len(times), times)).value).any()


def test_unknown_columns_are_named_and_quarantined_whole() -> None:
    frame = Frame("b1", 5, [T0], {"A": [1.0], "X": [9.0]}, {"X": [1]})
    for payload in (encode_json(frame), encode_msgpack(frame)):
        got = decode(payload, COLUMNS)
        (refused,) = got.refused
        assert (refused.reason, refused.columns) == (Reason.UNKNOWN_POINT, 1)
        assert refused.detail == "X: expected points of this gateway"
        assert got.refused_share == 0, "it is no point of this gateway"
        assert batch(got).point.tolist() == [7]
        assert json.loads(refused.payload) == {
            "boot": "b1", "seq": 5, "time": [T0], "values": {"X": [9.0]}, "quality": {"X": [1]}
        }  # fmt: skip


@pytest.mark.parametrize("column", [bytes(7), bytes(16), [1.0, 2.0], []])
def test_an_uneven_column_that_nobody_knows_costs_nothing_either(column: object) -> None:
    payload = msgspec.msgpack.encode({"boot": "b1", "seq": 5, "time": [T0], "values": {"A": [1.0], "X": column}})
    got = decode(payload, COLUMNS)
    assert [(refused.reason, refused.columns) for refused in got.refused] == [(Reason.UNKNOWN_POINT, 1)]
    assert batch(got).value.tolist() == [1.0]


def test_a_wrong_frame_can_still_say_which_one_it_is() -> None:
    assert identify(b'{"boot": "b1", "seq": 9, "time": "yesterday"}') == ("b1", 9)
    assert identify(b'{"boot": "b1", "seq": 9, "time": [NaN], "values": {}}') == ("b1", 9)
    assert identify(msgspec.msgpack.encode({"boot": "b1", "seq": 9, "extra": [1]})) == ("b1", 9)
    assert identify(b'{"boot": "b1", "seq": 9, "x": "' + b" " * MAX_BYTES + b'"}') == ("b1", 9)
    assert identify(b'{"boot": "b1", "seq": 9, "seq": 10, "time": [1], "values": {}}') is None, "nobody knows which"
    assert identify(b"\x00") is None


def test_a_status_says_online_or_not_and_nothing_else() -> None:
    assert decode_status(encode_status(online=False)).online is False
    with pytest.raises(Rejected):
        decode_status(b'{"online": "yes"}')
    with pytest.raises(Rejected):
        decode_status(b'{"online": true, "online": false}')
