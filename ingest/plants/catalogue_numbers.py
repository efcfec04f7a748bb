"""Puts the numbers of a rule of the catalogue into words, for its page."""

from __future__ import annotations

from typing import Final

from ingest.plants.kinds import LimitSpec, RuleSpec
from ingest.plants.kinds.changes import ForecastSpec, RateSpec, StepSpec
from ingest.plants.kinds.instruments import BadSpec, CurrentSpec, PinnedSpec, RangeSpec, SilenceSpec, StuckSpec
from ingest.plants.kinds.localized import number, seconds
from ingest.plants.kinds.restart import RestartSpec
from ingest.plants.kinds.several import NeighbourSpec, VotesSpec
from ingest.plants.kinds.steps import SequenceSpec
from ingest.plants.kinds.values import CountSpec, DeviationSpec
from ingest.plants.phase_rules import DwellSpec

_SIDES: Final = {"rise": "+", "fall": "−", "either": "±"}


def numbers(spec: RuleSpec, unit: str) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912  one case a kind
    """Return where a rule trips and where it returns; raise TypeError for a kind that is no default."""
    unit = spec.unit or unit
    match spec:
        case DwellSpec():
            return f"lasts {seconds(spec.on_delay_s).en}", ""
        case LimitSpec():
            sign = "≥" if spec.side == "high" else "≤"
            on = _number(spec.on, spec.on_percent, spec.on_offset, unit)
            off = _number(spec.off, spec.off_percent, spec.off_offset, unit)
            return f"{sign} {on}" if on else "per plant", off or on
        case DeviationSpec():
            sign = {"above": "+", "below": "−", "either": "±"}[spec.side]
            relative = "%" if spec.on_percent is not None else unit
            off_ = spec.off_percent if spec.on_percent is not None else spec.off
            on = f"{sign}{number(spec.on_percent or spec.on or 0.0, relative)} off {spec.setpoint or 'set-point'}"
            return on, number(off_, relative) if off_ is not None else ""
        case RateSpec():
            off = f"{spec.off:g} {unit}/min" if spec.off is not None else ""
            return f"{_SIDES[spec.side]}{spec.on:g} {unit}/min over {spec.window_s:g} s", off
        case StepSpec():
            on = f"{spec.on:g} {unit}" if spec.on is not None else f"{spec.on_span_percent:g} % of span"
            return f"{_SIDES[spec.side]}{on} within {spec.window_s:g} s", ""
        case CountSpec():
            return f"{spec.on} times above {spec.above:g} within {spec.window_s:g} s", ""
        case ForecastSpec():
            left = f"{seconds(spec.lead_s).en} left to {spec.of_limit or number(spec.limit or 0.0, unit)}"
            return f"{left}, by the trend of {seconds(spec.window_s).en}", f"{seconds(2 * spec.lead_s).en} left"
        case RestartSpec():
            trips = ", ".join(f"{name} ≥ {limit:g}" for name, limit in spec.after.items())
            signed = f", without {spec.inspected} since" if spec.inspected else ""
            single = (
                f"; {', '.join(spec.single)} only as {spec.times} within {seconds(spec.within_s).en},"
                f" or within {seconds(spec.stop_s).en} before the stop"
                if spec.single
                else ""
            )
            return f"starts within {seconds(spec.hold_s).en} of a trip ({trips}{single}){signed}", ""
        case SequenceSpec():
            return f"{spec.enters} entered from another than {', '.join(spec.after)}", "left"
        case PinnedSpec():
            near = f"{spec.of_limit or number(spec.at or 0.0)} ± {number(spec.band, unit)}"
            off = number(spec.off, "%") if spec.off is not None else ""
            return f"{spec.on:g} % of {seconds(spec.window_s).en} within {near}", off
        case NeighbourSpec():
            whom = spec.peers if isinstance(spec.peers, str) else ", ".join(spec.peers)
            on = f"× or ÷ {spec.on:g} against its like, {whom}; {number(spec.floor, unit)} at least"
            return on, f"{spec.off:g}" if spec.off is not None else ""
        case VotesSpec():
            whom = spec.peers if isinstance(spec.peers, str) else ", ".join(spec.peers)
            return f"{spec.on} or more of its like, {whom}, at {number(spec.at, unit)}", ""
        case CurrentSpec():
            return f"as of ≤ {12 - spec.on:g} mA or ≥ {12 + spec.on:g} mA", ""
        case StuckSpec():
            above = ", not at 0" if spec.nonzero else ""
            return f"within {spec.band_percent:g} % of span for {spec.on:g} s{above}", ""
        case SilenceSpec():
            return "silent for longer than its longest silence", ""
        case RangeSpec():
            return "outside its range", ""
        case BadSpec():
            return "no value, or marked bad", ""
    raise TypeError(f"{spec.kind} is no default kind: say here how to show it")


def _number(absolute: float | None, percent: float | None, offset: float | None, unit: str) -> str:
    if percent is not None:
        return f"{percent:g} % of set-point"
    if offset is not None:
        return f"set-point {'+' if offset >= 0 else '−'} {number(abs(offset), unit)}"
    return f"{absolute:g} {unit}".strip() if absolute is not None else ""
