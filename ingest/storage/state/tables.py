"""Tables of the state database (SQLAlchemy Core). Times are ns since the epoch, UTC."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

METADATA = sa.MetaData()

WAITING: Final[dict[str, Any]] = {
    f"{system}_where": sa.text("delivered IS NULL AND ended IS NULL") for system in ("sqlite", "postgresql")
}
"""The condition of an index over messages that wait only, which are few."""

ENDED: Final[dict[str, Any]] = {f"{system}_where": sa.text("ended IS NOT NULL") for system in ("sqlite", "postgresql")}
"""The condition of an index over messages that ended without being accepted, which are few."""

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
    sa.Column("annunciated", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("raises", sa.Integer, nullable=False, server_default="1"),
    sa.Column("assigned", sa.Text),
    sa.Column("disposed", sa.BigInteger),
    sa.Column("cleared", sa.BigInteger),
    sa.Column("bypass", sa.JSON(none_as_null=True)),  # the registration of a bypassed interlock
    sa.Column("urgency", sa.BigInteger),  # `ingest.domain.alarms.urgency`; None: not active
    sa.Column("phase", sa.Text),  # None: its equipment has none
    sa.Column("phase_zh", sa.Text),
    sa.Column("phase_en", sa.Text),
    sa.Column("contributions", sa.JSON(none_as_null=True)),  # of points or aspects; None: its rule names none
    # Each ends in the order of the list, so that a page costs the same however far down it is.
    sa.Index("alarm_by_raised", "raised", "id"),
    sa.Index("alarm_by_plant", "plant", "raised", "id"),
    sa.Index("alarm_by_state", "state", "raised", "id"),
    sa.Index("alarm_by_returned", "state", "returned"),
    sa.Index("alarm_by_plant_state", "plant", "state", "raised", "id"),
    sa.Index("alarm_by_point", "point", "raised", "id"),
    sa.Index("alarm_by_assigned", "assigned", "raised", "id"),
    sa.Index(
        "alarm_by_urgency",
        "urgency",
        "id",
        sqlite_where=sa.text("urgency IS NOT NULL"),
        postgresql_where=sa.text("urgency IS NOT NULL"),
    ),
)

alarm_event = sa.Table(
    "alarm_event",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("alarm", sa.Uuid, sa.ForeignKey("alarm.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),  # `ingest.domain.model.alarm.AlarmEventKind`
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("snapshot", sa.JSON, nullable=False),  # the alarm right after the event
    sa.Column("by", sa.Text),  # None: the service itself
    sa.Column("role", sa.Text),
    sa.Column("detail", sa.JSON),
    sa.Index("alarm_event_by_kind", "kind", "received"),
    sqlite_autoincrement=True,  # a sequence number is never given twice, even after deletes
)

annunciation = sa.Table(  # raises that may still change, and newer ones not yet packed
    "annunciation",
    METADATA,
    # The number of the event that raised the alarm.
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("alarm", sa.Uuid, nullable=False),
    sa.Column("raises", sa.Integer, nullable=False),  # which raise of its alarm it is, from 1 on
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("point", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("level", sa.SmallInteger, nullable=False),
    sa.Column("raised", sa.BigInteger, nullable=False),
    sa.Column("called", sa.BigInteger, nullable=False),
    sa.Column("acked", sa.BigInteger),
    sa.Column("returned", sa.BigInteger),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Index("annunciation_by_called", "called"),
    sa.Index("annunciation_by_alarm", "alarm", "raises"),
)

annunciation_rule = sa.Table(  # the rules that packs refer to by number; append-only
    "annunciation_rule",
    METADATA,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("point", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.UniqueConstraint("plant", "point", "rule"),
    sqlite_autoincrement=True,
)

annunciation_pack = sa.Table(  # many raises that cannot change any more; see `ingest.storage.state.annunciation_packs`
    "annunciation_pack",
    METADATA,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("first", sa.BigInteger, nullable=False),  # the earliest and the latest `called` in it
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("columns", sa.LargeBinary, nullable=False),
    sa.Index("annunciation_pack_by_last", "last"),
    sqlite_autoincrement=True,
)

suppression = sa.Table(
    "suppression",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # `ingest.domain.model.suppression.SuppressionKind`
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("point", sa.Text, nullable=False),
    sa.Column("rule", sa.Text),  # None: every rule of the point
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("applicant", sa.Text, nullable=False),
    sa.Column("applied", sa.BigInteger, nullable=False),
    sa.Column("begins", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger),
    sa.Column("approver", sa.Text),
    sa.Column("decided", sa.BigInteger),
    sa.Column("ended", sa.BigInteger),
    sa.Column("ended_by", sa.Text),
    sa.Index("suppression_by_plant", "plant", "applied"),
    sa.Index("suppression_by_state", "state"),
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),  # without gaps
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # `ingest.domain.model.audit.ActKind`
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),  # JSON as it was hashed, to the byte
    sa.Column("hash", sa.Text, nullable=False),  # of this row and the hash before it
    sa.Index("audit_by_subject", "kind", "subject"),
    sa.Index("audit_by_plant", "plant", "seq"),
    sa.Index("audit_by_actor", "actor", "seq"),
    sa.Index("audit_by_time", "time"),
)

outbox = sa.Table(
    "outbox",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("connector", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),  # the same over every retry
    sa.Column("kind", sa.Text, nullable=False),  # `ingest.domain.model.outbox.MessageKind`
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("first_attempt", sa.BigInteger),
    sa.Column("delivered", sa.BigInteger),
    sa.Column("last_error", sa.Text),
    sa.Column("failure", sa.JSON(none_as_null=True)),  # the newest, as a code and its values
    sa.Column("ended", sa.BigInteger),  # when it ceased to wait although nobody had accepted it
    sa.Column("ending", sa.Text),  # `ingest.domain.model.outbox.Ending`
    sa.Column("reason", sa.Text),  # why it was withdrawn
    sa.Column("subject", sa.Text),  # the alarm or warning; its messages keep their order
    sa.Column("urgency", sa.SmallInteger, nullable=False, server_default="2"),  # `ingest.domain.model.outbox.Urgency`
    sa.Column("emptied", sa.Boolean, nullable=False, server_default=sa.false()),  # long delivered: without its body
    sa.UniqueConstraint("connector", "id"),
    sa.Index("outbox_waiting", "connector", "kind", "seq", **WAITING),
    sa.Index("outbox_delivered", "emptied", "delivered"),
    sa.Index("outbox_ended", "ending", "connector", "ended", **ENDED),
    sqlite_autoincrement=True,
)

installation = sa.Table("installation", METADATA, sa.Column("id", sa.Text, primary_key=True))

engine_state = sa.Table(
    "engine_state",
    METADATA,
    sa.Column("one", sa.Integer, primary_key=True),  # always 1: there is one engine
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("snapshot_cursor", sa.BigInteger, nullable=False),
    sa.Column("snapshot", sa.LargeBinary),
    sa.Column("reached", sa.BigInteger),  # the service was up until then; without the steps of its clock
)

reader_cursor = sa.Table(
    "reader_cursor",
    METADATA,
    sa.Column("reader", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)

holder = sa.Table(  # on a server: whose the database is; see `ingest.storage.state.postgresql`
    "holder",
    METADATA,
    sa.Column("one", sa.Integer, primary_key=True),  # always 1
    sa.Column("token", sa.Uuid, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
)
