"""Delivery: a sender a connector reads the durable outbox and delivers its messages in order."""
