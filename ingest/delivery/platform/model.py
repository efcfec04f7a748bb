"""The form of a profile file: one province's protocol as data. Every part bears where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from ingest.base.config import Config
from ingest.delivery.platform.fields import Fields, Mark, Scalar, Source
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.text import Text

CipherName = Literal["SM4-CBC", "SM4-ECB", "AES-CBC", "AES-ECB", "DES-CBC", "DES-ECB", "none"]
Encoding = Literal["hex-upper", "hex-lower", "base64"]
Form = Literal["hex", "text", "base64"]
DigestName = Literal["SM3", "HMAC-SM3", "HMAC-SHA256", "CRC16-MODBUS", "CRC16-HJ212"]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
Status = Annotated[int, Field(ge=300, le=599)]
CodeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

KINDS: Final[tuple[MessageKind, ...]] = ("alarm", "warning", "readings")
"""The kinds of message a province may take. Notices are for operators."""

BLOCK_BYTES: Final[Mapping[str, int]] = {"SM4": 16, "AES": 16, "DES": 8}
KEY_BYTES: Final[Mapping[str, tuple[int, ...]]] = {"SM4": (16,), "AES": (16, 24, 32), "DES": (8,)}


class Part(Config):
    """A part of a profile, with the confidence in it and the place it was read at."""

    confidence: Mark
    source: str = Field(min_length=10)


class Title(Config):
    """A profile's name for people."""

    zh: str = Field(min_length=2)
    en: str = Field(min_length=2)


class About(Part):
    """Which protocol it is."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    title: Title


class Code(Config):
    """A code that the authority issues: for each plant, or, of the name `point`, for each point.

    Attributes:
        pattern: what the whole code looks like, as a regular expression.
        begins: the name of another code that it begins with.
    """

    pattern: str
    begins: CodeName | None = None

    @model_validator(mode="after")
    def _is_a_pattern(self) -> Self:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise InvalidValue(Text(f"正则表达式（{error}）", f"a regular expression ({error})")) from None
        return self


class Envelope(Part):
    """The outer JSON of a request. `fields` empty: the body is the report itself.

    Attributes:
        fields: paths `content` (the sealed report), `digest`, `setting.…` and `issued.…`.
        headers: the same paths but `content`, for HTTP headers.
        content_type: of the request.
    """

    fields: Mapping[str, Source] = Field(default_factory=dict)
    headers: Mapping[HeaderName, Source] = Field(default_factory=dict)
    content_type: str = "application/json"


class Seal(Part):
    """What is done to the report before it goes into the envelope: cipher, padding, and encodings in their order.

    Attributes:
        cipher: with its mode; `none`: the report stays readable.
        padding: to whole blocks.
        issued_as: the form of what the authority issued: hexadecimal digits, plain characters, Base64.
        fixed_vector: the initialisation vector in that form where the protocol fixes it; none: it is issued.
        bytes: of the secret, where the cipher takes several lengths.
        encodings: each is applied to what the one before gave; empty: the report is an object, no text.
    """

    cipher: CipherName
    padding: Literal["PKCS7", "zero", "none"]
    issued_as: Form = "hex"
    fixed_vector: str | None = None
    bytes: Literal[8, 16, 24, 32] | None = None
    encodings: tuple[Encoding, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.cipher == "none":
            if self.padding != "none" or self.fixed_vector is not None or self.bytes is not None:
                raise InvalidValue(
                    Text(
                        "没有加密时 padding 为 'none'，不写 fixed_vector 与 bytes",
                        "padding 'none' and no fixed_vector and no bytes without a cipher",
                    )
                )
            return self
        if self.padding == "none":
            raise InvalidValue(Text("有加密时 padding 为 'PKCS7' 或 'zero'", "padding 'PKCS7' or 'zero' with a cipher"))
        if not self.encodings:
            raise InvalidValue(Text("有加密时至少一种 encodings", "at least one of encodings with a cipher"))
        if self.cipher.endswith("ECB") and self.fixed_vector is not None:
            raise InvalidValue(Text("ECB 没有初始向量，不写 fixed_vector", "no fixed_vector: ECB has none"))
        allowed = KEY_BYTES[self.cipher[:3]]
        if self.bytes is not None and self.bytes not in allowed:
            listed = ", ".join(map(str, allowed))
            raise InvalidValue(Text(f"bytes 为 {listed} 之一", f"bytes to be one of {listed}"))
        return self

    @property
    def block(self) -> int:
        """Bytes of a block; 0 without a cipher."""
        return BLOCK_BYTES.get(self.cipher[:3], 0)

    @property
    def takes_vector(self) -> bool:
        """Whether the authority has to issue an initialisation vector."""
        return self.cipher.endswith("CBC") and self.fixed_vector is None


class Digest(Part):
    """Proof that the report is whole: path `digest` in the envelope or its headers. HMAC takes the application secret.

    Attributes:
        kind: the function.
        over: the report before it is sealed, or the text that goes into the envelope.
        encoding: of its bytes.
    """

    kind: DigestName
    over: Literal["report", "content"]
    encoding: Encoding


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
    envelope: Envelope
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
        for kind, section in self.sections.items():
            for name, source in (section.envelope or {}).items():
                yield f"{kind}.envelope.{name}", "field", source


def same(given: object, expected: Scalar) -> bool:
    """Whether a value of an answer is that one: true is not 1, and "0" is not 0.

    >>> same(200, 200), same("200", 200), same(True, 1)
    (True, False, False)
    """
    return type(given) is type(expected) and given == expected
