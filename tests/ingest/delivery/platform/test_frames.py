"""Reports go as frames over one ordered connection; each arrives once, whatever happens."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gateway_sim.provinces.hj212 import crc16
from gateway_sim.stand_in import Mode
from ingest.delivery.errors import Unmappable
from ingest.delivery.platform import hj212
from ingest.delivery.platform.codes import IssuedCodes
from ingest.delivery.platform.loading import load_profile
from ingest.delivery.platform.profile import Issued
from ingest.delivery.sender import OutboxSender
from ingest.domain.model.fault import InvalidConfig
from tests.ingest.delivery.outbox import (
    PLANT,
    Clock,
    MemoryOutbox,
    alarm_message,
    hurry,
    readings_message,
    running,
)
from tests.ingest.delivery.platform.frames import (
    MN,
    NAME,
    POINTS,
    connected,
    row,
    variant,
    with_rows,
)
from tests.ingest.delivery.platform.profiles import GOLDEN, profile, protocol
from tests.ingest.delivery.platform.stand_ins import started

CODES = IssuedCodes({PLANT.id: {"mn": MN, "st": "31", "points": {"D-1": "a34004", "D-2": "a01012"}}})
DIGEST = 'kind = "SM3"\nover = "report"\nencoding = "base64"\nconfidence = "default"\nsource = "made for the tests"\n'


def test_the_example_of_the_standard_is_written_and_read_to_the_byte() -> None:
    """Annex A, as hutool (Crc16UtilTest) and xiaoyao9184/hj-t212-parser give it; what is spoilt is noticed."""
    published = (
        f"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN={MN};Flag=5;CP=&&RtdInterval=30&&1C80\r\n".encode()
    )
    outer = {"QN": "20160801085857223", "ST": "32", "CN": "1062", "PW": "100000", "MN": MN, "Flag": "5"}
    ((segment, part),) = hj212.bodies({**outer, "CP": ""}, {"RtdInterval": 30, "items": []}, "items", 1024)
    assert (hj212.wrapped(segment), part) == (published, None)
    assert hj212.fields_in(published) == {**outer, "CP": "RtdInterval=30"}
    for at in range(2, len(published) - 2):
        spoilt = bytearray(published)
        spoilt[at] ^= 0x01
        assert hj212.fields_in(bytes(spoilt)) is None


def test_readings_are_written_as_in_a_published_frame() -> None:
    """xiaoyao9184/hj-t212-parser, README; its check there, 4980, is not that of annex A, and is left out."""
    items = [
        {"PolId": "B01", "Rtd": 36.91},
        *({"PolId": code, "Rtd": rtd, "Flag": "N"} for code, rtd in (("011", 231.0), ("060", 1.803))),
    ]
    outer = {"ST": "32", "CN": "2011", "PW": "123456", "MN": "LD130133000015", "CP": ""}
    ((segment, _),) = hj212.bodies(outer, {"DataTime": "20160824003817", "items": items}, "items", 1024)
    assert segment == (
        "ST=32;CN=2011;PW=123456;MN=LD130133000015;CP=&&DataTime=20160824003817;B01-Rtd=36.91;"
        "011-Rtd=231.0,011-Flag=N;060-Rtd=1.803,060-Flag=N&&"
    )


def test_the_check_is_that_of_another_published_frame() -> None:
    """Hutool, Crc16UtilTest: 1E00."""
    data = f"QN=20160801085857223;ST=23;CN=2011;PW=123456;MN={MN};Flag=5;CP=&&DataTime=20160801085857; LA-Rtd=50.1&&"
    assert hj212.wrapped(data).endswith(b"1E00\r\n")
    assert crc16(data.encode()) == 0x1E00


def test_readings_are_the_frame_of_the_golden_file() -> None:
    """Its form is that of the published ones, its check by the stand-in's own code; what has no value is left out."""
    message = with_rows(
        readings_message(1), row("D-1", 27.2), row("D-2", -0.5, "function-check"), row("D-1", None, "failure")
    )
    wrapped = protocol(profile(NAME), CODES, Issued(appsecret="123456")).wrap("readings", [message])
    assert wrapped.post is not None
    (frame,) = wrapped.post.frames
    golden = (GOLDEN / f"{NAME}.readings.frame").read_bytes()
    assert frame.content == golden
    assert int(golden[-6:-2], 16) == crc16(golden[6:-6])
    assert wrapped.left_out == {"no value": 1}


