"""What the service gives a source when it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.base.pace import Pace
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.handover import Handover


@dataclass(frozen=True, slots=True)
class Feed:
    """What the service lends the source.

    Attributes:
        handover: where messages go.
        clock: gives their time of arrival.
        known: whether a gateway was heard before, so that the other side should know us.
        admit: whether a message on that topic, of so many bytes, is to be read.
        failed: takes the error that ended the source's thread.
        pace: pace of its reads.
    """

    handover: Handover
    clock: Clock
    known: bool
    admit: Callable[[str, int], bool]
    failed: Callable[[BaseException], None]
    pace: Pace
