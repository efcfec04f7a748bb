"""Errors of the journal.

JournalUnavailable      retry: it cannot be written now; nothing was written, nothing may be acknowledged
    JournalFull         retry: there is no room on the disk
JournalBroken           fatal: a sync failed or the file is damaged; end, so that a restart reads what is on disk
"""

from __future__ import annotations


class JournalUnavailable(Exception):
    """The journal could not be written. Nothing of the commit is on disk."""


class JournalFull(JournalUnavailable):
    """The journal could not be written: its disk is full."""


class JournalBroken(Exception):
    """The state of the journal is no longer certain. This process must not write to it again."""
