"""Converts warnings and their events to rows and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from ingest.domain.model.audit import YUJING, Act
from ingest.domain.model.payload import phase_fields
from ingest.domain.model.plant import Confidence, PhaseName
from ingest.domain.model.text import Text
from ingest.domain.model.warning import (
    Asked,
    Colour,
    EarlyWarning,
    Fact,
    Feedback,
    Ground,
    Step,
    Trait,
    WarningEvent,
    WarningEventKind,
    WarningState,
)
from ingest.storage.state.identity import ByIdentity


def warning_row(warning: EarlyWarning) -> dict[str, Any]:
    """The warning as a row of table `warning`."""
    return {
        **{name: getattr(warning, name) for name in EarlyWarning.__dataclass_fields__},
        "colour": str(warning.colour) if warning.colour else None,
        "peak": str(warning.peak),
        "state": str(warning.state),
        "step": str(warning.step),
        "asking": str(warning.asking) if warning.asking else None,
        "who": list(warning.who),
        "feedback": asdict(warning.feedback) if warning.feedback else None,
        "inputs": [_ground_row(ground) for ground in warning.inputs],
        "fading": {str(colour): since for colour, since in warning.fading.items()},
    }


def warning_of(row: Mapping[str, Any]) -> EarlyWarning:
    """The warning in a row, or in an event's snapshot."""
    return EarlyWarning(
        **{
            **row,
            "id": _uuid(row["id"]),
            "colour": Colour(row["colour"]) if row["colour"] else None,
            "peak": Colour(row["peak"]),
            "state": WarningState(row["state"]),
            "step": Step(row["step"]),
            "asking": Asked(row["asking"]) if row["asking"] else None,
            "who": tuple(row["who"]),
            "feedback": Feedback(**row["feedback"]) if row["feedback"] else None,
            "inputs": tuple(_ground_of(ground) for ground in row["inputs"]),
            "fading": {Colour(colour): since for colour, since in row["fading"].items()},
        }
    )


def warning_event_row(event: WarningEvent) -> dict[str, Any]:
    """The event as a row of table `warning_event`, without its sequence number."""
    return {
        "id": event.id,
        "warning": event.warning.id,
        "kind": str(event.kind),
        "time": event.time,
        "by": event.by,
        "role": event.role,
        "detail": dict(event.detail),
        "snapshot": warning_row(event.warning) | {"id": str(event.warning.id)},
    }


def warning_event_of(row: Mapping[str, Any]) -> WarningEvent:
    """The event in a row."""
    warning, kind = warning_of(row["snapshot"]), WarningEventKind(row["kind"])
    return WarningEvent(row["seq"], _uuid(row["id"]), kind, row["time"], warning, row["by"], row["role"], row["detail"])


def warning_act(event: WarningEvent) -> Act:
    """The event as an act of the audit trail."""
    warning = event.warning
    colour = str(warning.colour) if warning.colour else None
    current = {"colour": colour, "peak": str(warning.peak), "step": str(warning.step), "who": list(warning.who)}
    actor, role = event.by or YUJING, event.role or "service"
    detail = {**current, **event.detail}
    return Act(event.time, actor, role, str(event.kind), "warning", str(warning.id), warning.plant, detail)


def _ground_row(ground: Ground) -> dict[str, Any]:
    return {
        "rule": ground.rule,
        "colour": str(ground.colour),
        "zh": ground.text.zh,
        "en": ground.text.en,
        "source": ground.source,
        "confidence": str(ground.confidence),
        "facts": [fact_row(fact) for fact in ground.facts],
        "more": ground.more,
    }


def _ground_of(row: Any) -> Ground:
    if isinstance(row, list):
        raise ValueError(f"it refers to inputs that are not there: {row}")  # noqa: TRY004  the row's fault, not the call's
    return Ground(
        row["rule"],
        Colour(row["colour"]),
        Text(row["zh"], row["en"]),
        row["source"],
        Confidence(row["confidence"]),
        tuple(_fact_of(fact) for fact in row["facts"]),
        row["more"],
    )


def _fact_row(fact: Fact) -> Mapping[str, Any]:
    row = {name: getattr(fact, name) for name in Fact.__dataclass_fields__ if name != "key"}
    phase = phase_fields(fact.phase)
    return row | {"alarm": str(fact.alarm) if fact.alarm else None, "traits": fact.traits.words, "phase": phase}


fact_row: Final = ByIdentity(_fact_row)
"""Cached, since a fact is written with each event of its warning while it holds."""


def _fact_of(row: Mapping[str, Any]) -> Fact:
    traits = Trait(0)
    for word in row["traits"]:
        traits |= Trait[word.upper()]
    alarm, phase = row["alarm"], row.get("phase")
    called = PhaseName(phase["code"], Text(**phase["name"])) if phase else None
    return Fact(**{**row, "alarm": UUID(alarm) if alarm else None, "traits": traits, "phase": called})


def _uuid(given: UUID | str) -> UUID:
    return given if isinstance(given, UUID) else UUID(given)
