"""Native frame v1: bytes to columns and back. JSON or MessagePack, one schema, told apart by the first byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.model.batch import Batch
from ingest.model.flags import Flag
from ingest.wire.errors import Reason, Rejected

T = TypeVar("T")

MAX_BYTES: Final = 1 << 20
MAX_TIMES: Final = 10_000
MAX_READINGS: Final = 100_000
_NAME = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_TIME = Annotated[int, msgspec.Meta(ge=946_684_800_000, lt=4_102_444_800_000)]  # ms, years 2000 to 2099
_SEQ = Annotated[int, msgspec.Meta(ge=1, lt=1 << 62)]
_TIMES = Annotated[list[_TIME], msgspec.Meta(min_length=1, max_length=MAX_TIMES)]
_QUALITY = Annotated[int, msgspec.Meta(ge=0, le=2)]
_QUALITY_FLAGS: Final = np.array([0, Flag.UNCERTAIN, Flag.BAD], np.uint16)


class Frame(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a gateway publishes: a stretch of time, one column a point. `seq` starts at 1 in every boot."""

    boot: _NAME
    seq: _SEQ
    time: _TIMES  # ms since the epoch, UTC, strictly increasing
    values: dict[_NAME, list[float | None]]
    quality: dict[_NAME, list[_QUALITY]] | None = None  # 0 good, 1 uncertain, 2 bad


class _PackedFrame(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The same in MessagePack, where a column may be raw little-endian float64 bytes (NaN = no value)."""

    boot: _NAME
    seq: _SEQ
    time: _TIMES
    values: dict[_NAME, list[float | None] | bytes]
    quality: dict[_NAME, list[_QUALITY]] | None = None


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
    """A frame taken apart against the roster.

    Attributes:
        boot, seq: the frame's identity within its gateway.
        times: how many instants it covers.
        batch: readings of known points, in order of time, then of column.
        unknown: names of columns the roster does not know.
    """

    boot: str
    seq: int
    times: int
    batch: Batch
    unknown: tuple[str, ...]


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


def decode(payload: bytes, columns: Mapping[str, int], received: int) -> Decoded:
    """Read one frame.

    Args:
        payload: JSON or MessagePack.
        columns: point id -> roster index, for the points this gateway may send.
        received: server receive time, ns since the epoch.

    Raises:
        Rejected: nothing of the frame can be taken.
    """
    frame = _parse(payload)
    readings = len(frame.time) * len(frame.values)
    if readings > MAX_READINGS:
        raise Rejected(Reason.TOO_LARGE, f"{readings} readings; expected at most {MAX_READINGS}", readings=readings)
    time = np.array(frame.time, np.int64)
    steps = np.diff(time)
    if len(steps) and steps.min() <= 0:
        at = int(np.argmax(steps <= 0)) + 1
        raise Rejected(
            Reason.TIME_NOT_INCREASING,
            f"time[{at}] = {frame.time[at]} after {frame.time[at - 1]}; expected strictly increasing",
            readings=readings,
        )
    names = [name for name in frame.values if name in columns]
    value = _values(frame, names, readings)
    flags = np.where(np.isnan(value), np.uint16(Flag.NO_VALUE), np.uint16(0))
    _add_quality(frame, names, flags, readings)
    index = np.array([columns[name] for name in names], np.int32)
    batch = Batch(
        point=np.tile(index, len(time)),
        time=np.repeat(time * 1_000_000, len(names)),
        value=value.T.ravel(),
        flags=flags.T.ravel(),
        received=np.full(value.size, received, np.int64),
    )
    unknown = tuple(name for name in frame.values if name not in columns)
    return Decoded(frame.boot, frame.seq, len(time), batch, unknown)


def encode_json(frame: Frame) -> bytes:
    """The frame as JSON."""
    return msgspec.json.encode(frame)


def encode_msgpack(frame: Frame, *, packed: bool = True) -> bytes:
    """The frame as MessagePack; `packed` sends columns as raw little-endian float64."""
    if not packed:
        return msgspec.msgpack.encode(frame)
    values = {name: np.array(column, "<f8").tobytes() for name, column in frame.values.items()}
    return msgspec.msgpack.encode(_PackedFrame(frame.boot, frame.seq, frame.time, values, frame.quality))  # type: ignore[arg-type]


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
    return encode_json(Frame(frame.boot, frame.seq, frame.time, values, quality or None))


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


def _values(frame: Frame | _PackedFrame, names: list[str], readings: int) -> NDArray[np.float64]:
    """float64[columns, times]; NaN where there is no value."""
    times = len(frame.time)
    value = np.empty((len(names), times))
    for row, name in enumerate(names):
        column = frame.values[name]
        length = len(column) / 8 if isinstance(column, bytes) else len(column)
        if length != times:
            raise Rejected(
                Reason.COLUMN_LENGTH, f"values.{name} has {length:g} entries; expected {times}", readings=readings
            )
        if isinstance(column, bytes):
            value[row] = np.frombuffer(column, "<f8")
        else:
            value[row] = column  # None becomes NaN
            if np.isnan(value[row]).sum() != column.count(None):
                raise Rejected(
                    Reason.NOT_FINITE, f"values.{name} holds NaN; expected null for no value", readings=readings
                )
    if np.isinf(value).any():
        row = int(np.argmax(np.isinf(value).any(axis=1)))
        raise Rejected(Reason.NOT_FINITE, f"values.{names[row]} holds Infinity; expected a number", readings=readings)
    return value


def _add_quality(frame: Frame | _PackedFrame, names: list[str], flags: NDArray[np.uint16], readings: int) -> None:
    for name, column in (frame.quality or {}).items():
        if name not in frame.values:
            raise Rejected(Reason.SCHEMA, f"quality.{name} has no column in values", readings=readings)
        if len(column) != len(frame.time):
            raise Rejected(
                Reason.COLUMN_LENGTH,
                f"quality.{name} has {len(column)} entries; expected {len(frame.time)}",
                readings=readings,
            )
        if name in names:
            flags[names.index(name)] |= _QUALITY_FLAGS[column]


def _nullable(column: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in column]
