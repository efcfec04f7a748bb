"""The codes the authority issued to plants and points, read from a TOML file beside the settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from ingest.delivery.platform.parts import Code
from ingest.domain.model.expectations import with_reason
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text
from ingest.domain.model.toml_texts import toml_text

POINTS: Final = "points"
"""The table of a plant's points in the file; all other keys of a plant are its own codes."""

PlantCodes = Mapping[str, str | Mapping[str, str | Literal[False]]]


class IssuedCodes:
    """The codes by plant; `false` for a point to which the authority issued none: it is not reported."""

    def __init__(self, by_plant: Mapping[str, PlantCodes] | None = None) -> None:
        self._by_plant = by_plant or {}

    def plants(self) -> list[str]:
        """The plants in the file."""
        return [*self._by_plant]

    def points(self, plant: str) -> list[str]:
        """The points in the file of a plant, those with `false` too."""
        return [*self._by_plant.get(plant, {}).get(POINTS, ())]

    def of(self, plant: str, point: str | None = None) -> dict[str, Any]:
        """The codes of a plant and, as `point`, that of one of its points; what is not on file is not there."""
        codes = self._by_plant.get(plant, {})
        found: dict[str, Any] = {name: code for name, code in codes.items() if name != POINTS}
        points = codes.get(POINTS, {})
        if point is not None and isinstance(points, Mapping) and point in points:
            found["point"] = points[point]
        return found


def load_codes(path: Path | None, expected: Mapping[str, Code], key: str) -> IssuedCodes:
    """Load the file.

    Args:
        path: the file; none is right for a profile without codes.
        expected: what the profile says of the codes.
        key: the setting that names the file.

    Raises:
        InvalidConfig: it lists every fault.
    """
    if path is None:
        if expected:
            needed = ", ".join(expected)
            wanted = Text(
                f"编码文件（{needed}），由主管部门分配", f"a file of the codes the authority issued: {needed}"
            )
            raise InvalidConfig([Fault("(settings)", key, "(missing)", wanted)])
        return IssuedCodes()
    if not expected:
        wanted = Text("不写：此协议没有分配的编码", "none: this profile has no issued codes")
        raise InvalidConfig([Fault("(settings)", key, str(path), wanted)])
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfig([Fault(str(path), key, str(path), with_reason(Text("文件", "a file"), error))]) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise InvalidConfig([Fault(str(path), "(file)", "(content)", toml_text(str(error)))]) from error
    faults = [fault for plant, codes in read.items() for fault in _faults(str(path), plant, codes, expected)]
    if faults:
        raise InvalidConfig(faults)
    return IssuedCodes(read)


def _faults(file: str, plant: str, codes: object, expected: Mapping[str, Code]) -> Iterator[Fault]:
    if not isinstance(codes, dict):
        yield Fault(file, plant, repr(codes), Text("企业的表", "a table of a plant"))
        return
    own = {name: code for name, code in expected.items() if name != "point"}
    for name in own.keys() - codes.keys():
        yield Fault(file, f"{plant}.{name}", "(missing)", _form(own[name]))
    for name in codes.keys() - own.keys() - ({POINTS} if "point" in expected else set()):
        known = ", ".join([*own, *([POINTS] if "point" in expected else [])])
        wanted = Text(f"不写此键：可写 {known}", f"no such key here; there are: {known}")
        yield Fault(file, f"{plant}.{name}", repr(codes[name])[:120], wanted)
    for name, code in own.items():
        if name in codes:
            yield from _misfits(file, f"{plant}.{name}", codes[name], code, codes)
    points = codes.get(POINTS, {})
    if not isinstance(points, dict):
        yield Fault(file, f"{plant}.{POINTS}", repr(points)[:120], Text("测点的表", "a table of points"))
        return
    holders: dict[str, str] = {}
    for point, given in points.items():
        if given is False or "point" not in expected:
            continue
        at = f"{plant}.{POINTS}.{point}"
        yield from _misfits(file, at, given, expected["point"], codes)
        if isinstance(given, str) and (other := holders.setdefault(given, point)) != point:
            wanted = Text(f"与 {other} 不同的编码", f"another code than that of {other}")
            yield Fault(file, at, repr(given), wanted)


def _misfits(file: str, at: str, given: object, code: Code, codes: Mapping[str, object]) -> Iterator[Fault]:
    if not isinstance(given, str) or not re.fullmatch(code.pattern, given):
        yield Fault(file, at, repr(given)[:120], _form(code))
        return
    start = codes.get(code.begins) if code.begins is not None else None
    if isinstance(start, str) and not given.startswith(start):
        wanted = Text(f"以 {code.begins} {start} 开头", f"a code that begins with {code.begins} {start}")
        yield Fault(file, at, repr(given), wanted)


def _form(code: Code) -> Text:
    return Text(f"文本，形式 {code.pattern}", f"a text of the form {code.pattern}")
