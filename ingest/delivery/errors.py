"""Errors of connectors. All end as the error text of an outcome, and every outcome with an error is tried again.

ConnectorError
├── Unreachable   no answer came: refused, reset, too slow, not trusted
└── Unmappable    the province's field mapping has no code for a value in the message
    └── Uncoded   the file of issued codes does not have its point
"""

from __future__ import annotations


class ConnectorError(Exception):
    """A message could not be delivered; made of a `Failure`, which says why and quotes no secret."""


class Unreachable(ConnectorError):
    """No answer came from the receiver."""


class Unmappable(ConnectorError):
    """The field mapping does not cover a value that is to be sent."""


class Uncoded(Unmappable):
    """The file of codes has neither a code nor a `false` for a point."""
