"""`python -m detectors.page` writes docs/detectors.md and its pictures: every kind, described by itself, at work."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import calibration
from detectors.bank import Bank
from detectors.examples import SECOND, scores, series, tables
from detectors.page_example import Example
from detectors.page_examples import EXAMPLES, FAMILIES
from detectors.parameters import PARAMETERS
from detectors.picture import Panel, draw
from detectors.registry import JUDGES, KINDS, SCORERS

PAGE: Final = Path("docs/detectors.md")
PICTURES: Final = Path("docs/images/detectors")

_HEAD: Final = """\
<!-- Written by `python -m detectors.page` from the modules in detectors/. Do not edit. -->
# The detectors

Every kind of rule: what it finds, its parameters, where it comes from, and a picture of it at work on a made-up
series. Blue is what is judged (grey: the other points it looks at), below it the score, dashed in red the limits,
shaded red the time the rule stands tripped. Where the score is missing the detector cannot tell.

What holds for all of them, and is therefore not said again: a rule trips when its score has reached `on` for `on_delay`
of event time, or at N of the last M readings, and returns when it has been at or below `off` for `off_delay`. A reading
without a usable value changes nothing (but for `bad`, `votes` and groups). A reading that is not newer than its point's
newest, because it is late or was sent twice, is not judged. While a rule's gate is closed it is not judged, and what
happens then is not learnt from. A silent point is `silence`'s business. A clock set forward is a gap; one set back
makes readings late until it has caught up. How a stream is cut into batches changes nothing, to the last bit. Which
rules say nothing at present, and why, is listed by `Bank.not_evaluated`.

Parameters are named as the library has them, and each kind's table says what they may be: `detectors.Rule` and the
plant file refuse anything else, naming the key, its value and what was expected. A plant file has the numbers a person
would write (`side = "low"`, limits in the point's unit, shares in percent, and `peers` for the inputs of groups and
neighbours), and may have another default; a key that a kind does not take is refused, with those it takes.
"""


_BUDGET = """
In a plant file `budget` may be given to `ewma`, `cusum`, `zscore`, `robust_z`, `profile`, `spike`, `noise`, `stuck`,
`forecast`, `page_hinkley`, `surprise`, `neighbour`, `mahalanobis`, `t2` and `spe`; the first six may leave `on` out,
and have a share of the plant's budget then. A rule on a group of points counts as one on one point. The spread of
`mahalanobis` counts up to about 2.2 times its `on` at the usual `smoothing`: where a limit was learnt beyond that, the
distance alone is judged.

```toml
[points.rules.DRIFT]
kind = "ewma"
budget = 60                # findings on 100 points in 30 days; evaluated once there are 10 days of readings
level = 1
label = "缓慢漂移"
label_en = "slow drift"
source = "engineering default"
confidence = "engineering default"
```

**The plant's budget.** `budget` under `[enterprise]` is how many false alarms a day all rules that learn may come to.
Each rule with neither `on` nor `budget` has the same share: with n rules that share, `budget` / n a day, which is
3000 x `budget` / n findings on 100 points in 30 days. A rule's own `budget` replaces its share. Where the plant file
gives none, it is the usual 30 on 100 points in 30 days, and less where more than 3000 rules share: altogether at most
30 a day, a fifth of the 150 that EEMUA 191 takes for one operator, so that the rest is left to limits (an engineering
default, no regulation). A changed number of rules changes the shares when the file is taken over, which the log tells
(`budget_shared`); what was learnt stays. `yujing check` prints what the rules of each plant may come to a day, and
doubts a budget that is exceeded by the rules' own ones.

```toml
[enterprise]
budget = 2                 # a day; with 40 rules that learn 150 each, evaluated once there are 4 days of readings
```

