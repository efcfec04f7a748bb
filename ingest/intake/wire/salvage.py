"""Parses a frame that does not fit the schema column by column, so that a faulty column does not cost the others.

Everything here is linear in the bytes of the frame, whatever they are.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from json import JSONDecoder
from math import inf, isfinite
from typing import Any, Final

import msgspec
from msgspec import Raw

from ingest.intake.wire.beginning import begins_json, begins_packed
from ingest.intake.wire.corrections import column_for, faults_of_head, number_for
from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.frame import MAX_COLUMNS, NAME, QUALITIES, QUALITY, SEQ, TIMES, guard
from ingest.intake.wire.lenient_json import mend_json
from ingest.intake.wire.nesting import require_shallow
from ingest.intake.wire.parse import Column, Identity, Parsed, Unfit, declared_keys

_Plain = int | float | str | bool | None

_NUMBERS: Final = frozenset({float, int, type(None)})
_MARKS: Final = frozenset(QUALITIES)
_DIGITS: Final = 20  # longest integer that is read as one; a longer one becomes a float
_SHOWN: Final = 40  # characters of what was sent that a fault quotes
_LONGEST: Final = 64  # of a name
_MAX_FAULTS: Final = 5  # faults beside the columns that a detail names
_MAP_HEADS: Final = {0xDE: 3, 0xDF: 5}  # bytes before the first key of a MessagePack map; of a small one: 1
_TEXT_HEADS: Final = {0xD9: 2, 0xDA: 3, 0xDB: 5}  # the same of a text
_COLUMN: Final = "an array of finite numbers and null"


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    """A frame without its columns, which are checked one by one."""

    boot: NAME
    seq: SEQ
    time: TIMES
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """An object as its keys and values in the order they were written; a key may be repeated."""

    pairs: list[tuple[str, Any]]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Pairs:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Pairs(pairs)


def _integer(text: str) -> float:
    return int(text) if len(text) <= _DIGITS else float(text)


_json: Final = JSONDecoder(object_pairs_hook=_object, parse_int=_integer)
_packed: Final = msgspec.msgpack.Decoder(dict[str, Raw])
_packed_column: Final = msgspec.msgpack.Decoder(list[float | None] | bytes)
_packed_marks: Final = msgspec.msgpack.Decoder(list[QUALITY])
_packed_elements: Final = msgspec.msgpack.Decoder(list[Raw])
_packed_text: Final = msgspec.msgpack.Decoder(str)
_packed_number: Final = msgspec.msgpack.Decoder(float | None)
_packed_plain: Final = msgspec.msgpack.Decoder(_Plain | list[_Plain])


def salvage_json(payload: bytes) -> Parsed:
    """Parse a faulty frame in JSON. Raises Rejected if the fault concerns more than single columns."""
    return parsed_of(_read_json(payload))


def parsed_of(top: dict[str, Any] | Pairs) -> Parsed:
    """Parse a frame from its fields in plain values, as any format can deliver them.

    What cannot be read as its type (a word for a number, a missing list) is left as it was sent: it is named, and costs
    its column at most. A field or a point that could stand twice is given as `Pairs`.

    Raises:
        Rejected: the fault concerns more than single columns.
    """
    fields, twice = _each_once("", top)
    if twice:
        identity = None if {"boot", "seq"} & twice.keys() else _identity(fields)
        raise Rejected(
            Reason.DUPLICATE_KEY, f"{shown(next(iter(twice)))} stands twice; expected once", identity=identity
        )
    identity = _identity(fields)
    try:
        head = _head(fields)
        values, unfit = _each_once("values.", _an_object("values", fields.get("values", ())))
        marks, marks_twice = _each_once(
            "quality.", _an_object("quality", {} if fields.get("quality") is None else fields["quality"])
        )
        _not_too_many(values, marks)
    except Rejected as error:
        error.identity = identity
        raise
    for name, column in values.items():
        if name not in unfit and (fault := _name_fault(name) or _column_fault(name, column)):
            unfit[name] = Unfit(*fault, column, marks.get(name))
    for name, column in marks.items():
        twice_there = marks_twice.get(name)
        fault = (twice_there.reason, twice_there.fault) if twice_there else _stray(name, values)
        fault = fault or _marks_fault(name, column)
        if fault and name not in unfit:
            unfit[name] = Unfit(*fault, values.get(name), twice_there.sent if twice_there else column)
    return _parsed(head, values, marks, unfit)


def _read_json(payload: bytes) -> Any:
    try:
        require_shallow(payload)
        # A byte that is not UTF-8 concerns what it is in: it is kept as half of a surrogate pair, which fits nowhere.
        text = payload.decode("utf-8-sig", "surrogateescape").rstrip("\0")  # a string of C that was sent with its end
        try:
            return _json.decode(text)
        except ValueError:
            if (mended := mend_json(text)) == text:
                raise
            return _json.decode(mended)
    except (ValueError, RecursionError) as error:
        raise Rejected(
            Reason.NOT_READABLE, str(error)[:200], identity=begins_json(payload.removeprefix(codecs.BOM_UTF8))
        ) from None


def salvage_packed(payload: bytes) -> Parsed:
    """Parse a faulty frame in MessagePack. Raises Rejected if the fault concerns more than single columns."""
    try:
        fields = guard(_packed.decode, payload)
    except Rejected as error:
        error.identity = begins_packed(payload)
        raise
    if declared_keys(payload) != len(fields):
        raise Rejected(Reason.DUPLICATE_KEY, "a key stands twice; expected once")
    head = {name: _read(value) for name, value in fields.items() if name not in {"values", "quality"}}
    identity = _identity(head)
    try:
        found = _head(head | dict.fromkeys(fields.keys() & {"values", "quality"}))
        values = _raw_map("values", fields.get("values"))
        marks = _raw_map("quality", fields.get("quality"))
        _not_too_many(values, marks)
    except Rejected as error:
        error.identity = identity
        raise
    columns: dict[str, Any] = {}
    unfit: dict[str, Unfit] = {}
    for name, raw in values.items():
        try:
            columns[name] = _packed_column.decode(raw)
            fault = _name_fault(name)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            columns[name] = f"MessagePack {bytes(raw).hex()}"
            fault = _packed_fault(name, raw)
        if fault:
            unfit[name] = Unfit(*fault, columns[name], _read(marks[name]) if name in marks else None)
    quality: dict[str, Any] = {}
    for name, raw in marks.items():
        try:
            quality[name] = _packed_marks.decode(raw)
            fault = _stray(name, values)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            fault = Reason.SCHEMA, f"quality.{named(name)}: {str(error)[:100]}; expected 0 to 7 for each time"
        if fault and name not in unfit:
            unfit[name] = Unfit(*fault, columns.get(name), _read(raw))
    return _parsed(found, columns, quality, unfit)


def shown(value: object) -> str:
    """Quote a value, short enough for a sentence."""
    if isinstance(value, Pairs | dict):
        return "{…}"
    if isinstance(value, list | tuple):
        return "[…]"
    if isinstance(value, str | None | bool | float | int):
        text = json.dumps(value[: _SHOWN + 1] if isinstance(value, str) else value, ensure_ascii=False)
        return _writable(text if len(text) <= _SHOWN + 2 else text[:_SHOWN] + ('…"' if isinstance(value, str) else "…"))
    return _writable(repr(value)[:_SHOWN])


def named(name: str) -> str:
    """A name in a form fit for a sentence."""
    text = json.dumps(name[:_LONGEST], ensure_ascii=False)[1:-1]
    return _writable(text if len(name) <= _LONGEST else f"{text}…")


def as_json(boot: str, seq: int, times: list[int], values: Mapping[str, Any], quality: Mapping[str, Any]) -> bytes:
    """Encode refused columns as they were sent, for the quarantine and a later retry."""
    frame = {"boot": boot, "seq": seq, "time": times, "values": values} | ({"quality": quality} if quality else {})
    try:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"), default=_of_object)
    except RecursionError:  # nested deeper than can be written
        return as_json(boot, seq, times, dict.fromkeys(values, "nested too deep"), {})
    return _writable(text).encode()


def _parsed(head: _Head, values: Mapping[str, Any], marks: Mapping[str, Any], unfit: dict[str, Unfit]) -> Parsed:
    fit: dict[str, Column] = {name: column for name, column in values.items() if name not in unfit}
    quality = {name: column for name, column in marks.items() if name not in unfit}
    return Parsed(head.boot, head.seq, head.time, fit, quality, head.historical, False, unfit)


def _each_once(where: str, found: dict[str, Any] | Pairs) -> tuple[dict[str, Any], dict[str, Unfit]]:
    """The object's fields, and its repeated ones with all their values."""
    if isinstance(found, dict):
        return found, {}
    all_of: dict[str, list[Any]] = {}
    for name, value in found.pairs:
        all_of.setdefault(name, []).append(value)
    twice = {name: values for name, values in all_of.items() if len(values) > 1}
    why = "stands more than once; expected once"
    return dict(found.pairs), {
        name: Unfit(Reason.DUPLICATE_KEY, f"{where}{named(name)} {why}", values) for name, values in twice.items()
    }


