"""Errors of the journal.

JournalUnavailable   retry: the disk is full or busy; nothing was written, nothing may be acknowledged
"""

from __future__ import annotations


class JournalUnavailable(Exception):
    """The journal could not be written. Nothing of the commit is on disk."""
