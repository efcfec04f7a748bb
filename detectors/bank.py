"""All detectors of a plant park together: one update, one list of findings, one snapshot."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from detectors.detector import Detector, State
from detectors.readings import Findings, Readings, merge, nothing
from detectors.registry import build
from detectors.rules import RuleTable
from detectors.silence import Silence


class Bank:
    """One detector a kind of rule."""

    def __init__(self, tables: Mapping[str, RuleTable]) -> None:
        """Build the detectors for `tables` (rules by kind). Raises KeyError for an unknown kind."""
        self._detectors = {kind: build(kind, rules) for kind, rules in tables.items() if len(rules)}

    def update(self, readings: Readings, now: int) -> Findings:
        """Judge readings at `now` (ns); findings in the order of their time."""
        return merge([nothing(), *(detector.update(readings, now) for detector in self._detectors.values())])

    def detectors(self) -> tuple[Detector, ...]:
        """Every detector, one a kind."""
        return tuple(self._detectors.values())

    def resume(self, now: int) -> None:
        """Tell the detectors of silence that nobody listened until `now` (ns)."""
        for detector in self._detectors.values():
            if isinstance(detector, Silence):
                detector.resume(now)

    def successor(self, tables: Mapping[str, RuleTable]) -> Bank:
        """A bank for other rules that remembers everything about the rules both have."""
        bank = Bank(tables)
        for kind, detector in self._detectors.items():
            if kind in bank._detectors:
                bank._detectors[kind].restore(detector.state())
        return bank

    def dump(self) -> bytes:
        """The memory of all detectors, bit-exact; `load` brings it back."""
        arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
        for kind, detector in self._detectors.items():
            state = detector.state()
            arrays[f"{kind}:key"] = np.array(state.key, dtype=np.str_)
            arrays |= {f"{kind}:{name}": array for name, array in state.arrays.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    def load(self, dump: bytes) -> None:
        """Take over a dumped memory for every rule known by its key."""
        with np.load(io.BytesIO(dump), allow_pickle=False) as file:
            for kind, detector in self._detectors.items():
                if f"{kind}:key" not in file:
                    continue
                names = [name for name in file.files if name.startswith(f"{kind}:") and not name.endswith(":key")]
                arrays = {name.partition(":")[2]: file[name] for name in names}
                detector.restore(State(tuple(file[f"{kind}:key"].tolist()), arrays))
