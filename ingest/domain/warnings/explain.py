"""Explains a warning's colour at a moment from what was stored then: rules may have changed since (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest.domain.model.payload import iso, localized
from ingest.domain.model.warning import EarlyWarning, Ground, WarningEvent
from ingest.domain.warnings.report import colour_name, reasons, warning_fields


class NotYet(Exception):
    """The warning had not been raised yet."""

    def __init__(self, at: int, raised: int) -> None:
        super().__init__(f"it was raised at {iso(raised)}, after {iso(at)}")
        self.at, self.raised = at, raised


@dataclass(frozen=True, slots=True)
class Explanation:
    """The state of a warning at a moment.

    Attributes:
        at: that moment, ns.
        warning: after the last event up to then.
        last: that event.
        led: if its colour was only held then, the rules that had last called for it.
    """

    at: int
    warning: EarlyWarning
    last: WarningEvent
    led: tuple[Ground, ...] = ()


def explain(history: Sequence[WarningEvent], at: int | None = None) -> Explanation:
    """Explain its colour at `at` (ns); None: when it first had its highest one.

    `history` is every event of one warning, oldest first.

    Raises:
        NotYet: the warning was raised later.
    """
    if at is None:
        peak = history[-1].warning.peak
        at = next(event.time for event in history if event.warning.colour == peak)
    before = [event for event in history if event.time <= at]
    if not before:
        raise NotYet(at, history[0].time)
    return _after(before, at)


def explain_event(history: Sequence[WarningEvent], seq: int) -> Explanation:
    """Explain its colour right after one of its events; after the last one if that is not in its history."""
    found = next((at for at, event in enumerate(history, 1) if event.seq == seq), len(history))
    return _after(history[:found], history[found - 1].time)


def _after(events: Sequence[WarningEvent], at: int) -> Explanation:
    last = events[-1]
    colour = last.warning.colour
    led: tuple[Ground, ...] = ()
    if last.warning.held is not None:
        calls = (
            tuple(ground for ground in event.warning.inputs if ground.colour == colour) for event in reversed(events)
        )
        led = next(filter(None, calls), ())
    return Explanation(at, last.warning, last, led)


def as_json(found: Explanation) -> dict[str, Any]:
    """Return the explanation as the API and `yujing explain warning --json` give it."""
    warning = found.warning
    return {
        "at": iso(found.at),
        "colour": str(warning.colour) if warning.colour else None,
        "colour_name": localized(colour_name(warning.colour)),
        "since": iso(warning.since),
        "last_event": {"event": str(found.last.kind), "time": iso(found.last.time), "by": found.last.by},
        "reasons": reasons(warning.inputs, found.at),
        "fading": [
            {"colour": str(colour), "not_called_for_since": iso(since)} for colour, since in warning.fading.items()
        ],
        "held": {"since": iso(warning.held), "reasons": reasons(found.led, found.at)} if warning.held else None,
        "rules": warning.rules,
        "warning": warning_fields(warning),
    }
