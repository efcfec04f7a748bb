"""Reads every record of a paged query, for lists that must not be cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

_PAGE: Final = 1000

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Pages(Protocol[R_co]):
    """Returns the page after the record at `before`."""

    def __call__(self, *, limit: int, before: tuple[int, UUID] | None) -> Sequence[R_co]:
        """Return at most `limit` records; fewer only on the last page."""


def read_all(pages: Pages[R], place: Callable[[R], tuple[int, UUID]]) -> Iterator[R]:
    """Yield every record, in the order of the pages; `place` gives the key after which the next page begins."""
    before = None
    while True:
        found = pages(limit=_PAGE, before=before)
        yield from found
        if len(found) < _PAGE:
            return
        before = place(found[-1])
