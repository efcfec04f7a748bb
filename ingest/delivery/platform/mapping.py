"""The field mapping of the first version: a file that names one province's fields for the default profile.

A profile file says all of it and more; files of this form keep their meaning.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from ingest.base.config import Config
from ingest.delivery.platform.fields import Fields
from ingest.delivery.platform.loading import DEFAULT, load_profile, path_faults
from ingest.delivery.platform.model import ProfileFile
from ingest.delivery.platform.source import Scalar
from ingest.domain.model.expectations import with_reason
from ingest.domain.model.fault import Fault, InvalidConfig, faults_of
from ingest.domain.model.text import Text
from ingest.domain.model.toml_texts import toml_text

_SOURCE: Final = "the field mapping of this installation"


class MappedEnvelope(Config):
    """The fields around the ciphertext."""

    appid: str = Field(min_length=1)
    data: str = Field(min_length=1)
    secret_header: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    hex: Literal["upper", "lower"]


class AnswerKeys(Config):
    """The fields of an answer that show whether the platform accepted."""

    key: str
    success: Scalar
    message: str


class FieldMapping(Config):
    """One province's field names for our data."""

    envelope: MappedEnvelope
    answer: AnswerKeys
    alarm: Fields
    warning: Fields
    readings: Fields


def load_mapped(path: Path) -> ProfileFile:
    """Load the default profile with the names and codes of this mapping file.

    Raises:
        InvalidConfig: it lists every fault, such as a source path that does not exist.
    """
    try:
        mapping = FieldMapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        expected = with_reason(Text("文件", "a file"), error)
        raise InvalidConfig([Fault(str(path), "platform.mapping", str(path), expected)]) from error
    except ValidationError as error:
        raise InvalidConfig(faults_of(path, error, FieldMapping)) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise InvalidConfig([Fault(str(path), "(file)", "(content)", toml_text(str(error)))]) from error
    profile = _with(load_profile(DEFAULT, "platform.mapping"), mapping)
    faults = [*path_faults(path, profile), *_dotted(path, mapping)]
    if faults:
        raise InvalidConfig(faults)
    return profile


def _with(profile: ProfileFile, mapping: FieldMapping) -> ProfileFile:
    """The profile as this mapping has it."""
    given = profile.model_dump()
    mark = {"confidence": "default", "source": _SOURCE}
    names: Mapping[str, Any] = mapping.model_dump()
    envelope, answer = mapping.envelope, mapping.answer
    given["envelope"] |= mark | {
        "fields": {envelope.appid: "setting.appid", envelope.data: "content"},
        "headers": {envelope.secret_header: "setting.appsecret"},
    }
    given["seal"] |= {"encodings": [f"hex-{envelope.hex}"]}
    given["answer"] |= mark | {"name": answer.key, "success": [answer.success], "message": answer.message}
    for kind in ("alarm", "warning", "readings"):
        given[kind] |= mark | names[kind]
    return ProfileFile.model_validate(given)


def _dotted(path: Path, mapping: FieldMapping) -> Iterator[Fault]:
    """A dot makes nested objects in a profile; in a mapping it was a part of the name."""
    for kind in ("alarm", "warning", "readings"):
        section: Fields = getattr(mapping, kind)
        for name in (section.items, *section.head, *section.item):
            if "." in name:
                wanted = Text("不含 '.' 的字段名；嵌套请用 profile", "a name without '.': nesting needs a profile")
                yield Fault(str(path), f"{kind}.{name}", repr(name), wanted)
