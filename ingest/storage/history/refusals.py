"""Writing around what a store refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.storage.history.errors import HistoryRejected


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a store did not keep of what was written.

    Attributes:
        refused: (place, reason) of each item that it refused.
        expired: items older than it keeps.
    """

    refused: list[tuple[int, str]]
    expired: int


def write_around(count: int, write: Callable[[slice], int]) -> Outcome:
    """Write items 0..count-1 in as few parts as the store takes; return those it refuses one by one, and why.

    A refused part is halved until the bad items stand alone, so k bad items cost about 2 k log2(count) writes; one of
    which the store says that it dropped every item need not be. Whatever else `write` raises ends the attempt; the
    whole of it must then be made again. `write` returns how many items of its part were older than the store keeps.
    """
    expired = 0
    refused: list[tuple[int, str]] = []
    parts = [slice(0, count)] if count else []
    while parts:
        part = parts.pop()
        size = part.stop - part.start
        try:
            expired += write(part)
        except HistoryRejected as error:
            if size in {1, error.dropped}:
                refused += [(at, str(error)) for at in range(part.start, part.stop)]
            else:
                middle = (part.start + part.stop) // 2
                parts += [slice(middle, part.stop), slice(part.start, middle)]
    return Outcome(refused, expired)
