"""Writes `docs/signals.md` and a page for each kind of plant: `python -m ingest.plants.catalogue_page`, at the root."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from ingest.domain.model.plant import PlantKind
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Catalogue, Signal, load_catalogue
from ingest.plants.catalogue_numbers import numbers
from ingest.plants.gates import ALWAYS
from ingest.plants.kinds import RuleSpec
from ingest.plants.phase_rules import DwellSpec
from ingest.plants.phases import PhaseModel

INDEX: Final = Path("docs/signals.md")
FOLDER: Final = Path("docs/signals")

_KINDS: Final[dict[PlantKind, Text]] = {
    "dust": Text("粉尘涉爆", "dust explosion"),
    "steel": Text("钢铁", "steel"),
    "aluminium": Text("铝加工（深井铸造）", "deep-well aluminium casting"),
}

_COMMON: Final = Text("所有测点与网关", "every point, and gateways")
_SERVICE: Final = Text("监测服务自身", "the service itself")
_INSTRUMENT: Final = Text("仪表的检定与检验", "checks of instruments")

_MARK: Final = (
    "<!-- Generated from ingest/plants/catalogue/*.toml by `python -m ingest.plants.catalogue_page`. Do not edit. -->\n"
)

_HEAD: Final = """\
# 信号目录 / Signal catalogue

Every signal a plant file may name, with the rules its points get by default. A plant file may change any number; a rule
that needs a set-point or a gate the plant does not have is listed as *not judged*, never silently left out.

**Confidence** says how far to trust a number. *regulation*: a regulation fixes that number and its text was read.
*published*: read in a published source, which may be no standard at all. *engineering default*: ours, or recalled from
a document that was not at hand; check it before relying on it. No number here is *regulation* unless its row says so.

The rules of [every point](signals/common.md) hold for all signals and are repeated only where a signal changes them.
Percent numbers are percent of the point's set-point. A rule trips once its condition has held for *delay* and returns
at *off*; an alarm of a *latched* one stays until it is reset. **red** marks a rule that alone calls for a red warning.
**mandatory** marks a signal that a duty asks for, by its basis: out of action during production it is a hazard.
*unless* closes a rule; where the plant lacks what it names, it is left out and the rule is judged all the time.
So is one side of *unless* or *when* with `or`: `ALC_CAST_SPEED > 5 or ALC_CAST_LEN > 0` is judged by the cast length
alone in a plant without the speed, and an instrument that fails does not blind the rule while the other one decides.

