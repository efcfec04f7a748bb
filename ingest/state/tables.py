"""Tables of the state database (SQLAlchemy Core). Times are ns since the epoch, UTC."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()

alarm = sa.Table(
    "alarm",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("point", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("level", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("title_zh", sa.Text, nullable=False),
    sa.Column("title_en", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("limit", sa.Double, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("onset", sa.BigInteger, nullable=False),
    sa.Column("raised", sa.BigInteger, nullable=False),
    sa.Column("returned", sa.BigInteger),
    sa.Column("acked", sa.BigInteger),
    sa.Column("acked_by", sa.Text),
    sa.Column("comment", sa.Text),
    sa.Column("historical", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("alarm_by_plant", "plant", "raised"),
    sa.Index("alarm_by_raised", "raised"),
    sa.Index("alarm_by_state", "state"),
)

alarm_event = sa.Table(
    "alarm_event",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("alarm", sa.Uuid, sa.ForeignKey("alarm.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("snapshot", sa.JSON, nullable=False),  # the alarm right after the event
    sqlite_autoincrement=True,  # a sequence number is never given twice, even after deletes
)

outbox = sa.Table(
    "outbox",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("connector", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),  # the same over every retry
    sa.Column("kind", sa.Text, nullable=False),  # "alarm" | "readings"
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("first_attempt", sa.BigInteger),
    sa.Column("next_attempt", sa.BigInteger, nullable=False),
    sa.Column("delivered", sa.BigInteger),
    sa.Column("last_error", sa.Text),
    sa.UniqueConstraint("connector", "id"),
    sa.Index("outbox_due", "connector", "delivered", "next_attempt"),
    sqlite_autoincrement=True,
)

engine_state = sa.Table(
    "engine_state",
    METADATA,
    sa.Column("one", sa.Integer, primary_key=True),  # always 1: there is one engine
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("snapshot_cursor", sa.BigInteger, nullable=False),
    sa.Column("snapshot", sa.LargeBinary),
)

reader_cursor = sa.Table(
    "reader_cursor",
    METADATA,
    sa.Column("reader", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)
