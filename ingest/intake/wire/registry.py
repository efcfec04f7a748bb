"""Every frame format by its name. Add one here; `docs/extending.md` says how.

Frames bear no name of their format: the first byte tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.format import FrameFormat
from ingest.intake.wire.frame import MAX_BYTES
from ingest.intake.wire.json_format import JsonFormat
from ingest.intake.wire.msgpack_format import MessagePackFormat
from ingest.intake.wire.parse import too_many_bytes

FORMATS: Final[Mapping[str, FrameFormat]] = {
    "json": JsonFormat(),
    "msgpack": MessagePackFormat(),
}

_LOOKED_INTO: Final = 4 * MAX_BYTES
"""A frame that is too large is looked into up to here, so that its gateway can be told to keep it no longer."""


def by_first_byte(formats: Iterable[FrameFormat]) -> dict[bytes, FrameFormat]:
    """The format of each first byte.

    Raises:
        ValueError: two formats begin with the same.
    """
    found: dict[bytes, FrameFormat] = {}
    for one in formats:
        for first in {begin[:1] for begin in one.begins}:
            if found.setdefault(first, one) is not one:
                raise ValueError(f"{one.described} and {found[first].described} both begin with {first!r}")
    return found


BY_FIRST_BYTE: Final = by_first_byte(FORMATS.values())


def format_of(payload: bytes) -> FrameFormat:
    """The format a payload is written in. Raises Rejected if it is in none, or too large."""
    found = BY_FIRST_BYTE.get(payload[:1])
    if found is not None and not payload.startswith(found.begins):
        found = None
    if len(payload) > MAX_BYTES:
        looked_into = found if len(payload) <= _LOOKED_INTO else None
        identity = looked_into.identify_large(payload) if looked_into is not None else None
        raise Rejected(Reason.TOO_LARGE, too_many_bytes(len(payload)), identity=identity)
    if found is None:
        expected = " or ".join(dict.fromkeys(one.described for one in BY_FIRST_BYTE.values()))
        raise Rejected(Reason.NOT_READABLE, f"starts with {payload[:8]!r}; expected {expected}")
    return found
