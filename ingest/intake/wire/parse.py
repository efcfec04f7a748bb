"""Parses the bytes of a faultless frame in C; `salvage` parses others column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ingest.intake.wire.errors import Reason
from ingest.intake.wire.frame import MAX_BYTES, NAME, QUALITY, SEQ, TIMES

Column = list[float | None] | bytes
"""Numbers and None, or little-endian float64 with NaN for None."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """A column that cannot be taken.

    Attributes:
        fault: what was sent, and what was expected.
        sent, marks: the column and its quality as they were sent, for JSON; None: not at all.
    """

    reason: Reason
    fault: str
    sent: Any
    marks: Any = None


class Parsed(msgspec.Struct, gc=False):
    """A frame whose parts have the right types. Lengths, and whether numbers are finite, are not checked yet.

    Attributes:
        values, quality: by column; only those that are fit.
        finite: whether it is known that every number is finite.
        unfit: by column, the fault of it or of its quality; such a column is in neither of the others.
    """

    boot: str
    seq: int
    times: list[int]
    values: Mapping[str, Column]
    quality: Mapping[str, list[int]]
    historical: bool
    finite: bool
    unfit: dict[str, Unfit]


class Identity(msgspec.Struct):
    """The fields that identify a frame."""

    boot: NAME
    seq: SEQ


class _Json(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    boot: NAME
    seq: SEQ
    time: TIMES
    values: dict[NAME, list[float | None]]
    quality: dict[NAME, list[QUALITY]] | UnsetType | None = UNSET
    historical: bool | UnsetType = UNSET


class _Packed(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """In MessagePack a column may be raw little-endian float64; maps stay raw, to count their declared keys."""

    boot: NAME
    seq: SEQ
    time: TIMES
    values: Raw
    quality: Raw | UnsetType = UNSET
    historical: bool | UnsetType = UNSET


_json: Final = msgspec.json.Decoder(_Json)
_packed: Final = msgspec.msgpack.Decoder(_Packed)
_packed_values: Final = msgspec.msgpack.Decoder(dict[NAME, list[float | None] | bytes])
_json_identity: Final = msgspec.json.Decoder(Identity)
_packed_identity: Final = msgspec.msgpack.Decoder(Identity)
_packed_quality: Final = msgspec.msgpack.Decoder(dict[NAME, list[QUALITY]] | None)


def too_many_bytes(size: int, kept: int = 0) -> str:
    """The fault of a frame of `size` bytes; `kept`: how many of them are kept, if not all."""
    beginning = f", of which the first {kept} are kept" if kept else ""
    return f"{size} bytes{beginning}; expected at most {MAX_BYTES}"


def parse_json(payload: bytes) -> Parsed | None:
    """Parse a frame that fits the schema with each key once, else None."""
    try:
        frame = _json.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    quality = frame.quality or {}
    keys = 4 + (frame.quality is not UNSET) + (frame.historical is not UNSET) + len(frame.values) + len(quality)
    # JSON parsers keep the last of two equal keys and say nothing. Outside of strings a frame has one ":" for each key,
    # and only its boot and its names are strings: a key that stands twice adds one, unless strings can hide it.
    colons = payload.count(b":")
    if colons != keys and colons != keys + _colons(frame.boot, *frame.values, *quality):
        return None
    if b"\\" in payload:
        return None
    return Parsed(frame.boot, frame.seq, frame.time, frame.values, quality, frame.historical is True, True, {})


def parse_packed(payload: bytes) -> Parsed | None:
    """Parse a frame that fits the schema with each key once, else None."""
    try:
        frame = _packed.decode(payload)
        values = _packed_values.decode(frame.values)
        quality = (_packed_quality.decode(frame.quality) or {}) if isinstance(frame.quality, Raw) else {}
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    keys = 4 + (frame.quality is not UNSET) + (frame.historical is not UNSET)
    once = keys == declared_keys(payload) and len(values) == declared_keys(frame.values)
    if not once or (quality and len(quality) != declared_keys(frame.quality)):
        return None
    return Parsed(frame.boot, frame.seq, frame.time, values, quality, frame.historical is True, False, {})


def declared_keys(packed: Any) -> int:
    """Number of keys declared in the head of a MessagePack map; 0 if it is not a map."""
    head = bytes(memoryview(packed)[:5])
    if 0x80 <= head[0] <= 0x8F:
        return head[0] & 0x0F
    size = {0xDE: 2, 0xDF: 4}.get(head[0], 0)
    return int.from_bytes(head[1 : 1 + size], "big")


def json_identity(payload: bytes) -> tuple[str, int] | None:
    """Boot and number of a frame in JSON; all else is skipped."""
    return _identity(_json_identity, payload)


def packed_identity(payload: bytes) -> tuple[str, int] | None:
    """Boot and number of a frame in MessagePack; all else is skipped."""
    return _identity(_packed_identity, payload)


def _identity(
    decoder: msgspec.json.Decoder[Identity] | msgspec.msgpack.Decoder[Identity], payload: bytes
) -> tuple[str, int] | None:
    try:
        found = decoder.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found.boot, found.seq


def _colons(*strings: str) -> int:
    return sum(text.count(":") for text in strings)
