"""The seam every frame format fills: bytes to the fields of a frame and back; pure."""

from __future__ import annotations

from typing import Protocol

from ingest.intake.wire.frame import Frame
from ingest.intake.wire.parse import Parsed


class FrameFormat(Protocol):
    """One way to write a frame; `ingest.intake.wire.registry` lists all, and finds a payload's by its first byte.

    Attributes:
        begins: what a payload of this format can begin with; no other format may share a first byte.
        described: what it is, for the sentence that refuses something else.
    """

    begins: tuple[bytes, ...]
    described: str

    def parse(self, payload: bytes) -> Parsed:
        """The fields of a frame that begins so and is not too large; its columns are looked at by `decode`.

        `ingest.intake.wire.salvage.parsed_of` makes one of plain values and names every fault.

        Raises:
            Rejected: nothing of it can be taken; with the frame's identity as far as that can be told.
        """

    def identify_large(self, payload: bytes) -> tuple[str, int] | None:
        """Boot and sequence number of a frame that is too large to be read, or None."""

    def encode(self, frame: Frame) -> bytes:
        """The frame, so that `parse` reads the same; for gateways and tests."""
