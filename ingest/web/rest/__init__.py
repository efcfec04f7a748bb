"""REST under /api/v1: what other programs read and do."""
