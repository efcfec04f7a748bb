"""Faults in files that people write: the file, the key, its value and what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from ingest.domain.model.expectations import expectation_in, with_near
from ingest.domain.model.expected import Place, place_of, words_for
from ingest.domain.model.pydantic_texts import choices, text_of
from ingest.domain.model.text import Text
from ingest.domain.model.translations import translated, translations

SECRET_KEYS = ("secret", "token", "password", "key", "iv")
_NO_SECRETS: Final = frozenset({"tokens"})
"""Keys that sound like a secret and are a table of things that have one."""


STAND_INS: Final = {
    "(missing)": "（缺少）", "(none)": "（没有）", "(hidden)": "（不显示）", "(a table)": "（表）", "(empty)": "（空）",
    "(unreadable)": "（读不出）", "(content)": "（内容）", "(given)": "（已写）", "(not a URL)": "（不是网址）",
    "(not a file)": "（不是文件）", "(file)": "（文件）", "(settings)": "（配置）",
}  # fmt: skip
"""What stands in place of a key or a value that cannot be shown, with its Chinese."""

_NUMBERED: Final = translations(((r"\(line (\d+)\)", r"（第 \1 行）"), (r"\(over (\d+) bytes\)", r"（超过 \1 字节）")))


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, with what its reader needs to correct it; as a text it is one line, in English."""

    file: str
    key: str
    value: str
    expected: Text

    @property
    def key_text(self) -> Text:
        """Return the key as people read it; a placeholder for the whole file is in both languages."""
        return _in_words(self.key)

    @property
    def value_text(self) -> Text:
        """Return the value as people read it; a placeholder (missing, hidden, too long) is in both languages."""
        return _in_words(self.value)

    @property
    def line(self) -> str:
        """It as a line of the log: in both languages, as on a terminal."""
        there = f"{self.file}: {self.key_text.both} = {self.value_text.both}"
        return f"{there}: 应为：{self.expected.zh} expected: {self.expected.en}"

    def __str__(self) -> str:
        return f"{self.file}: {self.key} = {self.value}: expected {self.expected.en}"


