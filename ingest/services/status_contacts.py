"""What the status contacts (状态触点) of an instrument say now, for the page of a point and the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.plant import Point
from ingest.services.ports import Ports


@dataclass(frozen=True, slots=True)
class ContactState:
    """A contact of an instrument, and whether its status holds; None: the contact is silent, bad or was never heard."""

    instrument: str
    status: DeviceStatus
    point: str
    active: bool | None


def contact_states(ports: Ports, point: Point) -> Iterator[ContactState]:
    """Yield the contacts of the instrument that measures a point, the gravest first; of a contact, itself."""
    configuration = ports.live.configuration()
    for instrument in configuration.instruments.get(point.plant, ()):
        for status, contact in instrument.contacts.items():
            wired = configuration.find(point.plant, contact.point)
            if wired is not None and (point.id in instrument.points or point.id == contact.point):
                shown = ports.live.latest(wired.index).trusted
                active = shown == contact.active if shown in {0, 1} else None
                yield ContactState(instrument.id, status, contact.point, active)
