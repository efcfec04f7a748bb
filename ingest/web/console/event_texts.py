"""What was said with an event or an act, for people: its keys and codes in their language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from ingest.domain.cases.causes import CAUSES, FALSE_ALARMS
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.enterprise import RiskClass
from ingest.domain.cases.hazard import HazardLevel, HazardSource, HazardState
from ingest.domain.cases.inspection import Basis, InspectionState, Result
from ingest.domain.cases.labels import LABELS
from ingest.domain.cases.lead import LeadSource, LeadState
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Asked, Colour, Step
from ingest.services.timestamps import parse_instant
from ingest.web.console.wording import Language, clock
from ingest.web.texts import ACTIONS, EVENTS, SAID, STATES, SUPPRESSION_KINDS, TEXTS, WARNING_ASKED, WARNING_EVENTS
from ingest.web.texts.field_errors import NOTHING, size, wanted

_NANOSECONDS: Final = 10**17  # a whole number as great is a time
_SHOWN: Final = 60  # characters of what stood in a field that was refused

PROSE: Final = (
    "comment", "reason", "cause", "measure", "words", "remark", "text", "summary", "done", "description", "scope",
    "contingency",
)  # fmt: skip
"""The fields of the console's forms that hold sentences of whoever fills them in."""

_LEFT_OUT: Final = frozenset({"disposition", "suppression", "sha256"})
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
    | _labels(InspectionState),
    "source": _labels(HazardSource) | _labels(LeadSource),
    "basis": _labels(Basis),
    "result": _labels(Result),
    "risk_class": _labels(RiskClass),
}
"""Keys whose values are codes of ours, with what those are called; what people write is never taken for one."""

_ACTIONS: Final[Mapping[str, Mapping[str, Text]]] = {
    **ACTIONS,
    "alarm": {str(kind): text for kind, text in EVENTS.items()},
    "warning": {str(kind): text for kind, text in WARNING_EVENTS.items()},
}


def told(detail: Mapping[str, Any], lang: Language) -> list[tuple[str, str]]:
    """Return what was said as pairs of label and text, without what is empty."""
    if detail.get("from") in _COLOURS and detail.get("to") in _COLOURS:
        change = f"{_say(_COLOURS[detail['from']], lang)} → {_say(_COLOURS[detail['to']], lang)}"
        rest = {key: value for key, value in detail.items() if key not in {"from", "to", "colour"}}
        return [(_say(SAID["colour"], lang), change), *told(rest, lang)]
    return [
        (_say(SAID[key], lang) if key in SAID else key, _value(key, value, lang))
        for key, value in detail.items()
        if value not in (None, "", [], {}) and key not in _LEFT_OUT
    ]


def prose(form: Mapping[str, object], lang: Language) -> list[tuple[str, str]]:
    """Return the sentences somebody wrote into a form, each with what its field is called."""
    written = ((key, str(form.get(key, "")).strip()) for key in PROSE)
    return [(_say(SAID[key], lang), _value(key, text, lang)) for key, text in written if text]


def refused(error: Mapping[str, Any], lang: Language) -> tuple[str, str, str]:
    """Return what a field that was refused is called, what stood there, and what belongs there."""
    parameter, value = str(error["parameter"]), error["value"]
    key = next((part for part in reversed(parameter.split(".")) if part in SAID), parameter)
    label = _say(SAID[key], lang) if key in SAID else key
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
    return label, shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…", _say(wanted(str(error["expected"])), lang)


def action(kind: str, word: str, lang: Language) -> str:
    """Return what an action is called; a word that is not known stays as it is."""
    known = _ACTIONS.get(kind, {}).get(word)
    return _say(known, lang) if known else word


def cause(code: str, lang: Language) -> str:
    """Return what a cause is called; words of somebody's own stay as they are."""
    known = _CODES["cause"].get(code)
    return _say(known, lang) if known else code


def _value(key: str, value: Any, lang: Language) -> str:
    if isinstance(value, bool):
        return ("是" if value else "否") if lang == "zh" else ("yes" if value else "no")
    if isinstance(value, list):
        comma = _say(TEXTS["list.comma"], lang)
        return f"{len(value)}" if key in {"alarms", "evidence"} else comma.join(_value(key, one, lang) for one in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{label}: {text}" for label, text in told(value, lang))
    if key == "budget_fen":
        return f"{value / 100:,.2f}"
    text = str(value)
    if key == "clause" and (clause := load_criteria().clauses.get(text)):
        return clause.article
    known = _CODES.get(key, {}).get(text)
    return _say(known, lang) if known else _time(text)


def _time(text: str) -> str:
    """An instant in plant time; anything else as it is."""
    try:
        return clock(parse_instant(text)) if text[10:11] == "T" else text
    except ValueError:
        return text


def _say(text: Text, lang: Language) -> str:
    return text.zh if lang == "zh" else text.en
