"""What every component's settings have in common: frozen, nothing unknown accepted, secrets outside the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class Config(BaseModel):
    """A component's settings. Read once, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
        """The secret, without the newline editors leave behind.

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
        value = value.strip()
        if not value:
            raise LookupError(f"secret {self.env or self.file} is empty or not set")
        return value
