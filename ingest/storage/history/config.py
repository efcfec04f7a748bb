"""The settings of history stores: those common to every kind, and those of the built-in kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from ingest.base.config import Config, Secret
from ingest.domain.model.expectations import misplaced
from ingest.domain.model.text import Text

_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class StoreConfig(Config):
    """What holds for every kind. `ingest.storage.history.registry` names those there are."""

    query_timeout_s: float = Field(default=3, gt=0)
    """Seconds a page or a caller waits for trends; what is written has `timeout_s`."""
    kind: str
    """Chooses the store; each kind narrows it to its own name."""
    needs: ClassVar[str | None] = None
    """The extra of the package that brings the store's libraries, if it needs one (`ingest.base.extras`)."""

    @property
    def own_file(self) -> Path | None:
        """The file on this machine that holds the data; it is made readable for the service's user alone."""
        return None


class DuckDBConfig(StoreConfig):
    """One DuckDB file, used by this service alone while it runs."""

    kind: Literal["duckdb"] = "duckdb"
    needs: ClassVar[str | None] = "duckdb"
    path: Path = Path("data/history.duckdb")
    memory_mb: int = Field(default=48, ge=48)  # of DuckDB's own, whatever the file's size
    threads: int = Field(default=1, ge=1, le=64)  # of a query or a write; several queries run beside each other anyway
    retention_d: int = Field(default=400, ge=1)  # readings: a year, and the same weeks of the year before beside it
    rollup_retention_d: int = Field(default=1830, ge=1)  # their rollups by minute and hour: five years, as alarm events
    size_gb: float | None = Field(default=None, gt=0)  # None = four fifths of what the disk could give it

    @model_validator(mode="after")
    def _rollups_outlive_readings(self) -> Self:
        if self.rollup_retention_d < self.retention_d:
            least = self.retention_d
            expected = Text(f"不小于 retention_d = {least}", f"at least retention_d = {least}")
            raise misplaced((("rollup_retention_d",), self.rollup_retention_d, expected))
        return self

    @property
    def own_file(self) -> Path | None:
        """See `StoreConfig`."""
        return self.path


class InfluxConfig(StoreConfig):
    """What every InfluxDB needs to be reached."""

    url: str = Field(pattern=r"^https?://[^@\s]+$")  # no user:password@ in it
    ca_file: Path | None = None  # certificates to trust instead of the system's
    timeout_s: float = Field(default=10, gt=0)
    gzip: bool | None = None  # None = only to another machine: packing costs more than loopback does

    @property
    def packs(self) -> bool:
        """Whether lines are sent compressed."""
        return urlsplit(self.url).hostname not in _HERE if self.gzip is None else self.gzip

    @property
    def database_name(self) -> str:
        """The database that InfluxQL queries."""
        raise NotImplementedError

    @property
    def write_path(self) -> tuple[str, dict[str, str]]:
        """The path lines are written to, and the query parameters that name the target."""
        raise NotImplementedError

    def credentials(self) -> dict[str, Any]:
        """The credentials as arguments of an HTTP client. Raises LookupError for a missing secret."""
        raise NotImplementedError


class InfluxV1Config(InfluxConfig):
    """An InfluxDB 1.x database."""

    kind: Literal["influxdb1"] = "influxdb1"
    database: str = "yujing"
    username: str | None = None
    password: Secret | None = None
    retention_policy: str | None = None  # None = the database's default

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.username is None) != (self.password is None):
            key = "username" if self.username is None else "password"
            both = Text("username 与 password 同填或同不填", "username and password, both or neither")
            raise misplaced(((key,), None, both))
        return self

    @property
    def database_name(self) -> str:
        """See `InfluxConfig`."""
        return self.database

    @property
    def write_path(self) -> tuple[str, dict[str, str]]:
        """See `InfluxConfig`."""
        policy = {"rp": self.retention_policy} if self.retention_policy else {}
        return "/write", {"db": self.database} | policy

    def credentials(self) -> dict[str, Any]:
        """See `InfluxConfig`."""
        return {"auth": (self.username, self.password.read())} if self.username and self.password else {}


class InfluxV2Config(InfluxConfig):
    """An InfluxDB 2.x or 3.x bucket; on 2.x, a DBRP mapping of the bucket's name makes it answer InfluxQL."""

    kind: Literal["influxdb2"] = "influxdb2"
    needs: ClassVar[str | None] = "influxdb2"
    org: str
    bucket: str = "yujing"
    token: Secret

    @property
    def database_name(self) -> str:
        """See `InfluxConfig`."""
        return self.bucket

    @property
    def write_path(self) -> tuple[str, dict[str, str]]:
        """See `InfluxConfig`."""
        return "/api/v2/write", {"org": self.org, "bucket": self.bucket}

    def credentials(self) -> dict[str, Any]:
        """See `InfluxConfig`."""
        return {"headers": {"Authorization": f"Token {self.token.read()}"}}
