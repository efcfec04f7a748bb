"""REST under /api/v1, for other programs."""
