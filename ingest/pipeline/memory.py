"""What the engine remembers between turns: all of it can be dumped, and rebuilt by replaying the journal."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import Bank
from ingest.model.alarm import Alarm, AlarmEvent, AlarmState
from ingest.plants.roster import Roster

AlarmKey = tuple[str, str, str]
"""(plant, point, rule)"""

_COLUMNS: Final = ("newest", "time", "value", "flags", "received")


class Memory:
    """The engine's state, sized for one roster.

    Attributes:
        newest: int64[p], newest event time by point, ns; 0 = never heard.
        time, value, flags, received: [p], the newest reading in order; time 0 = none yet.
        bank: the detectors.
        alarms: every alarm that is not back to normal.
        reported: number of the last interval readings were reported for.
    """

    def __init__(self, roster: Roster, alarms: Iterable[Alarm] = ()) -> None:
        points = len(roster.points)
        self.newest: NDArray[np.int64] = np.zeros(points, np.int64)
        self.time: NDArray[np.int64] = np.zeros(points, np.int64)
        self.value: NDArray[np.float64] = np.full(points, np.nan)
        self.flags: NDArray[np.uint16] = np.zeros(points, np.uint16)
        self.received: NDArray[np.int64] = np.zeros(points, np.int64)
        self.bank = Bank(roster.tables, roster.derived)
        self.alarms: dict[AlarmKey, Alarm] = {(a.plant, a.point, a.rule): a for a in alarms}
        self.reported = 0

    def release(self, alarms: Iterable[Alarm]) -> bool:
        """Let the latched rules behind these alarms return once their condition is gone; whether there is any."""
        return self.bank.reset({f"{a.plant}/{a.point}/{a.rule}" for a in alarms})

    def settle(self, event: AlarmEvent) -> None:
        """Keep the alarm as the event left it; forget it once it is back to normal."""
        alarm = event.alarm
        key = (alarm.plant, alarm.point, alarm.rule)
        if alarm.state is AlarmState.NORMAL:
            self.alarms.pop(key, None)
        else:
            self.alarms[key] = alarm

    def successor(self, roster: Roster) -> Memory:
        """A memory for another roster that keeps what is known of every point and rule both have."""
        memory = Memory(roster, self.alarms.values())
        both = min(len(self.newest), len(memory.newest))
        for name in _COLUMNS:
            getattr(memory, name)[:both] = getattr(self, name)[:both]
        memory.bank = self.bank.successor(roster.tables, roster.derived)
        memory.reported = self.reported
        return memory

    def dump(self) -> bytes:
        """Everything but the alarms, which the state database holds."""
        buffer = io.BytesIO()
        columns = {name: getattr(self, name) for name in _COLUMNS}
        bank = np.frombuffer(self.bank.dump(), np.uint8)
        np.savez(buffer, allow_pickle=False, bank=bank, reported=np.array(self.reported), **columns)
        return buffer.getvalue()

    def load(self, dump: bytes) -> None:
        """Take over a dumped memory, as far as it fits the roster."""
        with np.load(io.BytesIO(dump), allow_pickle=False) as file:
            both = min(len(self.newest), len(file["newest"]))
            for name in _COLUMNS:
                getattr(self, name)[:both] = file[name][:both]
            self.bank.load(file["bank"].tobytes())
            self.reported = int(file["reported"])
