"""Judges a platform's answer by what its profile says counts as yes, as later, and as no."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from ingest.delivery.https import Answer
from ingest.delivery.platform.model import Answer as AnswerForm
from ingest.delivery.platform.model import same
from ingest.delivery.platform.source import Scalar
from ingest.domain.model.delivery_failure import Failure

MAX_MESSAGE: Final = 200
"""Characters kept of the platform's own message."""

_TOKENS: Final = 4
"""Tokens in use at about the same time."""


class Ruling(Enum):
    """What a platform made of a report."""

    ACCEPTED = auto()
    LATER = auto()  # nothing is wrong with the report
    REJECTED = auto()  # something in the report is disliked: it is sent in parts
    FATAL = auto()  # whoever sends is not welcome: secrets, registration or address


@dataclass(frozen=True, slots=True)
class Judgement:
    """A ruling, with why; of an accepted report also what of it was not taken, by the field that identifies items.

    Attributes:
        final: the platform named the report as what is wrong: it is not taken, however often it is sent.
    """

    ruling: Ruling
    why: Failure | None = None
    rejected: Mapping[str, Failure] = field(default_factory=dict)
    final: bool = False


class Judge:
    """Reads answers. What they echo of what was issued is never quoted."""

    def __init__(self, form: AnswerForm, issued: Sequence[str]) -> None:
        """`issued`: identifiers and secrets in the forms a platform could repeat."""
        self._form = form
        self._issued = sorted((text for text in issued if text), key=len, reverse=True)
        self._tokens: deque[str] = deque(maxlen=_TOKENS)

    def judge(self, answer: Answer) -> Judgement:
        """What the answer says of the report."""
        reply = _object_in(answer.body)
        if answer.refusal is not None:
            return self._refused(answer, answer.refusal, reply)
        if reply is None:
            return Judgement(Ruling.REJECTED, Failure("platform-no-json"))
        form, value = self._form, _at(reply, self._form.name)
        if _in(value, form.success):
            return Judgement(Ruling.ACCEPTED, rejected=self._rejected(reply))
        message = reply.get(form.message)
        words = f"{form.name} = {self._quote(value)}" + ("" if message in {None, ""} else f", {self._quote(message)}")
        if _in(value, form.retry):
            return Judgement(Ruling.LATER, Failure("platform-later", words=words))
        if _in(value, form.fatal):
            return Judgement(Ruling.FATAL, Failure("platform-settings", words=words))
        return Judgement(Ruling.REJECTED, Failure("platform-refused", words=words), final=value is not None)

    def token_in(self, answer: Answer, at: str) -> tuple[str | None, Failure | None]:
        """The token an answer gives out, or why it gives none; the token is never quoted from then on."""
        judgement = self.judge(answer)
        if judgement.ruling is not Ruling.ACCEPTED:
            return None, judgement.why
        token = _at(_object_in(answer.body) or {}, at)
        if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
            return None, Failure("token-missing", at=at)
        self._tokens.append(token)
        return token, None

    def names(self, answer: Answer, values: Sequence[Scalar]) -> bool:
        """Whether the field that decides has one of these values."""
        return _in(_at(_object_in(answer.body) or {}, self._form.name), values)

    def _refused(self, answer: Answer, refusal: Failure, reply: Mapping[str, Any] | None) -> Judgement:
        """What a status other than 2xx says."""
        words = reply.get(self._form.message) if reply is not None else None
        quoted = {} if words is None else {"words": self._quote(words)}
        if answer.status in self._form.fatal_status:
            code = "platform-settings-http-words" if quoted else "platform-settings-http"
            return Judgement(Ruling.FATAL, Failure(code, status=answer.status_line, **quoted))
        why = Failure("http-words", status=answer.status_line, **quoted) if quoted else refusal
        if answer.status in self._form.retry_status:
            return Judgement(Ruling.LATER, why)
        return Judgement(Ruling.REJECTED, why, final=answer.rejects)

    def _rejected(self, reply: Mapping[str, Any]) -> Mapping[str, Failure]:
        form = self._form.rejected
        listed = _at(reply, form.items) if form is not None else None
        if form is None or not isinstance(listed, list):
            return {}
        return {
            str(entry[form.id]): Failure("platform-refused-item", words=self._quote(entry.get(form.message)))
            for entry in listed
            if isinstance(entry, dict) and form.id in entry
        }

    def _quote(self, value: object) -> str:
        text = str(value)
        for issued in (*self._tokens, *self._issued):
            text = text.replace(issued, "***")
        return text[:MAX_MESSAGE]


def _in(value: object, listed: Sequence[Scalar]) -> bool:
    return any(same(value, other) for other in listed)


def _object_in(body: bytes) -> Mapping[str, Any] | None:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, dict) else None


def _at(reply: Mapping[str, Any], name: str) -> Any:
    """The value at a name whose dots are steps into objects."""
    value: Any = reply
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
