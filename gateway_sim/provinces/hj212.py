"""A strict stand-in for a platform that takes frames of HJ 212-2017: readings (CN=2011), each answered by 9014.

Written from what implementers and reprints give of the standard: frame, CRC16 of annex A, the fields in their order,
Flag with its bits, parts by PNUM and PNO, QnRtn of table 7. A frame that is damaged is not answered at all, as the
standard has it; that what is wrong in a whole one is refused by 9011 is our own choice.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import ssl
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from gateway_sim.frame_listener import FrameListener
from gateway_sim.listener import Listening, Reply, Request
from gateway_sim.stand_in import AHEAD, BEIJING, Mode, Refused, StandIn, Taken, equal

MOST_BYTES: Final = 1024
DAMAGED: Final = frozenset({"FRAME", "LENGTH", "CRC"})
RETURNED: Final[Mapping[str, int]] = {"PW": 3, "MN": 4, "ST": 5, "FLAG": 6, "QN": 7, "CN": 8}
"""QnRtn by what is wrong (table 7); 100 for everything else."""
OTHERWISE: Final = 100
MARKS: Final = frozenset("NFMSDCTB")
VERSION_2017, PARTED, ANSWERED = 0b100, 0b010, 0b001

_ORDER: Final = ("QN", "ST", "CN", "PW", "MN", "Flag")
_ORDER_PARTED: Final = (*_ORDER, "PNUM", "PNO")
_TIME: Final = re.compile(r"\d{14}")
_QN: Final = re.compile(r"\d{17}")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_FIELD: Final = re.compile(r"([A-Za-z0-9]{1,10})-(Rtd|Flag|SampleTime)")
_ANY_QN: Final = re.compile(rb"QN=(\d{17});")


class Hj212StandIn(StandIn):
    """The platform, with files `appsecret` (PW), `mn` and `st`.

    In mode `wrong-answer` it answers another frame than the one that came; in modes `refuse` and `error` with 9011.
    """

    scheme = "tcp"

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        slow_s: float = 3.0,
        unknown: Collection[str] = (),
        secure: bool = False,
    ) -> None:
        """`secure`: over TLS, which the standard does not know and some platforms put around it."""
        if secure:
            self.scheme = "tls"
        issued = {"appsecret": f"{secrets.randbelow(10**6):06d}", "mn": secrets.token_hex(12).upper(), "st": "31"}
        super().__init__(directory, issued, port=port, slow_s=slow_s, unknown=unknown)

    def take(self, request: Request) -> Taken:
        """See `StandIn.take`."""
        outer, content = _segment(_body(request.body))
        for name in ("PW", "MN", "ST"):
            if not equal(outer[name], self.issued["appsecret" if name == "PW" else name.lower()]):
                raise Refused(name, f"{name}: wrong")
        parts = _check_outer(outer)
        head, *items = [dict(_pair(text) for text in group.split(",")) for group in content.split(";")]
        if head.keys() != {"DataTime"}:
            raise Refused("CP", f"CP begins with {sorted(head)}: expected DataTime")
        _check_time(head["DataTime"], "DataTime")
        if not items:
            raise Refused("CP", "CP: no item")
        points = [_check_item(item) for item in items]
        if len({*points}) < len(points):
            raise Refused("CP", "CP: a code stands twice")
        return Taken("/".join((outer["QN"], *parts)), {**outer, **head, "items": items}, points)

    def yes(self) -> Reply:
        """See `StandIn.yes`."""
        return Reply(200, {"CN": "9014", "CP": ""})

    def no(self, refused: Refused) -> Reply:
        """See `StandIn.no`."""
        if refused.what in DAMAGED:
            return Reply(0)
        return Reply(200, {"CN": "9011", "CP": f"QnRtn={RETURNED.get(refused.what, OTHERWISE)}"})

    def _listen(self, port: int, tls: ssl.SSLContext) -> Listening:
        return FrameListener(self._framed, port=port, tls=tls if self.scheme == "tls" else None)

    def _framed(self, frame: bytes) -> bytes | None:
        """The answering frame; empty: silence, None: the connection ends."""
        asked = _ANY_QN.search(frame)
        if asked is None:
            with self._lock:
                self.refused["QN"] += 1
            return b""
        qn = asked[1].decode()
        reply = self._answer(Request("FRAME", "", {}, frame))
        if reply is None or not reply.status:
            return None if reply is None else b""
        given = reply.content
        if self.mode is Mode.WRONG_ANSWER or "CN" not in given:
            qn, given = f"{(int(qn) + 1) % 10**17:017d}", self.yes().content
        secret, mn = self.issued["appsecret"], self.issued["mn"]
        body = f"QN={qn};ST=91;CN={given['CN']};PW={secret};MN={mn};Flag=4;CP=&&{given['CP']}&&".encode()
        return b"##%04d%b%04X\r\n" % (len(body), body, crc16(body))


def crc16(data: bytes) -> int:
    """The check of annex A, bit by bit."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            lowest = register & 1
            register >>= 1
            if lowest:
                register ^= 0xA001
    return register


