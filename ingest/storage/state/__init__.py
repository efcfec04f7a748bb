"""The state database: alarms, their events, the outbox and the engine's cursor, committed together."""
