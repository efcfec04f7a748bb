"""A cycle of the engine from its beginning to its commit, which may be in different threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from ingest.engine.cycle import Cycle


class Evaluation(msgspec.Struct, frozen=True, eq=False):
    """A cycle that is not committed yet.

    Attributes:
        cycle: which remembers how many stages it has passed.
        cursor: the journal entry it ends at.
        began: when it began, s, by `time.monotonic`.
        readings: in its entries.
        answers: to commands, to be given once it is committed.
    """

    cycle: Cycle
    cursor: int
    began: float
    readings: int
    answers: Sequence[tuple[Future[Any], Any]] = ()
