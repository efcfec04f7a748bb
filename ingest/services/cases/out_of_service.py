"""Which points are out of service (停用), by the suppressions in force."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingest.domain.cases.ledger_due import Stopped
from ingest.domain.model.suppression import SuppressionKind, SuppressionState
from ingest.services.all_pages import read_all
from ingest.services.ports import SuppressionBook

_IN_FORCE: Final = frozenset({SuppressionState.IN_FORCE})


def stopped_points(book: SuppressionBook, plants: frozenset[str] | None, now: int) -> Stopped:
    """Return the points of these plants (None: all) that are out of service at `now`, ns."""
    stopped: dict[str, set[str]] = {}
    pages = partial(book.suppressions, plants=plants, states=_IN_FORCE)
    for suppression in read_all(pages, lambda suppression: (suppression.applied, suppression.id)):
        if suppression.kind is SuppressionKind.OUT_OF_SERVICE and suppression.holds(now):
            stopped.setdefault(suppression.plant, set()).add(suppression.point)
    return stopped
