"""Plain loops: votes, first out."""

from __future__ import annotations

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


SCORES: Scores = {"votes": votes, "first_out": first_out}