def _identity(fields: Mapping[str, Any]) -> tuple[str, int] | None:
    try:
        found = msgspec.convert({"boot": fields.get("boot"), "seq": fields.get("seq")}, Identity)
    except ValueError:
        return None
    return (found.boot, found.seq) if _is_unicode(found.boot) else None


def _head(fields: Mapping[str, Any]) -> _Head:
    if "values" not in fields:
        raise Rejected(Reason.SCHEMA, _head_fault(fields, ""))
    try:
        head = msgspec.convert({k: v for k, v in fields.items() if k not in {"values", "quality"}}, _Head)
    except msgspec.ValidationError as error:
        raise Rejected(Reason.SCHEMA, _head_fault(fields, str(error)[:200])) from None
    except ValueError:
        raise Rejected(Reason.NOT_READABLE, "the name of a field is no Unicode") from None
    if not _is_unicode(head.boot):
        raise Rejected(Reason.NOT_READABLE, f"boot = {shown(head.boot)} is no Unicode")
    return head


def _head_fault(fields: Mapping[str, Any], otherwise: str) -> str:
    return "; ".join(islice(faults_of_head(fields, shown), _MAX_FAULTS)) or otherwise


def _an_object(name: str, found: object) -> dict[str, Any] | Pairs:
    if not isinstance(found, dict | Pairs):
        raise Rejected(Reason.SCHEMA, f"{name} = {shown(found)}; expected an object")
    return found


