"""History in InfluxDB 2.x and 3.x, and in compatible servers with `/api/v2/write`, through influxdb-client.

Raw bytes, one request a write and no retries: the client's batching writer drops data once its retries are used up,
and its default tags and point objects cost time; the history writer retries.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from ingest.storage.history.answers import error_of
from ingest.storage.history.config import InfluxV2Config
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.influx import InfluxStore, http_client, trust
from ingest.storage.history.line_protocol import Precision

# Plain strings, despite the client's annotations.
_PRECISION: Final[Mapping[Precision, Any]] = {"ms": WritePrecision.MS, "ns": WritePrecision.NS}


class InfluxV2Store(InfluxStore):
    """InfluxDB 2.x and 3.x: /api/v2/write through influxdb-client, one request a call, no retries of its own."""

    def __init__(self, config: InfluxV2Config) -> None:
        token = config.token.read()
        super().__init__(http_client(config, **config.credentials()), config.bucket)
        self._client = InfluxDBClient(
            config.url,
            token=token,
            org=config.org,
            timeout=int(config.timeout_s * 1_000),
            enable_gzip=config.packs,
            retries=False,
            ssl_context=trust(config),
        )
        self._writes = self._client.write_api(write_options=SYNCHRONOUS)
        self._closed = False

    def close(self) -> None:
        """Close the connections of both clients; influxdb-client alone leaves its own to the garbage collector."""
        if self._closed:
            return
        self._closed = True
        pools = self._client.api_client.rest_client.pool_manager.pools
        for key in pools.keys():  # noqa: SIM118  not a dict: it cannot be iterated
            pools[key].close()
        self._client.close()
        super().close()

    def _send(self, lines: bytes, precision: Precision) -> None:
        try:
            self._writes.write(bucket=self._database, record=lines, write_precision=_PRECISION[precision])
        except ApiException as error:
            wait = error.headers.get("Retry-After") if error.headers else None
            text = str(error.body or error.reason)
            raise error_of(int(error.status), text, wait, time.time()) or HistoryUnavailable(text) from error
        except (HTTPError, ValueError) as error:  # ValueError: an answer that is not text
            raise HistoryUnavailable(f"{self._client.url}: {error}") from error
