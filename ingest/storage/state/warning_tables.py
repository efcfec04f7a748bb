"""Tables of early warnings. Times are ns since the epoch, UTC."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.storage.state.tables import METADATA

warning = sa.Table(
    "warning",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("colour", sa.Text),
    sa.Column("peak", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("raised", sa.BigInteger, nullable=False),
    sa.Column("ended", sa.BigInteger),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("asking", sa.Text),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger),
    sa.Column("who", sa.JSON, nullable=False),
    sa.Column("reminded", sa.Integer, nullable=False),
    sa.Column("acknowledged", sa.BigInteger),
    sa.Column("acknowledged_by", sa.Text),
    sa.Column("feedback", sa.JSON(none_as_null=True)),
    sa.Column("risk", sa.Double, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("inputs", sa.JSON, nullable=False),  # numbers in `warning_input`
    sa.Column("fading", sa.JSON, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("stepped", sa.BigInteger, nullable=False),
    sa.Column("events", sa.Integer, nullable=False),
    sa.Index("warning_by_plant", "plant", "raised"),
    sa.Index("warning_by_raised", "raised"),
    sa.Index("warning_by_state", "state"),
)

warning_input = sa.Table(  # what warnings are explained by, each once; see `ingest.storage.state.warning_inputs`
    "warning_input",
    METADATA,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("hash", sa.Uuid, nullable=False, unique=True),  # of the content
    sa.Column("content", sa.JSON, nullable=False),
    sqlite_autoincrement=True,
)

warning_event = sa.Table(
    "warning_event",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("warning", sa.Uuid, sa.ForeignKey("warning.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text),
    sa.Column("role", sa.Text),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("snapshot", sa.JSON, nullable=False),  # the warning right after the event
    sqlite_autoincrement=True,
)
