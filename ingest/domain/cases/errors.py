"""Errors of the closed loop.

CaseError
├── Impossible   the record's state does not allow that step; the message names the state
├── Stale        the record was changed since it was read: read it again
├── Incomplete   something is missing or cannot be so: which, its value, and what was expected
├── NotTheirs    this role, or this person, may not take that step
└── Already      a record of that id is there; nothing was written
"""

from __future__ import annotations


class CaseError(Exception):
    """A step that cannot be taken."""


class Impossible(CaseError):
    """The record's state does not allow it."""


class Stale(CaseError):
    """Somebody else changed the record in the meantime."""

    def __init__(self, what: str, seen: int, now: int) -> None:
        super().__init__(f"{what} is at version {now}, not {seen}: read it again")
        self.now = now


class Incomplete(CaseError):
    """Something is missing or cannot be so."""

    def __init__(self, parameter: str, value: object, expected: str) -> None:
        super().__init__(f"{parameter} = {value!r}: expected {expected}")
        self.parameter = parameter
        self.value = value
        self.expected = expected


class NotTheirs(CaseError):
    """Not for this role or this person."""


class Already(CaseError):
    """A record of that id is there already: nothing was written."""
