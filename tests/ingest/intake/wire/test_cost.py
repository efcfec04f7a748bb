"""No frame costs much more than an honest one of as many bytes, whatever is in it: one cannot stall the service."""

from __future__ import annotations

import gc
import time
from contextlib import suppress
from functools import cache

import msgspec
import pytest

from ingest.intake.wire.assemble import Arrival, assemble
from ingest.intake.wire.decode import decode
from ingest.intake.wire.errors import Rejected
from ingest.intake.wire.frame import MAX_BYTES, Frame, encode_json

T0 = 1_763_884_800_000
SIZE = 250_000
"""Bytes: so many that what grows with their square is a thousand times the honest frame."""

MOST = 200
"""Times the honest frame's cost a byte: the dearest known are about 40, what grew with the square was 600."""

KNOWN = {f"K{number}": number for number in range(200_000)} | {"A": 200_000}
HEAD = '{"boot":"b","seq":1,"time":[1763884800000],"values":'


def frame(values: str, quality: str = "") -> bytes:
    return (HEAD + "{" + values + "}" + (',"quality":{' + quality + "}" if quality else "") + "}").encode()


def columns(name: str, value: str) -> str:
    """As many columns as fit."""
    return ",".join(f'"{name}{number}":[{value}]' for number in range(SIZE // (len(name) + len(value) + 11)))


def elements(item: str) -> bytes:
    """One column of as many as fit."""
    return frame('"A":[' + ",".join([item] * (SIZE // (len(item) + 1))) + "]")


def packed(values: dict[str, object], quality: dict[str, object] | None = None) -> bytes:
    content = {"boot": "b", "seq": 1, "time": [T0], "values": values}
    return msgspec.msgpack.encode(content | ({"quality": quality} if quality else {}))


def packed_columns(value: object, count: int = 9_999) -> bytes:
    return packed({f"K{number}": value for number in range(count)})


POISON = {
    "unknown columns": frame(columns("X", "1")),
    "known columns": frame(columns("K", "1")),
    "as many unknown columns as are taken": frame(columns("X", "1" * 14)),
    "columns of NaN": frame(columns("K", "NaN" + " " * 11)),
    "columns of text": frame(columns("K", '"some texts"')),
    "as much quality as columns": frame(columns("K", "1" * 15), columns("K", "0".rjust(15))),
    "wrong quality": frame(columns("K", "1" * 15), columns("K", "3".rjust(15))),
    "quality without columns": frame("", columns("K", "0")),
    "one point over and over": frame(",".join(['"A":[1]'] * (SIZE // 8))),
    "one field over and over": frame("")[:-1] + b',"seq":1' * (SIZE // 8) + b"}",
    "numbers too many": elements("1"),
    "NaN": elements("NaN"),
    "text": elements('"x"'),
    "objects": elements("{}"),
    "objects with a key twice": elements('{"a":1,"a":2}'),
    "nested deep": frame('"A":' + "[" * SIZE),
    "nested often": elements("[" * 400 + "]" * 400),
    "objects nested often": elements('{"a":' * 300 + "1" + "}" * 300),
    "words": elements("x"),
    "numbers with a sign": elements("+1"),
    "nan of C": elements("nan"),
    "two numbers for one": elements("1 2"),
    "numbers without commas": frame('"A":[' + "1 " * (SIZE // 2)),
    "commas": elements(""),
    "spaces before commas": elements(" " * 400),
    "words before colons": frame('"A":[' + "a :" * (SIZE // 3)),
    "strings without an end": frame('"A":[' + '\\"' * (SIZE // 2)),
    "no character of JSON": frame('"A":[' + "\x01" * SIZE),
    "one huge integer": frame('"A":[' + "9" * SIZE + "]"),
    "huge integers": elements("9" * 4000),
    "one long fraction": frame('"A":[0.' + "1234567891" * (SIZE // 10) + "]"),
    "huge exponents": elements("1e" + "9" * 100),
    "one long name": frame('"' + "x" * SIZE + '":[1]'),
    "one long name of escapes": frame('"' + "\\u0041" * (SIZE // 6) + '":[1]'),
    "packed: columns": packed_columns([1.0]),
    "packed: too many columns": packed_columns([1.0], 25_000),
    "packed: columns of NaN": packed_columns([float("nan")]),
    "packed: columns of text": packed_columns(["textual"]),
    "packed: columns of half a number": packed_columns(bytes(7)),
    "packed: as much quality as columns": packed(
        {f"K{number}": [1.0] for number in range(9_999)}, {f"K{number}": [0] for number in range(9_999)}
    ),
    "packed: nothing": packed({"A": [None] * SIZE}),
    "packed: text": packed({"A": ["x"] * (SIZE // 2)}),
    "packed: maps": packed({"A": [{}] * SIZE}),
    "packed: nested deep": packed({"A": 0})[:-1] + b"\x91" * SIZE,
}


@pytest.mark.parametrize("name", POISON)
def test_no_frame_costs_much_more_than_an_honest_one_of_its_size(name: str) -> None:
    payload = POISON[name]
    assert SIZE / 10 < len(payload) < MAX_BYTES
    assert spent_a_byte(payload) < MOST * honest()


@cache
def honest() -> float:
    """What an ordinary frame costs a byte, s."""
    column: list[float | None] = [1234.5] * 100
    times = [T0 + place for place in range(100)]
    return spent_a_byte(encode_json(Frame("b", 1, times, {f"K{number}": column for number in range(SIZE // 700)})))


def spent_a_byte(payload: bytes) -> float:
    """The least of a few, s of this thread's own time."""
    return min(_spent(payload) for _ in range(3)) / len(payload)


def _spent(payload: bytes) -> float:
    gc.disable()  # what it looks through is the heap of all tests before this one
    try:
        began = time.thread_time()
        with suppress(Rejected):
            assemble([Arrival(decode(payload, KNOWN), 0)])
        return time.thread_time() - began
    finally:
        gc.enable()
