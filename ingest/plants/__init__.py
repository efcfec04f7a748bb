"""Plant files, the signal catalogue, and the plant configuration compiled from both."""
