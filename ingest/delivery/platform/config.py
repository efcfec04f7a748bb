"""Settings of the connection to the provincial platform."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ingest.base.config import Secret
from ingest.delivery.https import Url
from ingest.delivery.receiver import ReceiverConfig
from ingest.delivery.sender import Scheduled
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.plant import SERVICE


class PlatformConfig(ReceiverConfig):
    """One provincial platform. Application id, secrets and the mapping's facts are issued by the authority."""

    name: ClassVar[str] = "platform"  # its key in the outbox: there is one

    url: Url
    appid: str = Field(min_length=1, max_length=200)  # an identifier, sent in the clear inside TLS
    appsecret: Secret
    key: Secret  # SM4 key, 32 hex digits
    iv: Secret  # "salt" in the published implementation; 32 hex digits
    mapping: Path | None = None  # None: the mapping that comes with the service
    interval_s: float = Field(default=60.0, ge=1, le=3600)  # how often readings are put into the outbox; our default
    batch: int = Field(default=20, ge=1, le=500)  # most messages in one round
    timeout_s: float = Field(default=15.0, ge=1, le=120)
    ca_file: Path | None = None  # trust this authority alone, not the system's

    def wants(self, kind: MessageKind, plant: str, level: int | None) -> bool:  # noqa: ARG002  all of them
        """Everything of enterprises; the service's own alarms are not reported to the province."""
        return plant != SERVICE

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.platform.connector import open_platform  # noqa: PLC0415

        return open_platform(self, now)
