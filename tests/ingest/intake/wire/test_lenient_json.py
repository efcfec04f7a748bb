"""What C's `printf` writes into JSON costs its column, or nothing; what JSON there is stays as it is."""

from __future__ import annotations

import codecs
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.intake.wire.decode import decode, identify
from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.frame import Frame, encode_json, encode_msgpack
from ingest.intake.wire.lenient_json import mend_json

T0 = 1_763_884_800_000
COLUMNS = {"A": 7, "B": 3}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def printed(column: str) -> bytes:
    """A frame in which `printf` wrote one column."""
    return f'{{"boot":"b","seq":1,"time":[{T0}],"values":{{"A":[{column}],"B":[4.8]}}}}'.encode()


@settings(max_examples=200)
@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_is_json_stays_as_it_is(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert mend_json(text) == text


@settings(max_examples=200)
@given(st.text(alphabet='"\\[]{},: \n+-.0159eEnaif'))
def test_what_is_mended_once_is_mended(text: str) -> None:
    once = mend_json(text)
    assert mend_json(once) == once


@pytest.mark.parametrize("word", ["1.", "+5", ".5", "-.5", "007", "1.e3", "+1.5E+03", "-0.", "000.25"])
def test_a_number_that_is_written_otherwise_is_the_number_it_says(word: str) -> None:
    got = decode(printed(word), COLUMNS)
    assert (got.points, got.values, got.refused) == ([7, 3], [[float(word)], [4.8]], ())


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 6, 7])
def test_the_status_of_an_instrument_is_known_whatever_stands_in_another_column(code: int) -> None:
    """A failure or a function check is one also where another sensor's column is quarantined, or repaired."""
    for column, points in (("nan", [3]), ("+5", [7, 3])):
        payload = printed(column)[:-1] + b',"quality":{"B":[%d]}}' % code
        got = decode(payload, COLUMNS)
        assert got.points == points
        assert got.quality == {points.index(3): [code]}


@pytest.mark.parametrize("code", [-1, 8, 1.5, True, "3"])
def test_a_status_that_is_none_costs_its_column_and_says_what_is_one(code: object) -> None:
    (refused,) = decode(printed("nan")[:-1] + b',"quality":{"B":[%s]}}' % json.dumps(code).encode(), COLUMNS).refused[
        1:
    ]
    assert f"quality.B[0] = {json.dumps(code)}; expected 0 to 7" in refused.detail


@pytest.mark.parametrize("column", ["4.8,", "4.8 ,\n"])
def test_a_comma_that_nothing_follows_costs_nothing(column: str) -> None:
    assert decode(printed(column), COLUMNS).values == [[4.8], [4.8]]


@pytest.mark.parametrize(
    ("column", "reason", "detail"),
    [
        ("nan", Reason.NOT_FINITE, "NaN"),
        ("-NAN", Reason.NOT_FINITE, "NaN"),
        ("nan(0x8000)", Reason.NOT_FINITE, "NaN"),
        ("inf", Reason.NOT_FINITE, "Infinity"),
        ("-infinity", Reason.NOT_FINITE, "-Infinity"),
        ("+1e999", Reason.NOT_FINITE, "Infinity"),
        ("1.#IND", Reason.SCHEMA, '"1.#IND"'),
        ("--5", Reason.SCHEMA, '"--5"'),
        ("0x1f", Reason.SCHEMA, '"0x1f"'),
        ("None", Reason.SCHEMA, '"None"'),
        ("4 8", Reason.SCHEMA, '"4 8"'),
        ("12:30", Reason.SCHEMA, '"12:30"'),
        ("1.5 mA", Reason.SCHEMA, '"1.5 mA"'),
        ("- 5 ", Reason.SCHEMA, '"- 5"'),
        (",4.8", Reason.SCHEMA, '""'),
        ("9" * 5000 + ".", Reason.SCHEMA, '"9999'),
    ],
)
def test_a_word_that_is_no_number_costs_its_column_and_not_the_one_beside_it(
    column: str, reason: Reason, detail: str
) -> None:
    got = decode(printed(column), COLUMNS)
    assert (got.points, got.values) == ([3], [[4.8]])
    assert [(refused.reason, refused.columns) for refused in got.refused] == [(reason, 1)]
    assert got.refused[0].detail.startswith(f"values.A[0] = {detail}")


