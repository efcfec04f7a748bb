"""What every number of a rule may be: unit, range, default and meaning, for each kind.

The only place that says so: the workbench's `Rule`, the keys of a plant file and the documentation read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from detectors.kinds.mahalanobis import USUAL as USUAL_GROUP
from detectors.kinds.restart import MOST_TIMES
from detectors.kinds.surprise import USUAL as USUAL_SURPRISE
from detectors.parameter import Parameter

READINGS: Final = "readings"
POINT: Final = "the point's unit"
SCATTERS: Final = "scatters"
SECONDS: Final = "s"


@dataclass(frozen=True, slots=True)
class KindParameters:
    """The numbers of a kind: the scores at which it trips and returns, and its own parameters."""

    on: Parameter
    off: Parameter
    param: Mapping[str, Parameter] = field(default_factory=dict)


def _positive(meaning: str, unit: str = "", default: float | None = None) -> Parameter:
    return Parameter(meaning, unit, 0.0, default=default, open_low=True)


def _count(meaning: str, least: float, default: float | None = None, unit: str = READINGS) -> Parameter:
    return Parameter(meaning, unit, least, default=default, whole=True)


def _share(meaning: str, default: float | None = None, *, open_low: bool = False, open_high: bool = False) -> Parameter:
    return Parameter(meaning, "", 0.0, 1.0, default, open_low, open_high)


def _of(on: Parameter, /, **param: Parameter) -> KindParameters:
    """Return what a kind takes that returns at a score of 0 or more."""
    return KindParameters(on, replace(on, meaning="score at which it returns", low=0.0, open_low=False), param)


def _of_ratio(on: Parameter, /, **param: Parameter) -> KindParameters:
    """Return what a kind takes that returns at a score of 1 or more."""
    return KindParameters(on, replace(on, meaning="score at which it returns", open_low=False), param)


_FACT: Final = Parameter("score at which it trips: it is so", "", 1.0, default=1.0)
_FLOOR: Final = _positive("smallest scatter that counts", POINT)
_FRESH: Final = _positive("age up to which a further point's value counts", SECONDS)
_WINDOW: Final = _positive("window looked at", SECONDS)
_LEVEL: Final = Parameter("value from which on a point counts", POINT)
_OFFSET: Final = Parameter("what local time is ahead of UTC", SECONDS, -86_400.0, 86_400.0, 0.0)
_SIDE: Final = Parameter("1 = above or rising, -1 = below or falling", choices=(-1.0, 1.0))
_EITHER: Final = replace(_SIDE, meaning=f"{_SIDE.meaning}, 0 = either", choices=(-1.0, 0.0, 1.0), default=0.0)
_YES: Final = Parameter("", choices=(0.0, 1.0))
_TRAIN: Final = _count("readings of the warm-up", 30, 1_800)
_LOW: Final = Parameter("lower end of the range", POINT)
_HIGH: Final = Parameter("upper end of the range", POINT)
_LEARNT: Final = _positive("score at which it trips", SCATTERS)
_TIMES: Final = _positive("score at which it trips", "limits", 1.0)
_LESSON: Final = _count("vectors of the warm-up, every member known", 30, 3_600, "vectors")
_QUANTILE: Final = _share(
    "share of the vectors left out of training below the limit", 0.99, open_low=True, open_high=True
)
_COMPONENTS: Final = {
    "train": _LESSON,
    "share": _share("share of the variance that the model keeps", 0.9, open_low=True),
    "quantile": _QUANTILE,
    "smoothing": _share("weight of the newest statistic", 1.0, open_low=True),
    "fresh_s": _FRESH,
}
_MEMORY: Final = ("short", "middle", "slow", "long")
_SURPRISE: Final = {
    **{name: Parameter(f"{name} memory", READINGS, 1.0, default=USUAL_SURPRISE[name]) for name in _MEMORY},
    "day_gain": _share("least weight of a visit to an hour of the day", USUAL_SURPRISE["day_gain"], open_low=True),
    "week_gain": _share("least weight of a visit to one of the week", USUAL_SURPRISE["week_gain"], open_low=True),
    "hold": _positive("readings for which an event speaks for what follows", READINGS, USUAL_SURPRISE["hold"]),
    "rise": Parameter("how much rarer, in logarithms, speaks anew", "", 1.0, default=USUAL_SURPRISE["rise"]),
    "offset_s": _OFFSET,
    "least": Parameter("readings before it tells anything", READINGS, 30.0, default=USUAL_SURPRISE["least"]),
    "one_in": Parameter("one reading in so many scores 0.5", READINGS, 20.0, default=USUAL_SURPRISE["one_in"]),
}
_DISTANCE: Final = {
    "train": _LESSON,
    "smoothing": _share("weight of the newest error", USUAL_GROUP["smoothing"], open_low=True),
    "ridge": _share("of a member's variance, damps the forecast", USUAL_GROUP["ridge"]),
    "adaptation": _share("weight of the newest error in the baseline", USUAL_GROUP["adaptation"]),
    "clip": _positive("what a value counts for at most", "standard deviations", USUAL_GROUP["clip"]),
    "limit": Parameter("limit of the distance; 0 = learnt", "", 0.0, default=USUAL_GROUP["limit"]),
    "quantile": replace(_QUANTILE, default=USUAL_GROUP["quantile"]),
    "release": Parameter("of the limit, where an excursion ends", "", 0.0, default=USUAL_GROUP["release"]),
    "culprit": _share("of the squared distance, makes a member a cause", USUAL_GROUP["culprit"], open_low=True),
    "shrink": _share("of the covariance, towards its diagonal", USUAL_GROUP["shrink"]),
    "fresh_s": _FRESH,
    "gap_s": _positive("a longer pause makes the memory begin anew", SECONDS),
}
_MOST_AFTER: Final = 32

PARAMETERS: Final[Mapping[str, KindParameters]] = MappingProxyType({
    "limit": KindParameters(
        Parameter("side x value at which it trips", POINT),
        Parameter("side x value at which it returns", POINT),
        {"side": _SIDE},
    ),
    "rate": _of(_positive("change at which it trips", f"{POINT}/min"), side=_EITHER, window_s=_WINDOW),
    "stuck": _of(
        _positive("time without leaving the band", SECONDS),
        band=Parameter("width that counts as standing still", POINT, 0.0, default=0.0),
        nonzero=replace(_YES, meaning="1 = zero may stand still", default=0.0),
    ),
    "range": _of(_FACT, low=_LOW, high=_HIGH),
    "bad": _of(_FACT),
    "deviation": _of(
        _positive("distance at which it trips", f"{POINT}, or % of the set-point"),
        side=_EITHER,
        relative=replace(_YES, meaning="1 = in % of the set-point", default=0.0),
        setpoint=Parameter("set-point; NaN = the further point's value", POINT, unknown=True),
        fresh_s=_FRESH,
    ),
    "step": _of(_positive("shift at which it trips", POINT), side=_EITHER, window_s=_WINDOW),
    "spike": _of(_LEARNT, floor=_FLOOR),
    "count": _of(
        Parameter("times at which it trips", "", 1.0, 16.0, whole=True),
        above=_LEVEL,
        window_s=_WINDOW,
        edges=replace(_YES, meaning="1 = counts only the way up", default=1.0),
    ),
    "pinned": _of(
        Parameter("share of the readings near the value", "%", 0.0, 100.0, open_low=True),
        at=Parameter("value looked for", POINT),
        band=_positive("how near counts", POINT),
        window_s=_WINDOW,
    ),
    "noise": _of_ratio(Parameter("usual noise over present noise", "", 1.0, open_low=True), window_s=_WINDOW),
    "current": _of(Parameter("distance from mid-scale", "mA", 8.0, 12.0, 9.0, open_low=True), low=_LOW, high=_HIGH),
    "neighbour": _of_ratio(
        Parameter("ratio to the median at which it trips", "", 1.0, open_low=True), floor=_FLOOR, fresh_s=_FRESH
    ),
    "votes": _of(
        _count("votes at which it trips", 1, unit=""),
        level=_LEVEL,
        bad_votes=replace(_YES, meaning="1 = a bad value votes, too", default=1.0),
        fresh_s=_FRESH,
    ),
    "first_out": _of(_FACT, level=_LEVEL),
    "restart": _of(
        _FACT,
        level=replace(_LEVEL, default=0.5),
        hold_s=_positive("time in which it may not start again", SECONDS),
        single=Parameter("bits of the further points that happen in ordinary work", "", 0.0, whole=True, default=0.0),
        times=Parameter("so many of those are a trip", "", 2.0, MOST_TIMES, 3.0, whole=True),
        within_s=_positive("time in which they are", SECONDS, 60.0),
        stop_s=_positive("time before a stop in which a single one is a trip", SECONDS, 300.0),
        **{
            f"at_{at}": Parameter("value at which that further point trips; NaN = it signs", POINT, unknown=True)
            for at in range(_MOST_AFTER)
        },
    ),
    "sequence": _of(
        _FACT,
        enters=Parameter("number of the phase that is entered", "", 0.0, whole=True),
        after=Parameter("bits of the phases that lead to it", "", 0.0, whole=True),
        within_s=_positive("time for which a phase is remembered", SECONDS, 60.0),
    ),
    "silence": _of(_positive("time without a reading", SECONDS)),
    "ewma": _of(
        _LEARNT, train=_TRAIN, weight=_share("weight of the newest reading", 0.05, open_low=True), floor=_FLOOR
    ),
    "cusum": _of(
        _LEARNT, train=_TRAIN, slack=Parameter("half the shift that matters", SCATTERS, 0.0, default=0.5), floor=_FLOOR
    ),
    "page_hinkley": _of(
        _positive("sum at which it trips", f"{POINT} x readings"),
        delta=Parameter("deviation that is tolerated", POINT, 0.0),
        alpha=_share("what is left of the sums at each reading", 0.9999, open_low=True),
        least=_count("readings before it tells anything", 2, 300),
    ),
    "zscore": _of(_LEARNT, least=_count("readings before it tells anything", 2, 300), floor=_FLOOR),
    "robust_z": _of(_LEARNT, window_s=_WINDOW, floor=_FLOOR),
    "profile": _of(
        _LEARNT,
        period_s=_positive("period after which it is the same time again", SECONDS, 86_400.0),
        offset_s=_OFFSET,
        least=_count("periods before it tells anything", 3, 7, "periods"),
        floor=_FLOOR,
    ),
    "phase": _of(
        _LEARNT,
        low=replace(_LOW, meaning="lower end of the further point"),
        high=replace(_HIGH, meaning="upper end of the further point"),
        least=_count("visits before it tells anything", 3, 5, "visits"),
        floor=_FLOOR,
        fresh_s=_FRESH,
    ),
    "surprise": _of(
        Parameter("score at which it trips", "", 0.0, 1.0, 0.5, open_low=True, open_high=True), **_SURPRISE
    ),
    "forecast": KindParameters(
        Parameter("minus the time left at which it trips", SECONDS, high=0.0, default=0.0),
        Parameter("minus the time left at which it returns", SECONDS, high=0.0),
        {
            "limit": Parameter("value that is forecast", POINT),
            "side": _SIDE,
            "window_s": _WINDOW,
            "lead_s": _positive("time ahead looked at", SECONDS),
        },
    ),
    "t2": _of(_TIMES, **_COMPONENTS),
    "spe": _of(_TIMES, **_COMPONENTS),
    "mahalanobis": _of(_TIMES, **_DISTANCE),
})  # fmt: skip
"""By kind."""