Besides the kinds below, a plant file may use `spike`, `noise`, `first_out`, `ewma`, `cusum`, `page_hinkley`,
`zscore`, `robust_z`, `profile`, `phase`, `surprise`, `t2`, `spe`, `mahalanobis` and `step`: they need numbers of the
plant, or time to learn from it, and are not defaults. What each finds: [detectors.md](detectors.md).
"""


_READ: Final = "How to read these tables, and how far to trust a number: [signals.md](../signals.md).\n"


def pages(catalogue: Catalogue) -> dict[Path, str]:
    """Return the index and one page for each kind of plant, the rules of every point, and the service, by path."""
    shared = {**catalogue.every, **catalogue.analogue}
    named: dict[str, tuple[Text, list[Signal]]] = {
        kind: (_KINDS[kind], [signal for code, signal in signals.items() if code not in catalogue.shared])
        for kind, signals in catalogue.signals.items()
    }
    every_kind = list(catalogue.shared.values())
    named["common"] = _COMMON, [*every_kind, *catalogue.gateway.values()]
    named["service"] = _SERVICE, list(catalogue.service.values())
    named["instrument"] = _INSTRUMENT, list(catalogue.instrument.values())
    phases: dict[str, Iterable[PhaseModel]] = {kind: models.values() for kind, models in catalogue.phases.items()}
    found = {INDEX: _index(named, shared)}
    for name, (title, signals) in named.items():
        rest = [signal for signal in signals if signal.code not in catalogue.shared]
        parts = [_MARK + f"# {title.zh} / {title.en.capitalize()}\n", _READ]
        if name == "common":
            parts += [
                "## 所有测点 / Every point\n",
                _rules(("measuring point", code, spec, "") for code, spec in catalogue.every.items()),
                _rules(("analogue point", code, spec, "") for code, spec in catalogue.analogue.items()),
                "## 各类企业通用的信号 / Signals of every kind of plant\n",
                next(_section(every_kind, shared)),
                "## 网关 / Gateways\n",
            ]
        parts += [_phases(model) for model in phases.get(name, ())]
        found[FOLDER / f"{name}.md"] = "\n".join([*parts, *_section(rest, shared)])
    return found


def _index(named: Mapping[str, tuple[Text, list[Signal]]], shared: Mapping[str, RuleSpec]) -> str:
    rows = (
        (
            f"[{title.zh} / {title.en}](signals/{name}.md)",
            str(len(signals)),
            str(sum(shared.get(code) != spec for signal in signals for code, spec in signal.rules.items())),
            " ".join(f"`{signal.code}`" for signal in signals if signal.table.mandatory),
        )
        for name, (title, signals) in named.items()
    )
    return "\n".join([_MARK + _HEAD, _table(("page", "signals", "rules of their own", "mandatory signals"), rows)])


def _phases(model: PhaseModel) -> str:
    head = ("阶段 / phase", "reached once", "entered from", "at most")
    return f"Phases of equipment with a point of `{model.signal}`, in their order:\n\n" + _table(
        head,
        (
            (
                f"`{phase.code}` {phase.name}<br>{phase.name_en}",
                f"`{phase.when}`",
                ", ".join(phase.after.phases) if phase.after is not None else "",
                f"{phase.at_most.seconds:g} s" if phase.at_most is not None else "",
            )
            for phase in model.phases
        ),
    )


def _section(signals: list[Signal], shared: Mapping[str, RuleSpec]) -> Iterator[str]:
    yield _table(
        ("code", "名称 / name", "unit", "range", "longest silence", "basis"),
        (
            (
                f"`{signal.code}`",
                f"{signal.name.zh}<br>{signal.name.en}" + _states(signal),
                signal.table.unit,
                _range(signal),
                _silence(signal),
                "; ".join(filter(None, (_basis(signal), _without(signal)))),
            )
            for signal in signals
        ),
    )
    yield _rules(
        (f"`{signal.code}`", code, spec, signal.table.unit)
        for signal in signals
        for code, spec in signal.rules.items()
        if shared.get(code) != spec
    )


def _rules(rules: Iterable[tuple[str, str, RuleSpec, str]]) -> str:
    head = ("point", "rule", "level", "on", "off", "delay", "when", "source", "confidence")
    return _table(head, (_rule(*rule) for rule in rules))


def _rule(point: str, code: str, spec: RuleSpec, unit: str) -> tuple[str, ...]:
    label = spec.labelled(code)
    on, off = numbers(spec, unit)
    return (
        point,
        f"{code} {label.zh}<br>{label.en}",
        f"{spec.level} **red**" if spec.red else str(spec.level),
        f"`{spec.of}` {on}" if spec.of and not isinstance(spec, DwellSpec) else on,
        off,
        f"{spec.on_delay_s:g} s" if spec.on_delay_s else "",
        "<br>".join(_conditions(spec)),
        spec.source,
        str(spec.confidence),
    )


def _conditions(spec: RuleSpec) -> Iterator[str]:
    if spec.phases:
        yield f"phase {', '.join(spec.phases)}"
    if spec.when != ALWAYS:
        yield f"`{spec.when}`"
    if spec.unless:
        yield f"unless `{spec.unless}`"
    if spec.dust:
        yield f"dust: {', '.join(spec.dust)}"
    if spec.latch:
        yield "latched, reset with a signed inspection" if spec.signed else "latched"


def _states(signal: Signal) -> str:
    states = signal.table.states
    return f"<br>0 = {states[0]}, 1 = {states[1]}" if states else ""


def _basis(signal: Signal) -> str:
    basis = signal.table.basis or ""
    return f"**mandatory** {basis}" if signal.table.mandatory else basis


def _without(signal: Signal) -> str:
    codes = signal.table.disabled_rules
    return f"without {', '.join(codes)}" if codes else ""


def _range(signal: Signal) -> str:
    found = signal.table.range
    return f"{found.low:g} … {found.high:g}<br>{found.source} ({found.confidence})" if found else "per plant"


def _silence(signal: Signal) -> str:
    found = signal.table.silence_s
    return f"{found.value:g} s<br>{found.source} ({found.confidence})"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for page, content in pages(load_catalogue()).items():
        page.write_text(content, encoding="utf-8")
