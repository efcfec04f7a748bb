"""Errors of the state database.

StateUnavailable   retry: the disk is full or the file is busy; nothing of the transaction is kept
"""

from __future__ import annotations


class StateUnavailable(Exception):
    """The state database could not be read or written."""
