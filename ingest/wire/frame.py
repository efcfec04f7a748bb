"""Native frame v1: bytes to columns and back. JSON or MessagePack, one schema, told apart by the first byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from math import isfinite
from operator import lt
from typing import Annotated, Any, Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.wire.errors import Reason, Rejected

T = TypeVar("T")

MAX_BYTES: Final = 1 << 20
MAX_TIMES: Final = 10_000
MAX_READINGS: Final = 100_000
_NAME = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_SEQ = Annotated[int, msgspec.Meta(ge=1, lt=1 << 62)]
_TIMES = Annotated[list[int], msgspec.Meta(min_length=1, max_length=MAX_TIMES)]
_QUALITY = Annotated[int, msgspec.Meta(ge=0, le=2)]


class Frame(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What a gateway publishes: a stretch of time, one column a point. `seq` starts at 1 in every boot."""

    boot: _NAME
    seq: _SEQ
    time: _TIMES  # ms since the epoch, UTC, strictly increasing; wrong clocks are `ingest.quality.timeline`'s
    values: dict[_NAME, list[float | None]]
    quality: dict[_NAME, list[_QUALITY]] | None = None  # 0 good, 1 uncertain, 2 bad
    historical: bool = False  # recorded earlier and read out now: times may lie before those of earlier frames


