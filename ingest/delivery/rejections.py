"""Which rejections are believed: repeated ones, of a receiver that takes other messages.

One that rejects everything is broken, or something between it and us is (a proxy that answers 400 to all): its
messages wait and are tried again, so that they reach it once it is mended. And one that rejects a message while it is
restarted takes it a moment later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ingest.delivery.connector import Outcome
from ingest.domain.model.outbox import Message

TRIES: Final = 3
"""A rejection is final from this try of a message on: after some seconds. Our default."""

MOST: Final = 10
"""Messages rejected for good in a row, with none accepted by anybody in between, until no more are: our default."""


class Rejections:
    """The rejections of one receiver."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def final(self, messages: Sequence[Message], outcomes: Sequence[Outcome]) -> set[int]:
        """The numbers of the messages that are not tried again; `outcomes`: one for each, in their order."""
        found = set()
        if any(outcome.error is None or outcome.partly for outcome in outcomes):
            self._in_a_row = 0
        for message, outcome in zip(messages, outcomes, strict=True):
            believed = message.attempts + 1 >= TRIES and self._in_a_row < MOST
            if outcome.rejected and outcome.error is not None and believed:
                self._in_a_row += not outcome.partly
                found.add(outcome.seq)
        return found
