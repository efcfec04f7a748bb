"""Signed webhooks: alarms and warnings as CloudEvents to inspectors' systems."""
