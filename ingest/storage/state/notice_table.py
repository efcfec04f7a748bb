"""The table of notices. Times are ns since the epoch, UTC."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.storage.state.tables import METADATA

notice = sa.Table(
    "notice",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("matter", sa.Text, nullable=False),  # `ingest.domain.model.notice.Matter`
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("due", sa.BigInteger),
    sa.Column("zh", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("given", sa.BigInteger, nullable=False),
    sa.Column("receivers", sa.JSON, nullable=False),
    sa.Column("ended", sa.BigInteger),
    sa.Index("notice_by_plant", "plant", "given"),
    sa.Index("notice_by_given", "given"),
    sa.Index("notice_by_ended", "ended"),
)
