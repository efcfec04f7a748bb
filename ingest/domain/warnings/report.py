"""The JSON form in which warnings leave the service: the same by webhook, stream and API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ingest.domain.model.payload import enterprise_fields, iso, localized, phase_fields
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, EarlyWarning, Fact, Ground, WarningEvent
from ingest.domain.warnings.risk import MODEL

ENDED = Text("解除", "over")
"""The colour name of a warning that has ended."""

HELD = Text("依据已不成立，颜色保持中", "not called for any more, held for a while")
"""The reason of a colour that is only held: rules that are met now call for a lower one."""


def warning_body(event: WarningEvent, plant: Plant | None) -> dict[str, Any]:
    """Return the body of a warning event for inspectors and the province; `plant` is None once it was removed."""
    return {
        "event": str(event.kind),
        "time": iso(event.time),
        "by": event.by,
        "detail": dict(event.detail),
        "title": localized(title(event.warning, plant)),
        "warning": warning_fields(event.warning),
        "reasons": reasons(event.warning.inputs, event.time),
        "enterprise": enterprise_fields(plant),
    }


def warning_fields(warning: EarlyWarning) -> dict[str, Any]:
    """Return a warning in its present state."""
    given = warning.feedback
    return {
        "id": str(warning.id),
        "plant": warning.plant,
        "colour": str(warning.colour) if warning.colour else None,
        "peak": str(warning.peak),
        "state": str(warning.state),
        "since": iso(warning.since),
        "raised": iso(warning.raised),
        "ended": iso(warning.ended),
        "step": str(warning.step),
        "step_name": localized(warning.step.text),
        "asking": str(warning.asking) if warning.asking else None,
        "asked": iso(warning.asked),
        "until": iso(warning.until),
        "who": list(warning.who),
        "acknowledged": iso(warning.acknowledged),
        "acknowledged_by": warning.acknowledged_by,
        "feedback": given and {"cause": given.cause, "measure": given.measure, "by": given.by, "time": iso(given.time)},
        "risk": warning.risk,
        "risk_model": MODEL,
        "rules": warning.rules,
    }


def reasons(grounds: Iterable[Ground], now: int) -> list[dict[str, Any]]:
    """Return every rule that is met, the gravest first, with its facts as of `now` (ns)."""
    return [
        {
            "rule": ground.rule,
            "colour": str(ground.colour),
            "text": localized(ground.text),
            "source": ground.source,
            "confidence": str(ground.confidence),
            "facts": [_fact(fact, now) for fact in ground.facts],
            "more": ground.more,
        }
        for ground in grounds
    ]


def title(warning: EarlyWarning, plant: Plant | None) -> Text:
    """Return the warning in one line, with the gravest reason."""
    name = plant.name if plant else Text(warning.plant, warning.plant)
    colour = warning.colour.text if warning.colour else ENDED
    why = HELD if warning.held is not None else warning.inputs[0].text if warning.inputs else None
    zh = f"{name.zh} {colour.zh}预警" if warning.colour else f"{name.zh} 预警{colour.zh}"
    en = f"{name.en}: {colour.en} warning" if warning.colour else f"{name.en}: warning {colour.en}"
    return Text(f"{zh}：{why.zh}" if why else zh, f"{en}: {why.en}" if why else en)


def colour_name(colour: Colour | None) -> Text:
    """Return a colour's name for people."""
    return colour.text if colour else ENDED


def _fact(fact: Fact, now: int) -> dict[str, Any]:
    return {
        "alarm": str(fact.alarm) if fact.alarm else None,
        "point": fact.point,
        "rule": fact.rule,
        "signal": fact.signal,
        "equipment": fact.equipment,
        "level": fact.level,
        "traits": fact.traits.words,
        "since": iso(fact.since),
        "age_s": round(max(0, now - fact.since) / 1e9, 3),
        "gone": iso(fact.gone),
        "value": fact.value,
        "limit": fact.limit,
        "unit": fact.unit,
        "phase": phase_fields(fact.phase),
    }
