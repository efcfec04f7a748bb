"""The frame format MessagePack: a third of the bytes, with columns as raw numbers."""

from __future__ import annotations

from ingest.intake.wire.frame import Frame, encode_msgpack
from ingest.intake.wire.parse import Parsed, packed_identity, parse_packed
from ingest.intake.wire.salvage import salvage_packed


class MessagePackFormat:
    """See `FrameFormat`."""

    begins: tuple[bytes, ...] = tuple(bytes([head]) for head in (*range(0x80, 0x90), 0xDE, 0xDF))  # the heads of a map
    described = "a MessagePack map"

    def parse(self, payload: bytes) -> Parsed:
        """Parse in C if faultless, else column by column."""
        return parse_packed(payload) or salvage_packed(payload)

    def identify_large(self, payload: bytes) -> tuple[str, int] | None:
        """Read the identity and skip all else."""
        return packed_identity(payload)

    def encode(self, frame: Frame) -> bytes:
        """Encode a frame with its columns as raw little-endian float64."""
        return encode_msgpack(frame)
