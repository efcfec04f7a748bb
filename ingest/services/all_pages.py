"""All of a list that is asked for page by page: for what must not be cut off, however much there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

_PAGE: Final = 1000

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Pages(Protocol[R_co]):
    """Gives the page after the record at `before`."""

    def __call__(self, *, limit: int, before: tuple[int, UUID] | None) -> Sequence[R_co]:
        """At most so many records; fewer only on the last page."""


def whole(pages: Pages[R], place: Callable[[R], tuple[int, UUID]]) -> Iterator[R]:
    """Yield every record, in the order of the pages; `place` tells where the next page goes on."""
    before = None
    while True:
        found = pages(limit=_PAGE, before=before)
        yield from found
        if len(found) < _PAGE:
            return
        before = place(found[-1])