def frame(values: bytes, rest: bytes = b"") -> bytes:
    """A frame with these bytes for its values, and perhaps more fields."""
    return b'{"boot":"b","seq":1,"time":[%d],"values":{%b}%b}' % (T0, values, rest)


@pytest.mark.parametrize(
    ("payload", "reason", "detail"),
    [
        (frame(b'"A":[4.8\xff],"B":[4.8]'), Reason.SCHEMA, 'values.A[0] = "4.8\\udcff"'),
        (frame(b'"A":["\xc4\xe3"],"B":[4.8]'), Reason.SCHEMA, 'values.A[0] = "\\udcc4\\udce3"'),  # GBK
        (frame(b'"A\xff":[4.8],"B":[4.8]'), Reason.UNKNOWN_POINT, "A\\udcff"),
        (frame(b'"A":[4.8],"B":[4.8]', b',"quality":{"A":["\xff"]}'), Reason.SCHEMA, 'quality.A[0] = "\\udcff"'),
    ],
)
def test_a_byte_that_is_no_utf_8_costs_the_column_it_is_in_and_not_the_one_beside_it(
    payload: bytes, reason: Reason, detail: str
) -> None:
    got = decode(payload, COLUMNS)
    assert (got.points, got.values) == ([3], [[4.8]])
    assert [(refused.reason, refused.columns) for refused in got.refused] == [(reason, 1)]
    assert got.refused[0].detail.startswith(detail)
    assert json.loads(got.refused[0].payload)["values"].keys() == {"A\udcff" if "A\\" in detail else "A"}


@pytest.mark.parametrize("where", ["values", "quality"])
@pytest.mark.parametrize("name", [b"\xa1\xff", b"\xd9\x02\xff\xfe", b"\xda\x00\x01\xff"])
def test_a_name_in_messagepack_that_is_no_utf_8_costs_its_column_alone(where: str, name: bytes) -> None:
    whole = encode_msgpack(Frame("b", 1, [T0], {"B": [4.8]}, {"B": [1]}), packed=False)
    at = whole.index(b"\x81", whole.index(where.encode()))
    column = b"\x91\x00"
    got = decode(whole[:at] + b"\x82" + name + column + whole[at + 1 :], COLUMNS)
    assert (got.points, got.values, got.quality) == ([3], [[4.8]], {0: [1]})
    assert [refused.columns for refused in got.refused] == [1]


@pytest.mark.parametrize("payload", [b'{"boot":"b\xff","seq":1,"time":[1],"values":{}}', frame(b"", b',"x\xff":1')])
def test_a_byte_that_is_no_utf_8_outside_of_the_columns_refuses_the_frame(payload: bytes) -> None:
    with pytest.raises(Rejected, match="not-readable"):
        decode(payload, COLUMNS)


def test_the_end_of_a_string_of_c_costs_nothing() -> None:
    assert decode(printed("4.8") + b"\0", COLUMNS).values == [[4.8], [4.8]]


def test_a_byte_order_mark_before_a_frame_costs_nothing() -> None:
    got = decode(codecs.BOM_UTF8 + printed("4.8"), COLUMNS)
    assert (got.values, got.refused) == ([[4.8], [4.8]], ())
    assert identify(codecs.BOM_UTF8 + printed("4.8")[:30]) == ("b", 1)
    with pytest.raises(Rejected):
        decode(codecs.BOM_UTF8, COLUMNS)


def test_a_frame_that_was_cut_off_is_known_by_its_beginning() -> None:
    """Once its boot and number are whole; never by half a number."""
    frame = Frame("b1", 1842, [T0], {"A": [1.0]})
    for payload, whole in ((encode_json(frame), b"1842,"), (encode_msgpack(frame), b"\xa3seq\xcd\x07\x32")):
        known = payload.index(whole) + len(whole)
        for end in range(1, len(payload)):
            assert identify(payload[:end]) == (("b1", 1842) if end >= known else None)
            with pytest.raises(Rejected):
                decode(payload[:end], COLUMNS)


@pytest.mark.parametrize(
    "beginning", [b'{"seq":1,"boot":"b",', b'{"x":{"boot":"b","seq":1,', b'{"boot":"\xff","seq":1,']
)
def test_a_frame_that_begins_otherwise_is_not_guessed(beginning: bytes) -> None:
    assert identify(beginning + b'"values":') is None
