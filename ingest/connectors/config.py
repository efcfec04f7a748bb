"""Settings of all connectors, and who is to be told what."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Final, Self

from pydantic import Field, model_validator

from ingest.connectors.platform.config import PlatformConfig
from ingest.connectors.platform.connector import open_platform
from ingest.connectors.sender import Scheduled
from ingest.connectors.webhook.config import WebhookConfig
from ingest.connectors.webhook.connector import open_webhook
from ingest.model.config import Config, given_once
from ingest.model.fault import Fault, InvalidConfig, Refuse, refuse_all
from ingest.model.outbox import MessageKind
from ingest.model.plant import SERVICE
from ingest.model.warning import EarlyWarning

REPORTS_LATE: Final = 3600 * 10**9
"""Once readings reports have waited for so long (ns), fewer are made until they are taken again."""


class ConnectorsConfig(Config):
    """Who receives alarms, warnings and readings. None by default."""

    webhooks: tuple[WebhookConfig, ...] = ()
    platform: PlatformConfig | None = None
    escalate_after: int = Field(default=10, ge=1)  # failures of one message until a person is called; our default
    body_retention_d: float = Field(default=7.0, ge=0)  # of what is delivered; what is told stands in alarms and audit
    report_retention_h: float = Field(default=1.0, ge=0)  # of delivered readings reports; the history has the readings
    delivery_retention_d: float = Field(
        default=400.0, ge=183
    )  # logs: six months by our reading of art. 21, Cybersecurity Law

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = (webhook.name for webhook in self.webhooks)
        taken = [self.platform.name] if self.platform else []
        given_once("webhooks", "name", names, "a name that no other connector has", *taken)
        return self

    def names(self) -> tuple[str, ...]:
        """Every connector's key in the outbox."""
        return (*(webhook.name for webhook in self.webhooks), *([self.platform.name] if self.platform else []))

    def recipients(self, kind: MessageKind, plant: str, level: int | None = None) -> tuple[str, ...]:
        """The connectors whose outbox this message goes into. `level` is the alarm's; readings have none."""
        webhooks = [w.name for w in self.webhooks if kind == "alarm" and w.wants(plant, level)]
        platform = self.platform if plant != SERVICE else None  # no enterprise, so nothing to tell the province
        return (*webhooks, *([platform.name] if platform else []))

    def warned(self, warning: EarlyWarning) -> tuple[str, ...]:
        """The connectors whose outbox an event of this warning goes into."""
        webhooks = [webhook.name for webhook in self.webhooks if webhook.wants_warning(warning)]
        return (*webhooks, *([self.platform.name] if self.platform else []))


def open_connectors(
    config: ConnectorsConfig,
    now: Callable[[], int] = time.time_ns,
    refused: Refuse = refuse_all,
    waiting: Collection[str] = (),
) -> list[Scheduled]:
    """Every connector of the settings, ready for `OutboxSender`; reads secrets and files, connects to nothing yet.

    Args:
        config: the settings.
        now: ns since the epoch.
        refused: is given the faults of all connectors that cannot be opened; the others are returned.
        waiting: names of connectors that are not opened: what is for them waits in the outbox.

    Raises:
        InvalidConfig: by `refuse_all`.
    """
    opened: list[Scheduled] = []
    faults: list[Fault] = []
    for webhook in config.webhooks:
        if webhook.name in waiting:
            continue
        try:
            opened.append(open_webhook(webhook, now))
        except InvalidConfig as invalid:
            faults += invalid.faults
    if config.platform is not None and config.platform.name not in waiting:
        try:
            opened.append(open_platform(config.platform, now))
        except InvalidConfig as invalid:
            faults += invalid.faults
    if faults:
        refused(faults)
    return opened
