"""Loads a profile: one that comes with the service, by its name, or a file; every fault is named at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ingest.delivery.platform.frames import FORMS
from ingest.delivery.platform.model import KINDS, Period, ProfileFile, Section
from ingest.delivery.platform.paths import CONTENT, DIGEST, PATHS, POINT_CODE, SETTINGS, STAMP, TIMES
from ingest.delivery.platform.seal import decode_issued
from ingest.delivery.platform.source import Source
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.expectations import InvalidValue, one_of, with_near, with_reason
from ingest.domain.model.fault import Fault, InvalidConfig, faults_of
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.text import Text
from ingest.domain.model.toml_texts import toml_text
from ingest.domain.model.warning import WarningEventKind

DEFAULT: Final = "tianjin-dust-sm4"
_SUFFIX: Final = ".toml"


def shipped() -> dict[str, Traversable]:
    """The profiles that come with the service, by name."""
    folder = resources.files("ingest.delivery.platform") / "profiles"
    files = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(_SUFFIX))
    return {name.removesuffix(_SUFFIX): file for name, file in files}


def load_profile(name: str, key: str) -> ProfileFile:
    """Load a profile.

    Args:
        name: of one that comes with the service, or the path of a file that ends in `.toml`.
        key: the setting that names it.

    Raises:
        InvalidConfig: it lists every fault, such as a source path that does not exist.
    """
    known = shipped()
    if name not in known and not name.endswith(_SUFFIX):
        expected = one_of([*known])
        wanted = Text(f"{expected.zh}，或一个 .toml 文件", f"{expected.en}, or a file that ends in .toml")
        raise InvalidConfig([Fault("(settings)", key, repr(name), with_near(wanted, name, known))])
    file = known.get(name) or Path(name)
    shown = Path(f"{name}{_SUFFIX}" if name in known else name)
    try:
        profile = ProfileFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        expected = with_reason(Text("文件", "a file"), error)
        raise InvalidConfig([Fault(str(shown), key, str(shown), expected)]) from error
    except ValidationError as error:
        raise InvalidConfig(faults_of(shown, error, ProfileFile)) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise InvalidConfig([Fault(str(shown), "(file)", "(content)", toml_text(str(error)))]) from error
    faults = [*path_faults(shown, profile), *_structure_faults(shown, profile)]
    if faults:
        raise InvalidConfig(faults)
    return profile


def path_faults(file: Path, profile: ProfileFile) -> Iterator[Fault]:
    """Yield a fault for every source whose path does not exist at its place."""
    issued = {f"issued.{name}" for name in profile.codes}
    for (kind, part), known in PATHS.items():
        if kind not in profile.sections:
            continue
        fields: Mapping[str, Source] = getattr(getattr(profile, kind), part)
        more = issued if part == "item" and kind != "warning" else issued - {POINT_CODE}
        for name, source in fields.items():
            yield from _unknown(file, f"{kind}.{part}.{name}", source, known | more)
    outer = SETTINGS | (issued - {POINT_CODE}) | ({DIGEST} if profile.digest is not None else set())
    for at, place, source in profile.outer_sources():
        yield from _unknown(file, at, source, outer | {CONTENT, STAMP} if place == "field" else outer)


def _unknown(file: Path, at: str, source: Source, known: frozenset[str] | set[str]) -> Iterator[Fault]:
    for each in source.sources:
        allowed = known & TIMES if each.time else known
        if each.path is not None and each.path not in allowed:
            expected = one_of(sorted(allowed))
            if each.time:
                expected = Text(f"时间，{expected.zh}", f"a time, {expected.en}")
            yield Fault(str(file), at, repr(each.path), expected)
        if each.only is not None and each.only.path not in known:
            yield Fault(str(file), f"{at}.only.path", repr(each.only.path), one_of(sorted(known)))


def _structure_faults(file: Path, profile: ProfileFile) -> Iterator[Fault]:
    """What can only be seen across parts."""
    if not profile.sections:
        wanted = Text(f"{'、'.join(KINDS)} 至少一项", f"at least one of {', '.join(KINDS)}")
        yield Fault(str(file), "(file)", "(content)", wanted)
    seal, codes = profile.seal, profile.codes
    if seal.fixed_vector is not None:
        try:
            decode_issued(seal.fixed_vector, seal.issued_as, seal.block)
        except InvalidValue as invalid:
            yield Fault(str(file), "seal.fixed_vector", repr(seal.fixed_vector), invalid.expected)
    for name, code in codes.items():
        others = [other for other in codes if other not in {name, "point"}]
        if code.begins is not None and code.begins not in others:
            yield Fault(str(file), f"codes.{name}.begins", repr(code.begins), one_of(others))
    for kind, section in profile.sections.items():
        yield from _envelope_faults(file, profile, kind, section)
        yield from _section_faults(file, profile, kind, section)
    yield from _framing_faults(file, profile)


def _envelope_faults(file: Path, profile: ProfileFile, kind: MessageKind, section: Section) -> Iterator[Fault]:
    fields = profile.envelope_of(kind)
    contents = [name for name, source in fields.items() if source.path == CONTENT]
    if fields and len(contents) != 1:
        at = f"{kind}.envelope" if section.envelope is not None else "envelope.fields"
        wanted = Text("恰好一个字段的来源为 content", "exactly one field with the path content")
        yield Fault(str(file), at, repr(contents), wanted)


def _framing_faults(file: Path, profile: ProfileFile) -> Iterator[Fault]:
    """What frames have no place for, and what they cannot do without."""
    if profile.framing is None:
        return
    form = FORMS[profile.framing.form]
    misplaced = {
        "sign_in": profile.sign_in is not None,
        "digest": profile.digest is not None,
        "envelope.headers": bool(profile.envelope.headers),
        "seal": profile.seal.cipher != "none" or bool(profile.seal.encodings),
        **{f"{kind}.path": bool(section.path) for kind, section in profile.sections.items()},
    }
    for at in (at for at, given in misplaced.items() if given):
        yield Fault(str(file), at, "(given)", Text("不写：与 framing 不能同用", "none: it has no place beside framing"))
    for kind, section in profile.sections.items():
        at = f"{kind}.envelope" if section.envelope is not None else "envelope.fields"
        fields = profile.envelope_of(kind)
        if form.id not in fields or getattr(fields.get(form.content), "path", None) != CONTENT:
            expected = f'{form.id}, {form.content} = "content"'
            yield Fault(str(file), at, repr([*fields]), Text(f"其中有 {expected}", f"among them {expected}"))
        if not section.items or form.code not in section.item:
            expected = f"items, item.{form.code}"
            yield Fault(str(file), kind, repr([*section.item]), Text(f"写有 {expected}", f"with {expected}"))


def _section_faults(file: Path, profile: ProfileFile, kind: MessageKind, section: Section) -> Iterator[Fault]:
    if kind != "readings" and (section.valid_only or section.period != Period()):
        wanted = Text("valid_only 与 period 只用于 readings", "valid_only and period of readings only")
        yield Fault(str(file), kind, "(a table)", wanted)
    if kind == "readings" and section.events:
        wanted = Text("events 只用于 alarm 与 warning", "events of alarms and warnings only")
        yield Fault(str(file), f"{kind}.events", repr(sorted(section.events)), wanted)
    if kind != "alarm" and section.rules:
        wanted = Text("rules 只用于 alarm", "rules of alarms only")
        yield Fault(str(file), f"{kind}.rules", repr(sorted(section.rules)), wanted)
    kinds: Mapping[str, type[StrEnum]] = {"alarm": AlarmEventKind, "warning": WarningEventKind}
    known = [*map(str, kinds.get(kind, ()))]
    for event in sorted(section.events - set(known)):
        if known:
            yield Fault(str(file), f"{kind}.events", repr(event), with_near(one_of(known), event, known))
    rejected = profile.answer.rejected
    if rejected is not None:
        source = section.item.get(rejected.sent_as)
        if source is None or source.path != "message.id":
            wanted = Text("各项中来源为 message.id 的字段名", "the name of an item's field with the path message.id")
            yield Fault(str(file), "answer.rejected.sent_as", f"{rejected.sent_as!r} ({kind})", wanted)
