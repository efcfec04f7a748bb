"""The form of a profile file: one province's protocol as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Self

from pydantic import Field, model_validator

from ingest.base.config import Config
from ingest.delivery.platform.fields import Fields
from ingest.delivery.platform.parts import (
    About,
    Code,
    CodeName,
    Digest,
    Envelope,
    Framing,
    HeaderName,
    Part,
    Seal,
    Status,
)
from ingest.delivery.platform.source import Scalar, Source
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.text import Text

KINDS: Final[tuple[MessageKind, ...]] = ("alarm", "warning", "readings")
"""The kinds of message a province may take. Notices are for operators."""


class RejectedItems(Config):
    """Where an answer names the items that were not taken.

    Attributes:
        items: the list in the answer, dots for steps.
        id: the field of an entry that holds the value of `sent_as`.
        message: the field of an entry with the platform's own words.
        sent_as: the field of our items that identifies one: its source is `message.id`.
    """

    items: str = Field(min_length=1)
    id: str = Field(min_length=1)
    message: str = Field(min_length=1)
    sent_as: str = Field(min_length=1)


class Answer(Part):
    """What the platform's answer says.

    Attributes:
        name: the field that shows it.
        success: its values for yes. All others are no, and a report that was refused is sent in parts.
        message: the field with the platform's own words.
        retry: its values for "later": the same report is sent again.
        fatal: its values for "not from you": secrets, registration or addresses are wrong, not the report.
        retry_status: the same as `retry`, by status of HTTP.
        fatal_status: the same as `fatal`, by status of HTTP.
        rejected: where the platform names items that it did not take out of a report that it took.
    """

    name: str = Field(min_length=1)
    success: tuple[Scalar, ...] = Field(min_length=1)
    message: str = Field(min_length=1)
    retry: tuple[Scalar, ...] = ()
    fatal: tuple[Scalar, ...] = ()
    retry_status: frozenset[Status] = frozenset({429, 502, 503, 504})
    fatal_status: frozenset[Status] = frozenset()
    rejected: RejectedItems | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        listed = [*self.success, *self.retry, *self.fatal]
        twice = [value for at, value in enumerate(listed) if any(same(value, other) for other in listed[:at])]
        both = self.retry_status & self.fatal_status
        if twice or both:
            shown = repr(twice[0] if twice else min(both))
            raise InvalidValue(
                Text(
                    f"{shown} 只列在 success、retry、fatal 之一",
                    f"{shown} in no more than one of success, retry and fatal",
                )
            )
        return self


class SignIn(Part):
    """A platform that gives out tokens: asked for by a request of its own, sent along with every report.

    Attributes:
        path: behind the address in the settings.
        request: the JSON of the request; paths `setting.…`.
        answer: where the token stands in the answer, dots for steps.
        header: what it is sent as.
        prefix: what stands before it there.
        valid_s: how long one is used.
        renew_status: statuses of HTTP by which the platform takes a token no longer.
        renew: values of the answer's deciding field by which it takes a token no longer.
    """

    path: str = Field(pattern=r"^(/[A-Za-z0-9._~/-]*)?$")
    request: Mapping[str, Source] = Field(min_length=1)
    answer: str = Field(min_length=1)
    header: HeaderName
    prefix: str = ""
    valid_s: float = Field(ge=10, le=86_400)
    renew_status: frozenset[Status] = frozenset({401})
    renew: tuple[Scalar, ...] = ()


class Period(Config):
    """How often readings are reported, in seconds.

    Attributes:
        least_s: the platform wants them no more often.
        most_s: the platform wants them at least so often.
        in_alarm_s: as `most_s`, while the plant has an alarm; reports keep one interval, so it holds always.
    """

    least_s: float = Field(default=1, ge=1, le=3600)
    most_s: float = Field(default=3600, ge=1, le=3600)
    in_alarm_s: float | None = Field(default=None, ge=1, le=3600)

    @model_validator(mode="after")
    def _least_is_less(self) -> Self:
        if self.least_s > self.longest_s:
            raise InvalidValue(
                Text("least_s 不大于 most_s 与 in_alarm_s", "least_s no greater than most_s and in_alarm_s")
            )
        return self

    @property
    def longest_s(self) -> float:
        """The longest interval that satisfies both."""
        return self.most_s if self.in_alarm_s is None else min(self.most_s, self.in_alarm_s)


class Section(Fields, Part):
    """One kind of report and where it goes.

    Attributes:
        path: what comes behind the address in the settings.
        envelope: fields of the envelope in place of those of all kinds.
        events: only these events are reported; empty: all.
        rules: only alarms by these rules are reported; empty: by all.
        valid_only: only valid readings are reported, where the protocol has no field for it.
        together: most messages in one request; none: as many as the settings say.
    """

    path: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~/-]*)?$")
    envelope: Mapping[str, Source] | None = None
    events: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    valid_only: bool = False
    together: int | None = Field(default=None, ge=1, le=500)
    period: Period = Period()


class ProfileFile(Config):
    """One province's protocol."""

    profile: About
    codes: Mapping[CodeName, Code] = Field(default_factory=dict)
    sign_in: SignIn | None = None
    envelope: Envelope
    framing: Framing | None = None
    seal: Seal
    digest: Digest | None = None
    answer: Answer
    alarm: Section | None = None
    warning: Section | None = None
    readings: Section | None = None

    @property
    def sections(self) -> Mapping[MessageKind, Section]:
        """What it takes, by kind of message."""
        taken = {kind: getattr(self, kind) for kind in KINDS}
        return {kind: section for kind, section in taken.items() if section is not None}

    def envelope_of(self, kind: MessageKind) -> Mapping[str, Source]:
        """The fields of the envelope of one kind."""
        own = self.sections[kind].envelope
        return self.envelope.fields if own is None else own

    def outer_sources(self) -> Iterator[tuple[str, str, Source]]:
        """Every source of the envelopes and headers: its key, whether it is a field or a header, and itself."""
        for name, source in self.envelope.fields.items():
            yield f"envelope.fields.{name}", "field", source
        for name, source in self.envelope.headers.items():
            yield f"envelope.headers.{name}", "header", source
        for name, source in (self.sign_in.request if self.sign_in is not None else {}).items():
            yield f"sign_in.request.{name}", "header", source
        for kind, section in self.sections.items():
            for name, source in (section.envelope or {}).items():
                yield f"{kind}.envelope.{name}", "field", source


def same(given: object, expected: Scalar) -> bool:
    """Whether a value of an answer is that one: true is not 1, and "0" is not 0.

    >>> same(200, 200), same("200", 200), same(True, 1)
    (True, False, False)
    """
    return type(given) is type(expected) and given == expected
