"""Tables of calls and of the roster. Times are ns since the epoch, UTC."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from ingest.storage.state.tables import METADATA

OPEN: Final[dict[str, Any]] = {f"{system}_where": sa.text("open") for system in ("sqlite", "postgresql")}
"""The condition of an index over open calls only, which are few."""

call = sa.Table(
    "call",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),  # `ingest.domain.model.call.Cause`
    sa.Column("subject", sa.Text, nullable=False),  # of the warning or alarm
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("began", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),  # an answer or an arrival is awaited
    sa.Column("record", sa.JSON, nullable=False),  # all of it
    sa.Index("call_by_plant", "plant", "began"),
    sa.Index("call_by_change", "plant", "changed"),
    sa.Index("call_by_began", "began"),
    sa.Index("call_open", "began", **OPEN),
)

call_event = sa.Table(
    "call_event",
    METADATA,
    sa.Column("call", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("person", sa.Text),
    sa.Column("detail", sa.JSON, nullable=False),
)

call_attempt = sa.Table(
    "call_attempt",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),  # of the message, which receipts name
    sa.Column("call", sa.Uuid, nullable=False),
)

duty_presence = sa.Table(
    "duty_presence",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("ended", sa.BigInteger),
    sa.Column("handed_to", sa.Text),
    sa.Index("duty_presence_by_until", "until"),
)

duty_swap = sa.Table(
    "duty_swap",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("begin", sa.BigInteger, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("substitute", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Index("duty_swap_by_begin", "begin"),
)
