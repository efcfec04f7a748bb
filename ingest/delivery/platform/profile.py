"""The protocol between platform connector and province: how a report is wrapped and how an answer is judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from ingest.delivery.errors import Unmappable
from ingest.delivery.https import Answer
from ingest.delivery.platform.answers import Judge, Judgement
from ingest.delivery.platform.codes import IssuedCodes
from ingest.delivery.platform.digest import digest_of
from ingest.delivery.platform.fields import filled
from ingest.delivery.platform.frames import FORMS, Frame
from ingest.delivery.platform.model import ProfileFile
from ingest.delivery.platform.paths import CONTENT, DIGEST
from ingest.delivery.platform.report import report_of
from ingest.delivery.platform.seal import Sealer
from ingest.delivery.platform.source import BEIJING
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Message, MessageKind


@dataclass(frozen=True, slots=True)
class Post:
    """One request to a platform: by HTTP, or as frames.

    Attributes:
        path: comes behind the address in the settings.
        frames: what is sent, and answered, one after the other where the platform takes frames; else none.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    frames: Sequence[Frame] = ()


@dataclass(frozen=True, slots=True)
class SignInPost:
    """The request for a token, and how long one is used."""

    post: Post
    valid_s: float


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Messages as the province wants them.

    Attributes:
        post: None: nothing of them is for this platform.
        left_out: how many items are not in it, by reason.
    """

    post: Post | None
    left_out: Mapping[str, int]
    uncoded: Sequence[str] = ()


class Profile(Protocol):
    """One province's protocol. Pure: no network, no clock."""

    def takes(self, kind: MessageKind) -> bool:
        """Whether the province has a form for this kind of message."""

    def together(self, kind: MessageKind) -> int | None:
        """Most messages of this kind in one request; None: any number."""

    def wrap(self, kind: MessageKind, messages: Sequence[Message]) -> Wrapped:
        """Build the request for messages of one kind and one enterprise.

        Raises:
            Unmappable: a value in them cannot be mapped to the province's report.
        """

    def judge(self, answer: Answer) -> Judgement:
        """What the platform made of the report, in its own words."""

    def sign_in(self) -> SignInPost | None:
        """The request for a token; None: this platform gives out none."""

    def token_in(self, answer: Answer) -> tuple[Mapping[str, str] | None, str | None]:
        """The header with the token in the answer to it, or why there is none."""

    def wants_another_token(self, answer: Answer) -> bool:
        """Whether the answer to a report means that its token is taken no longer."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What the authority issued, read from the settings; empty where the profile does not use it."""

    appid: str = ""
    appsecret: str = ""
    key: bytes = b""
    vector: bytes = b""


class JsonProfile:
    """The protocol that a profile file describes: a report in an envelope, as JSON over HTTP or as frames over TCP."""

    def __init__(self, form: ProfileFile, codes: IssuedCodes, issued: Issued, judge: Judge) -> None:
        self._form = form
        self._codes = codes
        self._issued = issued
        self._judge = judge
        self._sealer = Sealer(form.seal, issued.key, issued.vector)

    def takes(self, kind: MessageKind) -> bool:
        """See `Profile.takes`."""
        return kind in self._form.sections

    def together(self, kind: MessageKind) -> int | None:
        """See `Profile.together`."""
        return self._form.sections[kind].together

    def wrap(self, kind: MessageKind, messages: Sequence[Message]) -> Wrapped:
        """See `Profile.wrap`."""
        section = self._form.sections[kind]
        report = report_of(section, self._codes, kind, messages)
        if report.content is None:
            return Wrapped(None, report.left_out)
        framing = self._form.framing
        if framing is not None:
            envelope = filled(self._form.envelope_of(kind), self._scope(messages[0]) | {CONTENT: ""})
            frames = FORMS[framing.form].frames(envelope, report.content, section.items, framing.most_bytes)
            return Wrapped(Post("", {}, b"", frames), report.left_out, report.uncoded)
        try:
            plaintext = msgspec.json.encode(report.content)
        except UnicodeEncodeError as error:
            raise Unmappable(Failure("not-unicode")) from error
        content = self._sealer.seal(plaintext)
        scope = {**self._scope(messages[0]), **self._digest(plaintext, content)}
        fields = self._form.envelope_of(kind)
        scope[CONTENT] = content if self._form.seal.encodings else report.content
        headers = {name: str(value) for name, value in filled(self._form.envelope.headers, scope).items()}
        body = msgspec.json.encode(filled(fields, scope)) if fields else content.encode()
        return Wrapped(
            Post(section.path, {"content-type": self._form.envelope.content_type, **headers}, body),
            report.left_out,
            report.uncoded,
        )

    def judge(self, answer: Answer) -> Judgement:
        """See `Profile.judge`."""
        return self._judge.judge(answer)

    def sign_in(self) -> SignInPost | None:
        """See `Profile.sign_in`."""
        form = self._form.sign_in
        if form is None:
            return None
        body = msgspec.json.encode(filled(form.request, {"setting": self._settings()}))
        return SignInPost(Post(form.path, {"content-type": "application/json"}, body), form.valid_s)

    def token_in(self, answer: Answer) -> tuple[Mapping[str, str] | None, str | None]:
        """See `Profile.token_in`."""
        form = self._form.sign_in
        if form is None:
            return None, "this platform gives out none"
        token, why = self._judge.token_in(answer, form.answer)
        return (None if token is None else {form.header: f"{form.prefix}{token}"}), why

    def wants_another_token(self, answer: Answer) -> bool:
        """See `Profile.wants_another_token`."""
        form = self._form.sign_in
        return form is not None and (answer.status in form.renew_status or self._judge.names(answer, form.renew))

    def _settings(self) -> Mapping[str, str]:
        return {"appid": self._issued.appid, "appsecret": self._issued.appsecret}

    def _scope(self, message: Message) -> dict[str, Any]:
        """What the fields of the envelope and its headers are filled from; `message`: the first one."""
        return {
            "setting": self._settings(),
            "issued": self._codes.of(message.plant),
            "place": message.plant,
            "batch": {"stamp": stamp_of(message)},
        }

    def _digest(self, plaintext: bytes, content: str) -> Mapping[str, str]:
        if self._form.digest is None:
            return {}
        over = plaintext if self._form.digest.over == "report" else content.encode()
        return {DIGEST: digest_of(self._form.digest, over, self._issued.appsecret.encode())}


def stamp_of(message: Message) -> str:
    """When the message was created, with its number modulo 1000 in place of milliseconds.

    It is the same whenever the message is sent again, also after a restart; two messages of a plant share it only where
    they were created in one second, a multiple of 1000 messages apart.
    """
    second = dt.datetime.fromtimestamp(message.created // 10**9, BEIJING)
    return f"{second:%Y%m%d%H%M%S}{message.seq % 1000:03d}"
