"""Prints the explanation of a warning's colour as text that fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.markup import escape

from ingest.cli.configured import format_time
from ingest.domain.model.display_value import digits
from ingest.domain.model.warning import Colour, Fact, Ground, Trait
from ingest.domain.warnings.explain import Explanation
from ingest.domain.warnings.report import colour_name

_SHADES: Final = {
    Colour.RED: "bold red",
    Colour.ORANGE: "dark_orange",
    Colour.YELLOW: "yellow",
    Colour.BLUE: "bright_blue",
}


def print_warning(found: Explanation, out: Console) -> None:
    """Print why a warning had its colour."""
    warning = found.warning
    name = colour_name(warning.colour)
    shade = _SHADES[warning.colour] if warning.colour else "dim"
    out.print(f"{escape(warning.plant)} · {format_time(found.at)} · [{shade}]{name.zh} {name.en}[/]")
    out.print(f"自 since {format_time(warning.since)} · 最高 highest {warning.peak.text.zh} {warning.peak}")
    who = "、".join(warning.who) or "所有人 everyone"
    asked = (
        f"{warning.step.text.zh} {warning.step}（{who}），至 until {format_time(warning.until)}"
        if warning.asking
        else "—"
    )
    out.print(f"待办 asked: {asked}", markup=False)
    out.print(f"规则版本 rules {warning.rules} · 风险指数 risk index {warning.risk:g}", markup=False)
    for ground in warning.inputs:
        out.print()
        for line in _ground(ground, found.at):
            out.print(line, markup=False)
    for ground in found.led:
        out.print()
        out.print(f"{ground.colour.text.zh} {ground.colour}: 只是保持，此前的依据 only held, it was called for by")
        for line in _ground(ground, found.at):
            out.print(line, markup=False)
    if not warning.inputs:
        out.print("当时没有规则成立 no rule held then")
    for colour, since in warning.fading.items():
        out.print(
            f"{colour.text.zh} {colour}: 自 {format_time(since)} 起不再成立,仍保持 not called for since, still shown"
        )


def _ground(ground: Ground, at: int) -> Iterator[str]:
    yield f"{ground.rule} → {ground.colour.text.zh} {ground.colour}: {ground.text.zh} {ground.text.en}"
    yield f"  依据 source: {ground.source} ({ground.confidence})"
    for fact in ground.facts:
        yield f"  · {_fact(fact, at)}"
    if ground.more:
        yield f"  · 另有 and {ground.more} more"


def _fact(fact: Fact, at: int) -> str:
    age = f"{max(0, at - fact.since) / 1e9:.0f} s"
    if fact.alarm is None:
        why = "功能检查 function check" if Trait.FUNCTION_CHECK in fact.traits else "停用 out of service"
        return f"{fact.point} {why}, {age}"
    limits = [] if fact.limit is None else [fact.limit]
    value = "" if fact.value is None else f" {digits(fact.value, 6, limits)}"
    limit = "" if fact.limit is None else f" (限值 limit {fact.limit:g})"
    over = "，已恢复 returned" if fact.gone is not None else ""
    phase = f"，阶段 phase {fact.phase.text.zh} {fact.phase.text.en}" if fact.phase is not None else ""
    return f"{fact.point} {fact.rule} L{fact.level}{value}{limit} {fact.unit} {age}{over}{phase}".replace("  ", " ")
