"""Line protocol, byte by byte and back again."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import GATEWAY_SIGNAL, SERVICE, GatewayPoint, PhaseName, ServicePoint
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.line_protocol import ReadingLines, alarm_lines, phase_lines, precision_of, tag_value
from tests.ingest.storage.history.made_up import NOON, PLANT, alarm_event, batch, configuration, point, titled

NAN = math.nan


def reading_lines(readings: Batch, known: PlantConfiguration) -> list[str]:
    """The lines, times in ns."""
    return ReadingLines(known)(readings, "ns").decode().removesuffix("\n").split("\n")


def encoded(lines: list[str]) -> bytes:
    return "\n".join(lines).encode()


def test_readings_are_written_with_their_value_and_what_is_known_against_them() -> None:
    readings = batch([0, 2], [NOON, NOON + 1], [0.351, 1e-300], [0, 9])
    assert encoded(reading_lines(readings, configuration())) == (
        b"readings,plant=demo-aluminium,point=CW-01,signal=ALC_CW_IN_P value=0.351 1763884800000000000\n"
        b"readings,plant=demo-aluminium,point=T-01,signal=ALC_CW_IN_P value=1e-300,quality=9i 1763884800000000001"
    )


def test_a_reading_without_a_value_keeps_its_quality() -> None:
    assert encoded(reading_lines(batch([0], [NOON], [NAN], [4]), configuration())) == (
        b"readings,plant=demo-aluminium,point=CW-01,signal=ALC_CW_IN_P quality=4i 1763884800000000000"
    )


def test_a_gateway_is_written_as_online_or_offline() -> None:
    readings = batch([3, 0, 3, 3], [1, 2, 3, 4], [1, 0.5, 0, NAN], [0, 0, 0, 4])
    assert encoded(reading_lines(readings, configuration())) == (
        b"gateways,plant=demo-aluminium,gateway=GW-01 online=1i 1\n"
        b"readings,plant=demo-aluminium,point=CW-01,signal=ALC_CW_IN_P value=0.5 2\n"
        b"gateways,plant=demo-aluminium,gateway=GW-01 online=0i 3\n"
        b"gateways,plant=demo-aluminium,gateway=GW-01 quality=4i 4"
    )


def test_a_phase_is_written_with_its_code_and_its_place() -> None:
    records = [PhaseRecord(PLANT, "CM 01", NOON, "steady", 4), PhaseRecord(PLANT, "CM 01", NOON + 1, "unknown", 0)]
    assert phase_lines(records) == (
        b'phases,plant=demo-aluminium,equipment=CM\\ 01 phase="steady",number=4i 1763884800000000000\n'
        b'phases,plant=demo-aluminium,equipment=CM\\ 01 phase="unknown",number=0i 1763884800000000001\n'
    )


def test_separators_and_unicode_in_tags_are_escaped() -> None:
    hostile = configuration(point(0, "a,b c=d", plant="厂\n一\\"))
    assert encoded(reading_lines(batch([0], [1], [2.0]), hostile)) == (
        rb"readings,plant=" + "厂_一_".encode() + rb",point=a\,b\ c\=d,signal=ALC_CW_IN_P value=2.0 1"
    )


def test_a_removed_point_keeps_its_readings() -> None:
    """Entries of a point that has left the configuration, even beyond its end, are stored under their index."""
    lines = reading_lines(batch([0, 7], [1, 2], [0.1, 0.2]), configuration(None, point(1, "CW-02")))
    assert lines == [
        "readings,plant=removed,point=0,signal=removed value=0.1 1",
        "readings,plant=removed,point=7,signal=removed value=0.2 2",
    ]


def test_a_new_roster_renames_at_once() -> None:
    readings = batch([0], [1], [0.1])
    assert ",point=CW-01," in reading_lines(readings, configuration())[0]
    assert ",point=NEW," in reading_lines(readings, configuration(point(0, "NEW")))[0]


def test_alarm_events_are_written_with_what_a_reader_needs() -> None:
    lines = alarm_lines([titled(alarm_event(1), 'a "b" \\ c')])
    alarm = alarm_event(1).alarm
    assert (
        lines
        == (
            "alarms,plant=demo-aluminium,point=CW-01,rule=LL,level=2,event=raised "
            f'id="{alarm.id}",state="unacknowledged",title="a \\"b\\" \\\\ c",title_en="",unit="MPa",'
            "limit=0.28,value=0.27 1763884800000000000\n"
        ).encode()
    )


def test_an_alarm_event_names_the_phase_its_alarm_was_raised_in() -> None:
    event = alarm_event(1)
    start = replace(event, alarm=replace(event.alarm, phase=PhaseName("start", Text("起铸", "start"))))
    assert b',phase="start",' in alarm_lines([start])
    assert b"phase" not in alarm_lines([event])


@pytest.mark.parametrize("value", [None, NAN, math.inf])
def test_an_alarm_without_a_value_has_no_value_field(value: float | None) -> None:
    assert b",value=" not in alarm_lines([alarm_event(1, value=value)])


def test_the_same_alarm_event_gives_the_same_series_and_time() -> None:
    """Told again after a restart, with another sequence number, it overwrites itself."""
    event = alarm_event(1, AlarmEventKind.RETURNED, at=NOON + 5)
    assert alarm_lines([event]) == alarm_lines([replace(event, seq=99)])


def test_a_line_is_written_for_every_reading_of_a_large_batch() -> None:
    n = 3000
    readings = batch(list(np.arange(n) % 4), list(range(n)), [0.5] * n)
    lines = reading_lines(readings, configuration())
    assert [int(line.rsplit(" ", 1)[1]) for line in lines] == list(range(n))


def test_a_gateways_own_series_is_one_and_that_of_the_service_another() -> None:
    """Online and clock are two fields of the same gateway; what the service says of itself is no reading."""
    points = [
        point(0, "GW-01", signal=GATEWAY_SIGNAL),
        point(1, "GW-01.clock", signal=GatewayPoint.CLOCK.signal),
        point(2, "DISK", signal=ServicePoint.DISK.signal, plant=SERVICE),
    ]
    assert reading_lines(batch([0, 1, 2], [NOON] * 3, [1.0, -0.25, 8192.0]), configuration(*points)) == [
        f"gateways,plant={PLANT},gateway=GW-01 online=1i {NOON}",
        f"gateways,plant={PLANT},gateway=GW-01 clock_ahead=-0.25 {NOON}",
        f"service,plant=service,point=DISK value=8192.0 {NOON}",
    ]


def test_times_of_whole_milliseconds_are_written_as_such() -> None:
    """Shorter lines where nothing is lost by it, nanoseconds where something would be."""
    whole = batch([0, 1, 0], [NOON, NOON, -1_000_000], [1.0, 2.0, 3.0])
    assert precision_of(whole.time) == "ms"
    assert [line.rsplit(b" ", 1)[1] for line in ReadingLines(configuration())(whole, "ms").splitlines()] == [
        b"1763884800000",
        b"1763884800000",
        b"-1",
    ]
    assert precision_of(batch([0, 1], [NOON, NOON + 1], [1.0, 2.0]).time) == "ns"


def test_a_reading_without_a_value_is_counted_by_its_quality_whatever_that_is() -> None:
    [line] = reading_lines(batch([0], [1], [NAN], [0]), configuration())
    assert line.endswith(" quality=4i 1")


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(
    st.tuples(texts, texts, texts),
    st.floats(allow_infinity=False),
    st.integers(0, 2**16 - 1),
    st.integers(-(2**62), 2**62),
)
def test_a_reading_comes_back_from_its_line(names: tuple[str, str, str], value: float, flags: int, at: int) -> None:
    plant, name, signal = names
    if signal == GATEWAY_SIGNAL:
        return
    [line] = reading_lines(
        batch([0], [at], [value], [flags]), configuration(point(0, name, signal=signal, plant=plant))
    )
    measurement, tags, fields, time = parse(line)
    assert (measurement, time) == ("readings", at)
    assert tags == {"plant": tag_value(plant), "point": tag_value(name), "signal": tag_value(signal)}
    if math.isnan(value):
        assert fields == {"quality": flags | Flag.NO_VALUE}
    else:
        assert fields == {"value": value} | ({"quality": flags} if flags else {})


@given(texts)
def test_a_title_comes_back_from_its_line(title: str) -> None:
    _, _, fields, _ = parse(alarm_lines([titled(alarm_event(1), title)]).decode().removesuffix("\n"))
    assert fields["title"] == title


def parse(line: str) -> tuple[str, dict[str, str], dict[str, float | int | str], int]:
    """An independent reader of one line, by the published grammar, one character at a time."""
    series, rest = split(line, " ", quotes=False)
    fields_text, time = split(rest, " ", quotes=True)
    measurement, *tags_text = all_parts(series, quotes=False)
    tags = dict(split(tag, "=", quotes=False) for tag in tags_text)
    fields = dict(split(field, "=", quotes=True) for field in all_parts(fields_text, quotes=True))
    return measurement, {k: unescape(v) for k, v in tags.items()}, {k: typed(v) for k, v in fields.items()}, int(time)


def split(text: str, at: str, *, quotes: bool) -> tuple[str, str]:
    quoted = False
    i = 0
    while i < len(text):
        if text[i] == "\\":
            i += 1
        elif text[i] == '"' and quotes:
            quoted = not quoted
        elif text[i] == at and not quoted:
            return text[:i], text[i + 1 :]
        i += 1
    return text, ""


def all_parts(text: str, *, quotes: bool) -> list[str]:
    parts = []
    while text:
        part, text = split(text, ",", quotes=quotes)
        parts.append(part)
    return parts


def unescape(text: str) -> str:
    return text.replace(r"\,", ",").replace(r"\ ", " ").replace(r"\=", "=")


def typed(text: str) -> float | int | str:
    if text.startswith('"'):
        return text[1:-1].replace(r"\"", '"').replace("\\\\", "\\")
    return int(text[:-1]) if text.endswith("i") else float(text)
