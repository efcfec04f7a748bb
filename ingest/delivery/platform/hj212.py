"""Frames of HJ 212-2017: `##`, four digits of length, the data segment, its CRC16 as four hex digits, CR LF.

The data segment is `QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;CP=&&…&&`; within CP items stand apart by `;`, the fields of one
by `,`, each behind the code of what it is about: `a34004-Rtd=207,a34004-Flag=N`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ingest.delivery.errors import Unmappable
from ingest.delivery.platform.digest import crc16_hj212
from ingest.domain.model.delivery_failure import Failure

ENDS: Final = b"\r\n"
ID: Final = "QN"
CONTENT: Final = "CP"
CODE: Final = "PolId"
"""The field of an item whose value stands before the names of its others."""
FLAG: Final = "Flag"
PARTS: Final = "PNUM"
PART: Final = "PNO"

_STARTS: Final = b"##"
_NUMBERED: Final = 0b10  # the bit of Flag by which PNUM and PNO are in the data segment
_FRAME: Final = re.compile(rb"##([0-9]{4})(.*)([0-9A-Fa-f]{4})\r\n", re.DOTALL)
_AROUND: Final = len(b"##0000FFFF\r\n")
_LONGEST: Final = _AROUND + 9999
_SEGMENT: Final = re.compile(r"((?:[A-Za-z0-9]+=[^;&]*;)*)CP=&&(.*)&&", re.DOTALL)
_VALUE: Final = re.compile(r"[ !-%'-+\--:<>-~]*")  # printable ASCII but ; , & and =


def bodies(
    envelope: Mapping[str, Any], report: Mapping[str, Any], items: str, most: int
) -> Sequence[tuple[str, str | None]]:
    """The data segments of a report with their PNO: one, or as many as its items need.

    Raises:
        Unmappable: a value has a character that means something here, or one item is longer than a segment.
    """
    outer = [(name, value) for name, value in envelope.items() if name != CONTENT]
    head = _pairs([(name, value) for name, value in report.items() if name != items], ";")
    written = [_item(item) for item in report[items]]
    whole = _segment(outer, [head, *written])
    if len(whole) <= most:
        return [(whole, None)]
    room = most - len(_segment(_numbered(outer, 9999, 9999), [head]))
    packs: list[list[str]] = [[]]
    for text in written:
        if len(text) + 1 > room:
            raise Unmappable(Failure("frame-too-long", text=text[:50], most=most))
        if sum(len(other) + 1 for other in (*packs[-1], text)) > room:
            packs.append([])
        packs[-1].append(text)
    count = len(packs)
    return [(_segment(_numbered(outer, count, at), [head, *pack]), str(at)) for at, pack in enumerate(packs, start=1)]


def wrapped(body: str) -> bytes:
    r"""A data segment as a frame.

    >>> wrapped("QN=20160801085857223;ST=32;CN=1062;PW=100000;"
    ...         "MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&")[-10:]  # example of the standard
    b'30&&1C80\r\n'
    """
    content = body.encode("ascii")
    return b"##%04d%b%04X%b" % (len(content), content, crc16_hj212(content), ENDS)


def fields_in(frame: bytes) -> Mapping[str, str] | None:
    """The fields of the frame that ends these bytes, `CP` without its marks; what stands before it is noise.

    None: its length or CRC is wrong, or there is none.
    """
    found = _frame_at_the_end(frame)
    if found is None or crc16_hj212(found[2]) != int(found[3], 16):
        return None
    segment = _SEGMENT.fullmatch(found[2].decode("ascii", errors="replace"))
    if segment is None:
        return None
    return {**dict(pair.split("=", 1) for pair in segment[1].split(";") if pair), CONTENT: segment[2]}


def is_interim(fields: Mapping[str, str]) -> bool:
    """Whether a frame says only that the request is about to be carried out, its answer proper being still to come."""
    return fields.get("CN") == "9011" and fields[CONTENT] == "QnRtn=1"


def is_writable(text: str) -> bool:
    """Whether a value can stand in a frame."""
    return _VALUE.fullmatch(text) is not None


def _frame_at_the_end(received: bytes) -> re.Match[bytes] | None:
    """The parts of the frame whose length reaches just to the end of what was received."""
    tail = received[-_LONGEST:]
    at = tail.find(_STARTS)
    while at >= 0:
        length = tail[at + 2 : at + 6]
        if length.isdigit() and at + _AROUND + int(length) == len(tail):
            return _FRAME.fullmatch(tail, at)
        at = tail.find(_STARTS, at + 1)
    return None


def _segment(outer: Sequence[tuple[str, Any]], content: Sequence[str]) -> str:
    return f"{_pairs(outer, ';')};{CONTENT}=&&{';'.join(part for part in content if part)}&&"


def _numbered(outer: Sequence[tuple[str, Any]], count: int, at: int) -> list[tuple[str, Any]]:
    """The envelope of one part of several."""
    flagged = [(name, int(value) | _NUMBERED if name == FLAG else value) for name, value in outer]
    return [*flagged, (PARTS, count), (PART, at)]


def _item(item: Mapping[str, Any]) -> str:
    code = item[CODE]
    return _pairs([(f"{code}-{name}", value) for name, value in item.items() if name != CODE], ",")


def _pairs(fields: Sequence[tuple[str, Any]], between: str) -> str:
    """Names and values; what has no value is left out."""
    given = [(name, str(value)) for name, value in fields if value is not None]
    for name, value in given:
        if not is_writable(value):
            raise Unmappable(Failure("frame-character", name=name))
    return between.join(f"{name}={value}" for name, value in given)
