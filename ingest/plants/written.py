"""Reads and validates TOML that people write, and reports every fault with its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from ingest.base.config import Config
from ingest.domain.model.expectations import InvalidValue, with_reason
from ingest.domain.model.fault import Fault, faults_of
from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text
from ingest.domain.model.toml_texts import toml_text

READABLE: Final = Text("能读取的文件", "a file that can be read")
UTF_8: Final = Text("UTF-8 文本", "UTF-8 text")


class Written(Config):
    """Tables people write: no unknown keys, no guessing between types, no infinite numbers."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Sourced(Written):
    """Numbers with where they come from and how far to trust them."""

    source: str = Field(min_length=1)
    confidence: Confidence = Field(strict=False)


W = TypeVar("W", bound=Written)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file: the dotted key, and the id of the point it belongs to."""

    file: Path
    key: str = ""
    item: str = ""

    def at(self, *parts: object) -> Place:
        """Return a place further in."""
        return replace(self, key=".".join(map(str, filter(lambda p: p != "", (self.key, *parts)))))

    def fault(self, value: object, expected: Text) -> Fault:
        """Return a fault at this place."""
        shown = value if isinstance(value, str) and value.startswith("(") else repr(value)[:120]
        return Fault(str(self.file), f"{self.key} ({self.item})" if self.item else self.key, shown, expected)


def read_toml(file: Path, content: bytes | None = None) -> tuple[dict[str, Any] | None, list[Fault]]:
    """Return the file's tables, or None and why it could not be read, with the line; `content` if read already."""
    place = Place(file)
    try:
        text = (file.read_bytes() if content is None else content).decode("utf-8")
        return tomllib.loads(text), []
    except OSError as error:
        return None, [place.at("(file)").fault("(unreadable)", with_reason(READABLE, error))]
    except UnicodeDecodeError as error:
        return None, [place.at(f"byte {error.start}").fault(error.object[error.start : error.end], UTF_8)]
    except tomllib.TOMLDecodeError as error:
        lines = text.splitlines()
        found = re.search(r"\(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = int(found[1]) if found and found[1] else max(len(lines), 1)
        wrong = lines[line - 1].strip() if line <= len(lines) else ""
        return None, [place.at(f"line {line}").fault(wrong, toml_text(str(error)))]


def checked(model: type[W], raw: object, place: Place, context: object = None) -> tuple[W | None, list[Fault]]:
    """Return the table as `model`, or None and every fault in it."""
    try:
        return model.model_validate(raw, context=context), []
    except ValidationError as error:
        return None, [_placed(fault, place) for fault in faults_of(place.file, error, model)]


def like(pattern: str, expected: Text) -> AfterValidator:
    """Return a validator that a text matches `pattern`; `expected` says the same to a person."""
    whole = re.compile(pattern)

    def check(text: str) -> str:
        if not whole.fullmatch(text):
            raise InvalidValue(expected)
        return text

    return AfterValidator(check)


def because(fault: Callable[[str], Text | None]) -> AfterValidator:
    """Return a validator from a function that returns what is expected instead of a text, or None."""

    def check(text: str) -> str:
        expected = fault(text)
        if expected is not None:
            raise InvalidValue(expected)
        return text

    return AfterValidator(check)


def _placed(fault: Fault, place: Place) -> Fault:
    inner = place.at(fault.key)
    value = "(missing)" if fault.value == "None" else fault.value  # TOML has no null: a default found wanting
    return replace(inner.fault("", fault.expected), value=value)
