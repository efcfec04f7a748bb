"""The base of every component's settings: frozen, unknown keys refused, secrets outside the file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, Union, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError


class Config(BaseModel):
    """A component's settings. Read once, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def chosen_by_kind(kinds: Mapping[str, type[Config]], default: str) -> Any:
    """Return the type annotation of a table whose `kind` selects one of these settings classes.

    Args:
        kinds: at least two, by their `kind`, which is a `Literal` of that name in each of them.
        default: the kind of a table without `kind`, unless it has a key that only others have.
    """
    known = kinds[default].model_fields
    others = {key for kind in kinds.values() for key in kind.model_fields} - set(known)

    def with_kind(table: Any) -> Any:
        of_default = isinstance(table, Mapping) and "kind" not in table and others.isdisjoint(table)
        return {"kind": default, **table} if of_default else table

    several: Any = Annotated[Union[tuple(kinds.values())], Field(discriminator="kind")]  # noqa: UP007  as many as there are
    return Annotated[several, BeforeValidator(with_kind)]


def tables_of(model: type[Config], kind: type[Config]) -> tuple[str, ...]:
    """Return the keys under which settings of a kind stand, a table, a list of them or none each."""

    def holds(annotation: Any) -> bool:
        parts = (annotation, *get_args(annotation))
        return any(isinstance(part, type) and issubclass(part, kind) for part in parts)

    return tuple(name for name, field in model.model_fields.items() if holds(field.annotation))


def misplaced(*wrong: tuple[Sequence[str | int], Any, str]) -> ValidationError:
    """Return the error for a check of a whole table: (keys at fault, value given, what is expected) for each fault."""
    return ValidationError.from_exception_data(
        "table",
        [
            InitErrorDetails(
                type=PydanticCustomError("misplaced", "{expected}", {"expected": expected}), loc=(*at,), input=given
            )
            for at, given, expected in wrong
        ],
    )


def given_once(entries: str, key: str, given: Iterable[str], expected: str, *taken: str) -> None:
    """Raise if two entries of a list have the same value of a key; each of them is a fault.

    Args:
        entries: the list's key.
        key: the key whose values must differ.
        given: the value of each entry.
        expected: in words.
        taken: values that none of them may have either.
    """
    names = list(given)
    times = Counter([*names, *taken])
    twice = [((entries, at, key), name, expected) for at, name in enumerate(names) if times[name] > 1]
    if twice:
        raise misplaced(*twice)


class Secret(Config):
    """Where a secret is kept: `{ file = "/run/secrets/x" }` or `{ env = "NAME" }`. Never the secret itself."""

    file: Path | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError('either { file = "PATH" } or { env = "NAME" }')
        return self

    def read(self) -> str:
        """Read the secret, without surrounding white space.

        Raises:
            LookupError: it is not there; the message names the place, never the content.
        """
        if self.env is not None:
            value = os.environ.get(self.env, "")
        else:
            try:
                value = Path(str(self.file)).read_text(encoding="utf-8")
            except OSError as error:
                raise LookupError(f"secret file {self.file}: {error.strerror}") from error
            except ValueError as error:  # its name or its content; neither is quoted
                raise LookupError(f"secret file {self.file}: no text in UTF-8") from error
        value = value.strip()
        if not value:
            raise LookupError(f"secret {self.env or self.file} is empty or not set")
        return value
