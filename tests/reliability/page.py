"""`docs/reliability.md`, written from the promises and the figures of the last soak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.reliability.promise import Promise

HEAD: Final = """\
# Reliability

Written by `make soak` (`tests/reliability/page.py`); do not edit. `make test` runs each of these tests with a small
count. A promise that was not kept stands here as **failed**.

Readings are compared one by one with what was sent: *lost* is not there, *twice* is there more than once, *wrong* is
there with another value. They are read from the files and servers themselves, not asked of the service.
"""


def page(promises: Sequence[Promise], results: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page."""
    lines = [HEAD, "| promise | full count | state | seen | date |", "|---|---|---|---|---|"]
    for promise in promises:
        result = results.get(promise.name)
        title = f"[{promise.title}](#{promise.name})"
        lines.append(
            f"| {title} | {promise.count:,} {promise.unit} | {_state(promise, result)} | {_seen(promise, result)} |"
        )
    lines += ["", *(line for promise in promises for line in _section(promise, results.get(promise.name)))]
    return "\n".join(lines).rstrip() + "\n"


def _state(promise: Promise, result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "not run yet"
    state = result["state"] if result["state"] == "kept" else f"**{result['state']}**"
    return state if result["asked"] >= promise.count else f"{state}, at {result['asked']:,} only"


def _seen(promise: Promise, result: Mapping[str, Any] | None) -> str:
    if result is None:
        return " | "
    figures = result["figures"]
    figures_shown = [f"{_words(name)} {_number(figures[name])}" for name in promise.limits if name in figures]
    return f"{', '.join(figures_shown) or '; '.join(result['faults'])} | {result['date']}"


def _section(promise: Promise, result: Mapping[str, Any] | None) -> list[str]:
    lines = [
        f"## {promise.name}",
        "",
        f"**{promise.title}.**",
        "",
        f"- How it is tested: {promise.how}.",
        f"- What that shows: {promise.proves}.",
        f"- What it does not: {promise.leaves_open}.",
        f"- Kept if: {', '.join(f'{_words(n)} {op} {bound:g}' for n, (op, bound) in promise.limits.items())}.",
    ]
    if result is not None:
        lines += [f"- Broken: {fault}" for fault in result["faults"]]
        figures = [f"{_words(name)} {_number(figure)}" for name, figure in result["figures"].items() if figure != ""]
        lines += [f"- Figures: {', '.join(figures)}."] if figures else []
        lines.append(f"- Run: {result['date']}, commit {result['commit']}, {result['took_s']} s, {result['machine']}.")
    return [*lines, ""]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(figure: object) -> str:
    return f"{figure:,}" if isinstance(figure, int | float) else str(figure)
