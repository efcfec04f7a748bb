"""The settings of the broker."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from ingest.base.config import Config, Secret
from ingest.intake.sources.trust import TrustFiles


class SourceConfig(Config):
    """What holds for every kind. `ingest.intake.sources.registry` has the source of each."""

    @property
    def address(self) -> str:
        """The other side, for people."""
        raise NotImplementedError

    @property
    def most_unacknowledged(self) -> int:
        """How many messages the other side hands over before the first of them is acknowledged."""
        return 1024

    def require_files(self) -> None:
        """Raise InvalidConfig unless the files named here can be used."""


class MqttConfig(SourceConfig):
    """The broker, and how to sign in there."""

    host: str = "127.0.0.1"
    port: int = Field(default=1883, gt=0, lt=65536)
    client_id: str = Field(default="yujing-ingest", min_length=1, max_length=128)
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password: Secret | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    keepalive_s: int = Field(default=30, ge=5, le=3600)
    session_expiry_s: int = Field(default=7 * 86400, ge=60)  # how long the broker may keep for us while we are away
    window: int = Field(default=1024, ge=1, le=65535)  # messages the broker may have unacknowledged with us
    retain: bool = True  # whether the broker keeps retained messages, where it does not say so itself
    max_packet_bytes: int | None = Field(default=None, ge=512)  # the broker takes, where it does not say so itself

    @property
    def address(self) -> str:
        """See `SourceConfig`."""
        return f"{self.host}:{self.port}"

    @property
    def most_unacknowledged(self) -> int:
        """See `SourceConfig`."""
        return self.window

    def require_files(self) -> None:
        """See `SourceConfig`."""
        trust_files(self).context()


def trust_files(config: MqttConfig) -> TrustFiles:
    """The certificate files named in the settings."""
    return TrustFiles(config.tls_ca, config.tls_cert, config.tls_key)
