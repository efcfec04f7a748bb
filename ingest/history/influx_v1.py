"""History in InfluxDB 1.x: POST /write."""

from __future__ import annotations

import gzip
from typing import Literal, Self

from pydantic import model_validator

from ingest.history.influx import InfluxConfig, InfluxStore, http_client, quoted
from ingest.history.line_protocol import Precision
from ingest.model.config import Secret


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
            raise ValueError("username and password, both or neither")
        return self


class InfluxV1Store(InfluxStore):
    """InfluxDB 1.x: POST /write."""

    def __init__(self, config: InfluxV1Config) -> None:
        auth = (config.username, config.password.read()) if config.username and config.password else None
        super().__init__(http_client(config, auth=auth), config.database, config.retention_policy)
        self._packs = config.packs

    def create_database(self) -> None:
        """Create the database if it is not there. The service itself never does: that is the operator's."""
        self._request("POST", "/query", {"q": f"CREATE DATABASE {quoted(self._database)}"})

    def _send(self, lines: bytes, precision: Precision) -> None:
        params = {"db": self._database, "precision": precision} | ({"rp": self._policy} if self._policy else {})
        if self._packs:
            packed = gzip.compress(lines, compresslevel=1)
            self._request("POST", "/write", params, content=packed, headers={"Content-Encoding": "gzip"})
        else:
            self._request("POST", "/write", params, content=lines)