def _raw_map(name: str, raw: Raw | None) -> dict[str, Raw]:
    if raw is None or (name == "quality" and bytes(memoryview(raw)) == b"\xc0"):
        return {}
    try:
        found = _packed_columns(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Rejected(Reason.SCHEMA, f"{name}: {str(error)[:100]}; expected a map of columns") from None
    if declared_keys(raw) != len(found):
        raise Rejected(Reason.DUPLICATE_KEY, f"a key stands twice in {name}; expected once")
    return found


def _packed_columns(raw: Raw) -> dict[str, Raw]:
    """The columns of a map by name; a byte of a name that is not UTF-8 is half of a surrogate pair, as in JSON."""
    try:
        return _packed.decode(raw)
    except UnicodeDecodeError:  # a map read as the array of its keys and values, so that each name is decoded alone
        data = bytes(memoryview(raw))
        array = b"\xdd" + (2 * declared_keys(data)).to_bytes(4, "big") + data[_MAP_HEADS.get(data[0], 1) :]
        elements = _packed_elements.decode(array)
        return dict(zip(map(_packed_name, elements[::2]), elements[1::2], strict=True))


def _packed_name(raw: Raw) -> str:
    try:
        return _packed_text.decode(raw)
    except UnicodeDecodeError:
        data = bytes(memoryview(raw))
        return data[_TEXT_HEADS.get(data[0], 1) :].decode(errors="surrogateescape")


def _not_too_many(values: Mapping[str, Any], marks: Mapping[str, Any]) -> None:
    if max(len(values), len(marks)) > MAX_COLUMNS:
        raise Rejected(Reason.TOO_LARGE, f"{max(len(values), len(marks))} columns; expected at most {MAX_COLUMNS}")


def _name_fault(name: str) -> tuple[Reason, str] | None:
    if 1 <= len(name) <= _LONGEST:
        return None
    return Reason.SCHEMA, f"a point id of {len(name)} characters, {shown(name)}; expected 1 to {_LONGEST}"


def _column_fault(name: str, column: object) -> tuple[Reason, str] | None:
    if not isinstance(column, list):
        return Reason.SCHEMA, f"values.{named(name)} = {shown(column)}; expected {_COLUMN}{column_for(column)}"
    kinds = set(map(type, column))
    if kinds <= _NUMBERS and all(map(isfinite, filter(None, column))):
        return None
    at, wrong = next((at, v) for at, v in enumerate(column) if type(v) not in _NUMBERS or not isfinite(v or 0))
    reason = Reason.NOT_FINITE if type(wrong) is float else Reason.SCHEMA
    value = f"{shown(wrong)} or a number too large" if wrong in (inf, -inf) else shown(wrong)
    return reason, f"values.{named(name)}[{at}] = {value}; expected a finite number or null{number_for(wrong)}"


def _packed_fault(name: str, raw: Raw) -> tuple[Reason, str]:
    try:
        elements = _packed_elements.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        sent = _read(raw)
        return Reason.SCHEMA, f"values.{named(name)} = {shown(sent)}; expected {_COLUMN}{column_for(sent)}"
    at, wrong = next((at, _read(each)) for at, each in enumerate(elements) if not _is_number(each))
    expected = f"a finite number or null{number_for(wrong)}"
    return Reason.SCHEMA, f"values.{named(name)}[{at}] = {shown(wrong)}; expected {expected}"


def _is_number(raw: Raw) -> bool:
    try:
        _packed_number.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def _read(raw: Raw) -> object:
    """Decode plain values and arrays of them; a map or deeper array becomes an empty one.

    Keys of a map could be made to collide in a hash table, so that decoding it would not be linear.
    """
    data = memoryview(raw)
    if 0x80 <= data[0] <= 0x8F or data[0] in {0xDE, 0xDF}:
        return {}
    try:
        return _packed_plain.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return []


def _stray(name: str, values: Mapping[str, Any]) -> tuple[Reason, str] | None:
    return None if name in values else (Reason.SCHEMA, f"quality.{named(name)} has no column in values; expected one")


def _marks_fault(name: str, column: object) -> tuple[Reason, str] | None:
    if not isinstance(column, list):
        return Reason.SCHEMA, f"quality.{named(name)} = {shown(column)}; expected 0 to 7 for each time"
    if all(type(mark) is int and mark in _MARKS for mark in column):
        return None
    at, wrong = next((at, mark) for at, mark in enumerate(column) if type(mark) is not int or mark not in _MARKS)
    return Reason.SCHEMA, f"quality.{named(name)}[{at}] = {shown(wrong)}; expected 0 to 7"


def _of_object(value: object) -> object:
    """Convert what `json` cannot encode: bytes to hex digits, repeated keys to the last."""
    return dict(value.pairs) if isinstance(value, Pairs) else value.hex() if isinstance(value, bytes) else repr(value)


def _is_unicode(text: str) -> bool:
    """Whether it is free of lone surrogates, which JSON can spell."""
    return _writable(text) == text


def _writable(text: str) -> str:
    """Replace lone surrogates by escapes, which JSON reads as the same."""
    return text.encode(errors="backslashreplace").decode()
