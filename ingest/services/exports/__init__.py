"""Exports of lists and summaries, made in a separate process so that a large one delays no alarm."""
