"""Translates the details of events and acts for people: keys, codes, times and refused fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from ingest.domain.cases.bypass import BypassState
from ingest.domain.cases.causes import CAUSES, FALSE_ALARMS
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.enterprise import RiskClass
from ingest.domain.cases.hazard import HazardLevel, HazardSource, HazardState
from ingest.domain.cases.inspection import Basis, InspectionState, Result
from ingest.domain.cases.labels import LABELS
from ingest.domain.cases.lead import LeadSource, LeadState
from ingest.domain.cases.ledger import Corrected, Planning
from ingest.domain.cases.step_tables import TABLES, fields_of
from ingest.domain.cases.verbs import FREE_TEXT
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Asked, Colour, Step
from ingest.services.timestamps import parse_instant
from ingest.web.console.wording import Language, clock
from ingest.web.texts import (
    ACTIONS,
    EVENTS,
    FIELD_LABELS,
    STATES,
    SUPPRESSION_KINDS,
    TEXTS,
    WARNING_ASKED,
    WARNING_EVENTS,
)
from ingest.web.texts.field_errors import NOTHING, expected_text, size

_NANOSECONDS: Final = 10**17  # a whole number as great is a time
_SHOWN: Final = 60  # characters of a refused field's value that are shown

PROSE: Final = tuple(
    dict.fromkeys(
        (
            *("comment", "reason", "cause", "measure", "words", "text", "summary", "description", "scope", "result"),
            *("measures", "assessment"),
            *(field.parameter for table in TABLES for field in fields_of(table) if field.kind in FREE_TEXT),
        )
    )
)
"""Fields of the console's forms that hold free text: those of its templates, and of the forms of steps."""

_LEFT_OUT: Final = frozenset({"disposition", "suppression", "sha256", "entry"})
"""Ids that mean nothing to people; the page links to what they name."""


def _labels(kind: type[StrEnum]) -> dict[str, Text]:
    return {str(value): text for value, text in LABELS[kind].items()}


_COLOURS: Final = {str(colour): colour.text for colour in Colour}
_ASKED: Final = {str(asked): WARNING_ASKED[asked] for asked in Asked}
_STEPS: Final = {str(step): step.text for step in Step}
_CODES: Final[Mapping[str, Mapping[str, Text]]] = {
    "kind": {str(kind): text for kind, text in SUPPRESSION_KINDS.items()},
    "cause": {code: text for causes in CAUSES.values() for code, text in causes.items()},
    "false_alarm": FALSE_ALARMS,
    "colour": _COLOURS,
    "before": _COLOURS,
    "peak": _COLOURS,
    "from": _STEPS | _COLOURS,
    "step": _STEPS,
    "awaited": _ASKED,
    "missed": _ASKED,
    "level": _labels(HazardLevel) | {"1": TEXTS["alarm.level_1"], "2": TEXTS["alarm.level_2"]},
    "state": {str(state): text for state, text in STATES.items()}
    | _labels(HazardState)
    | _labels(LeadState)
    | _labels(InspectionState)
    | _labels(BypassState),
    "source": _labels(HazardSource) | _labels(LeadSource),
    "basis": _labels(Basis),
    "outcome": _labels(Corrected),
    "planning": _labels(Planning),
    "result": _labels(Result),
    "risk_class": _labels(RiskClass),
}
"""Texts of coded values, by key; free text is never taken for a code."""

_ACTIONS: Final[Mapping[str, Mapping[str, Text]]] = {
    **ACTIONS,
    "alarm": {str(kind): text for kind, text in EVENTS.items()},
    "warning": {str(kind): text for kind, text in WARNING_EVENTS.items()},
}


def detail_texts(detail: Mapping[str, Any], lang: Language) -> list[tuple[str, str]]:
    """Return an event's details as pairs of label and text, without empty ones."""
    if detail.get("from") in _COLOURS and detail.get("to") in _COLOURS:
        change = f"{_say(_COLOURS[detail['from']], lang)} → {_say(_COLOURS[detail['to']], lang)}"
        rest = {key: value for key, value in detail.items() if key not in {"from", "to", "colour"}}
        return [(_say(FIELD_LABELS["colour"], lang), change), *detail_texts(rest, lang)]
    return [
        (_say(FIELD_LABELS[key], lang) if key in FIELD_LABELS else key, _value(key, value, lang))
        for key, value in detail.items()
        if value not in (None, "", [], {}) and key not in _LEFT_OUT
    ]


def sentences(form: Mapping[str, object], lang: Language) -> list[tuple[str, str]]:
    """Return the free texts of a form, each with the label of its field."""
    written = ((key, str(form.get(key, "")).strip()) for key in PROSE)
    return [(_say(FIELD_LABELS[key], lang), _value(key, text, lang)) for key, text in written if text]


def refused_field(error: Mapping[str, Any], lang: Language) -> tuple[str, str, str]:
    """Return a refused field's label, its value, and what was expected."""
    parameter, value = str(error["parameter"]), error["value"]
    key = next((part for part in reversed(parameter.split(".")) if part in FIELD_LABELS), parameter)
    label = _say(FIELD_LABELS[key], lang) if key in FIELD_LABELS else key
    if key == "token":
        shown = ""
    elif value in (None, "", [], ()):
        shown = _say(NOTHING, lang)
    elif isinstance(value, int) and abs(value) >= _NANOSECONDS:
        shown = clock(value)
    elif found := re.fullmatch(r"(\d+) bytes", str(value)):
        shown = size(int(found[1]))
    else:
        shown = _value(key, value, lang)
    return (
        label,
        shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…",
        _say(expected_text(str(error["expected"])), lang),
    )


def action(kind: str, word: str, lang: Language) -> str:
    """Return the text of an action; an unknown one as it is."""
    known = _ACTIONS.get(kind, {}).get(word)
    return _say(known, lang) if known else word


def cause(code: str, lang: Language) -> str:
    """Return the text of a cause; a person's own words as they are."""
    known = _CODES["cause"].get(code)
    return _say(known, lang) if known else code


def _value(key: str, value: Any, lang: Language) -> str:
    if isinstance(value, bool):
        return ("是" if value else "否") if lang == "zh" else ("yes" if value else "no")
    if isinstance(value, list):
        comma = _say(TEXTS["list.comma"], lang)
        return (
            f"{len(value)}" if key in {"alarms", "evidence"} else comma.join(_value(key, item, lang) for item in value)
        )
    if isinstance(value, Mapping):
        return "; ".join(f"{label}: {text}" for label, text in detail_texts(value, lang))
    if key == "budget_fen":
        return f"{value / 100:,.2f}"
    text = str(value)
    if key == "clause" and (clause := load_criteria().clauses.get(text)):
        return clause.article
    known = _CODES.get(key, {}).get(text)
    return _say(known, lang) if known else _time(text)


def _time(text: str) -> str:
    """Format an instant in plant time; anything else stays as it is."""
    try:
        return clock(parse_instant(text)) if text[10:11] == "T" else text
    except ValueError:
        return text


def _say(text: Text, lang: Language) -> str:
    return text.zh if lang == "zh" else text.en
