"""Errors of the state database.

StateUnavailable   retry: a disk is full, a file is busy, the server is away; nothing of the transaction is committed
├── StateAway      the server cannot be reached, went away, or lets nobody in: others can go on without it
│   └── StateInDoubt   retry, but ask first: it went away while it committed, so that it is not known which
└── StateNewer     not by this version: a newer one wrote it
StateBroken        fatal: a sync or a read failed, the data are damaged, or somebody else wrote; end, so that a restart
                   reads what is on disk
"""

from __future__ import annotations


class StateUnavailable(Exception):
    """The state database could not be read or written."""


class StateAway(StateUnavailable):
    """The server could not be reached, went away, or let nobody in."""


class StateNewer(StateUnavailable):
    """A newer version of the service wrote it; this one does not know its schema."""


class StateInDoubt(StateAway):
    """The server went away during the commit: `Database.wrote_last(error.transaction, …)` tells the outcome."""

    def __init__(self, text: str, transaction: int) -> None:
        super().__init__(text)
        self.transaction = transaction


class StateBroken(Exception):
    """The state of the database is no longer certain. This process must not write to it again."""
