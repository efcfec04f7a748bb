"""Writes items in parts so that those a store refuses do not block the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.storage.history.errors import HistoryRejected


@dataclass(frozen=True, slots=True)
class Outcome:
    """The items of a write that the store did not keep.

    Attributes:
        refused: (index, reason) of each refused item.
        expired: number of items older than the store keeps.
    """

    refused: list[tuple[int, str]]
    expired: int


def write_around(count: int, write: Callable[[slice], int]) -> Outcome:
    """Write items 0..count-1 in as few parts as the store accepts; returns the refused ones with their reasons.

    A refused part is halved until the bad items are isolated, so k bad items cost about 2 k log2(count) writes; a part
    of which the store says that it dropped every item is not halved. Any other error of `write` ends the attempt, which
    must then be repeated as a whole. `write` returns how many items of its part were older than the store keeps.
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
