"""The table of registered bypasses of interlocks. Times are ns since the epoch, UTC."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.storage.state.tables import METADATA

bypass = sa.Table(
    "bypass",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("point", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("measure", sa.Text, nullable=False),
    sa.Column("hours", sa.Integer, nullable=False),
    sa.Column("requested", sa.BigInteger, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("begins", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger),
    sa.Column("decided", sa.BigInteger),
    sa.Column("decided_by", sa.Text),
    sa.Column("extension_hours", sa.Integer),
    sa.Column("extension_reason", sa.Text),
    sa.Column("extended", sa.BigInteger),
    sa.Column("extended_by", sa.Text),
    sa.Column("restored", sa.BigInteger),
    sa.Column("restored_by", sa.Text),
    sa.Column("remark", sa.Text),
    sa.Index("bypass_by_plant", "plant", "requested"),
    sa.Index("bypass_by_requested", "requested"),
    sa.Index("bypass_by_state", "state"),
)
