"""Errors of history stores.

HistoryError
├── HistoryUnavailable   retry: the store is away, busy or asks to wait (`retry_after_s`)
└── HistoryRejected      do not retry: the store refused the data and always will
"""

from __future__ import annotations


class HistoryError(Exception):
    """A history store could not do what was asked."""


class HistoryUnavailable(HistoryError):
    """The store is away, busy or asks to wait. Retry."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class HistoryRejected(HistoryError):
    """The store refused the data and always will. Do not retry."""