class InvalidConfig(Exception):
    """Files cannot be used; carries every fault in them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


Refuse = Callable[[Sequence[Fault]], None]
"""Handles faults in a part that the rest can do without: `refuse_all`, or one that keeps and reports them."""


def refuse_all(faults: Sequence[Fault]) -> None:
    """Refuse everything for any fault. Raises InvalidConfig."""
    raise InvalidConfig(faults)


def all_of(*checks: Callable[[], object]) -> None:
    """Run every check, then raise InvalidConfig with the faults of all of them."""
    faults: list[Fault] = []
    for check in checks:
        try:
            check()
        except InvalidConfig as error:
            faults += error.faults
    if faults:
        raise InvalidConfig(faults)


def faults_of(file: Path, error: ValidationError, model: type[BaseModel], raw: object = None) -> list[Fault]:
    """Return every fault Pydantic found, in our words; the value of a secret is never shown.

    Args:
        file: the file at fault.
        error: as Pydantic raised it.
        model: the model it was validated against.
        raw: what was read; entries of lists are identified by their name where they have one.
    """
    return [
        Fault(str(file), key_of(problem.keys, raw), problem.shown, problem.expected)
        for problem in problems_of(error, model)
    ]


@dataclass(frozen=True, slots=True)
class Problem:
    """What Pydantic found at one place: its keys, the value shown, and what is expected."""

    keys: tuple[str | int, ...]
    shown: str
    expected: Text


def problems_of(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """Yield everything Pydantic found, in our words; `model`: what was validated against."""
    found = set[Problem]()
    for item in error.errors(include_url=False):
        of_kind = ("kind",) if item["type"].startswith("union_tag_") else ()
        place = place_of(model, (*item["loc"], *of_kind))
        problem = Problem(place.keys, _shown(item, place), _expected(item, place))
        if problem not in found:  # each part of a union says so
            found.add(problem)
            yield problem


def key_of(keys: Sequence[str | int], raw: object = None) -> str:
    """Return the dotted key, with list entries by name where that is unique, else by number.

    >>> key_of(["tokens", 1, "role"], {"tokens": [{"name": "a"}, {"name": "b"}]})
    'tokens.b.role'
    >>> key_of(["tokens", 1, "name"], {"tokens": [{"name": "a"}, {"name": "a"}]})
    'tokens.1.name'
    """
    words = []
    for key in keys:
        words.append(str(key) if isinstance(key, str) else _name(raw, key))
        raw = _inside(raw, key)
    return ".".join(words)


def _name(entries: object, number: int) -> str:
    names = (
        [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
        if isinstance(entries, list)
        else []
    )
    name = names[number] if number < len(names) else None
    return name if isinstance(name, str) and name and names.count(name) == 1 else str(number)


def _inside(raw: object, key: str | int) -> object:
    if isinstance(raw, dict):
        return raw.get(key)
    return raw[key] if isinstance(raw, list) and isinstance(key, int) and key < len(raw) else None


def _shown(item: Any, place: Place) -> str:
    given = item["input"]
    if given is None or item["type"] in {"missing", "union_tag_not_found"}:
        return "(missing)"
    if item["type"] == "union_tag_invalid":
        return repr(item["ctx"]["tag"])
    if isinstance(given, BaseModel | dict):
        return "(a table)"
    strange = item["type"] == "extra_forbidden" and place.has_secret  # perhaps the secret under a mistyped key
    last = next((part for part in reversed(place.keys) if isinstance(part, str)), "")
    if strange or any(_sounds_secret(part) for part in place.keys if part not in _NO_SECRETS or part == last):
        return "(hidden)"
    return _harmless(repr(given))[:120]


def _sounds_secret(part: str | int) -> bool:
    return isinstance(part, str) and any(word in part.lower() for word in SECRET_KEYS)


def _expected(item: Any, place: Place) -> Text:
    context = item.get("ctx", {})
    match item["type"]:
        case "extra_forbidden":
            key, known = place.keys[-1], [*place.known]
            nowhere = Text("不写此键：此处没有它", "no such key here")
            there_are = Text(f"{nowhere.zh}；可写 {'、'.join(known)}", f"{nowhere.en}; there are: {', '.join(known)}")
            hinted = with_near(nowhere, key, known)
            return there_are if hinted == nowhere else hinted
        case "union_tag_invalid":
            return _choices(context["tag"], str(context["expected_tags"]))
        case "literal_error" | "enum":
            return _choices(item["input"], str(context["expected"]))
        case kind if kind.startswith("ip_"):
            return Text("地址或网段，如 10.1.2.3 或 fd00::/8", "an address or network such as 10.1.2.3 or fd00::/8")
        case kind if kind == "missing" or kind.endswith(("_type", "_parsing", "_not_found", "_from_float")):
            return words_for(place.annotation)
        case _:
            return expectation_in(context) or text_of(item)


def _choices(given: object, listed: str) -> Text:
    """Return the choices, with a hint for a mistyped one; they are listed in quotes."""
    known = re.findall(r"'([^']*)'", listed)
    return with_near(choices(listed), given, known) if isinstance(given, str) else choices(listed)


def _in_words(shown: str) -> Text:
    return Text(translated(shown, _NUMBERED) or STAND_INS.get(shown, shown), shown)


def _harmless(shown: str) -> str:
    """Hide the password of any address in a value.

    >>> _harmless("'postgresql://yujing:p@ss:/word@db/yujing?password=again&x=1'")
    "'postgresql://yujing:(hidden)@db/yujing?password=(hidden)&x=1'"
    """
    shown = re.sub(r"(://[^:/?#\s'\"]*):[^\s'\"]*@", r"\1:(hidden)@", shown)
    return re.sub(r"(password=)[^&\s'\"]*", r"\1(hidden)", shown, flags=re.IGNORECASE)
