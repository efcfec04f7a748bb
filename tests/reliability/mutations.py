"""Frames with something wrong in them: valid ones and the golden faults, bent by a seeded hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ingest.intake.wire.frame import Frame, encode_json, encode_msgpack
from tests.small_plant import PLANT

GOLDEN: Final = Path(__file__).parents[1] / "ingest" / "intake" / "wire" / "golden"
LARGEST: Final = 8_192  # bytes of a mutated frame; size itself has a limit of its own, tested with the frame
_NAN: Final = bytes.fromhex("000000000000f87f")
_INFINITY: Final = bytes.fromhex("000000000000f07f")
_NUMBERS: Final = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"9" * 400, b"-0", b"0x10",
    b"1.7976931348623159e308", b"18446744073709551616",
    b"-9223372036854775809", b"00", b"1.", b".5", b"1e", b"null", b"true", b'"1"', b"[]", b"{}",
)  # fmt: skip
_PIECES: Final = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b'"', b"\\", b"[", b"]", b"{", b"}", b",", b":",
    b"\xc1", b"\xc4\xff", b"\xc5\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff", b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\x00" * 7, b"\xcb" + b"\x7f\xf8" + b"\x00" * 6,
    b"\xd7\xff" + b"\xff" * 8, b"\xc7\xff\x01", b"\xc0", _NAN, _INFINITY,
)  # fmt: skip

Mutation = Callable[[random.Random, bytearray], None]


def seeds(start_ms: int) -> list[bytes]:
    """Valid frames of the small plant in every encoding, and every golden fault."""
    times = [start_ms + i * 1000 for i in range(5)]
    frames = [
        Frame("boot-of-the-fuzz", 1, times[:1], {"CO-01": [5.0]}),
        Frame("boot-of-the-fuzz", 2, times, {"CO-01": [5.0, None, 7.25, -0.0, 1e-300]}, {"CO-01": [0, 1, 2, 0, 0]}),
        Frame("boot-of-the-fuzz", 3, times, {"CO-01": [1.0] * 5, "CO-02": [2.0] * 5, "一氧化碳": [None] * 5}),
    ]
    encoded = [encode_json(frame) for frame in frames] + [encode_msgpack(frame, packed=False) for frame in frames]
    packed = [Frame(f.boot, f.seq, f.time, {k: [v or 0.0 for v in c] for k, c in f.values.items()}) for f in frames]
    valid = [*encoded, *(encode_msgpack(f) for f in packed)]
    return [*valid * 4, *(file.read_bytes() for file in sorted(GOLDEN.iterdir()))]


def mutated(rng: random.Random, base: Sequence[bytes]) -> bytes:
    """One of the seeds, bent one to four times."""
    payload = bytearray(rng.choice(base))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        rng.choice(MUTATIONS)(rng, payload)
        if rng.random() < 0.2:
            _splice(rng, payload, rng.choice(base))
    return bytes(payload[:LARGEST])


def _flip(rng: random.Random, payload: bytearray) -> None:
    for _ in range(rng.randint(1, 3)):
        if payload:
            payload[rng.randrange(len(payload))] ^= 1 << rng.randrange(8)


def _truncate(rng: random.Random, payload: bytearray) -> None:
    del payload[rng.randint(0, len(payload)) :]


def _cut_out(rng: random.Random, payload: bytearray) -> None:
    at = rng.randint(0, len(payload))
    del payload[at : at + rng.randint(1, 16)]


def _double(rng: random.Random, payload: bytearray) -> None:
    """A stretch twice: repeated keys, repeated times, longer columns."""
    at = rng.randint(0, len(payload))
    stretch = payload[at : at + rng.randint(1, 64)]
    payload[at:at] = stretch


def _insert(rng: random.Random, payload: bytearray) -> None:
    at = rng.randint(0, len(payload))
    payload[at:at] = rng.choice(_PIECES)


def _number(rng: random.Random, payload: bytearray) -> None:
    """Another number where one stood, or a length that lies."""
    digits = [at for at, byte in enumerate(payload) if 48 <= byte <= 57]
    at = rng.choice(digits) if digits else rng.randint(0, len(payload))
    payload[at : at + 1] = rng.choice(_NUMBERS)


def _byte(rng: random.Random, payload: bytearray) -> None:
    if payload:
        payload[rng.randrange(len(payload))] = rng.choice((0x00, 0x7F, 0x80, 0x8F, 0x91, 0xC4, 0xDC, 0xDE, 0xDF, 0xFF))


def _nest(rng: random.Random, payload: bytearray) -> None:
    """Brackets in brackets, or arrays in arrays of MessagePack."""
    at = rng.randint(0, len(payload))
    payload[at:at] = rng.choice((b"[", b'{"a":', b"\x91", b"\x81\xa1a")) * rng.choice((10, 100, 1_000, 2_000))


def _not_a_number(rng: random.Random, payload: bytearray) -> None:
    """Bytes of NaN and Infinity where a packed column might be."""
    at = rng.randint(0, len(payload))
    payload[at : at + 8] = rng.choice((_NAN, _INFINITY, b"\xff" * 8))


def _splice(rng: random.Random, payload: bytearray, other: bytes) -> None:
    """The head of one frame and the tail of another."""
    at, cut = rng.randint(0, len(payload)), rng.randint(0, len(other))
    payload[at:] = other[cut:]


MUTATIONS: Final[tuple[Mutation, ...]] = (
    _flip, _flip, _flip, _truncate, _cut_out, _double, _insert, _insert, _number, _number, _byte, _nest, _not_a_number,
)  # fmt: skip


def topics(rng: random.Random) -> str:
    """Mostly where frames belong; now and then elsewhere below what the service reads."""
    if rng.random() < 0.9:
        return f"yujing/v1/{PLANT}/GW-01/frame"
    plant, gateway, leaf = (
        rng.choice(names) for names in ((PLANT, "elsewhere"), ("GW-01", "GW-99"), ("frame", "status"))
    )
    return f"yujing/v1/{plant}/{gateway}/{leaf}"


def honest(boot: str, seq: int, time_ms: int) -> bytes:
    """A frame there is nothing wrong with."""
    return msgspec.json.encode(Frame(boot, seq, [time_ms], {"CO-01": [5.0]}))
