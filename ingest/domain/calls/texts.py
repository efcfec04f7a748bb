"""The words of a call: templates with fields, filled in for each person (pure)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from string import Formatter
from typing import Final

from ingest.domain.model.call import Call, CallAttempt
from ingest.domain.model.payload import PLANT_TIME
from ingest.domain.model.text import Text

FIELDS: Final = frozenset(
    {
        "enterprise",
        "equipment",
        "point",
        "what",
        "level",
        "value",
        "unit",
        "limit",
        "since",
        "minutes",
        "person",
        "deadline",
        "id",
    }
)
"""Fields that a template may have."""

REQUIRED: Final = frozenset({"level", "id"})
"""Fields that it has to have: who is called must know how grave it is, and which call it is."""

_MINUTE: Final = 60 * 10**9

NOT_KNOWN: Final = "—"

WARNING: Final = Text(
    "【预警】{enterprise}{equipment}{point} {level}：{what}，{value}{unit}（限值{limit}），"
    "{since}起已{minutes}分钟。请{person}在{deadline}前按1确认。编号{id}。",
    "[Warning] {enterprise} {equipment} {point}, {level}: {what}, {value} {unit} (limit {limit}), "
    "since {since}, {minutes} min. {person}, please press 1 by {deadline}. No. {id}.",
)
"""The template of warnings and alarms: engineering default."""

ROLL_CALL: Final = Text(
    "【在线抽查】{enterprise} {level}：请{person}在{deadline}前按1应答。编号{id}。",
    "[Roll call] {enterprise}, {level}: {person}, please press 1 by {deadline}. No. {id}.",
)
"""The template of roll calls: engineering default."""


def fields_of(template: str) -> frozenset[str]:
    """Return the fields of a template. Raises ValueError if its braces do not match, or a field has a format."""
    found = set[str]()
    for _, name, form, conversion in Formatter().parse(template):
        if name is not None:
            if form or conversion:
                raise ValueError(f"{{{name}}} has a format")
            found.add(name)
    return frozenset(found)


def message_text(call: Call, attempt: CallAttempt, template: Text) -> Text:
    """Return the words of an attempt, in both languages."""
    return Text(
        filled(template.zh, call.facts.get("zh", {}), call, attempt),
        filled(template.en, call.facts.get("en", {}), call, attempt),
    )


def filled(template: str, facts: Mapping[str, str], call: Call, attempt: CallAttempt) -> str:
    """Return a template with its fields filled in; what is not known is a dash."""
    of_attempt = {
        "person": attempt.person,
        "deadline": clock(attempt.until),
        "since": clock(call.since),
        "minutes": str((attempt.sent - call.since) // _MINUTE),
        "id": str(call.id)[:8],
    }
    known = {**dict.fromkeys(FIELDS, NOT_KNOWN), **of_attempt, **facts}
    return template.format_map(known)


def clock(time: int) -> str:
    """Return the time of day at the plants.

    >>> clock(1_763_884_800 * 10**9)
    '16:00'
    """
    return dt.datetime.fromtimestamp(time // 10**9, PLANT_TIME).strftime("%H:%M")
