"""The closed loop: dispositions, hazards, inspections, enterprise records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ingest.storage.state.migrations.append_only import append_only

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "disposition",
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
        sa.Column("told", sa.BigInteger),
    )
    op.create_index("disposition_by_plant", "disposition", ["plant", "given"])
    op.create_index("disposition_by_given", "disposition", ["given"])
    op.create_index("disposition_by_warning", "disposition", ["warning"])
    op.create_index("disposition_by_told", "disposition", ["told"])
    op.create_table(
        "disposition_alarm",
        sa.Column("alarm", sa.Uuid, primary_key=True),
        sa.Column("disposition", sa.Uuid, sa.ForeignKey("disposition.id"), primary_key=True),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("media", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("given", sa.BigInteger, nullable=False),
    )
    op.create_index("evidence_by_plant", "evidence", ["plant", "given"])
    op.create_table(
        "hazard",
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
    )
    op.create_index("hazard_by_plant", "hazard", ["plant", "found"])
    op.create_index("hazard_by_found", "hazard", ["found"])
    op.create_index("hazard_by_state", "hazard", ["state", "deadline"])
    op.create_table(
        "hazard_step",
        sa.Column("hazard", sa.Uuid, sa.ForeignKey("hazard.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_table(
        "lead",
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
    )
    op.create_index("lead_by_plant", "lead", ["plant", "opened"])
    op.create_index("lead_by_opened", "lead", ["opened"])
    op.create_table(
        "inspection",
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
    )
    op.create_index("inspection_by_plant", "inspection", ["plant", "made"])
    op.create_index("inspection_by_made", "inspection", ["made"])
    op.create_table(
        "finding",
        sa.Column("inspection", sa.Uuid, sa.ForeignKey("inspection.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("hazard", sa.Uuid, sa.ForeignKey("hazard.id"), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_index("ix_finding_hazard", "finding", ["hazard"])
    op.create_table(
        "self_inspection",
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
    op.create_table(
        "enterprise",
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
    op.create_table(
        "dead_point",
        sa.Column("plant", sa.Text, primary_key=True),
        sa.Column("point", sa.Text, primary_key=True),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("hazard", sa.Uuid),
    )
    append_only("hazard_step")
