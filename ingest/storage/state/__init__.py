"""The state database: alarms, warnings, cases, audit trail, outbox and engine checkpoint, in SQLite or PostgreSQL."""
