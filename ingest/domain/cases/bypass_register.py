"""Holds the registrations that are not closed, and lets them begin and expire (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final
from uuid import UUID

from ingest.domain.cases.bypass import Bypass, BypassState

NEVER: Final = 2**63 - 1
"""The due time if nothing is due."""

_NEXT: Final = {BypassState.APPROVED: BypassState.IN_FORCE, BypassState.IN_FORCE: BypassState.EXPIRED}


class BypassRegister:
    """The registrations that are not closed, at most one of an interlock; the others are only in the state database."""

    def __init__(self, records: Iterable[Bypass] = ()) -> None:
        self._of_point: dict[tuple[str, str], Bypass] = {}
        self.due = NEVER
        """When the next one begins or expires, ns."""
        for record in records:
            self.keep(record)

    def records(self) -> list[Bypass]:
        """Return all of them."""
        return list(self._of_point.values())

    def find(self, bypass: UUID) -> Bypass | None:
        """Return the one with that id if it is not closed, else None."""
        return next((record for record in self._of_point.values() if record.id == bypass), None)

    def of_point(self, plant: str, point: str) -> Bypass | None:
        """Return the one of an interlock, or None."""
        return self._of_point.get((plant, point))

    def keep(self, record: Bypass) -> None:
        """Store the present state of one; one that is closed is dropped."""
        place = (record.plant, record.point)
        if record.is_open:
            self._of_point[place] = record
        else:
            self._of_point.pop(place, None)
        self.due = min((due for known in self._of_point.values() if (due := known.due) is not None), default=NEVER)

    def pass_time(self, now: int) -> Iterator[tuple[int, Bypass]]:
        """Yield what began or expired up to `now`, each with its moment (ns), in the order of these moments."""
        while self.due <= now:
            due = self.due
            record = min(
                (bypass for bypass in self._of_point.values() if bypass.due == due), key=lambda bypass: bypass.id
            )
            after = replace(record, state=_NEXT[record.state], version=record.version + 1)
            self.keep(after)
            yield due, after
