"""All frame formats by name. Add one here; `docs/extending.md` explains how.

Frames do not name their format: the first byte distinguishes them.
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

_EXAMINED: Final = 4 * MAX_BYTES
"""A frame that is too large is searched for its identity up to this size, so that its gateway can drop it."""


def by_first_byte(formats: Iterable[FrameFormat]) -> dict[bytes, FrameFormat]:
    """Index the formats by first byte.

    Raises:
        ValueError: two formats begin with the same.
    """
    found: dict[bytes, FrameFormat] = {}
    for format_ in formats:
        for first in {begin[:1] for begin in format_.begins}:
            if found.setdefault(first, format_) is not format_:
                raise ValueError(f"{format_.described} and {found[first].described} both begin with {first!r}")
    return found


BY_FIRST_BYTE: Final = by_first_byte(FORMATS.values())


def format_of(payload: bytes) -> FrameFormat:
    """The format of a payload. Raises Rejected if it has none, or is too large."""
    found = BY_FIRST_BYTE.get(payload[:1])
    if found is not None and not payload.startswith(found.begins):
        found = None
    if len(payload) > MAX_BYTES:
        examined = found if len(payload) <= _EXAMINED else None
        identity = examined.identify_large(payload) if examined is not None else None
        raise Rejected(Reason.TOO_LARGE, too_many_bytes(len(payload)), identity=identity)
    if found is None:
        expected = " or ".join(dict.fromkeys(known.described for known in BY_FIRST_BYTE.values()))
        raise Rejected(Reason.NOT_READABLE, f"starts with {payload[:8]!r}; expected {expected}")
    return found
