"""Tables of the closed loop. Times are ns since the epoch, UTC; deadlines are days of the plant."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.storage.state.tables import METADATA

disposition = sa.Table(
    "disposition",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("form", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("measure", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("handled", sa.BigInteger, nullable=False),
    sa.Column("given", sa.BigInteger, nullable=False),
    sa.Column("alarms", sa.JSON, nullable=False),
    sa.Column("warning", sa.Uuid),
    sa.Column("false_alarm", sa.Text),
    sa.Column("words", sa.Text),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("told", sa.BigInteger),  # when the engine had taken note of it
    sa.Index("disposition_by_plant", "plant", "given"),
    sa.Index("disposition_by_given", "given"),
    sa.Index("disposition_by_warning", "warning"),
    sa.Index("disposition_by_told", "told"),
)

disposition_alarm = sa.Table(
    "disposition_alarm",
    METADATA,
    sa.Column("alarm", sa.Uuid, primary_key=True),
    sa.Column("disposition", sa.Uuid, sa.ForeignKey("disposition.id"), primary_key=True),
)

evidence = sa.Table(
    "evidence",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("media", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("given", sa.BigInteger, nullable=False),
    sa.Index("evidence_by_plant", "plant", "given"),
)

hazard = sa.Table(
    "hazard",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("equipment", sa.Text),
    sa.Column("point", sa.Text),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("origin", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("found", sa.BigInteger, nullable=False),
    sa.Column("found_by", sa.Text, nullable=False),
    sa.Column("level", sa.Text),
    sa.Column("clause", sa.Text),
    sa.Column("criteria", sa.Text),
    sa.Column("graded", sa.BigInteger),
    sa.Column("graded_by", sa.Text),
    sa.Column("reported", sa.BigInteger),
    sa.Column("reported_to", sa.Text),
    sa.Column("supervision", sa.Text),
    sa.Column("supervised_by", sa.Text),
    sa.Column("supervised_since", sa.Date),
    sa.Column("lifted", sa.BigInteger),
    sa.Column("responsible", sa.Text),
    sa.Column("measure", sa.Text),
    sa.Column("budget_fen", sa.BigInteger),
    sa.Column("deadline", sa.Date),
    sa.Column("contingency", sa.Text),
    sa.Column("planned", sa.BigInteger),
    sa.Column("submitted", sa.BigInteger),
    sa.Column("submitted_by", sa.Text),
    sa.Column("done", sa.Text),
    sa.Column("sent_back", sa.Integer, nullable=False),
    sa.Column("closed", sa.BigInteger),
    sa.Column("closed_by", sa.Text),
    sa.Column("remark", sa.Text),
    sa.Index("hazard_by_plant", "plant", "found"),
    sa.Index("hazard_by_found", "found"),
    sa.Index("hazard_by_state", "state", "deadline"),
)

hazard_step = sa.Table(
    "hazard_step",
    METADATA,
    sa.Column("hazard", sa.Uuid, sa.ForeignKey("hazard.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # after it
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)

lead = sa.Table(
    "lead",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("opened", sa.BigInteger, nullable=False),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("taken", sa.BigInteger),
    sa.Column("taken_by", sa.Text),
    sa.Column("inspection", sa.Uuid),
    sa.Column("closed", sa.BigInteger),
    sa.Column("closed_by", sa.Text),
    sa.Column("remark", sa.Text),
    sa.Index("lead_by_plant", "plant", "opened"),
    sa.Index("lead_by_opened", "opened"),
)

inspection = sa.Table(
    "inspection",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("lead", sa.Uuid),
    sa.Column("inspectors", sa.JSON, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("made", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("begun", sa.BigInteger),
    sa.Column("concluded", sa.BigInteger),
    sa.Column("concluded_by", sa.Text),
    sa.Column("result", sa.Text),
    sa.Column("document", sa.Text),
    sa.Column("remark", sa.Text),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Index("inspection_by_plant", "plant", "made"),
    sa.Index("inspection_by_made", "made"),
)

finding = sa.Table(
    "finding",
    METADATA,
    sa.Column("inspection", sa.Uuid, sa.ForeignKey("inspection.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("hazard", sa.Uuid, sa.ForeignKey("hazard.id"), nullable=False, index=True),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)

self_inspection = sa.Table(
    "self_inspection",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("principal", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("found", sa.Integer, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("given", sa.BigInteger, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.UniqueConstraint("plant", "period"),
)

enterprise = sa.Table(
    "enterprise",
    METADATA,
    sa.Column("plant", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("risk_class", sa.Text),
    sa.Column("graded_by", sa.Text),
    sa.Column("graded_on", sa.Date),
    sa.Column("grade_reason", sa.Text),
    sa.Column("principal", sa.Text),
    sa.Column("principal_phone", sa.Text),
    sa.Column("safety_head", sa.Text),
    sa.Column("safety_phone", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("standardisation", sa.Text),
    sa.Column("insurance", sa.Text),
    sa.Column("insured_until", sa.Date),
    sa.Column("connected_on", sa.Date),
    sa.Column("changed", sa.BigInteger),
    sa.Column("changed_by", sa.Text),
)

dead_point = sa.Table(
    "dead_point",
    METADATA,
    sa.Column("plant", sa.Text, primary_key=True),
    sa.Column("point", sa.Text, primary_key=True),
    sa.Column("begun", sa.BigInteger, nullable=False),
    sa.Column("since", sa.BigInteger),
    sa.Column("hazard", sa.Uuid),
)

ledger = sa.Table(
    "ledger",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("plant", sa.Text, nullable=False),
    sa.Column("instrument", sa.Text, nullable=False),
    sa.Column("serial", sa.Text, nullable=False),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("last", sa.JSON, nullable=False),
    sa.Column("scrapped", sa.BigInteger),
    sa.Column("scrapped_by", sa.Text),
    sa.UniqueConstraint("plant", "instrument", "serial"),
)

ledger_entry = sa.Table(
    "ledger_entry",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("ledger", sa.Uuid, sa.ForeignKey("ledger.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # after it
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.UniqueConstraint("ledger", "version"),
)
