"""Plain loops: votes, first out, restart, sequence."""

from __future__ import annotations

import math

from tests.reference.plain import PlainRule, Scores, World, at


def votes(rule: PlainRule, time: int, _value: float, _judged: bool, world: World) -> float:
    """Channels that vote to trip; `memory["cause"]` is the first of them, None if there is none."""
    cast = []
    for point in (rule.point, *rule.inputs):
        taken, value = world.usable.get(point, (0, 0.0))
        bad = point not in world.usable or world.newest[point] > taken or (time - taken) / 1e9 > rule.param["fresh_s"]
        if rule.param["bad_votes"] > 0 if bad else at(value, rule.param["level"]) >= rule.param["level"]:
            cast.append(point)
    rule.memory["cause"] = cast[0] if cast else None
    return float(len(cast))


def first_out(rule: PlainRule, _time: int, _value: float, judged: bool, world: World) -> float:
    """Channels that are on; `memory["cause"]` is the one that began first since all were off, None if all are."""
    channels = (rule.point, *rule.inputs)
    level = rule.param["level"]
    on = [point for point in channels if point in world.usable and at(world.value(point), level) >= level]
    began: dict[int, int] = rule.memory.setdefault("began", {})
    for point in on:
        began.setdefault(point, world.usable[point][0])
    if not on or not judged:
        began.clear()
    rule.memory["cause"] = min(began, key=lambda point: (began[point], channels.index(point)), default=None)
    return float(len(on))


def restart(rule: PlainRule, time: int, value: float, judged: bool, world: World) -> float:
    """1 where the process runs since a start soon after a trip with no inspection since either, else 0."""
    memory, level = rule.memory, rule.param["level"]
    for point, then, shown in world.log[memory.get("read", 0) :]:
        if point in rule.inputs and not math.isnan(shown):
            _hear(rule, point, then, shown)
    memory["read"] = len(world.log)
    if math.isnan(value) or not judged:
        return math.nan
    runs, signed = at(value, level) >= level, memory.get("signed", -(2**62))
    if not runs:
        memory["began"] = None
        if memory.get("runs") is not False:
            memory["stopped"] = time
    elif memory.get("runs") is False:
        event = max(memory.get("events", []), default=None)
        if event is not None and event >= memory["stopped"] - rule.param["stop_s"] * 1e9:
            memory["trip"] = max(memory.get("trip", event), event)
        trip = memory.get("trip")
        defies = trip is not None and trip > signed and time - trip <= rule.param["hold_s"] * 1e9
        memory["began"] = time if defies else None
    memory["runs"] = runs
    began = memory.get("began")
    return float(began is not None and signed < began)


def _hear(rule: PlainRule, point: int, then: int, shown: float) -> None:
    """Take note of what trips and signs."""
    memory, place = rule.memory, rule.inputs.index(point)
    signs = math.isnan(rule.param[f"at_{place}"])
    limit = rule.param["level"] if signs else rule.param[f"at_{place}"]
    on, before = at(shown, limit) >= limit, memory.get(f"on {point}")
    memory[f"on {point}"] = on
    if signs:
        if on and before is False:
            memory["signed"] = max(memory.get("signed", then), then)
    elif int(rule.param["single"]) >> place & 1:
        events: list[int] = memory.setdefault("events", [])
        if on and not before:
            events.append(then)
            if sum(then - event <= rule.param["within_s"] * 1e9 for event in events[-16:]) >= rule.param["times"]:
                memory["trip"] = max(memory.get("trip", then), then)
    elif on:
        memory["trip"] = max(memory.get("trip", then), then)


def sequence(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """1 in the judged step since it was entered from one that does not lead to it and was seen lately, else 0."""
    memory = rule.memory
    if math.isnan(value) or not judged:
        return math.nan
    step, before = round(value), memory.get("step")
    if step != rule.param["enters"]:
        memory["astray"] = False
    elif before != step:
        leads = before is None or (before >= 0 and int(rule.param["after"]) >> before & 1)
        memory["astray"] = not leads and time - memory["seen"] <= rule.param["within_s"] * 1e9
    memory.update(step=step, seen=time)
    return float(memory["astray"])


SCORES: Scores = {"votes": votes, "first_out": first_out, "restart": restart, "sequence": sequence}
