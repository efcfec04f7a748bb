"""The engine: reads the journal, evaluates, advances alarms and warnings, and commits what comes of it."""
