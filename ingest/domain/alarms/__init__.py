"""Alarms (ISA-18.2), pure: lifecycle, suppression, lists, metrics and reports."""
