"""Sources: network to raw payload and acknowledgement handle."""
