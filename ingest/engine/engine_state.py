"""The engine's state between cycles: dumped as a snapshot, and rebuilt by replaying the journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import numpy as np
import zstandard
from numpy.typing import NDArray

from detectors import Bank
from detectors.packed import pack, unpack
from ingest.domain.alarms.retrospective_alarms import OPEN, RetrospectiveAlarms
from ingest.domain.alarms.suppressions import Suppressions
from ingest.domain.cases.bypass import Bypass
from ingest.domain.cases.bypass_register import BypassRegister
from ingest.domain.model.alarm import OVER, Alarm, AlarmState
from ingest.domain.model.flags import Flag
from ingest.domain.model.suppression import Suppression, SuppressionKind
from ingest.domain.quality.function_check import CheckSpan, FunctionChecks
from ingest.domain.quality.status_contacts import StatusContacts
from ingest.engine.late_data import Limits
from ingest.engine.plant_warnings import PlantWarnings
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.view import NEVER, Latest, PlantView

AlarmKey = tuple[str, str, str]
"""(plant, point, rule)"""

T = TypeVar("T", Alarm, Suppression, Bypass)

RECENT: Final = 10_000
"""Most alarms remembered after their return to normal: whether one reopens depends on readings' times."""

_COLUMNS: Final = ("newest", "time", "value", "flags", "received")
_COMPRESSED: Final = zstandard.FRAME_HEADER


class SnapshotUnreadable(Exception):
    """A snapshot cannot be read; its state has to be rebuilt from the journal."""


def check_snapshot(dump: bytes) -> None:
    """Check that a snapshot is as it was written, as far as that shows without its configuration.

    Raises:
        SnapshotUnreadable: it is not.
    """
    try:
        arrays = _arrays(dump)
        lengths = {len(arrays[name]) for name in _COLUMNS}
        arrays["bank"].tobytes()
    except Exception as error:
        raise SnapshotUnreadable(f"{type(error).__name__}: {error}") from error
    if len(lengths) > 1:
        raise SnapshotUnreadable(f"columns of {sorted(lengths)} points")


def _arrays(dump: bytes) -> dict[str, NDArray[Any]]:
    if dump.startswith(_COMPRESSED):  # older ones were not
        dump = zstandard.ZstdDecompressor().decompress(dump)
    return unpack(dump)


def _json_column(state: object) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(state, separators=(",", ":")).encode(), np.uint8)


