"""A trial for machines."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from detectors.contributions import Aspect
from detectors.workbench import Contribution, Event
from ingest.cli.trying.suggestions import too_often
from ingest.cli.trying.texts import NOT_KNOWN
from ingest.cli.trying.trial import Trial, still


def as_json(trial: Trial, ids: Mapping[str, str], toml: str, zone: ZoneInfo) -> dict[str, Any]:
    """Return everything a trial came to; times are UTC."""
    table = trial.table
    return {
        "file": table.name,
        "rows": len(table),
        "columns": [{"name": column, "point": ids[column]} for column in table.columns],
        "time_column": table.time_column,
        "timezone": str(zone),
        "from": _utc(table.time[0]),
        "to": _utc(table.time[-1]),
        "lesson": {"rows": trial.lesson, "until": _utc(table.time[trial.lesson - 1])},
        "not_used": [dataclasses.asdict(fact) for fact in table.facts],
        "stood_still": [*still(table, trial.lesson)],
        "learning": [
            {
                "rule": learning.rule,
                "needed": learning.needed,
                "judges_from": None if learning.judges_from is None else _utc(learning.judges_from),
            }
            for learning in trial.learning
        ],
        "events": [_event(event) for event in trial.events],
        "rules": [
            {
                "rule": tried.placed.name,
                "columns": [*tried.placed.columns],
                "alarms": tried.alarms,
                "alarms_per_day": round(tried.a_day, 4),
                "suggested": not too_often(tried),
            }
            for tried in trial.tried
        ],
        "suggested_rules": toml,
        "not_known": [{"zh": text.zh, "en": text.en} for text in NOT_KNOWN],
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "rule": event.rule,
        "kind": event.kind,
        "column": event.column,
        "from": _utc(event.begin),
        "to": None if event.end is None else _utc(event.end),
        "row": event.row,
        "value": None if math.isnan(event.value) else event.value,
        "score": event.score,
        "peak": event.peak,
        "on": event.on,
        "contributions": [_contribution(each) for each in event.contributions],
    }


def _contribution(contribution: Contribution) -> dict[str, Any]:
    """Return a column with its share; of a kind that judges several aspects of a column, which of them."""
    whole = contribution.aspect is Aspect.WHOLE
    return {
        "column": contribution.column,
        "share": round(contribution.share, 4),
        "aspect": None if whole else contribution.aspect.name.lower(),
    }


def _utc(moment: np.datetime64 | np.int64) -> str:
    return f"{np.datetime_as_string(np.datetime64(int(moment.astype(np.int64)), 'ns'), 'ms')}Z"
