"""Errors of the state database.

StateUnavailable   retry: the disk is full or the file is busy; nothing of the transaction is kept
StateBroken        fatal: a sync or a read failed, or the file is damaged; end, so that a restart reads what is on disk
"""

from __future__ import annotations


class StateUnavailable(Exception):
    """The state database could not be read or written."""


class StateBroken(Exception):
    """What this process holds of the state database can be trusted no more. It must not write to it again."""
