"""Annunciations lie in narrow rows of their own, and many old ones together; alarms are found by when they returned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_EVENT = sa.table(
    "alarm_event",
    sa.column("seq", sa.BigInteger),
    sa.column("alarm", sa.Uuid),
    sa.column("kind", sa.Text),
    sa.column("time", sa.BigInteger),
    sa.column("received", sa.BigInteger),
)
_ALARM = sa.table("alarm", *(sa.column(name) for name in ("id", "plant", "point", "rule", "level")))
_HIDE = ("shelved", "suppressed", "removed-from-service")
_SHOW = ("unshelved", "unsuppressed", "returned-to-service", "returned", "removed")
_OVER = ("returned", "latched", "removed")
_NAMES = (
    "seq",
    "alarm",
    "raises",
    "plant",
    "point",
    "rule",
    "level",
    "raised",
    "called",
    "acked",
    "returned",
    "hidden",
)


def upgrade() -> None:
    """Make both tables, and fill the first from the event log."""
    table = op.create_table(
        "annunciation",
        sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("alarm", sa.Uuid, nullable=False),
        sa.Column("raises", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("plant", "point", "rule")),
        sa.Column("level", sa.SmallInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("raised", "called")),
        *(sa.Column(name, sa.BigInteger) for name in ("acked", "returned")),
        sa.Column("hidden", sa.Boolean, nullable=False),
    )
    op.create_table(
        "annunciation_rule",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("plant", "point", "rule")),
        sa.UniqueConstraint("plant", "point", "rule"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "annunciation_pack",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("first", "last")),
        sa.Column("columns", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.execute(sa.insert(table).from_select(list(_NAMES), _told()))
    op.create_index("annunciation_by_called", "annunciation", ["called"])
    op.create_index("annunciation_by_alarm", "annunciation", ["alarm", "raises"])
    op.create_index("annunciation_pack_by_last", "annunciation_pack", ["last"])
    op.create_index("alarm_by_returned", "alarm", ["state", "returned"])


def _told() -> sa.Select[tuple[object, ...]]:
    """Each raise in the event log, with what came of it before the alarm was raised again.

    By the events alone: whatever else of a row is damaged does not hold up the upgrade.
    """
    event, alarm = _EVENT.c, _ALARM.c
    raises = (
        sa.select(
            event.seq,
            event.alarm,
            sa.func.row_number().over(partition_by=event.alarm, order_by=event.seq).label("raises"),
            sa.func.lead(event.seq).over(partition_by=event.alarm, order_by=event.seq).label("next"),
            event.time.label("raised"),
            event.received.label("called"),
        )
        .where(event.kind == "raised")
        .subquery()
    )
    later = _EVENT.alias()
    here = (later.c.alarm == raises.c.alarm) & (later.c.seq > raises.c.seq)
    here &= sa.func.coalesce(later.c.seq < raises.c.next, sa.true())

    def first(*kinds: str) -> sa.ScalarSelect[object]:
        query = sa.select(later.c.time).where(here, later.c.kind.in_(kinds)).order_by(later.c.seq).limit(1)
        return query.correlate(raises).scalar_subquery()

    before = sa.select(later.c.kind).where(later.c.alarm == raises.c.alarm, later.c.seq < raises.c.seq)
    before = before.where(later.c.kind.in_(_HIDE + _SHOW)).order_by(later.c.seq.desc()).limit(1)
    hidden = sa.func.coalesce(before.correlate(raises).scalar_subquery().in_(_HIDE), sa.false())
    at_once = sa.select(later.c.seq).where(here, later.c.kind.in_(_HIDE), later.c.time == raises.c.raised)
    return sa.select(
        raises.c.seq,
        raises.c.alarm,
        raises.c.raises,
        alarm.plant,
        alarm.point,
        alarm.rule,
        alarm.level,
        raises.c.raised,
        raises.c.called,
        first("acknowledged").label("acked"),
        first(*_OVER).label("returned"),
        (hidden | at_once.correlate(raises).exists()).label("hidden"),
    ).join_from(raises, _ALARM, alarm.id == raises.c.alarm)
