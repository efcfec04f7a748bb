"""Rules as the workbench takes them: a kind, its columns and its parameters, every name and number checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from types import MappingProxyType
from typing import Final

from detectors.kinds.mahalanobis import USUAL as USUAL_GROUP
from detectors.parameter import Parameter
from detectors.parameters import PARAMETERS, KindParameters
from detectors.registry import KINDS
from detectors.workbench.errors import InvalidRule, unknown

LEAST_LESSON: Final = 30
"""Rows that a lesson has at least."""

MOST_LESSON: Final = 20_000
"""Rows of the lesson that a kind with a model learns from at most: the first ones."""


FLOOR: Final = -1.0
"""Default of `floor`: a thousandth of the span of the column's lesson."""
STEPS: Final = -1.0
"""Default of `fresh_s` and `gap_s`: some usual distances between rows."""
LESSON: Final = -1.0
"""Default of what counts the lesson: its rows."""

_OF_DATA: Final = {"floor": FLOOR, "fresh_s": STEPS, "gap_s": STEPS}


@dataclass(frozen=True, slots=True)
class Form:
    """How the workbench takes a kind; `PARAMETERS` says what its numbers may be.

    Attributes:
        kind: its name.
        off: of `on`, at which it returns; where not 1.
        lesson: the parameter that counts the readings it learns from.
        group: it judges columns together.
    """

    kind: str
    off: float = 1.0
    lesson: str | None = None
    group: bool = False

    @property
    def parameters(self) -> KindParameters:
        """What its numbers may be."""
        return PARAMETERS[self.kind]

    @property
    def on(self) -> float | None:
        """Default of the score at which it trips; None: must be given."""
        return self.parameters.on.default

    @property
    def param(self) -> dict[str, float | None]:
        """Its parameters with their defaults, or what stands for one that the data give; None: must be given."""
        usual = {name: parameter.default for name, parameter in self.parameters.param.items()}
        of_data = {name: value for name, value in _OF_DATA.items() if name in usual}
        return usual | of_data | ({self.lesson: LESSON} if self.lesson else {})


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        form.kind: form
        for form in (
            Form("surprise", lesson="least"),
            Form("mahalanobis", USUAL_GROUP["release"], "train", group=True),
            Form("t2", lesson="train", group=True),
            Form("spe", lesson="train", group=True),
            *(Form(kind) for kind in ("limit", "rate", "step", "spike", "count", "bad", "range", "stuck", "pinned")),
            *(Form(kind) for kind in ("noise", "robust_z", "profile", "forecast")),
            *(Form(kind, lesson="train") for kind in ("ewma", "cusum")),
            *(Form(kind, lesson="least") for kind in ("page_hinkley", "zscore")),
        )
    }
)
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
        """Check all names and numbers.

        Raises:
            InvalidRule: naming what is wrong, its value, what is allowed and what is nearest.

        >>> Rule("ewma", on=4, wieght=0.1)
        Traceback (most recent call last):
        detectors.workbench.errors.InvalidRule: ewma: parameter 'wieght' = 0.1: did you mean 'weight'? expected one ...
        >>> Rule("ewma", on=4, weight=2)
        Traceback (most recent call last):
        detectors.workbench.errors.InvalidRule: ewma: weight = 2: expected a number above 0 and at most 1 ...
        """
        form = form_of(kind)
        for key, number in param.items():
            if key not in form.param:
                raise unknown_parameter(kind, key, number, form)
        if columns is not None and len(columns) == 0:
            raise InvalidRule(
                f"{kind}: columns = {columns!r}: expected the names of columns; leave it out for all of them",
                f"{kind}：columns = {columns!r}：应为列名；不写即所有列",
            )
        missing = [key for key, default in form.param.items() if default is None and key not in param]
        missing += ["on"] if form.on is None and on is None else []
        if missing:
            raise InvalidRule(
                f"{kind} needs {', '.join(missing)}: see docs/detectors.md, {kind}",
                f"{kind} 须给出 {'、'.join(missing)}：见 docs/detectors.md 的 {kind}",
            )
        limit = _number(kind, "on", form.on or 0.0 if on is None else on, form.parameters.on)
        values = {key: default for key, default in form.param.items() if default is not None}
        values |= {key: _number(kind, key, value, form.parameters.param[key]) for key, value in param.items()}
        if "release" in values and "release" not in param and off is not None:
            values["release"] = off
        off = form.off * limit if off is None else _number(kind, "off", off, form.parameters.off)
        if off > limit:
            raise InvalidRule(
                f"{kind}: off = {off:g}: expected at most on = {limit:g}",
                f"{kind}：off = {off:g}：应不大于 on = {limit:g}",
            )
        for key, value in {
            "kind": kind,
            "columns": (columns,) if isinstance(columns, str) else None if columns is None else tuple(columns),
            "name": name or kind,
            "on": limit,
            "off": off,
            "on_delay_s": _number(kind, "on_delay_s", on_delay_s, _DELAY),
            "off_delay_s": _number(kind, "off_delay_s", off_delay_s, _DELAY),
            "param": MappingProxyType(values),
        }.items():
            object.__setattr__(self, key, value)

    @property
    def form(self) -> Form:
        """What its kind takes."""
        return FORMS[self.kind]


_DELAY: Final = Parameter("time for which the score must be there", "s", 0.0)


def _number(kind: str, key: str, value: object, parameter: Parameter) -> float:
    """Return the number that a parameter was given. Raises InvalidRule."""
    if isinstance(value, Real) and parameter.accepts(float(value)):
        return float(value)
    unit = f" ({parameter.unit}: {parameter.meaning})" if parameter.unit else f" ({parameter.meaning})"
    raise InvalidRule(
        f"{kind}: {key} = {value!r}: expected {parameter.expected}{unit}",
        f"{kind}：{key} = {value!r}：应为{parameter.expected_zh}",
    )


def form_of(kind: str) -> Form:
    """Return what a kind takes. Raises InvalidRule."""
    if kind in FORMS:
        return FORMS[kind]
    if kind in KINDS:
        raise InvalidRule(
            f"kind {kind!r} needs a plant file (docs/detectors.md); expected one of {', '.join(sorted(FORMS))}",
            f"规则种类 {kind} 须用企业文件（docs/detectors.md）；应为 {'、'.join(sorted(FORMS))} 之一",
        )
    raise unknown("kind", kind, FORMS)


def unknown_parameter(kind: str, given: str, value: object, form: Form) -> InvalidRule:
    """Return the error for a parameter that a kind does not have."""
    error = unknown("parameter", given, [*form.param, *_OWN])
    en = str(error).replace(f"parameter {given!r}", f"{kind}: parameter {given!r} = {value!r}", 1)
    return InvalidRule(en, error.zh.replace(f"参数 {given}", f"{kind}：参数 {given} = {value!r}", 1))


USUAL: Final = (Rule("surprise"), Rule("mahalanobis"))
"""What is judged where nobody says otherwise: each column by itself, and all of them together."""
