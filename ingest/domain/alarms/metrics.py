"""Alarm metrics of an operator position: rate, floods, worst rules, priorities, answers (EEMUA 191, ISA-18.2)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.model.annunciations import OPEN, Annunciations

SLOT_S: Final = 600
"""Rates are per 10 min, whatever a flood's window is."""

RATES: Final = (1, 2, 10)
"""Numbers of alarms above which a 10 min slot is counted: acceptable, manageable, flood."""

TOP: Final = 10
_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Flood:
    """An alarm flood: more alarms than a person can follow.

    Attributes:
        began, ended: ns since the epoch; `ended` None = it goes on at the end of the span.
        alarms: raised in it, including those of the window that began it.
        peak: the most within one window.
    """

    began: int
    ended: int | None
    alarms: int
    peak: int


@dataclass(frozen=True, slots=True)
class RuleLoad:
    """How often one rule was annunciated, and its share of all."""

    plant: str
    point: str
    rule: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Answers:
    """How soon alarms were acknowledged; times are None if none was."""

    acknowledged: int
    open: int
    median_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class AlarmMetrics:
    """The metrics of one position over a span. Shares are of 1.

    Attributes:
        start, end: the span, ns since the epoch.
        raised: annunciations.
        hidden: raises while shelved, suppressed or out of service; in no other figure.
        rate_mean, rate_max: alarms in 10 min, over slots counted from `start`.
        slots, above: the number of slots, and the share of them with more than so many alarms.
        floods, flood_share: floods, and the share of the span spent in flood.
        top, top_share: the ten most frequent rules, and their share of all annunciations.
        levels: annunciations by level.
        chattering: rules that were raised too often within a short time, as plant, point, code.
        answers: time to acknowledge.
        slot: int64[raised], the slot of each annunciation, ascending.
    """

    start: int
    end: int
    raised: int
    hidden: int
    rate_mean: float
    rate_max: int
    slots: int
    above: Mapping[int, float]
    floods: tuple[Flood, ...]
    flood_share: float
    top: tuple[RuleLoad, ...]
    top_share: float
    levels: Mapping[int, int]
    chattering: tuple[tuple[str, str, str], ...]
    answers: Answers
    slot: NDArray[np.int64] = field(repr=False, compare=False)

    @property
    def per_slot(self) -> NDArray[np.int64]:
        """int64[slots], alarms in each slot."""
        return np.bincount(self.slot, minlength=self.slots)


def measure(annunciations: Annunciations, start: int, end: int, config: AlarmsConfig) -> AlarmMetrics:
    """Compute the metrics of a span, start <= called < end, from one position's annunciations since `lead` before it.

    Raises:
        ValueError: the span is empty.
    """
    if start >= end:
        raise ValueError("a span that ends after it starts")
    span = annunciations.between(start, end)
    calls = span.visible()
    length = SLOT_S * _NS
    slots = -(-(end - start) // length)
    slot = (calls.called - start) // length
    filled = np.diff(np.flatnonzero(np.diff(slot, prepend=-1, append=slots)))  # alarms in each slot that has any
    known = annunciations.called[~annunciations.hidden]
    floods = floods_of(known[known < end], start, end, config)
    top = worst(calls, TOP)
    return AlarmMetrics(
        start=start,
        end=end,
        raised=len(calls),
        hidden=len(span) - len(calls),
        rate_mean=len(calls) * length / (end - start),
        rate_max=int(filled.max(initial=0)),
        slots=slots,
        above={rate: int((filled > rate).sum()) / slots for rate in RATES},
        floods=floods,
        flood_share=sum((f.ended or end) - max(f.began, start) for f in floods) / (end - start),
        top=top,
        top_share=sum(rule_load.count for rule_load in top) / len(calls) if len(calls) else 0.0,
        levels={level: int((calls.level == level).sum()) for level in (1, 2)},
        chattering=tuple(sorted(chattering_rules(calls, config.chatter_count, config.chatter_window_s * _NS))),
        answers=_answers(calls),
        slot=slot,
    )


def lead(config: AlarmsConfig) -> int:
    """Return how long before a span annunciations matter to it, ns: a flood may begin before the span does."""
    return 6 * max(SLOT_S, config.flood_window_s) * _NS


def floods_of(time: NDArray[np.int64], start: int, end: int, config: AlarmsConfig) -> tuple[Flood, ...]:
    """Return the floods that overlap the span, in ascending order, from the number of alarms in a sliding window."""
    if len(time) <= config.flood_begins_above:
        return ()
    window, most = config.flood_window_s * _NS, config.flood_begins_above
    if not (time[most:] - time[:-most] < window).any():  # mostly so, and soon seen
        return ()
    moments, inside = _windowed(time, window)
    sign = np.where(inside > config.flood_begins_above, 1, np.where(inside < config.flood_ends_below, -1, 0))
    decided = np.maximum.accumulate(np.where(sign != 0, np.arange(len(sign)), 0))
    on = sign[decided] > 0
    edges = np.flatnonzero(np.diff(on, prepend=False))  # always in pairs: every window is empty in the end
    found = []
    for first, last in edges.reshape(-1, 2).tolist():
        began, ended = int(moments[first]), int(moments[last])
        if began < end and ended > start:
            begin, stop = np.searchsorted(time, [began - window, ended], side="right")
            peak = int(inside[first:last].max())
            found.append(Flood(began, ended if ended < end else None, int(stop - begin), peak))
    return tuple(found)


def flooded(time: NDArray[np.int64], now: int, config: AlarmsConfig) -> bool:
    """Whether there is a flood at `now`, from raises up to then, ascending."""
    return any(flood.ended is None for flood in floods_of(time[time <= now], now, now + 1, config))


def worst(annunciations: Annunciations, count: int) -> tuple[RuleLoad, ...]:
    """Return the rules that were raised most often, the worst first."""
    rules, calls = np.unique(annunciations.rule, return_counts=True)
    order = np.argsort(-calls, kind="stable")[:count]
    return tuple(
        RuleLoad(plant, point, code, called, called / len(annunciations))
        for rule, called in zip(rules[order].tolist(), calls[order].tolist(), strict=True)
        for plant, point, code in (annunciations.rules[rule],)
    )


def chattering_rules(raises: Annunciations, count: int, window: int) -> AbstractSet[tuple[str, str, str]]:
    """Return the rules that were raised at least `count` times within `window` ns."""
    if len(raises) < count:
        return frozenset()
    order = np.lexsort((raises.raised, raises.rule))
    rule, time = raises.rule[order], raises.raised[order]
    ahead = count - 1
    close = (rule[ahead:] == rule[: len(rule) - ahead]) & (time[ahead:] - time[: len(time) - ahead] <= window)
    return {raises.rules[at] for at in np.unique(rule[ahead:][close]).tolist()}


def _windowed(time: NDArray[np.int64], window: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the times at which the number of alarms in the sliding window changes, and the number from then on."""
    edges = np.concatenate((time, time + window))
    change = np.repeat(np.array([1, -1]), len(time))
    order = np.argsort(edges, kind="stable")
    moments, inside = edges[order], np.cumsum(change[order])
    last = np.flatnonzero(np.diff(moments, append=moments[-1:] + 1))  # of those at one moment
    return moments[last], inside[last]


def _answers(calls: Annunciations) -> Answers:
    acked = calls.acked != OPEN
    waited = (calls.acked[acked] - calls.called[acked]) / _NS
    median, p95 = np.percentile(waited, [50, 95]).tolist() if len(waited) else (None, None)
    return Answers(int(acked.sum()), int((~acked).sum()), median, p95)
