"""The base of every component's settings: frozen, unknown keys refused, secrets outside the file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, Union, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


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


class SecretUnreadable(LookupError):
    """A secret cannot be read: names the place, never the content.

    Attributes:
        place: its file or environment variable.
        cause: why its file cannot be read; None: it can be, or there is none.
        empty: nothing is there.
    """

    def __init__(self, message: str, place: str, *, cause: OSError | None = None, empty: bool = False) -> None:
        super().__init__(message)
        self.place = place
        self.cause = cause
        self.empty = empty


class Secret(Config):
    """Where a secret is kept: `{ file = "/run/secrets/x" }` or `{ env = "NAME" }`. Never the secret itself."""

    file: Path | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise PydanticCustomError("secret_place", 'either { file = "PATH" } or { env = "NAME" }')
        return self

    def read(self) -> str:
        """Read the secret, without surrounding white space.

        Raises:
            SecretUnreadable: it is not there.
        """
        if self.env is not None:
            value = os.environ.get(self.env, "")
        else:
            try:
                value = Path(str(self.file)).read_text(encoding="utf-8")
            except OSError as error:
                raise SecretUnreadable(
                    f"secret file {self.file}: {error.strerror}", str(self.file), cause=error
                ) from error
            except ValueError as error:  # its name or its content; neither is quoted
                raise SecretUnreadable(f"secret file {self.file}: no text in UTF-8", str(self.file)) from error
        value = value.strip()
        if not value:
            place = str(self.env or self.file)
            raise SecretUnreadable(f"secret {place} is empty or not set", place, empty=True)
        return value
