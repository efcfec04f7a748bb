"""Rules as the workbench takes them: a kind, its columns and its parameters, every name checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from types import MappingProxyType
from typing import Final

from detectors.kinds.mahalanobis import USUAL as USUAL_GROUP
from detectors.kinds.surprise import USUAL as USUAL_SURPRISE
from detectors.registry import KINDS
from detectors.workbench.errors import InvalidRule, unknown

LEAST_LESSON: Final = 30
"""Rows that a lesson has at least."""

MOST_LESSON: Final = 20_000
"""Rows of the lesson that a kind with a model learns from at most: the first ones."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind takes.

    Attributes:
        param: its parameters with their defaults; None: must be given.
        on: default of the score at which it trips; None: must be given.
        off: of `on`, at which it returns; where not 1.
        lesson: the parameter that counts the readings it learns from.
        group: it judges columns together.
    """

    param: Mapping[str, float | None]
    on: float | None = None
    off: float = 1.0
    lesson: str | None = None
    group: bool = False


FLOOR: Final = -1.0
"""Default of `floor`: a thousandth of the span of the column's lesson."""
STEPS: Final = -1.0
"""Default of `fresh_s` and `gap_s`: some usual distances between rows."""
LESSON: Final = -1.0
"""Default of what counts the lesson: its rows."""

_COMPONENTS: Final = {"train": LESSON, "share": 0.9, "quantile": 0.99, "smoothing": 1.0, "fresh_s": STEPS}

FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "surprise": Form({**USUAL_SURPRISE, "least": LESSON}, 0.5, lesson="least"),
        "mahalanobis": Form(
            {**USUAL_GROUP, "train": LESSON, "fresh_s": STEPS, "gap_s": STEPS},
            1.0, USUAL_GROUP["release"], "train", group=True,
        ),
        "t2": Form(_COMPONENTS, 1.0, lesson="train", group=True),
        "spe": Form(_COMPONENTS, 1.0, lesson="train", group=True),
        "limit": Form({"side": None}),
        "rate": Form({"side": 0.0, "window_s": None}),
        "step": Form({"side": 0.0, "window_s": None}),
        "spike": Form({"floor": FLOOR}),
        "count": Form({"above": None, "window_s": None, "edges": 1.0}),
        "bad": Form({}, 1.0),
        "range": Form({"low": None, "high": None}, 1.0),
        "stuck": Form({"band": 0.0, "nonzero": 0.0}),
        "pinned": Form({"at": None, "band": None, "window_s": None}),
        "noise": Form({"window_s": None}),
        "ewma": Form({"train": LESSON, "weight": 0.05, "floor": FLOOR}, lesson="train"),
        "cusum": Form({"train": LESSON, "slack": 0.5, "floor": FLOOR}, lesson="train"),
        "page_hinkley": Form({"delta": None, "alpha": 0.9999, "least": LESSON}, lesson="least"),
        "zscore": Form({"least": LESSON, "floor": FLOOR}, lesson="least"),
        "robust_z": Form({"window_s": None, "floor": FLOOR}),
        "profile": Form({"period_s": 86_400.0, "offset_s": 0.0, "least": 7.0, "floor": FLOOR}),
        "forecast": Form({"limit": None, "side": None, "window_s": None, "lead_s": None}, 0.0),
    }
)  # fmt: skip
"""The kinds that need nothing but columns. The others need to know of a plant: what is a set-point, a vote, a stop."""

_OWN: Final = ("columns", "name", "on", "off", "on_delay_s", "off_delay_s")


@dataclass(frozen=True, slots=True, init=False)
class Rule:
    """A rule on columns: one for each of them, or one on all together if its kind judges groups.

    Attributes:
        kind: see docs/detectors.md.
        columns: None: all.
        name: what scores and events call it; the kind, where not given.
        on, off: scores at which it trips and returns.
        on_delay_s, off_delay_s: for how long the score must be there, s.
        param: the kind's own parameters.
    """

    kind: str
    columns: tuple[str, ...] | None
    name: str
    on: float
    off: float
    on_delay_s: float
    off_delay_s: float
    param: Mapping[str, float]

    def __init__(
        self,
        kind: str,
        *,
        columns: str | Sequence[str] | None = None,
        name: str | None = None,
        on: float | None = None,
        off: float | None = None,
        on_delay_s: float = 0.0,
        off_delay_s: float = 0.0,
        **param: float,
    ) -> None:
        """Check all names.

        Raises:
            InvalidRule: naming what is wrong, what is allowed and what is nearest.

        >>> Rule("ewma", on=4, wieght=0.1)
        Traceback (most recent call last):
        detectors.workbench.errors.InvalidRule: parameter 'wieght' of ewma: did you mean 'weight'? expected one of ...
        """
        form = form_of(kind)
        for given in param:
            if given not in form.param:
                raise unknown_parameter(kind, given, form)
        missing = [key for key, default in form.param.items() if default is None and key not in param]
        missing += ["on"] if form.on is None and on is None else []
        if missing:
            raise InvalidRule(f"{kind} needs {', '.join(missing)}: see docs/detectors.md, {kind}")
        limit = _number(kind, "on", on if on is not None else form.on or 0.0)
        values = {key: _number(kind, key, param.get(key, default or 0.0)) for key, default in form.param.items()}
        if "release" in values and "release" not in param and off is not None:
            values["release"] = off
        off = form.off * limit if off is None else _number(kind, "off", off)
        if off > limit:
            raise InvalidRule(f"{kind}: off = {off:g}: expected at most on = {limit:g}")
        for key, value in {
            "kind": kind,
            "columns": (columns,) if isinstance(columns, str) else None if columns is None else tuple(columns),
            "name": name or kind,
            "on": limit,
            "off": off,
            "on_delay_s": _delay(kind, "on_delay_s", on_delay_s),
            "off_delay_s": _delay(kind, "off_delay_s", off_delay_s),
            "param": MappingProxyType(values),
        }.items():
            object.__setattr__(self, key, value)

    @property
    def form(self) -> Form:
        """What its kind takes."""
        return FORMS[self.kind]


def _number(kind: str, key: str, value: object) -> float:
    """Return the number that a parameter was given. Raises InvalidRule."""
    if not isinstance(value, Real) or math.isnan(value):
        raise InvalidRule(f"{kind}: {key} = {value!r}: expected a number")
    return float(value)


def _delay(kind: str, key: str, value: object) -> float:
    """Return the seconds that a delay was given. Raises InvalidRule."""
    seconds = _number(kind, key, value)
    if not 0 <= seconds < math.inf:
        raise InvalidRule(f"{kind}: {key} = {value!r}: expected seconds, 0 or more")
    return seconds


def form_of(kind: str) -> Form:
    """Return what a kind takes. Raises InvalidRule."""
    if kind in FORMS:
        return FORMS[kind]
    if kind in KINDS:
        raise InvalidRule(
            f"kind {kind!r} needs a plant file (docs/detectors.md); expected one of {', '.join(sorted(FORMS))}"
        )
    raise unknown("kind", kind, FORMS)


def unknown_parameter(kind: str, given: str, form: Form) -> InvalidRule:
    """Return the error for a parameter that a kind does not have."""
    error = unknown("parameter", given, [*form.param, *_OWN])
    return InvalidRule(str(error).replace(f"parameter {given!r}", f"parameter {given!r} of {kind}", 1))


USUAL: Final = (Rule("surprise"), Rule("mahalanobis"))
"""What is judged where nobody says otherwise: each column by itself, and all of them together."""
