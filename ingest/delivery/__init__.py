"""Connectors: what leaves the house. A sender a connector reads the durable outbox and delivers in order."""