class _PackedFrame(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """The same in MessagePack, where a column may be raw little-endian float64 bytes (NaN = no value)."""

    boot: _NAME
    seq: _SEQ
    time: _TIMES
    values: dict[_NAME, list[float | None] | bytes]
    quality: dict[_NAME, list[_QUALITY]] | None = None
    historical: bool = False


class Committed(msgspec.Struct, forbid_unknown_fields=True):
    """The downlink: every frame of `boot` up to `seq` is on disk but the ranges in `missing` (both ends included)."""

    boot: str
    seq: int
    missing: list[tuple[int, int]] = []


class Status(msgspec.Struct, forbid_unknown_fields=True):
    """A gateway's retained status; `online: false` is also its last will."""

    online: bool


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A frame taken apart against the roster; `ingest.wire.assemble` makes readings of many at once.

    Attributes:
        boot, seq: the frame's identity within its gateway.
        historical: whether the gateway says that it was recorded earlier.
        times: ms since the epoch, strictly increasing.
        points: roster index of each column that is known.
        values: those columns one after another: numbers and None, or little-endian float64 with NaN for None.
        quality: by place in `points`, the column's marks.
        unknown: names of columns the roster does not know.
    """

    boot: str
    seq: int
    historical: bool
    times: list[int]
    points: list[int]
    values: bytes | list[float | None]
    quality: Mapping[int, list[int]]
    unknown: tuple[str, ...]

    @property
    def readings(self) -> int:
        """Readings of known points."""
        return len(self.times) * len(self.points)

    def rows(self, start: int, end: int, times: list[int]) -> Decoded:
        """The rows `start` up to before `end`, under these times."""
        starts = range(0, len(self.times) * len(self.points), len(self.times))
        values: bytes | list[float | None]
        if isinstance(self.values, bytes):
            values = b"".join([self.values[8 * (at + start) : 8 * (at + end)] for at in starts])
        else:
            values = [value for at in starts for value in self.values[at + start : at + end]]
        quality = {place: marks[start:end] for place, marks in self.quality.items()}
        return replace(self, times=times, values=values, quality=quality)


class _Identity(msgspec.Struct):
    """What must be right for a frame to be told from others; everything else is passed over."""

    boot: _NAME
    seq: _SEQ


_json = msgspec.json.Decoder(Frame)
_msgpack = msgspec.msgpack.Decoder(_PackedFrame)
_json_identity = msgspec.json.Decoder(_Identity)
_msgpack_identity = msgspec.msgpack.Decoder(_Identity)
_committed = msgspec.json.Decoder(Committed)
_status = msgspec.json.Decoder(Status)


def decode(payload: bytes, columns: Mapping[str, int]) -> Decoded:
    """Read one frame. This runs once a message: it touches each number in C only.

    Args:
        payload: JSON or MessagePack.
        columns: point id -> roster index, for the points this gateway may send.

    Raises:
        Rejected: nothing of the frame can be taken.
    """
    frame = _parse(payload)
    time, values = frame.time, frame.values
    readings = len(time) * len(values)
    if readings > MAX_READINGS:
        raise Rejected(Reason.TOO_LARGE, f"{readings} readings; expected at most {MAX_READINGS}", readings=readings)
    if len(time) > 1 and not all(map(lt, time, time[1:])):
        at = next(at for at in range(1, len(time)) if time[at] <= time[at - 1])
        raise Rejected(
            Reason.TIME_NOT_INCREASING,
            f"time[{at}] = {time[at]} after {time[at - 1]}; expected strictly increasing",
            readings=readings,
        )
    points, known, unknown = [], [], []
    for name, column in values.items():
        # Unknown ones, too: they are to be put aside, and half a number cannot be written down.
        if len(column) != (len(time) * 8 if type(column) is bytes else len(time)):
            raise _uneven("values", name, column, len(time), readings)
        index = columns.get(name)
        if index is None:
            unknown.append(name)
        else:
            points.append(index)
            known.append(column)
    flat = _flat(frame, known, readings)
    quality = _quality(frame, columns, points, readings) if frame.quality else {}
    return Decoded(frame.boot, frame.seq, frame.historical, time, points, flat, quality, tuple(unknown))


def encode_json(frame: Frame) -> bytes:
    """The frame as JSON."""
    return msgspec.json.encode(frame)


def encode_msgpack(frame: Frame, *, packed: bool = True) -> bytes:
    """The frame as MessagePack; `packed` sends columns as raw little-endian float64."""
    if not packed:
        return msgspec.msgpack.encode(frame)
    values = {name: np.array(column, "<f8").tobytes() for name, column in frame.values.items()}
    packed_frame = _PackedFrame(frame.boot, frame.seq, frame.time, {**values}, frame.quality, frame.historical)
    return msgspec.msgpack.encode(packed_frame)


def identify(payload: bytes) -> tuple[str, int] | None:
    """Boot and sequence number of a frame that may be wrong in everything else, or None."""
    for read in (_json_identity.decode, _msgpack_identity.decode):
        try:
            identity = _guard(read, payload)
        except Rejected:
            continue
        return identity.boot, identity.seq
    return None


def only_columns(payload: bytes, keep: tuple[str, ...]) -> bytes:
    """The frame as JSON with only the columns in `keep`: what is put aside when the rest was taken."""
    frame = _parse(payload)
    times = len(frame.time)
    values = {
        name: _nullable(np.frombuffer(column, "<f8")) if isinstance(column, bytes) else column
        for name, column in frame.values.items()
        if name in keep
    }
    quality = {name: column for name, column in (frame.quality or {}).items() if name in keep and len(column) == times}
    return encode_json(Frame(frame.boot, frame.seq, frame.time, values, quality or None, frame.historical))


def encode_committed(committed: Committed) -> bytes:
    """The downlink message."""
    return msgspec.json.encode(committed)


def decode_committed(payload: bytes) -> Committed:
    """Read a downlink message. Raises Rejected."""
    return _guard(_committed.decode, payload)


def encode_status(online: bool) -> bytes:  # noqa: FBT001  the message has this one field
    """A gateway's status message."""
    return msgspec.json.encode(Status(online))


def decode_status(payload: bytes) -> Status:
    """Read a gateway's status. Raises Rejected."""
    return _guard(_status.decode, payload)


def _parse(payload: bytes) -> Frame | _PackedFrame:
    if len(payload) > MAX_BYTES:
        raise Rejected(Reason.TOO_LARGE, f"{len(payload)} bytes; expected at most {MAX_BYTES}")
    head = payload[:1]
    if head == b"{":
        frame = _guard(_json.decode, payload)
        # JSON parsers keep the last of two equal keys and say nothing; the number of columns gives it away, since in a
        # frame that fits the schema every "[" opens a column (one in a name makes a point nobody has enrolled anyway).
        if payload.count(b"[") != 1 + len(frame.values) + len(frame.quality or ()):
            raise Rejected(Reason.DUPLICATE_KEY, "a key stands twice, or a name holds '['; expected each key once")
        return frame
    if head and (0x80 <= head[0] <= 0x8F or head[0] in {0xDE, 0xDF}):
        return _guard(_msgpack.decode, payload)
    raise Rejected(Reason.NOT_READABLE, f"starts with {payload[:8]!r}; expected a JSON object or a MessagePack map")


def _guard(decode: Callable[[bytes], T], payload: bytes) -> T:
    """Decode, turning whatever msgspec raises into Rejected (it lets UnicodeDecodeError through)."""
    try:
        return decode(payload)
    except msgspec.ValidationError as error:
        raise Rejected(Reason.SCHEMA, str(error)) from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Rejected(Reason.NOT_READABLE, str(error)) from None


def _flat(frame: Frame | _PackedFrame, known: list[Any], readings: int) -> bytes | list[float | None]:
    """The columns one after another. JSON cannot hold what is not finite; MessagePack can."""
    if type(frame) is Frame:
        return list(chain.from_iterable(known))
    kinds = set(map(type, known))
    if kinds == {bytes}:
        packed = b"".join(known)
        if np.isinf(np.frombuffer(packed, "<f8")).any():
            raise _not_finite(frame, readings)
        return packed
    if kinds <= {list}:
        flat: list[float | None] = list(chain.from_iterable(known))
        if not all(value is None or isfinite(value) for value in flat):
            raise _not_finite(frame, readings)
        return flat
    return _flat(frame, [_nullable(np.frombuffer(c, "<f8")) if type(c) is bytes else c for c in known], readings)


def _not_finite(frame: Frame | _PackedFrame, readings: int) -> Rejected:
    for name, column in frame.values.items():
        if isinstance(column, bytes):
            wrong = "Infinity; expected a number" if np.isinf(np.frombuffer(column, "<f8")).any() else None
        elif any(value is not None and value != value for value in column):  # noqa: PLR0124  NaN is unequal to itself
            wrong = "NaN; expected null for no value"
        else:
            wrong = "Infinity; expected a number" if any(v is not None and not isfinite(v) for v in column) else None
        if wrong:
            return Rejected(Reason.NOT_FINITE, f"values.{name} holds {wrong}", readings=readings)
    return Rejected(Reason.NOT_FINITE, "a value is not finite; expected a number", readings=readings)


def _quality(
    frame: Frame | _PackedFrame, columns: Mapping[str, int], points: list[int], readings: int
) -> dict[int, list[int]]:
    """By place in `points`, the marks of the columns that are known."""
    marks = {}
    for name, column in (frame.quality or {}).items():
        if name not in frame.values:
            raise Rejected(Reason.SCHEMA, f"quality.{name} has no column in values", readings=readings)
        if len(column) != len(frame.time):
            raise _uneven("quality", name, column, len(frame.time), readings)
        if name in columns:
            marks[points.index(columns[name])] = column
    return marks


def _uneven(what: str, name: str, column: bytes | list[Any], times: int, readings: int) -> Rejected:
    length = len(column) / 8 if isinstance(column, bytes) else len(column)
    return Rejected(Reason.COLUMN_LENGTH, f"{what}.{name} has {length:g} entries; expected {times}", readings=readings)


def _nullable(column: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in column]
