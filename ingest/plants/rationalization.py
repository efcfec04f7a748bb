"""Reads what shipped rules ask of people, from `catalogue/rationalization/*.toml`, and overlays a plant's own texts.

Each signal's table says in one sentence what is lost while its value is unknown (`lost`), and has a table for each rule
of its process; `like` takes the texts of another one. Rules that find a fault of an instrument or a trend are written
once, by code or kind, in `families.toml`: `{lost}` stands for the signal's sentence, `{cause}`, `{consequence}` and
`{action}` for those of the rule whose limit the trend runs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from ingest.domain.model.expectations import one_of, with_near
from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import Confidence, Rationalization
from ingest.domain.model.text import Text
from ingest.plants.kinds import OWN_INSTRUCTIONS, RuleSpec
from ingest.plants.written import Place, Sourced, Written, checked, read_toml

ANOTHER_SIGNAL: Final = Text("本文件的另一信号", "another signal of this file")

FOLDER: Final = "rationalization"
FAMILIES: Final = "families"

PLANT_FILE: Final = "plant file"
_UNWRITTEN: Final = Text("企业文件未写明", "not written in the plant file")
_UNTIMED_S: Final = 600.0  # a plant's own rule that gives no time: the default of `minutes`


class Time(Sourced):
    """A time to respond."""

    value: float = Field(gt=0)


class Entry(Written):
    """What one rule asks of people, as written; `source` is where its consequence is from."""

    cause: str = Field(min_length=1)
    cause_en: str = Field(min_length=1)
    consequence: str = Field(min_length=1)
    consequence_en: str = Field(min_length=1)
    action: str = Field(min_length=1)
    action_en: str = Field(min_length=1)
    respond: str
    source: str = Field(default="engineering default", min_length=1)


@dataclass(frozen=True, slots=True)
class Families:
    """What is written once for many signals: by code (`STUCK`) or kind (`ewma`); and the times by name."""

    times: Mapping[str, Time] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def of(self, code: str, kind: str) -> Entry | None:
        """Return the entry of a code (`FORECAST_HH` is of the family `FORECAST`), else that of the kind."""
        return self.entries.get(code) or self.entries.get(code.rpartition("_")[0]) or self.entries.get(kind)


@dataclass(frozen=True, slots=True)
class Rationalizations:
    """What the rules of one signal ask of people."""

    lost: Text | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    families: Families = Families()
    _known: dict[tuple[str, str, str | None], Rationalization | None] = field(default_factory=dict, compare=False)

    def of(self, code: str, spec: RuleSpec) -> Rationalization | None:
        """Return what an alarm of the rule asks; None if nothing is on file.

        All rules of a signal share one object, unless the plant file has texts of its own.
        """
        key = code, spec.kind, spec.limit_of()
        if key not in self._known:
            self._known[key] = self._shipped(*key)
        shipped = self._known[key]
        return _overlaid(shipped, spec) if OWN_INSTRUCTIONS & spec.model_fields_set else shipped

    def _shipped(self, code: str, kind: str, limit: str | None) -> Rationalization | None:
        entry = self.entries.get(code) or self.families.of(code, kind)
        if entry is None or entry.respond not in self.families.times:
            return None
        time = self.families.times[entry.respond]
        reached = self.entries.get(limit) if limit is not None else None
        words = dict.fromkeys(("cause", "consequence", "action"), ("", "")) if reached is None else _texts(reached)
        words["lost"] = (self.lost.zh, self.lost.en) if self.lost is not None else ("", "")
        texts = {key: [_filled(text, words, at) for at, text in enumerate(both)] for key, both in _texts(entry).items()}
        if not all(text for both in texts.values() for text in both):
            return None
        source = f"{entry.source}; time to respond: {time.source}" if entry.source != time.source else time.source
        cause, consequence, action = (Text(*texts[key]) for key in ("cause", "consequence", "action"))
        return Rationalization(cause, consequence, action, time.value, source, time.confidence)


def load_rationalizations(directory: Path, name: str, faults: list[Fault]) -> Mapping[str, Rationalizations]:
    """Return those of one file of the catalogue by signal; a catalogue without the file has none."""
    file = directory / FOLDER / f"{name}.toml"
    if not file.is_file():
        return {}
    families = _families(directory / FOLDER / f"{FAMILIES}.toml", faults)
    found_tables, found = read_toml(file)
    faults += found
    raw = found_tables or {}
    known = {}
    for code, own in raw.items():
        place = Place(file, code)
        model = own.get("like")
        if model is not None and model not in raw:
            faults.append(place.at("like").fault(model, with_near(ANOTHER_SIGNAL, model, raw)))
            continue
        tables = {**raw[model], **own} if model else dict(own)
        tables.pop("like", None)
        lost = checked(_Lost, {key: tables.pop(key) for key in ("lost", "lost_en") if key in tables}, place)
        faults += lost[1]
        entries = _entries(tables, place, families.times, faults)
        known[code] = Rationalizations(Text(lost[0].lost, lost[0].lost_en) if lost[0] else None, entries, families)
    return known


class _Lost(Written):
    lost: str = Field(min_length=1)
    lost_en: str = Field(min_length=1)


def _families(file: Path, faults: list[Fault]) -> Families:
    raw, found = read_toml(file)
    faults += found
    tables = dict(raw or {})
    times = {}
    for name, written in tables.pop("respond", {}).items():
        time, found = checked(Time, written, Place(file, f"respond.{name}"))
        faults += found
        if time is not None:
            times[name] = time
    return Families(times, _entries(tables, Place(file), times, faults))


def _entries(
    tables: Mapping[str, Any], place: Place, times: Mapping[str, Time], faults: list[Fault]
) -> Mapping[str, Entry]:
    entries = {}
    for code, given in tables.items():
        written = given
        model = written.get("like") if isinstance(written, Mapping) else None
        if model is not None and not isinstance(tables.get(model), Mapping):
            another = Text("本表的另一条规则", "another rule of this table")
            faults.append(place.at(code, "like").fault(model, with_near(another, model, tables)))
            continue
        if model is not None:
            written = {key: text for key, text in {**tables[model], **written}.items() if key != "like"}
        entry, found = checked(Entry, written, place.at(code))
        faults += found
        if entry is not None and entry.respond not in times:
            faults.append(place.at(code, "respond").fault(entry.respond, one_of(times)))
        elif entry is not None:
            entries[code] = entry
    return entries


def _texts(entry: Entry) -> dict[str, tuple[str, str]]:
    return {
        "cause": (entry.cause, entry.cause_en),
        "consequence": (entry.consequence, entry.consequence_en),
        "action": (entry.action, entry.action_en),
    }


def _filled(text: str, words: Mapping[str, tuple[str, str]], at: int) -> str:
    """Return the text with its placeholders filled in; "" if one of them has no words."""
    for key, both in words.items():
        if f"{{{key}}}" in text:
            if not both[at]:
                return ""
            text = text.replace(f"{{{key}}}", both[at])
    return text


def _overlaid(shipped: Rationalization | None, spec: RuleSpec) -> Rationalization:
    """Return the catalogue's texts overlaid by the plant's own; one in Chinese alone is used in English, too."""

    def text(own: str | None, own_en: str | None, of: Text | None) -> Text:
        return Text(own, own_en or own) if own is not None else of or _UNWRITTEN

    return Rationalization(
        text(spec.cause, spec.cause_en, shipped.cause if shipped else None),
        text(spec.consequence, spec.consequence_en, shipped.consequence if shipped else None),
        text(spec.action, spec.action_en, shipped.action if shipped else None),
        spec.respond_s or (shipped.respond_s if shipped else _UNTIMED_S),
        f"{PLANT_FILE}; the rest: {shipped.source}" if shipped else PLANT_FILE,
        Confidence.ENGINEERING_DEFAULT,
    )
