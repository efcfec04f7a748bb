"""Encodes readings and events in InfluxDB line protocol, straight from arrays without an object per reading.

    readings,plant=P,point=A,signal=S value=0.351 1763884800000
    readings,plant=P,point=A,signal=S value=1.7,quality=8i 1763884801000
    readings,plant=P,point=A,signal=S quality=4i 1763884802000
    gateways,plant=P,gateway=GW-01 online=1i 1763884800000
    gateways,plant=P,gateway=GW-01 clock_ahead=-0.21 1763884800000
    gateways,plant=P,gateway=GW-01 refused=0.5 1763884800000
    service,plant=service,point=DISK value=81920.0 1763884800000
    alarms,plant=P,point=A,rule=LL,level=2,event=raised id="…",state="…",…,limit=0.28,value=0.27 1763884801000000000
    alarm_metrics,position=P raised=3i,level_1=2i,level_2=1i,hidden=0i,flood_s=0.0,standing_1=4i,… 1763884800000000000
    phases,plant=P,equipment=E phase="steady",number=4i 1763884801000000000
    warnings,plant=P,event=escalated,step=county,colour=red id="…",state="open",…,rank=4i,risk=87.3 1763884801000000000

`quality` is written only for a flagged reading: a second field costs an InfluxDB half as much again. A server that gets
the same line twice keeps one: measurement, tags and time are the identity of a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import GATEWAY_SIGNAL, GatewayPoint, gateway_point_of
from ingest.domain.model.warning import Colour, WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.series import Series, series_of

OVER: Final = "over"
"""The colour tag of a warning that is over: a tag cannot be empty."""

_MEASURED: Final = frozenset(point.signal for point in GatewayPoint)

Precision = Literal["ms", "ns"]
"""The unit of the times of a request."""

NS_IN: Final[Mapping[Precision, int]] = {"ms": 1_000_000, "ns": 1}

# Line protocol cannot express a newline or a closing backslash in a tag. Ids of plants and points hold neither; should
# one ever come, it is replaced rather than allowed to break the lines around it.
_UNWRITABLE: Final = str.maketrans("\\\n\r", "___")
_TAG: Final = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})
_STRING: Final = str.maketrans({"\\": r"\\", '"': r"\""})


def precision_of(times: NDArray[np.int64]) -> Precision:
    """The coarsest precision that represents these times (ns) exactly; gateways send whole milliseconds."""
    return "ns" if (times % NS_IN["ms"]).any() else "ms"


class ReadingLines:
    """Encodes readings of one configuration; caches the head of every series."""

    def __init__(self, configuration: PlantConfiguration) -> None:
        self.configuration: Final = configuration
        size = len(configuration.points)
        self._head: NDArray[np.object_] = np.empty(size, np.object_)  # b"measurement,tags field=", escaped once a point
        self._known = np.zeros(size, np.bool_)
        self._online = np.zeros(size, np.bool_)

    def __call__(self, batch: Batch, precision: Precision) -> bytes:
        """Encode one line per reading, in order. `precision` must represent all times, see `precision_of`."""
        self._add_heads(batch.point)
        heads = self._head[batch.point].tolist()
        # JSON numbers are the shortest that read back equal, and encoded four times as fast as by Python.
        fields = msgspec.json.encode(batch.value.tolist())[1:-1].split(b",")
        for at in np.flatnonzero(self._online[batch.point]).tolist():
            fields[at] = b"%di" % (batch.value[at] > 0)
        # Few are flagged in a live plant, all of them in a gateway's back-fill: plain lists for both.
        flagged = np.flatnonzero((batch.flags != 0) | np.isnan(batch.value))
        blank = np.isnan(batch.value[flagged]).tolist()
        for at, flags, no_value in zip(flagged.tolist(), batch.flags[flagged].tolist(), blank, strict=True):
            if no_value:
                # Counted by this bit, as the others are by their value.
                heads[at] = heads[at].rpartition(b" ")[0] + b" quality="
                fields[at] = b"%di" % (flags | Flag.NO_VALUE)
            else:
                fields[at] += b",quality=%di" % flags
        parts = [b""] * (3 * len(batch))
        parts[0::3], parts[1::3], parts[2::3] = heads, fields, _tails(batch.time // NS_IN[precision])
        return b"".join(parts)

    def _add_heads(self, points: NDArray[np.int32]) -> None:
        """Build the heads of points not seen before."""
        size = int(points.max(initial=-1)) + 1
        if size > len(self._known):  # points beyond the configuration's end are kept too
            self._head.resize(size)
            self._known.resize(size)
            self._online.resize(size)
        for index in np.unique(points[~self._known[points]]).tolist():
            series = series_of(self.configuration, index)
            self._head[index], self._known[index] = _head_of(series).encode(), True
            self._online[index] = series.signal == GATEWAY_SIGNAL


def gateway_field(point: str) -> tuple[str, str]:
    """The gateway a device point belongs to, and its field in measurement `gateways`."""
    gateway, what = gateway_point_of(point) or (point, None)
    return gateway, "online" if what is None else "clock_ahead" if what is GatewayPoint.CLOCK else what


def _head_of(series: Series) -> str:
    if series.signal == GATEWAY_SIGNAL or series.signal in _MEASURED:
        gateway, field = gateway_field(series.point)
        return f"{_head('gateways', {'plant': series.plant, 'gateway': gateway})}{field}="
    if series.is_device:
        return _head("service", {"plant": series.plant, "point": series.point}) + "value="
    return _head("readings", {"plant": series.plant, "point": series.point, "signal": series.signal}) + "value="


def _tails(times: NDArray[np.int64]) -> list[bytes]:
    """The end of each line. A frame's points share one time, which is formatted once."""
    if not len(times):
        return []
    starts = np.flatnonzero(np.diff(times, prepend=times[0] - 1))
    tails = np.array([b" %d\n" % time for time in times[starts].tolist()], np.object_)
    return tails.repeat(np.diff(starts, append=len(times))).tolist()


