"""Signed webhooks: alarms as CloudEvents to inspectors' systems."""
