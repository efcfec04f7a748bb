"""Prints why an alarm was last raised as text that fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from ingest.cli.configured import format_time
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.display_value import digits
from ingest.web.texts import TEXTS
from ingest.web.texts.alarms import WORDS


def print_alarm(alarm: Alarm, out: Console) -> None:
    """Print an alarm, and what its newest raise stood on."""
    for line in _lines(alarm):
        out.print(line, markup=False)


def _lines(alarm: Alarm) -> Iterator[str]:
    state = WORDS[str(alarm.state)]
    yield f"{alarm.plant}/{alarm.point} {alarm.rule} · {alarm.level} 级 level · {state.both}"
    yield alarm.title.zh
    yield alarm.title.en
    value = "—" if alarm.value is None else digits(alarm.value, 6, [alarm.limit])
    yield f"触发值 value {value} · 限值 limit {alarm.limit:g} {alarm.unit}".rstrip()
    yield f"触发 raised {format_time(alarm.annunciated)} · 第 {alarm.raises} 次 raise {alarm.raises}"
    if alarm.phase is not None:
        yield f"{TEXTS['alarm.phase'].both}: {alarm.phase.text.both}"
    if alarm.contributions:
        yield f"{TEXTS['alarm.contributions'].both}:"
        for part in alarm.contributions:
            of = "" if part.aspect else f"{part.point} "
            yield f"  {part.share:5.1f} % {of}{part.name.both}"
        hint = TEXTS["alarm.aspects_hint" if alarm.contributions[0].aspect else "alarm.contributions_hint"]
        yield f"  {hint.zh}"
        yield f"  {hint.en}"