def test_a_long_report_goes_as_numbered_parts_that_hold_each_item_once() -> None:
    """Against the plain list of what was to be written, for many lengths of items and of parts."""
    random_ = random.Random(7)  # noqa: S311  no secret
    envelope = {"QN": "2" * 17, "ST": "31", "CN": "2011", "PW": "123456", "MN": MN, "Flag": 5, "CP": ""}
    for most in (256, 300, 1024):
        for count in (1, 2, 9, 60):
            codes = [f"a{random_.randrange(10 ** random_.randint(1, 8))}" for _ in range(count)]
            report = {"DataTime": "20260621081034", "items": [{"PolId": code, "Rtd": "1.5"} for code in codes]}
            parts = hj212.bodies(envelope, report, "items", most)
            found = []
            for at, (body, part) in enumerate(parts, start=1):
                assert len(body) <= most
                fields = hj212.fields_in(hj212.wrapped(body))
                assert fields is not None
                head, *items = fields["CP"].split(";")
                assert head == "DataTime=20260621081034"
                found += items
                numbered = (fields["Flag"], fields.get("PNUM"), fields.get("PNO"), part)
                several = ("7", str(len(parts)), str(at), str(at))
                assert numbered == (several if len(parts) > 1 else ("5", None, None, None))
            assert found == [f"{code}-Rtd=1.5" for code in codes]


@pytest.mark.parametrize("value", ["1;CN=9014", "a,b", "a=b", "&&", "甲", "1\r\n"])
def test_a_value_that_would_mean_something_in_a_frame_is_not_sent(value: str) -> None:
    with pytest.raises(Unmappable, match="the value of a-Rtd has a character"):
        hj212.bodies({"QN": "1"}, {"items": [{"PolId": "a", "Rtd": value}]}, "items", 1024)


def test_an_item_longer_than_a_frame_is_named() -> None:
    with pytest.raises(Unmappable, match="longer than the 256 bytes"):
        hj212.bodies({"QN": "1", "Flag": 5}, {"items": [{"PolId": "a", "Rtd": "1" * 300}]}, "items", 256)


@pytest.mark.parametrize("fault", [mode for mode in Mode if mode is not Mode.UP])
async def test_readings_arrive_once_whatever_the_platform_did_and_after_a_restart(fault: Mode, tmp_path: Path) -> None:
    """The sender is ended after the first try and another takes over; parts of one report are known one by one."""
    short = variant(tmp_path, ("most_bytes = 1024", "most_bytes = 256"))
    with started(NAME, tmp_path, slow_s=0.2, unknown=("a00003",)) as platform:
        platform.mode = fault
        outbox, clock = MemoryOutbox(), Clock()
        rows = [row(point, at + 0.5) for at, point in enumerate(POINTS)]
        outbox.put(*(with_rows(readings_message(at), *rows) for at in (1, 2, 3)), connector="platform")
        tries = 0
        for up in (False, True):
            sender = OutboxSender(
                outbox, [connected(platform, tmp_path, profile=short)], now=clock, steady=clock.steady
            )
            async with running(sender):
                if up:
                    platform.mode = Mode.UP
                    await hurry(outbox.done, clock, outbox, sender)
                else:
                    await hurry(lambda: any(kept.starts for kept in outbox.rows.values()), clock, outbox, sender)
                    tries = sum(len(kept.errors) for kept in outbox.rows.values())
        assert (tries > 0) is (fault is not Mode.SLOW)
    arrived = [(content["QN"], content.get("PNO")) for content in platform.received]
    assert len(set(arrived)) == len(arrived)
    for qn in {qn for qn, _ in arrived}:
        items = [item for content in platform.received if content["QN"] == qn for item in content["items"]]
        assert sorted(next(iter(item)) for item in items) == [f"a{at:05d}-SampleTime" for at in (1, 2, 3, 4)]
    if fault not in {Mode.HANG, Mode.PARTIAL}:  # it takes later what it let wait; it took the parts before the bad one
        assert (platform.duplicates > 0) is (fault is Mode.DUPLICATE)