def _body(frame: bytes) -> bytes:
    """The data segment. Raises Refused for a damaged frame."""
    length, body, check = frame[2:6], frame[6:-6], frame[-6:-2]
    if not frame.startswith(b"##") or not frame.endswith(b"\r\n") or not length.isdigit():
        raise Refused("FRAME", "expected ##, four digits, and CR LF at the end")
    if int(length) != len(body) or len(body) > MOST_BYTES:
        raise Refused("LENGTH", f"{len(body)} bytes, {int(length)} by the frame; at most {MOST_BYTES}")
    if check != b"%04X" % crc16(body):
        raise Refused("CRC", f"CRC {check!r}: expected {crc16(body):04X}")
    return body


def _segment(body: bytes) -> tuple[dict[str, str], str]:
    """The fields before CP, and what CP holds. Raises Refused."""
    if not body.isascii():
        raise Refused("CP", "data segment: not ASCII")
    outer, mark, content = body.decode("ascii").partition(";CP=&&")
    if not mark or not content.endswith("&&") or "&" in content[:-2]:
        raise Refused("CP", "data segment: expected CP=&&...&& at its end")
    pairs = [_pair(text) for text in outer.split(";")]
    names = tuple(name for name, _ in pairs)
    if names not in {_ORDER, _ORDER_PARTED}:
        raise Refused(
            "CP", f"data segment has {', '.join(names)}: expected {', '.join(_ORDER_PARTED)}, the last two or none"
        )
    return dict(pairs), content[:-2]


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not name or not mark or not value or "=" in value:
        raise Refused("CP", f"{text[:40]!r}: expected a name and a value")
    return name, value


def _check_outer(outer: Mapping[str, str]) -> tuple[str, ...]:
    """PNO, if there is one. Raises Refused."""
    if not _QN.fullmatch(outer["QN"]):
        raise Refused("QN", f"QN {outer['QN']!r}: expected 17 digits")
    _check_time(outer["QN"][:14], "QN")
    if outer["CN"] != "2011":
        raise Refused("CN", f"CN {outer['CN']}: expected 2011")
    flags = int(outer["Flag"]) if outer["Flag"].isdigit() else 0
    parted = PARTED if "PNO" in outer else 0
    if flags != VERSION_2017 | ANSWERED | parted:
        raise Refused("FLAG", f"Flag {outer['Flag']}: expected {VERSION_2017 | ANSWERED | parted}")
    if not parted:
        return ()
    count, at = (int(outer[name]) if outer[name].isdigit() else 0 for name in ("PNUM", "PNO"))
    if not 1 <= at <= count <= 9999:
        raise Refused("FLAG", f"PNUM {outer['PNUM']}, PNO {outer['PNO']}: expected 1 to 9999, PNO no more than PNUM")
    return (outer["PNO"],)


def _check_item(item: Mapping[str, Any]) -> str:
    """The code of an item. Raises Refused."""
    named = [(name, _FIELD.fullmatch(name)) for name in item]
    wrong = next((name for name, found in named if found is None), None)
    if wrong is not None:
        raise Refused("CP", f"{wrong!r}: expected a code with -Rtd, -Flag or -SampleTime")
    (code, *others) = {found[1] for _, found in named if found is not None}
    if others or f"{code}-Rtd" not in item or not _NUMBER.fullmatch(item[f"{code}-Rtd"]):
        raise Refused("CP", f"item {sorted(item)}: expected one code, with a number as Rtd")
    if item.get(f"{code}-Flag", "N") not in MARKS:
        raise Refused("CP", f"{code}-Flag {item[f'{code}-Flag']!r}: expected one of {', '.join(sorted(MARKS))}")
    if f"{code}-SampleTime" in item:
        _check_time(item[f"{code}-SampleTime"], f"{code}-SampleTime")
    return code


def _check_time(text: str, what: str) -> None:
    """Raise Refused for what is no Beijing time of 14 digits, or lies in the future."""
    try:
        time = dt.datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING) if _TIME.fullmatch(text) else None
    except ValueError:
        time = None
    if time is None:
        raise Refused("TIME", f"{what} {text!r}: expected a time as 20260621081034")
    if time > dt.datetime.now(dt.UTC) + AHEAD:
        raise Refused("CLOCK", f"{what} {text!r}: in the future, the sender's clock is wrong")
