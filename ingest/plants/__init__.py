"""Plants: plant files, the signal catalogue, and the roster compiled from both."""
