"""The journal: the durable log of everything received, written before it is acknowledged and read by cursors."""
