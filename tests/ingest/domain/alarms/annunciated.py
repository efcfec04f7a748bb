"""Random histories of annunciations, and their metrics by plain loops over single alarms."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.model.annunciations import OPEN, Annunciations

S = 1_000_000_000


@dataclass(frozen=True)
class Call:
    """One annunciation."""

    rule: tuple[str, str, str]
    level: int
    raised: int
    called: int
    acked: int = OPEN
    returned: int = OPEN
    hidden: bool = False


def columns(calls: list[Call]) -> Annunciations:
    """The same as columns."""
    calls = sorted(calls, key=lambda call: call.called)
    rules = tuple(dict.fromkeys(call.rule for call in calls))
    raised, called, acked, returned = (
        np.array([(call.raised, call.called, call.acked, call.returned) for call in calls], np.int64).reshape(-1, 4).T
    )
    return Annunciations(
        rules,
        np.array([rules.index(call.rule) for call in calls], np.int32),
        np.array([call.level for call in calls], np.int8),
        raised,
        called,
        acked,
        returned,
        np.array([call.hidden for call in calls], np.bool_),
    )


def history(seed: int) -> list[Call]:
    """Hours of quiet, bursts and chatter, times in whole seconds so that moments coincide."""
    rng = random.Random(seed)  # noqa: S311  not a secret
    rules = [("p", f"A-{i}", rng.choice(["H", "HH", "SILENT"])) for i in range(rng.randint(1, 25))]
    calls: list[Call] = []
    time = rng.randint(-3600, 0)
    while time < 9 * 3600 and len(calls) < 400:
        busy = rng.random() < 0.5
        rule = rng.choice(rules)
        for _ in range(rng.randint(1, 30) if busy else 1):
            rule = rule if rng.random() < 0.3 else rng.choice(rules)
            acked = (time + rng.randint(0, 900)) * S if rng.random() < 0.7 else OPEN
            raised = (time - rng.randint(0, 30)) * S
            calls.append(Call(rule, rng.choice([1, 2]), raised, time * S, acked, hidden=rng.random() < 0.1))
            time += rng.choice([0, 1, 5, 20, 60, 150])
        time += rng.randint(1, 2400)
    return calls


def plain(calls: list[Call], start: int, end: int, config: AlarmsConfig) -> dict[str, object]:
    """The metrics, one alarm after another."""
    span = [call for call in calls if start <= call.called < end]
    heard = [call for call in span if not call.hidden]
    slots = math.ceil((end - start) / (600 * S))
    per_slot = [0] * slots
    for call in heard:
        per_slot[(call.called - start) // (600 * S)] += 1
    counts: dict[tuple[str, str, str], int] = {}
    for call in heard:
        counts[call.rule] = counts.get(call.rule, 0) + 1
    top = sorted(counts.values(), reverse=True)[:10]
    waits = sorted((call.acked - call.called) / S for call in heard if call.acked != OPEN)
    floods = plain_floods([call.called for call in calls if not call.hidden and call.called < end], start, end, config)
    return {
        "raised": len(heard),
        "hidden": len(span) - len(heard),
        "rate_mean": len(heard) / ((end - start) / (600 * S)),
        "rate_max": max(per_slot),
        "per_slot": per_slot,
        "slots": slots,
        "above": {rate: sum(count > rate for count in per_slot) / slots for rate in (1, 2, 10)},
        "floods": floods,
        "flood_share": sum((ended or end) - max(began, start) for began, ended, _, _ in floods) / (end - start),
        "top": top,
        "top_share": sum(top) / len(heard) if heard else 0.0,
        "levels": {level: sum(call.level == level for call in heard) for level in (1, 2)},
        "chattering": plain_chattering(heard, config),
        "answers": (len(waits), len(heard) - len(waits), _at(waits, 0.5), _at(waits, 0.95)),
    }


def plain_floods(
    times: list[int], start: int, end: int, config: AlarmsConfig
) -> list[tuple[int, int | None, int, int]]:
    """Second by second: how many alarms the window before it holds."""
    window = config.flood_window_s * S
    found: list[tuple[int, int | None, int, int]] = []
    began, peak = None, 0
    for now in sorted({*times, *(time + window for time in times)}):
        inside = sum(now - window < time <= now for time in times)
        if began is None and inside > config.flood_begins_above:
            began, peak = now, 0
        if began is not None:
            peak = max(peak, inside)
            if inside < config.flood_ends_below:
                if began < end and now > start:
                    alarms = sum(began - window < time <= now for time in times)
                    found.append((began, now if now < end else None, alarms, peak))
                began = None
    return found


def plain_chattering(calls: list[Call], config: AlarmsConfig) -> list[tuple[str, str, str]]:
    """Every raise against every other of its rule."""
    found = set()
    for call in calls:
        alike = [other for other in calls if other.rule == call.rule]
        near = [other for other in alike if 0 <= other.raised - call.raised <= config.chatter_window_s * S]
        if len(near) >= config.chatter_count:
            found.add(call.rule)
    return sorted(found)


def _at(waits: list[float], share: float) -> float | None:
    """The quantile by linear interpolation between neighbours."""
    if not waits:
        return None
    at = share * (len(waits) - 1)
    low = math.floor(at)
    return waits[low] + (waits[min(low + 1, len(waits) - 1)] - waits[low]) * (at - low)
