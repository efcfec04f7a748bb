"""The interface of a frame format: bytes to the fields of a frame and back; pure."""

from __future__ import annotations

from typing import Protocol

from ingest.intake.wire.frame import Frame
from ingest.intake.wire.parse import Parsed


class FrameFormat(Protocol):
    """A frame format; `ingest.intake.wire.registry` lists all, and finds that of a payload by its first byte.

    Attributes:
        begins: how a payload of this format can begin; no other format may share a first byte.
        described: the format in words, for the error that refuses another one.
    """

    begins: tuple[bytes, ...]
    described: str

    def parse(self, payload: bytes) -> Parsed:
        """Parse a payload that begins so and is not too large; `decode` checks its columns.

        `ingest.intake.wire.salvage.parsed_of` makes the result from plain values and names every fault.

        Raises:
            Rejected: nothing of it can be taken; with the frame's identity if known.
        """

    def identify_large(self, payload: bytes) -> tuple[str, int] | None:
        """Boot and sequence number of a frame that is too large to be read, or None."""

    def encode(self, frame: Frame) -> bytes:
        """Encode a frame so that `parse` returns the same; for gateways and tests."""
