"""Pages of the list of instruments, for API and console: ordered by deadline, filtered by state."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from ingest.domain.cases.ledger_due import DueState, InstrumentStatus
from ingest.web.paging import cut, read_token


def page_of(
    found: Sequence[InstrumentStatus], states: AbstractSet[DueState], limit: int, cursor: str | None
) -> tuple[Sequence[InstrumentStatus], str | None]:
    """Return a page of instruments in their order, and the token of the next; `states`: of any check, empty: any.

    Raises BadParameter for a token that is none.
    """
    after = read_token(cursor)
    kept = [
        status
        for status in found
        if (not states or any(due.state in states for due in status.dues)) and (after is None or _place(status) > after)
    ]
    return cut(kept[: limit + 1], limit, _place)


def _place(status: InstrumentStatus) -> tuple[int, UUID]:
    return status.deadline.toordinal(), status.ledger.id
