"""What a page shows: its sections, and the forms it offers."""

from __future__ import annotations

import re

from ingest.domain.model.alarm import Alarm, AlarmState
from tests.ingest.web.stand_in import StandIn


def section(page: str, title: str) -> str:
    """One section of the list, from its heading to the next."""
    return next(part for part in re.split(r"<h[12]>", page)[1:] if part.startswith(title))


def offered(page: str) -> set[str]:
    """The forms on a page, by the last part of their address; forms of the frame apart."""
    found = re.findall(r'<form[^>]* method="post" action="([^"]+)"', page)
    return {action.rpartition("/")[2] for action in found} - {"language", "signout"}


def alarm_at(hall: StandIn, point: str) -> Alarm:
    return next(a for a in hall.book.values() if a.point == point and a.state is not AlarmState.NORMAL)
