"""The stand-in for platforms of HJ 212-2017 takes what is right, and says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_sim.listener import Request
from gateway_sim.provinces.hj212 import Hj212StandIn, crc16
from gateway_sim.stand_in import Refused

ITEM = "a34004-SampleTime=20260621081034,a34004-Rtd=27.20,a34004-Flag=N"


def framed(body: str) -> bytes:
    return f"##{len(body):04d}{body}{crc16(body.encode()):04X}\r\n".encode()


def test_what_is_wrong_is_refused_by_its_name_and_a_damaged_frame_by_silence(tmp_path: Path) -> None:
    """The frame of a right report, spoilt in one place each; parts are known by QN and PNO."""
    platform = Hj212StandIn(tmp_path)
    platform.start()
    try:
        outer = (
            f"QN=20260621081034001;ST=31;CN=2011;PW={platform.issued['appsecret']};MN={platform.issued['mn']};Flag=5"
        )
        right = f"{outer};CP=&&DataTime=20260621081034;{ITEM};LA-Rtd=50.1&&"

        def taken(frame: bytes) -> str:
            return platform.take(Request("FRAME", "", {}, frame)).id

        assert taken(framed(right)) == "20260621081034001"
        parted = right.replace("Flag=5", "Flag=7;PNUM=3;PNO=2")
        assert taken(framed(parted)) == "20260621081034001/2"
        spoilt = (
            ("PW", framed(right.replace("PW=", "PW=x"))),
            ("MN", framed(right.replace("MN=", "MN=x"))),
            ("ST", framed(right.replace("ST=31", "ST=32"))),
            ("CN", framed(right.replace("CN=2011", "CN=2051"))),
            ("FLAG", framed(right.replace("Flag=5", "Flag=1"))),
            ("FLAG", framed(right.replace("Flag=5", "Flag=7"))),
            ("FLAG", framed(parted.replace("Flag=7", "Flag=5"))),
            ("FLAG", framed(parted.replace("PNO=2", "PNO=4"))),
            ("QN", framed(right.replace("34001", "3400"))),
            ("TIME", framed(right.replace("QN=202606", "QN=202613"))),
            ("CLOCK", framed(right.replace("DataTime=2026", "DataTime=2099"))),
            ("CP", framed(right.replace("ST=31;", ""))),
            ("CP", framed(right.replace("27.20", "n/a"))),
            ("CP", framed(right.replace("LA-Rtd", "a34004-Rtd"))),
            ("CP", framed(right.replace("a34004-Flag", "a34005-Flag"))),
            ("CP", framed(right.replace("Flag=N", "Flag=X"))),
            ("CP", framed(f"{outer};CP=&&DataTime=20260621081034&&")),
            ("CRC", framed(right).replace(b"27.20", b"27.21")),
            ("LENGTH", framed(right).replace(b"27.20", b"27.2")),
            ("LENGTH", framed(right.replace("50.1", "5" * 1024))),
            ("FRAME", framed(right)[1:]),
        )
        for what, frame in spoilt:
            with pytest.raises(Refused) as refused:
                taken(frame)
            assert refused.value.what == what, frame
            assert (platform.no(refused.value).status == 0) is (what in {"CRC", "LENGTH", "FRAME"})
        assert {"PW": 3, "CP": 100}.items() <= {
            what: int(str(platform.no(Refused(what, "")).content["CP"]).removeprefix("QnRtn=")) for what in ("PW", "CP")
        }.items()
    finally:
        platform.stop()