The days needed are 600 / `budget`, and one at least: `yujing explain point` says how many, `yujing check` doubts a
budget that needs more than a year, and the page of the point shows what is spent.
"""


def render() -> dict[Path, str]:
    """The page and its pictures, by file."""
    files = {PICTURES / f"{kind}.svg": picture(kind, example) for kind, example in EXAMPLES.items()}
    parts = [_HEAD, f"## Budgets of findings\n\n{inspect.cleandoc(calibration.__doc__ or '')}\n{_BUDGET}"]
    for family, kinds in FAMILIES.items():
        parts.append(f"## {family}\n")
        parts += [_section(kind, EXAMPLES.get(kind)) for kind in kinds]
    return {PAGE: "\n".join(parts), **files}


def picture(kind: str, example: Example) -> str:
    """The example's series, its score and its verdicts."""
    made = tables(kind, example.on, example.off, len(example.others), **example.param)
    readings = series(example.values, example.others, example.step_s)
    found = Bank(made).update(readings, int(readings.time[-1]))
    time_s = np.arange(len(example.values)).astype(np.float64) * example.step_s
    begins = (found.time[found.raised] / SECOND).tolist()
    ends = (found.time[~found.raised] / SECOND).tolist()
    tripped = list(zip(begins, [*ends, float(time_s[-1])][: len(begins)], strict=True))
    shown = [example.values] if example.beside else [example.values, *example.others]
    panels = [Panel(example.label, shown, example.drawn)]
    if example.beside:
        panels.append(Panel(example.beside, example.others, height=60))
    if kind in SCORERS:
        (score,) = scores(kind, made[kind], readings)
        score = _held(score) if example.step else score
        low, high = example.clip or (-np.inf, np.inf)
        score = np.minimum(np.maximum(-score if example.minus else score, low), high)
        limits = sorted({example.on, example.on if example.off is None else example.off})
        panels.append(Panel(example.score, [score], [-x for x in limits] if example.minus else limits, 80))
    return draw(time_s, panels, tripped, f"{kind}: {example.label}")


def _held(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold each score until the next one (float64[n]), for kinds that give one only now and then."""
    newest = np.maximum.accumulate(np.where(np.isnan(score), -1, np.arange(len(score))))
    held: NDArray[np.float64] = np.where(newest >= 0, score[newest], np.nan)
    return held


def _section(kind: str, example: Example | None) -> str:
    parts = [f"### `{kind}`\n", _described(kind), _parameters(kind)]
    if example is not None:
        parts.append(f"![{kind}]({PICTURES.relative_to(PAGE.parent)}/{kind}.svg)\n")
        parameters = ", ".join(f"{name} {value:g}" for name, value in example.param.items())
        off = "" if example.off is None else f", off {example.off:g}"
        parts.append(f"*{example.caption}* on {example.on:g}{off}{', ' if parameters else ''}{parameters}.\n")
    return "\n".join(parts)


def _described(kind: str) -> str:
    """The module's own words, without its doctest."""
    maker = {**SCORERS, **JUDGES}[kind]
    module = importlib.import_module(maker.__module__)
    words = inspect.cleandoc(module.__doc__ or "").split("\n>>>", 1)[0].rstrip()
    own = inspect.getdoc(maker)
    several = sum(made.__module__ == maker.__module__ for made in SCORERS.values()) > 1
    return f"{words}\n" + (f"\n{re.split(chr(10) + '>>>', own)[0].rstrip()}\n" if several and own else "")


def _parameters(kind: str) -> str:
    """A table of what each number may be."""
    kinds = PARAMETERS[kind]
    lines = ["| | unit | may be | default | |", "|---|---|---|---|---|"]
    for name, parameter in {"on": kinds.on, "off": kinds.off, **kinds.param}.items():
        if name.startswith("at_") and name != "at_0":
            continue
        usual = "" if name == "off" or parameter.default is None else f"{parameter.default:g}"
        shown = "at_0, at_1, ..." if name == "at_0" else name
        lines.append(f"| `{shown}` | {parameter.unit} | {parameter.expected} | {usual} | {parameter.meaning} |")
    return "\n".join(lines) + "\n"


def missing(known: Mapping[str, Example]) -> set[str]:
    """Kinds without an example."""
    return set(KINDS) - set(known) - {"silence"}


if __name__ == "__main__":
    for file, text in render().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
