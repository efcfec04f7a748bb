"""Foundations of every part: typed events, settings, threads, pace, back-off. Imports no other package of `ingest`."""
