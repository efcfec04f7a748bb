"""The field mapping: which of our values goes into which of the province's fields, read from a TOML file."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, Self
from uuid import UUID, uuid5

from pydantic import Field, ValidationError, model_validator

from ingest.base.config import Config
from ingest.delivery.errors import Unmappable
from ingest.domain.model.expectations import InvalidValue, one_of, with_reason
from ingest.domain.model.fault import Fault, InvalidConfig, faults_of
from ingest.domain.model.outbox import Message, MessageKind
from ingest.domain.model.text import Text
from ingest.domain.model.toml_texts import toml_text

Scalar = str | int | float | bool

BEIJING: Final = dt.timezone(dt.timedelta(hours=8))
"""China keeps one time zone, without summer time."""

_BATCHES: Final = UUID("0c4f5a0e-6a0f-5d53-9a51-3d0f2b7c9d10")

_ENTERPRISE: Final = frozenset(f"enterprise.{name}" for name in ("id", "uscc", "name", "region", "kind"))
_ALARM: Final = frozenset(
    f"alarm.{name}"
    for name in (
        *("id", "plant", "point", "rule", "level", "state", "title.zh", "title.en", "value", "limit", "unit"),
        *("onset", "raised", "annunciated", "raises", "returned", "acknowledged", "acknowledged_by", "assigned"),
        *("disposed", "cleared", "comment", "historical", "phase.code", "phase.name.zh", "phase.name.en"),
        *("bypass.id", "bypass.title.zh", "bypass.title.en", "bypass.requested_by", "bypass.approved_by"),
        *("bypass.reason", "bypass.measure", "bypass.until", "bypass.expired"),
    )
)
_WARNING: Final = frozenset(
    f"warning.{name}"
    for name in (
        *("id", "plant", "colour", "peak", "state", "since", "raised", "ended", "step", "step_name.zh", "step_name.en"),
        *("asking", "asked", "until", "acknowledged", "acknowledged_by", "risk", "risk_model", "rules"),
        *("feedback.cause", "feedback.measure", "feedback.by", "feedback.time"),
    )
)
_HEAD: Final = frozenset({"batch.id", "batch.count", "batch.time"}) | _ENTERPRISE
_TEXTS: Final = ("reason", "rationalization.cause", "rationalization.consequence", "rationalization.action")
_RULE: Final = frozenset(
    {
        *(f"{part}.{language}" for part in _TEXTS for language in ("zh", "en")),
        *(f"rationalization.{key}" for key in ("respond_s", "source", "confidence")),
    }
)
_LINK: Final = frozenset({"batch.connected", "batch.continued"})
PATHS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("alarm", "head"): _HEAD,
    ("alarm", "item"): frozenset({"message.id", "event", "time", "by"}) | _RULE | _ALARM | _ENTERPRISE,
    ("warning", "head"): _HEAD,
    ("warning", "item"): frozenset({"message.id", "event", "time", "by", "title.zh", "title.en"})
    | _WARNING
    | _ENTERPRISE,
    ("readings", "head"): _HEAD | _LINK,
    ("readings", "item"): frozenset({"message.id", "point", "signal", "gateway", "time", "value", "valid", "status"})
    | _ENTERPRISE,
}
"""The paths a mapping may name, by kind and part. A test compares them with the reports of alarms and warnings."""

TIMES: Final = frozenset({"batch.time", "time"}) | {
    *(
        f"alarm.{name}"
        for name in ("onset", "raised", "annunciated", "returned", "acknowledged", "disposed", "cleared")
    ),
    *(f"warning.{name}" for name in ("since", "raised", "ended", "asked", "until", "acknowledged", "feedback.time")),
}
"""The paths that hold a time."""


class Source(Config):
    """The source of a field's value: a path (as it is, as a local time or as a code), or a constant."""

    path: str | None = None
    const: Scalar | None = None
    time: str | None = None
    values: Mapping[str, Scalar] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        return {"path": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _exactly_one_source(self) -> Self:
        if (self.path is None) == (self.const is None):
            raise InvalidValue(Text("path 或 const，二者取一", "either a path or a const"))
        if (self.path is None and (self.time or self.values)) or (self.time and self.values):
            raise InvalidValue(Text("path，time 与 values 至多写一项", "a path with at most one of time and values"))
        return self

    def value_in(self, scope: Mapping[str, Any]) -> Any:
        """The field's value. Raises Unmappable for a value without a code."""
        if self.path is None:
            return self.const
        value: Any = scope
        for name in self.path.split("."):
            value = None if value is None else value.get(name)  # a message may be older than a key
        if value is None:
            return None
        if self.time is not None:
            return dt.datetime.fromisoformat(value).astimezone(BEIJING).strftime(self.time)
        if self.values is not None:
            code = str(value).lower() if isinstance(value, bool) else str(value)
            if code not in self.values:
                raise Unmappable(f"the mapping has no code for {self.path} = {code[:50]}")
            return self.values[code]
        return value


class Section(Config):
    """The mapping of one kind of report: head fields written once, and a list of items."""

    items: str = Field(min_length=1)
    head: Mapping[str, Source]
    item: Mapping[str, Source] = Field(min_length=1)

    @model_validator(mode="after")
    def _list_has_its_own_name(self) -> Self:
        if self.items in self.head:
            raise InvalidValue(
                Text(
                    f"head 中没有 {self.items!r}：它是各项列表的名称",
                    f"a head without {self.items!r}, which names the list of items",
                )
            )
        return self


class Envelope(Config):
    """The fields around the ciphertext."""

    appid: str = Field(min_length=1)
    data: str = Field(min_length=1)
    secret_header: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    hex: Literal["upper", "lower"]


class AnswerKeys(Config):
    """The fields of an answer that show whether the platform accepted."""

    key: str
    success: Scalar
    message: str


class FieldMapping(Config):
    """One province's field names for our data."""

    envelope: Envelope
    answer: AnswerKeys
    alarm: Section
    warning: Section
    readings: Section

    def report(self, kind: MessageKind, messages: Sequence[Message]) -> dict[str, Any]:
        """The report of messages of one kind and one enterprise, in the province's field names.

        Its batch.id is the same whenever the same messages are reported again. Raises Unmappable.
        """
        sections: Mapping[MessageKind, Section] = {
            "alarm": self.alarm,
            "warning": self.warning,
            "readings": self.readings,
        }
        section = sections[kind]
        head = {
            "batch": {
                "id": str(uuid5(_BATCHES, "/".join(str(message.id) for message in messages))),
                "count": len(messages),
                "time": max(message.body["time"] for message in messages),
                "connected": all(message.body.get("connected") is True for message in messages),
                "continued": len(messages) > 1,
            },
            "enterprise": messages[0].body["enterprise"],
        }
        items = (scope for message in messages for scope in _items(kind, message))
        return {
            **_fields(section.head, head),
            section.items: [_fields(section.item, scope) for scope in items],
        }


def load_mapping(path: Path | None) -> FieldMapping:
    """Load the mapping from that file, or the one that comes with the service.

    Raises:
        InvalidConfig: it lists every fault, such as a source path that does not exist.
    """
    file = path or Path("mapping.toml")
    try:
        given = path or resources.files("ingest.delivery.platform") / "mapping.toml"
        mapping = FieldMapping.model_validate(tomllib.loads(given.read_text(encoding="utf-8")))
    except OSError as error:
        expected = with_reason(Text("文件", "a file"), error)
        raise InvalidConfig([Fault(str(file), "platform.mapping", str(file), expected)]) from error
    except ValidationError as error:
        raise InvalidConfig(faults_of(file, error, FieldMapping)) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise InvalidConfig([Fault(str(file), "(file)", "(content)", toml_text(str(error)))]) from error
    faults = []
    for (kind, part), known in PATHS.items():
        for name, source in getattr(getattr(mapping, kind), part).items():
            allowed = known & TIMES if source.time else known
            if source.path is not None and source.path not in allowed:
                expected = one_of(sorted(allowed))
                if source.time:
                    expected = Text(f"时间，{expected.zh}", f"a time, {expected.en}")
                faults.append(Fault(str(file), f"{kind}.{part}.{name}", repr(source.path), expected))
    if faults:
        raise InvalidConfig(faults)
    return mapping


def _fields(fields: Mapping[str, Source], scope: Mapping[str, Any]) -> dict[str, Any]:
    return {name: source.value_in(scope) for name, source in fields.items()}


def _items(kind: MessageKind, message: Message) -> Iterable[Mapping[str, Any]]:
    ids = {"message": {"id": str(message.id)}}
    if kind != "readings":
        return [{**message.body, **ids}]
    return [{**reading, **ids, "enterprise": message.body["enterprise"]} for reading in message.body["readings"]]
