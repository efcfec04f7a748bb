"""When the roll of a plant is called at night, without anybody asking for it (pure)."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256

from ingest.domain.calls.config import RollCallConfig
from ingest.domain.calls.roster import Shift
from ingest.domain.model.payload import PLANT_TIME


def roll_call_due(config: RollCallConfig, secret: str, plant: str, now: int) -> str | None:
    """Return the name of the night whose roll call is due; None: none is, now.

    The night and its moment follow from the secret, so that a restart draws nothing anew and nobody at a plant can
    reckon them. A moment at which the service was down is made up for while the night lasts.

    Args:
        config: how often, and between which times of day.
        secret: known to nobody at a plant.
        plant: its id.
        now: ns since the epoch.
    """
    night = Shift("", config.start, config.end, ())
    today = dt.datetime.fromtimestamp(now // 10**9, PLANT_TIME).date()
    for day in (today - dt.timedelta(days=1), today):
        begin, end = night.span(day)
        if begin <= now < end:
            digest = sha256(f"{secret}/{plant}/{day}".encode()).digest()
            chosen, moment = (int.from_bytes(digest[at : at + 8]) / 2**64 for at in (0, 8))
            if chosen * 7 < config.nights_a_week and now >= begin + int(moment * (end - begin)):
                return f"{plant}/{day}"
    return None
