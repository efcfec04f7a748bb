"""The native frame v1 and the other messages of the protocol, with their encoders and decoders.

JSON or MessagePack in one schema, distinguished by the first byte; `ingest.intake.wire.decode` reads frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

import msgspec
import numpy as np

from ingest.domain.model.device_status import STATUS_FLAGS, DeviceStatus
from ingest.domain.model.flags import Flag
from ingest.intake.wire.errors import Reason, Rejected

T = TypeVar("T")

MAX_BYTES: Final = 1 << 20
MAX_TIMES: Final = 10_000
MAX_COLUMNS: Final = 10_000
MAX_READINGS: Final = 100_000
DETAIL: Final = 400
"""Characters of a refusal's detail that are sent; the quarantine keeps all of it."""

NAME = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
SEQ = Annotated[int, msgspec.Meta(ge=1, lt=1 << 62)]
TIME = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
TIMES = Annotated[list[TIME], msgspec.Meta(min_length=1, max_length=MAX_TIMES)]
QUALITIES: Final = {
    0: Flag(0),
    1: Flag.UNCERTAIN,
    2: Flag.BAD,
    3: STATUS_FLAGS[DeviceStatus.FAILURE],
    4: STATUS_FLAGS[DeviceStatus.FUNCTION_CHECK],
    5: STATUS_FLAGS[DeviceStatus.OUT_OF_SPECIFICATION],
    6: STATUS_FLAGS[DeviceStatus.MAINTENANCE_REQUIRED],
    7: Flag.BAD | Flag.NOT_CONNECTED,
}
"""What a gateway says of a reading, and the flags it gets: good, uncertain, bad; the status of its instrument by NAMUR
NE 107: failure, function check, out of specification, maintenance required; and that no instrument is connected."""

QUALITY = Annotated[int, msgspec.Meta(ge=0, le=7)]


class Frame(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A gateway's message: readings over some time, one column a point. `seq` starts at 1 in every boot."""

    boot: NAME
    seq: SEQ
    time: TIMES  # ms since the epoch, UTC, strictly increasing; wrong clocks are `ingest.domain.quality.timeline`'s
    values: dict[NAME, list[float | None]]
    quality: dict[NAME, list[QUALITY]] | None = None  # of `QUALITIES`
    historical: bool = False  # recorded earlier and read out now: times may lie before those of earlier frames


class Committed(msgspec.Struct, forbid_unknown_fields=True):
    """The acknowledgement: every frame of `boot` up to `seq` is on disk but the ranges in `missing` (inclusive)."""

    boot: str
    seq: int
    missing: list[tuple[int, int]] = []


class Refusal(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The refusal to a gateway: frames of a boot that went into quarantine for one reason since the last such message.

    Attributes:
        boot: empty if not known.
        seq: of the first of these frames; 0 if not known.
        detail: of the first; at most `DETAIL` characters.
        frames: frames refused whole or in part.
        readings: in them, as far as they could be counted.
    """

    boot: str
    seq: int
    reason: str
    detail: str
    frames: int
    readings: int


class Status(msgspec.Struct, forbid_unknown_fields=True):
    """A gateway's retained status; `online: false` is also its last will."""

    online: bool


_committed = msgspec.json.Decoder(Committed)
_refusal = msgspec.json.Decoder(Refusal)
_status = msgspec.json.Decoder(Status)


def encode_json(frame: Frame) -> bytes:
    """Encode a frame as JSON."""
    return msgspec.json.encode(frame)


def encode_msgpack(frame: Frame, *, packed: bool = True) -> bytes:
    """Encode a frame as MessagePack; `packed` sends columns as raw little-endian float64."""
    if not packed:
        return msgspec.msgpack.encode(frame)
    values = {name: np.array(column, "<f8").tobytes() for name, column in frame.values.items()}
    fields = {name: value for name, value in msgspec.structs.asdict(frame).items() if value}
    return msgspec.msgpack.encode(fields | {"values": values})


def encode_committed(committed: Committed) -> bytes:
    """Encode an acknowledgement."""
    return msgspec.json.encode(committed)


def decode_committed(payload: bytes) -> Committed:
    """Decode an acknowledgement. Raises Rejected."""
    return guard(_committed.decode, payload)


def encode_refusal(refusal: Refusal) -> bytes:
    """Encode a refusal."""
    return msgspec.json.encode(refusal)


def decode_refusal(payload: bytes) -> Refusal:
    """Decode a refusal. Raises Rejected."""
    return guard(_refusal.decode, payload)


def encode_status(online: bool) -> bytes:  # noqa: FBT001  the message has this one field
    """Encode a gateway's status message."""
    return msgspec.json.encode(Status(online))


def decode_status(payload: bytes) -> Status:
    """Decode a gateway's status. Raises Rejected."""
    status = guard(_status.decode, payload)
    if payload.count(b":") != 1:
        raise Rejected(Reason.DUPLICATE_KEY, "online stands twice; expected it once")
    return status


def guard(decode: Callable[[bytes], T], payload: bytes) -> T:
    """Decode, turning any error of msgspec into Rejected (it lets UnicodeDecodeError through)."""
    try:
        return decode(payload)
    except msgspec.ValidationError as error:
        raise Rejected(Reason.SCHEMA, str(error)) from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Rejected(Reason.NOT_READABLE, str(error)) from None