class EngineState:
    """The engine's state, sized for one configuration.

    Attributes:
        configuration: that configuration; detectors name rules by their numbers in it.
        newest: int64[p], newest event time of a live reading by point, ns; 0 = none yet.
        time, value, flags, received: [p], the newest reading in order; time 0 = none yet.
        bank: the detectors.
        limits: the limits that readings which are not live are compared with.
        excursions: excursions found in them, and when live alarms were active.
        alarms: every alarm that is not over.
        recent: by the same key, the newest alarm of each rule that is back to normal, those that returned last at the
            end: it may reopen.
        function_checks: which readings are no measurement of the process since their instrument is tested.
        contacts: what the status contacts of instruments showed.
        suppressions: everything that hides alarms.
        bypasses: the registrations of bypassed interlocks that are not closed.
        warnings: plants' warnings, and the facts they are derived from.
        load_alarm: loads an alarm that is no longer in the state.
        listening_since: since when silence is measured, ns; set anew at each start.
        stepped: sum of all clock jumps since the journal began, ns: `now` less this never jumps.
        reported: number of the last interval readings were reported for. Not dumped: it follows the clock, and a report
            sent twice has the same id.
    """

    def __init__(self, configuration: PlantConfiguration) -> None:
        self.configuration = configuration
        points = len(configuration.points)
        self.newest: NDArray[np.int64] = np.zeros(points, np.int64)
        self.time: NDArray[np.int64] = np.zeros(points, np.int64)
        self.value: NDArray[np.float64] = np.full(points, np.nan)
        self.flags: NDArray[np.uint16] = np.zeros(points, np.uint16)
        self.received: NDArray[np.int64] = np.zeros(points, np.int64)
        self.bank = Bank(configuration.tables, configuration.derived)
        self.limits = Limits(configuration)
        self.excursions = RetrospectiveAlarms()
        self.alarms: dict[AlarmKey, Alarm] = {}
        self.recent: dict[AlarmKey, Alarm] = {}
        self.function_checks = FunctionChecks(points)
        self.contacts = StatusContacts(configuration.contacts)
        self.suppressions = Suppressions()
        self.bypasses = BypassRegister()
        self.warnings = PlantWarnings()
        self.load_alarm: Callable[[UUID], Alarm | None] = lambda _alarm: None
        self.listening_since = 0
        self.stepped = 0
        self.reported = 0

    def latest(self, index: int, now: int) -> Latest:
        """The newest live reading of a point by configuration index, as of `now` (ns). From any thread."""
        if index >= len(self.time) or not self.time[index]:
            return NEVER
        point = self.configuration.points[index]
        value, allowed = float(self.value[index]), int(point.silence_s * 1e9) if point is not None else 0
        stale = point is None or now - int(self.received[index]) > allowed
        return Latest(
            time=int(self.time[index]),
            value=None if np.isnan(value) else value,
            flags=int(self.flags[index]),
            stale=stale,
            resuming=stale and now - (self.bank.last_received(index) or self.listening_since) <= allowed,
        )

    def flagged(self, flag: Flag) -> list[int]:
        """The points whose newest reading bears that flag, by configuration index. From any thread."""
        return [int(index) for index in np.flatnonzero(self.flags & flag)]

    def settled_until(self, index: int, now: int) -> int:
        """When time alone next changes the result of `latest` for a point (ns), as far as is known at `now`."""
        point = self.configuration.points[index]
        if point is None or not self.time[index]:
            return OPEN
        allowed = int(point.silence_s * 1e9)
        silent, resumed = (
            int(self.received[index]) + allowed,
            (self.bank.last_received(index) or self.listening_since) + allowed,
        )
        return next((time + 1 for time in (silent, resumed) if time >= now), OPEN)

    def due(self) -> int:
        """When time alone next changes something (ns) while nothing arrives; settled excursions wait longer."""
        return min(self.bank.due(), self.suppressions.due, self.bypasses.due, self.warnings.due)

    def view(self, now: int) -> PlantView:
        """A view of all plants as of `now` (ns). From any thread."""
        return PlantView(self.configuration, partial(self.latest, now=now))

    def add_active(self, alarms: Iterable[Alarm]) -> None:
        """Add alarms that are not back to normal."""
        self.alarms |= {(a.plant, a.point, a.rule): a for a in alarms}

    def keep_suppression(self, record: Suppression) -> None:
        """Store the present state of a suppression; a function check also decides which readings are measurements."""
        self.suppressions.keep(record)
        point = self.configuration.find(record.plant, record.point)
        if record.kind is SuppressionKind.FUNCTION_CHECK and point is not None and record.until is not None:
            ended = OPEN if record.ended is None else record.ended
            self.function_checks.keep(point.index, CheckSpan(record.begins, record.until, ended))

    def find(self, alarm: UUID) -> Alarm:
        """The alarm with this id, in its present state. Raises KeyError."""
        for known in (self.alarms, self.recent):
            for known_alarm in known.values():
                if known_alarm.id == alarm:
                    return known_alarm
        found = self.load_alarm(alarm)
        if found is None:
            raise KeyError(alarm)
        return found

    def store_alarm(self, alarm: Alarm) -> None:
        """Store the alarm after a transition; once back to normal it is kept only because it may reopen."""
        key = (alarm.plant, alarm.point, alarm.rule)
        if alarm.state not in OVER:
            self.alarms[key] = alarm
            return
        active, last = self.alarms.get(key), self.recent.get(key)
        if active is not None and active.id == alarm.id:
            del self.alarms[key]
        if alarm.state is AlarmState.NORMAL and not alarm.historical and (last is None or last.onset <= alarm.onset):
            self.recent.pop(key, None)
            self.recent[key] = alarm
            if len(self.recent) > RECENT:
                del self.recent[next(iter(self.recent))]

    def reopenable(self, key: AlarmKey, time: int, reopen: int) -> Alarm | None:
        """The alarm that reopens if its rule trips at `time`, at most `reopen` ns from its return; else None."""
        last = self.recent.get(key)
        return last if last is not None and last.returned is not None and abs(time - last.returned) <= reopen else None

    def resume(self, left: int, now: int) -> list[str]:
        """Measure silence again after an outage from `left` to `now` (ns); active alarms tell which points are silent.

        Every other point's silence excludes that time. Returns the rules, by their keys, that had tripped without an
        alarm, since its record was lost: they raise it anew.
        """
        self.listening_since = now
        lost = self.bank.settle({alarm.rule_key for alarm in self.alarms.values()})
        self.bank.resume(left, now, {alarm.rule_key for alarm in self.alarms.values() if alarm.active})
        return lost

    def shift(self, step: int) -> None:
        """Move everything measured by arrival times along with a clock jump of `step` ns."""
        self.stepped += step
        self.listening_since += step
        self.received[self.time > 0] += step
        self.bank.shift(step)
        self.excursions.shift(step)
        self.warnings.shift(step)

    def forget_times(self, points: NDArray[np.int32]) -> None:
        """Discard the newest times of these points, which are wrong: their rules learn anew and keep their verdicts."""
        self.newest[points] = 0
        self.contacts.forget(points)
        self.bank = self.bank.successor(self.configuration.tables, self.configuration.derived, anew=points)

    def successor(self, configuration: PlantConfiguration) -> EngineState:
        """The state for another configuration; keeps what is known of every point and rule both have."""
        if configuration is self.configuration:
            return self
        engine_state = EngineState(configuration)
        engine_state.alarms, engine_state.recent, engine_state.bypasses = self.alarms, self.recent, self.bypasses
        engine_state.suppressions, engine_state.warnings, engine_state.load_alarm = (
            self.suppressions,
            self.warnings,
            self.load_alarm,
        )
        renamed = configuration.renamed.items() - self.configuration.renamed.items()
        if renamed:
            engine_state._rename(dict(renamed))
        both = min(len(self.newest), len(engine_state.newest))
        for name in _COLUMNS:
            getattr(engine_state, name)[:both] = getattr(self, name)[:both]
        engine_state.function_checks = self.function_checks.successor(len(configuration.points))
        engine_state.contacts = self.contacts.successor(configuration.contacts)
        keys = configuration.renamed_rules()
        engine_state.bank = self.bank.successor(configuration.tables, configuration.derived, renamed=keys)
        engine_state.excursions = self.excursions
        engine_state.excursions.rename(keys)
        engine_state.stepped, engine_state.reported, engine_state.listening_since = (
            self.stepped,
            self.reported,
            self.listening_since,
        )
        return engine_state

    def _rename(self, renamed: Mapping[tuple[str, str], str]) -> None:
        """Replace points' former ids by the present ones, (plant, former id) -> id."""

        def now(record: T) -> T:
            return replace(record, point=renamed.get((record.plant, record.point), record.point))

        self.alarms, self.recent = (
            {(alarm.plant, alarm.point, alarm.rule): alarm for alarm in map(now, known.values())}
            for known in (self.alarms, self.recent)
        )
        self.suppressions = Suppressions(map(now, self.suppressions.records()))
        self.bypasses = BypassRegister(map(now, self.bypasses.records()))

    def dump(self, *, silence: bool = False) -> bytes:
        """Everything that the readings alone determine, the same bytes for the same readings.

        With `silence` also the times silence is measured from, which depend on when the service ran (`resume`). Never
        in it: the alarms, which the state database holds.
        """
        columns = {name: getattr(self, name) for name in _COLUMNS}
        bank = np.frombuffer(self.bank.dump(silence=silence), np.uint8)
        columns |= {
            "bank": bank,
            "excursions": _json_column(self.excursions.state()),
            "function_checks": _json_column(self.function_checks.state()),
            "contacts": _json_column(self.contacts.state()),
            "stepped": np.array(self.stepped),
        }
        if silence:
            columns["listening"] = np.array(self.listening_since)
        return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(pack(columns))

    def load(self, dump: bytes) -> None:
        """Load a snapshot, as far as it fits the configuration.

        Raises:
            SnapshotUnreadable: it is not as it was written; this object is of no use any more.
        """
        try:
            self._load(dump)
        except Exception as error:  # damaged bytes may raise anything
            raise SnapshotUnreadable(f"{type(error).__name__}: {error}") from error

    def _load(self, dump: bytes) -> None:
        arrays = _arrays(dump)
        both = min(len(self.newest), len(arrays["newest"]))
        for name in _COLUMNS:
            getattr(self, name)[:both] = arrays[name][:both]
        if "function_checks" in arrays:  # not in older ones
            self.function_checks.load(json.loads(arrays["function_checks"].tobytes()))
        if "contacts" in arrays:  # not in older ones
            self.contacts.load(json.loads(arrays["contacts"].tobytes()))
        renamed = self.configuration.renamed_rules()
        self.bank.load(arrays["bank"].tobytes(), renamed)
        if "excursions" not in arrays:  # written before they were remembered
            for alarm in self.alarms.values():
                if alarm.active:
                    self.excursions.open_span(alarm.rule_key, alarm.onset)
            return
        self.excursions = RetrospectiveAlarms.of(json.loads(arrays["excursions"].tobytes()))
        self.excursions.rename(renamed)
        self.stepped = int(arrays["stepped"])
        self.listening_since = int(arrays.get("listening", 0))  # not in older ones
