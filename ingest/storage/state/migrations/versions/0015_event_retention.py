"""Events of alarms and warnings may be deleted once they are half a year old; younger ones never, by nobody."""

from __future__ import annotations

from ingest.storage.state.migrations.append_only import keep_young

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Let the database itself tell old from young."""
    keep_young("alarm_event", "received", 183)
    keep_young("warning_event", "time", 183)
