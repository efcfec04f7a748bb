"""Errors of history stores.

HistoryError
├── HistoryUnavailable     retry: the store is away, busy or asks to wait (`retry_after_s`)
│   └── HistorySuspended   it lately did not answer (for `away_s`), and was not asked
├── HistoryExpired         do not retry: of the data, `expired` were older than the store keeps; it has all others
└── HistoryRejected        do not retry: the store refused the data and always will (`dropped`: how many of them)
    └── HistoryTooLarge    do not retry as it is: the same data may be taken in smaller requests
"""

from __future__ import annotations


class HistoryError(Exception):
    """A history store could not do what was asked."""


class HistoryUnavailable(HistoryError):
    """The store is away, busy or asks to wait. Retry."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class HistorySuspended(HistoryUnavailable):
    """The store did not answer for `away_s` seconds, so it was not asked. Retry: it is probed meanwhile."""

    def __init__(self, message: str, *, retry_after_s: float, away_s: float) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.away_s = away_s


class HistoryExpired(HistoryError):
    """Some of the data were older than the store keeps, which is no fault; it has all others. Do not retry."""

    def __init__(self, message: str, expired: int) -> None:
        super().__init__(message)
        self.expired = expired


class HistoryRejected(HistoryError):
    """The store refused the data and always will. Do not retry.

    `dropped` is how many items of its last request the store says it dropped, None if it does not say.
    """

    def __init__(self, message: str, *, dropped: int | None = None) -> None:
        super().__init__(message)
        self.dropped = dropped


class HistoryTooLarge(HistoryRejected):
    """The request was too large for the server or a proxy before it; a smaller one may be accepted."""
