"""Makes the province's report of messages of one kind and one enterprise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from ingest.delivery.errors import Uncoded
from ingest.delivery.platform.codes import IssuedCodes
from ingest.delivery.platform.events import EVENT_NOT_TAKEN, NOT_CODED, NOT_VALID, RULE_NOT_TAKEN
from ingest.delivery.platform.fields import filled, put
from ingest.delivery.platform.model import Section
from ingest.delivery.platform.source import LeftOut
from ingest.domain.model.outbox import Message, MessageKind

_BATCHES: Final = UUID("0c4f5a0e-6a0f-5d53-9a51-3d0f2b7c9d10")


@dataclass(frozen=True, slots=True)
class Report:
    """A report in the province's fields.

    Attributes:
        content: ready for JSON; None: nothing of the messages is for this platform.
        left_out: how many items are not in it, by reason.
        uncoded: plant and id of each point that is not in it, since the file of codes lacks it.
    """

    content: Any
    left_out: Mapping[str, int]
    uncoded: Sequence[str] = ()


def report_of(section: Section, codes: IssuedCodes, kind: MessageKind, messages: Sequence[Message]) -> Report:
    """The report of messages of one kind and one enterprise.

    Its batch.id is the same whenever the same messages are reported again. Readings of a point without a code are left
    out, as long as others are left; anything else with such a point is not reported at all.

    Raises:
        Unmappable: a value cannot be mapped to the province's report.
    """
    left_out = Counter[str]()
    items, uncoded = [], list[str]()
    lacking: Uncoded | None = None
    for message in messages:
        for scope in _scopes(kind, message, codes):
            try:
                _admit(section, kind, scope)
                items.append(filled(section.item, scope))
            except LeftOut as left:
                left_out[left.reason] += 1
            except Uncoded as error:
                if kind != "readings":
                    raise
                lacking = error
                left_out[NOT_CODED] += 1
                uncoded.append(scope["place"])
    if not items and lacking is not None:
        raise lacking
    if not items and left_out:
        return Report(None, left_out)
    if not section.items:
        return Report(items, left_out, uncoded)
    content = filled(section.head, _head(messages, codes))
    put(content, section.items, items)
    return Report(content, left_out, uncoded)


def _head(messages: Sequence[Message], codes: IssuedCodes) -> Mapping[str, Any]:
    first = messages[0]
    return {
        "batch": {
            "id": str(uuid5(_BATCHES, "/".join(str(message.id) for message in messages))),
            "count": len(messages),
            "time": max(message.body["time"] for message in messages),
            "connected": all(message.body.get("connected") is True for message in messages),
            "continued": len(messages) > 1,
        },
        "enterprise": first.body["enterprise"],
        "issued": codes.of(first.plant),
        "place": first.plant,
    }


def _scopes(kind: MessageKind, message: Message, codes: IssuedCodes) -> Iterator[Mapping[str, Any]]:
    """What the fields of each item are filled from."""
    ids = {"message": {"id": str(message.id)}}
    if kind != "readings":
        alarm = message.body.get("alarm")
        point = alarm["point"] if alarm is not None else None
        yield {**message.body, **ids, **_issued(codes, message.plant, point)}
        return
    for reading in message.body["readings"]:
        more = _issued(codes, message.plant, reading["point"])
        yield {**reading, **ids, "enterprise": message.body["enterprise"], **more}


def _issued(codes: IssuedCodes, plant: str, point: str | None) -> Mapping[str, Any]:
    return {"issued": codes.of(plant, point), "place": plant if point is None else f"{plant} {point}"}


def _admit(section: Section, kind: MessageKind, scope: Mapping[str, Any]) -> None:
    """Raise LeftOut for an item that the section does not take."""
    if kind == "readings":
        if section.valid_only and not scope["valid"]:
            raise LeftOut(NOT_VALID)
        return
    if section.events and scope["event"] not in section.events:
        raise LeftOut(EVENT_NOT_TAKEN)
    if section.rules and scope["alarm"]["rule"] not in section.rules:
        raise LeftOut(RULE_NOT_TAKEN)