async def test_an_alarm_goes_before_all_readings_that_wait(tmp_path: Path) -> None:
    """By a copy of the profile with a form for alarms, as a county may have one."""
    alarms = """[alarm]
items = "items"
confidence = "default"
source = "made for the tests"
[alarm.head]
DataTime = { path = "time", time = "%Y%m%d%H%M%S" }
[alarm.item]
PolId = "issued.point"
Rtd = { path = "alarm.value", decimals = 1, as_text = true }

[readings]
"""
    alarms = alarms.replace('path = "time"', 'path = "batch.time"', 1)
    file = variant(tmp_path, ("[readings]\n", alarms))
    with started(NAME, tmp_path, slow_s=0.1) as platform:
        platform.mode = Mode.SLOW
        outbox, clock = MemoryOutbox(), Clock()
        readings = [with_rows(readings_message(at), row("P-1", 1.0)) for at in range(1, 7)]
        outbox.put(*readings, connector="platform")
        sender = OutboxSender(outbox, [connected(platform, tmp_path, profile=file)], now=clock, steady=clock.steady)
        async with running(sender):
            await hurry(lambda: bool(platform.received), clock, outbox, sender)
            outbox.put(alarm_message(7, point="P-2"), connector="platform")
            sender.wake()
            await hurry(outbox.done, clock, outbox, sender)
    order = ["a00004-Rtd" in content["items"][0] for content in platform.received]
    assert (sum(order), len(order)) == (1, 7)
    assert order.index(True) <= 2, "behind the one that was under way, and perhaps one that began meanwhile"


@pytest.mark.parametrize("secret", ["12;34", "a=b", "a,b", "a&&b"])
def test_a_password_that_no_frame_can_hold_is_refused_before_anything_is_sent(secret: str, tmp_path: Path) -> None:
    with started(NAME, tmp_path) as platform:
        platform.files["appsecret"].write_text(secret, encoding="utf-8")
        with pytest.raises(InvalidConfig) as refused:
            connected(platform, tmp_path)
    (fault,) = refused.value.faults
    assert (fault.key, fault.expected.en) == (
        "connectors.platform.appsecret",
        "printable ASCII characters but ; , & and =",
    )


async def test_a_wrong_password_is_told_as_a_fault_of_the_settings_and_not_quoted(tmp_path: Path) -> None:
    with started(NAME, tmp_path) as platform:
        platform.files["appsecret"].write_text("not-it", encoding="utf-8")
        connector = connected(platform, tmp_path)
        (outcome,) = await connector.deliver([with_rows(readings_message(1), row("P-1", 1.0))])
        await connector.close()
    assert outcome.error == "the platform refused the settings, not the report: CN = 9011, QnRtn=3"
    assert not outcome.rejected


async def test_over_tls_the_platform_has_to_prove_who_it_is(tmp_path: Path) -> None:
    with started(NAME, tmp_path, secure=True) as platform:
        for known in (True, False):
            connector = connected(platform, tmp_path, **({} if known else {"ca_file": None}))
            (outcome,) = await connector.deliver([with_rows(readings_message(1), row("P-1", 1.0))])
            await connector.close()
            assert ("certificate verify failed" in (outcome.error or "")) is not known
    assert len(platform.received) == 1


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("tcp://10.1.2.3:9003", "tls (plain tcp is for this machine only)"),
        ("tls://10.1.2.3", "an address such as tls://host:9003, without a path"),
        ("tls://10.1.2.3:0", "an address such as tls://host:9003, without a path"),
        ("tls://10.1.2.3:9003/path", "an address such as tls://host:9003, without a path"),
        ("https://10.1.2.3", "tls://host:port or tcp://host:port for hj212-2017"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(url: str, wanted: str, tmp_path: Path) -> None:
    with started(NAME, tmp_path) as platform, pytest.raises((InvalidConfig, ValueError)) as refused:
        connected(platform, tmp_path, url=url)
    shown = refused.value.faults if isinstance(refused.value, InvalidConfig) else refused.value
    assert wanted in str(shown)


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('QN = { path = "batch.stamp"', 'QS = { path = "batch.stamp"', "envelope.fields"),
        ('CP = "content"', "CP = 1", "envelope.fields"),
        ('PolId = "issued.point"', 'code = "issued.point"', "readings"),
        ("[seal]\ncipher", "[digest]\n" + DIGEST + "[seal]\ncipher", "digest"),
        ('items = "items"', 'items = "items"\npath = "/x"', "readings.path"),
    ],
)  # fmt: skip
def test_a_profile_of_frames_that_cannot_work_is_refused(old: str, new: str, at: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as refused:
        load_profile(variant(tmp_path, (old, new)), "profile")
    assert at in [fault.key for fault in refused.value.faults]
