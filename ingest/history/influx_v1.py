"""History in InfluxDB 1.x: POST /write."""

from __future__ import annotations

import gzip

from ingest.history.config import InfluxV1Config
from ingest.history.influx import InfluxStore, http_client
from ingest.history.influxql import quoted
from ingest.history.line_protocol import Precision


class InfluxV1Store(InfluxStore):
    """InfluxDB 1.x: POST /write."""

    def __init__(self, config: InfluxV1Config) -> None:
        super().__init__(http_client(config, **config.authority()), config.database, config.retention_policy)
        self._path, self._place = config.write_path
        self._packs = config.packs

    def create_database(self) -> None:
        """Create the database if it is not there. The service itself never does: that is the operator's."""
        self._request("POST", "/query", {"q": f"CREATE DATABASE {quoted(self._database)}"})

    def _send(self, lines: bytes, precision: Precision) -> None:
        params = self._place | {"precision": precision}
        if self._packs:
            packed = gzip.compress(lines, compresslevel=1)
            self._request("POST", self._path, params, content=packed, headers={"Content-Encoding": "gzip"})
        else:
            self._request("POST", self._path, params, content=lines)
