"""Pages of the list of instruments, for API and console: ordered by deadline, filtered by state."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from ingest.domain.cases.ledger_due import DueState, Standing
from ingest.web.paging import cut, read_token


def page_of(
    found: Sequence[Standing], states: AbstractSet[DueState], limit: int, cursor: str | None
) -> tuple[Sequence[Standing], str | None]:
    """Return a page of instruments in their order, and the token of the next; `states`: of any check, empty: any.

    Raises BadParameter for a token that is none.
    """
    after = read_token(cursor)
    kept = [
        one
        for one in found
        if (not states or any(due.state in states for due in one.dues)) and (after is None or _place(one) > after)
    ]
    return cut(kept[: limit + 1], limit, _place)


def _place(one: Standing) -> tuple[int, UUID]:
    return one.deadline.toordinal(), one.ledger.id
