"""A fault in what a person wrote: which file, which key, what stands there, what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

SECRET_KEYS = ("secret", "token", "password", "key", "iv")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend, said so that the reader can mend it."""

    file: str
    key: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key} = {self.value}: expected {self.expected}"


class InvalidConfig(Exception):
    """Files that cannot be used, with every fault in them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


Refuse = Callable[[Sequence[Fault]], None]
"""What becomes of faults in a part that the rest can do without: `refuse_all`, or they are kept and told."""


def refuse_all(faults: Sequence[Fault]) -> None:
    """Let one fault refuse the whole. Raises InvalidConfig."""
    raise InvalidConfig(faults)


def faults_of(file: Path, error: ValidationError) -> list[Fault]:
    """Every fault Pydantic found, in our words; the value of a secret is never shown."""
    found = []
    for item in error.errors(include_url=False, include_context=False):
        key = ".".join(str(part) for part in item["loc"])
        missing = item["type"] == "missing"
        hidden = any(word in str(part).lower() for part in item["loc"] for word in SECRET_KEYS)
        value = "(missing)" if missing else "(hidden)" if hidden else _harmless(repr(item["input"]))[:120]
        expected = "a value" if missing else item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        found.append(Fault(str(file), key, value, expected))
    return found


def _harmless(shown: str) -> str:
    """A value without the password of an address in it, wherever that stands.

    >>> _harmless("'postgresql://yujing:p@ss:/word@db/yujing?password=again&x=1'")
    "'postgresql://yujing:(hidden)@db/yujing?password=(hidden)&x=1'"
    """
    shown = re.sub(r"(://[^:/?#\s'\"]*):[^\s'\"]*@", r"\1:(hidden)@", shown)
    return re.sub(r"(password=)[^&\s'\"]*", r"\1(hidden)", shown, flags=re.IGNORECASE)
