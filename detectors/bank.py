"""Runs all detectors together: one update, one list of findings, one snapshot."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import Spending
from detectors.derive import Derivation, Derivations, Derived
from detectors.detector import Detector, Hearing, NotEvaluated, ScoringDetector, State, ValueScorer
from detectors.feed import NEVER, Known, make_feed
from detectors.gate import share
from detectors.kinds.silence import Silence
from detectors.masks import anywhere, everywhere
from detectors.packed import pack, unpack
from detectors.panel import Panel
from detectors.readings import Findings, Readings, merge, nothing
from detectors.registry import build
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.screen import Screen
from detectors.trip import Arrays

Observe = Callable[[str, Runs, NDArray[np.float64]], None]
"""Takes a kind, pairs of its rules with readings, and their scores (float64[k], NaN = cannot tell)."""

OPEN: Final = 2**63 - 1
"""The due time where nothing is due, ns."""

_NO_POINTS: Final = np.empty(0, np.int32)
_UNRENAMED: Final[Mapping[str, str]] = MappingProxyType({})


class Bank:
    """One detector for each kind of rule, and the newest readings of every point."""

    def __init__(
        self, tables: Mapping[str, RuleTable], derived: Sequence[Derived] = (), observe: Observe | None = None
    ) -> None:
        """Build the detectors for `tables` (rules by kind) and the derived points they may name.

        `observe` is called with the scores of every reading, kind by kind: none is then passed over because it cannot
        change a verdict. The findings are the same.

        Raises:
            KeyError: for an unknown kind.
            ExpressionError: for a derived point's text.
        """
        named = [index + 1 for spec in derived for index in (spec.channel, *spec.inputs, *spec.drivers)]
        self._points = max([0, *named, *(table.points() for table in tables.values())])
        self._derivations = Derivations(derived, self._points)
        self._known = Known(self._points)
        self._layout = (_NO_POINTS, object())
        self._detectors = {kind: build(kind, table, self._points) for kind, table in tables.items() if len(table)}
        scoring = [d for d in self._detectors.values() if isinstance(d, ScoringDetector)]
        if observe is not None:
            for kind, detector in self._detectors.items():
                if isinstance(detector, ScoringDetector):
                    detector.observe(partial(observe, kind))
        by_value = [d for d in scoring if isinstance(d.scorer, ValueScorer) and observe is None]
        self._screen = Screen(by_value, self._points)
        self._conditions = share([detector.gates for detector in scoring], self._points)
        remembering = [d for d in scoring if d not in self._screen.detectors]
        self._panel = Panel(remembering, self._conditions, self._points)
        self._hearing = [d.scorer for d in remembering if isinstance(d.scorer, Hearing)]
        self._silences = [d for d in self._detectors.values() if isinstance(d, Silence)]
        self._channels = {spec.key: spec.channel for spec in derived}
        self._key_columns: dict[str, NDArray[np.uint8]] = {}
        self._parts: dict[str, Detector | Derivation] = {
            **self._detectors,
            **{f"of {d.shape}": d for d in self._derivations.parts},
        }

    def update(self, readings: Readings, now: int) -> Findings:
        """Evaluate readings at `now` (ns); returns findings in the order of their time.

        Readings that are not newer than their point's newest (late, or sent twice) count against silence only; readings
        of points that no rule names are skipped.
        """
        found = self._evaluate(readings, now) if len(readings) else []
        found += [silence.update(None, now) for silence in self._silences]
        found = [part for part in found if len(part)]
        return merge(found) if found else nothing()

    def _evaluate(self, readings: Readings, now: int) -> list[Findings]:
        """Evaluate all kinds whose verdict readings decide."""
        for silence in self._silences:
            silence.receive(readings)
        feed = make_feed(self._named(readings), self._known)
        if not len(feed):
            return []
        feed.layout = self._layout_of(feed.group)
        feed = self._derivations.extend(feed)
        self._conditions.begin_batch(feed)
        findings = self._screen.update(feed, now, moved=len(self._conditions.moved) > 0)
        for scorer in self._hearing:
            scorer.hear(feed)
        findings += self._panel.update(feed)
        self._known.learn(feed)
        self._conditions.end_batch()
        return findings

    def detectors(self) -> tuple[Detector, ...]:
        """Every detector, one a kind."""
        return tuple(self._detectors.values())

    def not_evaluated(self, now: int) -> NotEvaluated:
        """The rules that cannot tell at `now` (ns), in whole or in part, with the reason."""
        found = [
            NotEvaluated.none(),
            *(detector.not_evaluated(self._known, now) for detector in self._detectors.values()),
        ]
        return NotEvaluated(
            np.concatenate([not_evaluated.rule for not_evaluated in found]),
            np.concatenate([not_evaluated.reason for not_evaluated in found]),
        )

    def spending(self) -> Spending:
        """What the rules with a budget have found and may find."""
        scoring = (detector for detector in self._detectors.values() if isinstance(detector, ScoringDetector))
        return Spending.joined([found for found in (detector.spending() for detector in scoring) if found is not None])

    def teach(self, kind: str, key: str, vectors: NDArray[np.float64]) -> None:
        """Train a rule over a group at once, instead of on its first readings.

        `vectors`: float64[n, d], a column each for the rule's point and its inputs, in order of time, NaN = no value.

        Raises:
            KeyError: for an unknown rule, or one that learns no model.
            ValueError: for vectors of another shape, or in which nothing moves.
        """
        detector = self._detectors[kind]
        if not isinstance(detector, ScoringDetector):
            raise KeyError(kind)
        detector.teach(key, vectors)

    def nbytes(self) -> int:
        """Bytes of memory that grow with points and rules."""
        states = [self._known.arrays(), *(part.state().arrays for part in self._parts.values())]
        return sum(array.nbytes for arrays in states for array in arrays.values())

    def resume(self, left: int, now: int, silent: Collection[str] | None = None) -> None:
        """Leave the time from `left` to `now` (ns) out of every silence; `silent` rules trip (None: as before)."""
        for silence in self._silences:
            silence.mark_seen(np.flatnonzero(self._known.newest != NEVER))
            silence.resume(left, now, silent)

    def due(self) -> int:
        """When time alone next changes a verdict, ns, if nothing is received before."""
        return min((silence.due for silence in self._silences), default=OPEN)

    def last_received(self, point: int) -> int:
        """When a point last sent, as silence counts it (ns); 0 = never, as far as is known."""
        return max((silence.last_received(point) for silence in self._silences), default=0)

    def settle(self, active: Collection[str]) -> list[str]:
        """Return every tripped rule that is not in `active` to normal, to trip anew; returns their keys.

        `resume` does that for the rules of silence.
        """
        settled = []
        for part in self._parts.values():
            state = part.state()
            if part in self._silences or "tripped" not in state.arrays:
                continue
            keys = [state.key[row] for row in np.flatnonzero(state.arrays["tripped"]).tolist()]
            if lost := [key for key in keys if key not in active]:
                trip = [name for name in ("tripped", "condition", "since", "history") if name in state.arrays]
                part.restore(State(lost, {name: np.zeros(len(lost), state.arrays[name].dtype) for name in trip}))
                settled += lost
        if settled:
            self._screen.sync(self._known.value)
        return settled

    def shift(self, step: int) -> None:
        """Follow a jump of the clock of arrivals by `step` (ns), in the detectors of silence."""
        for silence in self._silences:
            silence.shift(step)

    def successor(
        self,
        tables: Mapping[str, RuleTable],
        derived: Sequence[Derived] = (),
        anew: NDArray[np.int32] = _NO_POINTS,
        renamed: Mapping[str, str] = _UNRENAMED,
    ) -> Bank:
        """A bank for other rules that keeps the state of all points and rules both have.

        Of the points `anew`, and those derived from them, only the verdicts are kept. `renamed`: keys of rules here
        and there.
        """
        bank = Bank(tables, derived)
        states = {name: part.state().renamed(renamed) for name, part in self._parts.items()}
        bank._take_over(self._known, self._channels, states)
        return bank._reset_points(anew, Bank(tables, derived), derived) if len(anew) else bank

    def _reset_points(self, points: NDArray[np.int32], fresh: Bank, derived: Sequence[Derived]) -> Bank:
        """Copy this bank's state into a fresh one, but of these points only the verdicts."""
        lost = {*points.tolist()}
        lost |= {spec.channel for spec in derived if not lost.isdisjoint((*spec.inputs, *spec.drivers))}
        keys = {spec.key for spec in derived if spec.channel in lost}
        for detector in self._detectors.values():
            if detector not in self._silences:
                at = np.flatnonzero(np.isin(detector.rules.point, [*lost]))
                keys |= {detector.rules.key[row] for row in at.tolist()}
        states = {name: part.state() for name, part in self._parts.items()}
        fresh._take_over(self._known, self._channels, {name: state.without(keys) for name, state in states.items()})
        for name, part in fresh._parts.items():
            part.restore(states[name].verdicts(keys))
        fresh._known.forget_times([point for point in lost if point < self._points])
        fresh._screen.sync(fresh._known.value)
        return fresh

    def dump(self, *, silence: bool = True) -> bytes:
        """The state of all detectors, bit-exact; `load` restores it.

        Without `silence` it is what the readings alone determine: silence depends on the clock as well, and on outages
        of the service (`resume`).
        """
        arrays: Arrays = {f":{name}": array for name, array in self._known.arrays().items()}
        arrays[":channel"] = np.array([*self._channels.values()], np.int64)
        arrays[":channel_key"] = np.array([*self._channels], np.str_)
        for name, part in self._parts.items():
            if not silence and part in self._silences:
                continue
            state = part.state()
            arrays[f"{name}:key"] = self._packed_keys(name, state.key)
            arrays |= {f"{name}:{column}": array for column, array in state.arrays.items()}
        return pack(arrays)

    def load(self, dump: bytes, renamed: Mapping[str, str] = _UNRENAMED) -> None:
        """Load a dumped state for every point, and every rule known by its key, now or before (`renamed`)."""
        states: dict[str, dict[str, NDArray[np.generic]]] = {}
        for entry, array in unpack(dump).items():
            name, _, column = entry.rpartition(":")
            states.setdefault(name, {})[column] = array
        known = states.pop("", {})
        if "newest" not in known:  # written before points were remembered here
            known = {**Known(0).arrays(), "channel": np.empty(0, np.int64), "channel_key": np.empty(0, np.str_)}
        channels = dict(zip(known["channel_key"].tolist(), known["channel"].tolist(), strict=True))
        parts = {
            name: State(_unpacked_keys(arrays.pop("key")), arrays).renamed(renamed) for name, arrays in states.items()
        }
        self._take_over(Known.of(known), channels, parts)

    def _take_over(self, known: Known, channels: Mapping[str, int], parts: Mapping[str, State]) -> None:
        """Take over another bank's state. Points keep their index for ever; channels are known by their key."""
        points = np.arange(min(len(known), len(self._known)))
        points = points[~np.isin(points, [*channels.values(), *self._channels.values()])]
        self._known.take_over(known, points, points)
        both = [key for key in self._channels if key in channels]
        self._known.take_over(known, [channels[key] for key in both], [self._channels[key] for key in both])
        for name, part in self._parts.items():
            if name in parts:
                part.restore(parts[name])
        self._conditions.sync(self._known.value)
        self._screen.sync(self._known.value)

    def _layout_of(self, group: NDArray[np.int32]) -> object:
        """A batch's layout; most batches hold the same points as the one before, so that lookups can be reused."""
        before, layout = self._layout
        if len(group) != len(before) or anywhere(group != before):
            layout = object()
            self._layout = (group, layout)
        return layout

    def _packed_keys(self, name: str, key: Sequence[str]) -> NDArray[np.uint8]:
        """A part's keys, packed once since they never change: they would take most of a dump's size and time."""
        if name not in self._key_columns:
            self._key_columns[name] = np.frombuffer(zlib.compress("\n".join(key).encode(), 1), np.uint8)
        return self._key_columns[name]

    def _named(self, readings: Readings) -> Readings:
        """The readings of points that some rule names."""
        named = readings.point < self._points
        if everywhere(named):
            return readings
        at = np.flatnonzero(named)
        r = readings
        raw = r.raw[at] if r.raw is not None else None
        return Readings(r.point[at], r.time[at], r.value[at], r.received[at], r.carrier[at], raw)


def _unpacked_keys(column: NDArray[np.generic]) -> tuple[str, ...]:
    """Rules' keys as dumped: one a line, compressed; in older dumps an array of texts."""
    if column.dtype != np.uint8:
        return tuple(column.tolist())
    lines = zlib.decompress(column.tobytes()).decode()
    return tuple(lines.split("\n")) if lines else ()