def alarm_lines(events: Iterable[AlarmEvent]) -> bytes:
    """Encode one line per alarm event, times in ns; the same event always gives the same series and time."""
    return b"".join(_alarm_line(event).encode() for event in events)


def _alarm_line(event: AlarmEvent) -> str:
    alarm = event.alarm
    head = _head(
        "alarms",
        {
            "plant": alarm.plant,
            "point": alarm.point,
            "rule": alarm.rule,
            "level": str(alarm.level),
            "event": event.kind,
        },
    )
    texts = {
        "id": str(alarm.id),
        "state": str(alarm.state),
        "title": alarm.title.zh,
        "title_en": alarm.title.en,
        "unit": alarm.unit,
    }
    if alarm.phase is not None:
        texts["phase"] = alarm.phase.code
    numbers = {"limit": alarm.limit, "value": alarm.value}
    fields = [f'{name}="{text.translate(_STRING)}"' for name, text in texts.items()]
    fields += [f"{name}={number!r}" for name, number in numbers.items() if number is not None and isfinite(number)]
    return f"{head}{','.join(fields)} {event.time}\n"


def warning_lines(events: Iterable[WarningEvent]) -> bytes:
    """Encode one line per warning event, times in ns; the same event always gives the same series and time."""
    return b"".join(_warning_line(event).encode() for event in events)


def _warning_line(event: WarningEvent) -> str:
    warning = event.warning
    tags = {
        "plant": warning.plant,
        "event": str(event.kind),
        "step": str(warning.step),
        "colour": str(warning.colour or OVER),
    }
    texts = {
        "id": str(warning.id),
        "state": str(warning.state),
        "peak": str(warning.peak),
        "asking": str(warning.asking or ""),
    }
    fields = [f'{name}="{text.translate(_STRING)}"' for name, text in texts.items()]
    fields += [f"rank={rank(warning.colour)}i", f"risk={warning.risk!r}"]
    return f"{_head('warnings', tags)}{','.join(fields)} {event.time}\n"


def phase_lines(records: Iterable[PhaseRecord]) -> bytes:
    """Encode one line per record of a phase, times in ns."""
    return b"".join(_phase_line(record).encode() for record in records)


def _phase_line(record: PhaseRecord) -> str:
    head = _head("phases", {"plant": record.plant, "equipment": record.equipment})
    return f'{head}phase="{record.phase.translate(_STRING)}",number={record.number}i {record.time}\n'


def slot_lines(slots: Iterable[AlarmSlot]) -> bytes:
    """Encode one line per slot of an operator position, times in ns."""
    return b"".join(_slot_line(slot).encode() for slot in slots)


def _slot_line(slot: AlarmSlot) -> str:
    fields = (f"{name}={number!r}{'i' * isinstance(number, int)}" for name, number in slot.numbers().items())
    return f"{_head('alarm_metrics', {'position': slot.position})}{','.join(fields)} {slot.end}\n"


def rank(colour: Colour | None) -> int:
    """The rank of a colour for drawing: 0 = over, 1 = blue to 4 = red."""
    return 0 if colour is None else colour.rank + 1


def tag_value(text: str) -> str:
    """The text as a server returns it from a tag."""
    return text.translate(_UNWRITABLE)


def _head(measurement: str, tags: Mapping[str, str]) -> str:
    return (
        ",".join([measurement, *(f"{name}={tag_value(value).translate(_TAG)}" for name, value in tags.items())]) + " "
    )
