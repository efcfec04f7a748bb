"""Turns the explanation of a point into JSON-ready data."""

from __future__ import annotations

import math
from typing import Any

from ingest.domain.alarms.report import rationalization_fields
from ingest.domain.model.text import Text
from ingest.plants.explain import PointNote
from ingest.plants.gates import ALWAYS


def as_json(note: PointNote) -> dict[str, Any]:
    """Return the explanation as JSON-ready data; unknown numbers are null."""
    return {
        "plant": note.plant,
        "point": note.id,
        "was": note.was,
        "signal": note.signal,
        "name": _both(note.name),
        "unit": note.unit,
        "range": [_finite(end) for end in note.range],
        "setpoint": note.setpoint,
        "silence_s": note.silence_s,
        "mandatory": note.mandatory,
        "basis": note.basis,
        "rules": [
            {
                "code": rule.code,
                "kind": rule.kind,
                "level": rule.level,
                "red": rule.red,
                "title": _both(rule.title),
                "reason": _both(rule.reason),
                "when": rule.gate or ALWAYS,
                "phases": [_both(phase) for phase in rule.phases],
                "remark": "; ".join(f"needs {text.en}" for text in rule.lacking) or None,
                "keys": {key.name: {"value": key.value, "from": key.origin} for key in rule.keys},
                "source": rule.source,
                "confidence": rule.confidence,
                "rationalization": rationalization_fields(rule.rationalization),
            }
            for rule in note.rules
        ],
        "not_judged": [{"code": rule.code, "why": f"needs {rule.needs.en}"} for rule in note.not_evaluated],
        "disabled": [{"code": code, "by": by} for code, by in note.disabled],
        "looked_at_by": [
            {"point": dependent.point, "code": dependent.code, "how": dependent.how} for dependent in note.dependents
        ],
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
