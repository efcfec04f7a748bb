"""Which messages of a delivery a channel tells people of, and which of their recipients have them already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ingest.base.telemetry import emit
from ingest.delivery.channels.bundling import Refusal
from ingest.delivery.channels.config import ChannelConfig
from ingest.delivery.channels.texts import event_of
from ingest.delivery.connector import Outcome
from ingest.delivery.events import EventNotChosen
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Message

MOST: Final = 10_000
"""Messages that some lack of which it is remembered who has them: the newest. Our default."""


def chosen(config: ChannelConfig, messages: Sequence[Message]) -> list[Message]:
    """Return the messages whose event a channel tells; others are counted."""
    found = [message for message in messages if config.tells(event_of(message))]
    if len(found) < len(messages):
        emit(EventNotChosen(config.name, len(messages) - len(found)))
    return found


class Recipients:
    """Remembers who has a message that others lack, so that a retry reaches only those. Forgotten by a restart.

    A message that some are refused for good is tried again before it is a dead letter, so it is remembered as well.
    """

    def __init__(self) -> None:
        self._reached: dict[int, set[str]] = {}

    def left(self, message: Message, everybody: Sequence[str]) -> list[str]:
        """Return who lacks the message."""
        return [each for each in everybody if each not in self._reached.get(message.seq, ())]

    def reached(self, message: Message, recipient: str) -> None:
        """Note that somebody has it."""
        self._reached.setdefault(message.seq, set()).add(recipient)
        while len(self._reached) > MOST:
            del self._reached[next(iter(self._reached))]

    def outcome(self, message: Message, refusals: Sequence[Refusal]) -> Outcome:
        """Return what became of a message, by the refusals of those who lack it still."""
        if not refusals:
            self._reached.pop(message.seq, None)
        return replace(outcome_of(message, gravest(refusals)), partly=message.seq in self._reached)


def gravest(refusals: Sequence[Refusal]) -> Refusal | None:
    """Return why a message has to be sent again, else why some never get it; None: everybody has it."""
    return next((each for each in refusals if not each.final), refusals[0] if refusals else None)


def of_recipient(refusal: Refusal, everybody: Sequence[str], recipient: str) -> Refusal:
    """Return a refusal of one recipient with its key in the settings; that of a person who is called stays as it is."""
    if recipient not in everybody:
        return refusal
    return replace(refusal, error=Failure("recipient", key=f"to.{everybody.index(recipient)}", why=refusal.error))


def outcome_of(message: Message, refusal: Refusal | None) -> Outcome:
    """Return what became of a message.

    One that only recipients lack who are none is rejected, so that it keeps nothing from all the others.
    """
    if refusal is None:
        return Outcome(message.seq)
    return Outcome(message.seq, refusal.error, refusal.block_s or None, rejected=refusal.final)
