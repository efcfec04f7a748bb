"""The frame format JSON: readable by people, writable in any language."""

from __future__ import annotations

import codecs

from ingest.intake.wire.frame import Frame, encode_json
from ingest.intake.wire.parse import Parsed, json_identity, parse_json
from ingest.intake.wire.salvage import salvage_json


class JsonFormat:
    """See `FrameFormat`."""

    begins: tuple[bytes, ...] = (
        b"{",
        codecs.BOM_UTF8,
    )  # the mark some editors and libraries write first is left out by `salvage`
    described = "a JSON object"

    def parse(self, payload: bytes) -> Parsed:
        """Parse in C if faultless, else column by column."""
        return parse_json(payload) or salvage_json(payload)

    def identify_large(self, payload: bytes) -> tuple[str, int] | None:
        """Read the identity and skip all else."""
        return json_identity(payload)

    def encode(self, frame: Frame) -> bytes:
        """Encode a frame as JSON."""
        return encode_json(frame)
