"""Plain loops: silence, judged for every rule at every evaluation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from detectors.kinds.silence import GRACE_S
from tests.reference.plain import PlainRule, World


class PlainSilence:
    """When each point last reported, and each rule's verdict, without any shortcut."""

    def __init__(self, rules: list[PlainRule]) -> None:
        self.rules = rules
        self.heard: dict[int, int] = {}
        self.ever: set[int] = set()  # points and devices that were heard, as far as the rules remember
        self.begin: set[int] = set()  # points whose watch begins with the next look
        self.known: set[int] = set()  # points that were heard, for ever
        self.began = -int(GRACE_S * 1e9)  # when somebody began to listen again

    def read(self, point: int, device: int, received: int) -> None:
        """A reading of that point arrived, carried by that device."""
        self.known.add(point)
        self.hear(point, received)
        self.hear(device, received)

    def hear(self, point: int, received: int) -> None:
        """A point or a device reports."""
        self._meet(point)
        received = max(received, self.began)  # what was found at a start is heard then
        self.heard[point] = max(received, self.heard.get(point, received))

    def _meet(self, point: int) -> None:
        begin = [rule.point for rule in self.rules if not self.watched(rule)]
        before = {*self.ever}
        self.ever |= {point, *(device for rule in self.rules if rule.point == point for device in rule.inputs)}
        for new in {rule.point for rule in self.rules if self.watched(rule)}.intersection(begin) - before:
            self.begin.add(new)

    def watched(self, rule: PlainRule) -> bool:
        """Whether the device that carries its point has ever reported, or none is waited for."""
        return self.ever.issuperset(rule.inputs)

    def update(self, now: int) -> list[tuple[int, bool]]:
        """(rule, tripped) of every verdict that changes at `now`, by rule."""
        self.heard = {point: min(heard, now) for point, heard in self.heard.items()}  # nobody is heard after now
        self.began = min(self.began, now)
        self.heard |= dict.fromkeys(self.begin, now)
        self.begin = set()
        found = []
        for rule in self.rules:
            heard = self.heard.setdefault(rule.point, now)  # its watch begins
            waits = not self.watched(rule) or now - self.began < GRACE_S * 1e9
            silent_s = 0.0 if waits and not rule.tripped else (now - heard) / 1e9
            verdict = rule.judge(now, 0.0, World(), {rule.kind: lambda *_, score=silent_s: score})
            if verdict is not None:
                found.append((rule.number, verdict[0]))
        return sorted(found)

    def resume(self, left: int, now: int, silent: Collection[int] | None) -> None:
        """Nobody listened from `left` to `now`: that time counts for nobody; `silent` stand, None = those that did."""
        if silent is not None:
            for rule in self.rules:
                rule.tripped = rule.condition = rule.number in silent
                rule.since = now
        for point in self.known:
            self._meet(point)
        self.heard |= dict.fromkeys(self.begin, left)
        self.begin = set()
        self.heard = {point: min(heard + now - left, now) for point, heard in self.heard.items()}
        for rule in self.rules:
            self.heard.setdefault(rule.point, now)
        for rule in self.rules:
            if rule.tripped:
                self.heard[rule.point] = min(self.heard[rule.point], now - int(rule.on * 1e9))
        if now != left:
            self.began = now

    def shift(self, step: int) -> None:
        """The clock of arrivals was set by `step`."""
        self.heard = {point: heard + step for point, heard in self.heard.items()}
        self.began += step
        for rule in self.rules:
            rule.since += step

    def successor(self, rules: list[PlainRule]) -> PlainSilence:
        """Other rules, of which those of the same number and point go on as they were."""
        known = {(rule.number, rule.point): rule for rule in self.rules}
        both = {key: old for rule in rules if (old := known.get(key := (rule.number, rule.point))) is not None}
        made = PlainSilence([_goes_on(rule, both.get((rule.number, rule.point))) for rule in rules])
        made.heard = {point: self.heard[point] for _, point in both if point in self.heard}
        kept = [rule for rule in self.rules if (rule.number, rule.point) in both]
        made.known = self.known
        made.began = self.began if kept else made.began
        made.ever = {of for rule in kept for of in (rule.point, *rule.inputs)} & self.ever
        return made


def _goes_on(rule: PlainRule, old: PlainRule | None) -> PlainRule:
    if old is None:
        return rule
    return replace(rule, condition=old.condition, since=old.since, tripped=old.tripped)
