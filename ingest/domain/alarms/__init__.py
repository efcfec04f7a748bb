"""Alarms: the life of an alarm (pure), and how it is reported outside."""
