"""Delivery: sends the outbox's messages to their receivers, in order, until each is accepted."""
