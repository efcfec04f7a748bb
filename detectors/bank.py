"""All detectors of a plant park together: one update, one list of findings, one snapshot."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from detectors.derive import Derived, derivations, extend
from detectors.detector import Detector, ScoringDetector, State, Unjudged, ValueScorer
from detectors.feed import Known, make_feed
from detectors.readings import Findings, Readings, merge, nothing
from detectors.registry import build
from detectors.rules import RuleTable
from detectors.screen import Screen
from detectors.silence import Silence

_KNOWN = ("newest", "time", "value")


class Bank:
    """One detector a kind of rule, and what is known of every point."""

    def __init__(self, tables: Mapping[str, RuleTable], derived: Sequence[Derived] = ()) -> None:
        """Build the detectors for `tables` (rules by kind) and the derived points they may name.

        Raises:
            KeyError: for an unknown kind.
            ExpressionError: for a derived point's text.
        """
        named = [index + 1 for one in derived for index in (one.channel, *one.inputs, *one.drivers)]
        self._points = max([0, *named, *(table.points() for table in tables.values())])
        self._derivations = derivations(derived, self._points)
        self._known = Known(self._points)
        self._detectors = {kind: build(kind, table, self._points) for kind, table in tables.items() if len(table)}
        scoring = [d for d in self._detectors.values() if isinstance(d, ScoringDetector)]
        self._screen = Screen([d for d in scoring if isinstance(d.scorer, ValueScorer)], self._points)
        self._silences = [d for d in self._detectors.values() if isinstance(d, Silence)]
        self._others = [d for d in self._detectors.values() if d not in self._screen.detectors]

    def update(self, readings: Readings, now: int) -> Findings:
        """Judge readings at `now` (ns); findings in the order of their time.

        Readings that are not newer than their point's newest (late, or sent twice) are heard but not judged; readings
        of points that no rule names are passed over.
        """
        for silence in self._silences:
            silence.hear(readings)
        feed = make_feed(self._named(readings), self._known)
        if self._derivations and len(feed):
            feed = extend(feed, self._derivations)
        findings = [] if not len(feed) else self._screen.update(feed, now)
        findings += [detector.update(feed, now) for detector in self._others]
        self._known.learn(feed)
        found = [part for part in findings if len(part)]
        return merge(found) if found else nothing()

    def detectors(self) -> tuple[Detector, ...]:
        """Every detector, one a kind."""
        return tuple(self._detectors.values())

    def unjudged(self, now: int) -> Unjudged:
        """The rules that say nothing at `now` (ns), and why: not being evaluated must be seen, not taken for health."""
        found = [Unjudged.none(), *(detector.unjudged(self._known, now) for detector in self._detectors.values())]
        return Unjudged(np.concatenate([one.rule for one in found]), np.concatenate([one.reason for one in found]))

    def reset(self, keys: Collection[str]) -> bool:
        """Let latched rules return once their condition is gone; whether any of these rules is latched."""
        waiting = [
            detector.reset(keys) for detector in self._detectors.values()
        ]  # every one of them, not up to the first
        return any(waiting)

    def resume(self, now: int) -> None:
        """Tell the detectors of silence that nobody listened until `now` (ns)."""
        for silence in self._silences:
            silence.resume(now)

    def successor(self, tables: Mapping[str, RuleTable], derived: Sequence[Derived] = ()) -> Bank:
        """A bank for other rules that remembers everything about the points and rules both have."""
        bank = Bank(tables, derived)
        bank._known.take_over(self._known)
        for kind, detector in self._detectors.items():
            if kind in bank._detectors:
                bank._detectors[kind].restore(detector.state())
        bank._screen.sync()
        return bank

    def dump(self) -> bytes:
        """The memory of all detectors, bit-exact; `load` brings it back."""
        arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
            f":{name}": getattr(self._known, name) for name in _KNOWN
        }
        for kind, detector in self._detectors.items():
            state = detector.state()
            arrays[f"{kind}:key"] = np.array(state.key, dtype=np.str_)
            arrays |= {f"{kind}:{name}": array for name, array in state.arrays.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    def load(self, dump: bytes) -> None:
        """Take over a dumped memory for every point, and every rule known by its key."""
        with np.load(io.BytesIO(dump), allow_pickle=False) as file:
            known = Known(len(file[":newest"])) if ":newest" in file else Known(0)
            for name in _KNOWN if len(known) else ():
                getattr(known, name)[:] = file[f":{name}"]
            self._known.take_over(known)
            for kind, detector in self._detectors.items():
                if f"{kind}:key" not in file:
                    continue
                names = [name for name in file.files if name.startswith(f"{kind}:") and not name.endswith(":key")]
                arrays = {name.partition(":")[2]: file[name] for name in names}
                detector.restore(State(tuple(file[f"{kind}:key"].tolist()), arrays))
        self._screen.sync()

    def _named(self, readings: Readings) -> Readings:
        """The readings of points that some rule names."""
        named = readings.point < self._points
        if named.all():
            return readings
        at = np.flatnonzero(named)
        r = readings
        return Readings(r.point[at], r.time[at], r.value[at], r.received[at], r.carrier[at])
