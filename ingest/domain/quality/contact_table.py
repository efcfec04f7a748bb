"""Status contacts of all instruments as arrays: which point is a contact, and of which points it speaks (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.device_status import STATUS_FLAGS
from ingest.domain.model.instrument import Instrument
from ingest.domain.model.plant import Point

NONE: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class ContactTable:
    """The status contacts; they and their instruments are numbered from 0.

    Attributes:
        point: int32[c], the point of each contact, by configuration index.
        active: int8[c], its value while its status holds: 0 or 1.
        silence: int64[c], for how long one of its readings counts, ns.
        contact: int32[p + 1], the contact that a point is, or `NONE`; the last entry stands for points numbered later.
        instrument: int32[p + 1], the instrument with contacts that measures a point, or `NONE`; as above.
        of: int32[s, i], the contact of each instrument by which it says a status, or `NONE`; a row for each of
            `STATUS_FLAGS`, the gravest first.
    """

    point: NDArray[np.int32]
    active: NDArray[np.int8]
    silence: NDArray[np.int64]
    contact: NDArray[np.int32]
    instrument: NDArray[np.int32]
    of: NDArray[np.int32]


def contact_table(points: Iterable[Point], instruments: Iterable[Instrument], size: int) -> ContactTable | None:
    """Compile the contacts of these instruments; None: they have none.

    Args:
        points: among them all that the instruments name.
        instruments: of any plants.
        size: the number of points there are by configuration index.
    """
    speaking = [instrument for instrument in instruments if instrument.contacts]
    if not speaking:
        return None
    known = {(point.plant, point.id): point for point in points}
    contact, owner = np.full(size + 1, NONE, np.int32), np.full(size + 1, NONE, np.int32)
    of = np.full((len(STATUS_FLAGS), len(speaking)), NONE, np.int32)
    wired: list[tuple[Point, int]] = []
    for number, instrument in enumerate(speaking):
        owner[[known[instrument.plant, point].index for point in instrument.points]] = number
        for row, status in enumerate(STATUS_FLAGS):
            found = instrument.contacts.get(status)
            if found is not None:
                point = known[instrument.plant, found.point]
                of[row, number] = contact[point.index] = len(wired)
                wired.append((point, found.active))
    return ContactTable(
        point=np.array([point.index for point, _ in wired], np.int32),
        active=np.array([active for _, active in wired], np.int8),
        silence=np.array([round(point.silence_s * 1e9) for point, _ in wired], np.int64),
        contact=contact,
        instrument=owner,
        of=of,
    )
