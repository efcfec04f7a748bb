"""The history's server may get a certificate of another authority while the service runs."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.influx import http_client
from tests.ingest.delivery.receiver import Receiver, make_authority


def test_an_authority_added_to_the_file_is_trusted_by_the_next_connection(tmp_path: Path) -> None:
    old, new = make_authority(tmp_path, "old"), make_authority(tmp_path, "new")
    file = tmp_path / "trusted.pem"
    file.write_bytes(old.ca_file.read_bytes())
    with Receiver(tls=new.server) as server:
        config = InfluxV1Config(kind="influxdb1", url=server.url, database="yujing", ca_file=file)
        with http_client(config) as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                client.post("/hook")
            file.write_bytes(old.ca_file.read_bytes() + new.ca_file.read_bytes())
            assert client.post("/hook").is_success
