"""Settings of the connection to the provincial platform."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from ingest.base.config import Secret
from ingest.delivery.connector import Scheduled
from ingest.delivery.https import OwnCertificate, checked_address
from ingest.delivery.receiver import ReceiverConfig
from ingest.domain.model.expectations import misplaced
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning

FRAME_SCHEMES: Final = frozenset({"tcp", "tls"})
"""What the address of a platform that takes frames begins with."""

_HTTP: Final = Text("网址，如 https://host:8443/path", "a URL such as https://host:8443/path")
_FRAMES: Final = Text("地址，如 tls://host:9003，不含路径", "an address such as tls://host:9003, without a path")


def _checked_address(url: str, info: ValidationInfo) -> str:
    parts = urlsplit(url)
    if parts.scheme not in FRAME_SCHEMES:
        return checked_address(url, info, plain="http", sealed="https", form=_HTTP)
    checked = checked_address(url, info, plain="tcp", sealed="tls", form=_FRAMES)
    if parts.port is None or parts.path or parts.query:
        raise misplaced(((), f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else ""), _FRAMES))
    return checked


class PlatformConfig(ReceiverConfig):
    """One provincial platform: its protocol is a profile; what the authority issued to us is here.

    Which of application id, secrets and codes are needed, the profile says; they are checked when it is opened.
    """

    name: ClassVar[str] = "platform"  # its key in the outbox: there is one

    allow_http: bool = False  # plain http or tcp to another machine: only where the platform has nothing else
    url: Annotated[str, AfterValidator(_checked_address)]  # tcp://host:port or tls://host:port for a profile of frames
    profile: str = Field(default="tianjin-dust-sm4", min_length=1)  # of the service, by name, or a .toml file
    appid: str | None = Field(default=None, min_length=1, max_length=200)  # an identifier, sent in the clear inside TLS
    appsecret: Secret | None = None
    key: Secret | None = None  # of the cipher, in the form the profile says
    iv: Secret | None = None  # "salt" in the published implementation of the default profile
    codes: Path | None = None  # codes of plants and points
    mapping: Path | None = None  # field names for the default profile; None: those of the profile
    plants: frozenset[str] | None = None  # None: all of them
    interval_s: float = Field(default=60.0, ge=1, le=3600)  # how often readings are put into the outbox; our default
    batch: int = Field(default=20, ge=1, le=500)  # most messages in one round
    timeout_s: float = Field(default=15.0, ge=1, le=120)
    ca_file: Path | None = None  # trust this authority alone, not the system's
    tls_cert: Path | None = None  # our own certificate, if the platform knows us by one
    tls_key: Path | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            key = "tls_cert" if self.tls_cert is None else "tls_key"
            both = Text("tls_cert 与 tls_key 同填或同不填", "tls_cert and tls_key together, or neither")
            raise misplaced(((key,), None, both))
        return self

    @property
    def certificate(self) -> OwnCertificate | None:
        """Our own certificate, if there is one."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        return OwnCertificate(self.tls_cert, self.tls_key)

    def wants(self, kind: MessageKind, plant: str, level: int | None) -> bool:  # noqa: ARG002  of every level
        """Everything of enterprises that the profile has a form for; the service's own alarms are not reported."""
        return plant != SERVICE and (self.plants is None or plant in self.plants) and kind in self.taken

    def wants_warning(self, warning: EarlyWarning) -> bool:
        """Whether events of this warning are for the platform."""
        return self.wants("warning", warning.plant, None)

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.platform.opening import open_platform  # noqa: PLC0415

        return open_platform(self, now)

    @cached_property
    def taken(self) -> frozenset[MessageKind]:
        """The kinds of message the profile takes; every kind, to wait in the outbox, while it cannot be read."""
        from ingest.delivery.platform.loading import load_profile  # noqa: PLC0415
        from ingest.delivery.platform.model import KINDS  # noqa: PLC0415

        try:
            return frozenset(load_profile(self.profile, "connectors.platform.profile").sections)
        except InvalidConfig:
            return frozenset(KINDS)
