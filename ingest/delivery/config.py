"""Settings of all connectors, and which of them receive a message."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from typing import Final, Self

from pydantic import Field, model_validator

from ingest.base.config import Config, tables_of
from ingest.delivery.channels.addressed import EmailConfig, SmsConfig, VoiceConfig
from ingest.delivery.channels.config import DingTalkConfig, FeishuConfig, WeComConfig
from ingest.delivery.connector import Scheduled
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.receiver import ReceiverConfig
from ingest.delivery.webhook.config import WebhookConfig
from ingest.domain.model.expectations import given_once
from ingest.domain.model.fault import Fault, InvalidConfig, Refuse, refuse_all
from ingest.domain.model.notice import Matter
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning

REPORTS_LATE: Final = 3600 * 10**9
"""Once readings reports have waited for so long (ns), fewer are made until they are taken again."""


_UNIQUE: Final = Text("其他连接没有用的名称", "a name that no other connector has")


class ConnectorsConfig(Config):
    """Who receives alarms, warnings and readings. None by default.

    This is the registry of connectors: a field for each kind, one `ReceiverConfig` or a tuple of them. Everything else
    (names, recipients, opening, what of them is in force) goes by these fields.
    """

    webhooks: tuple[WebhookConfig, ...] = ()
    dingtalk: tuple[DingTalkConfig, ...] = ()
    wecom: tuple[WeComConfig, ...] = ()
    feishu: tuple[FeishuConfig, ...] = ()
    email: tuple[EmailConfig, ...] = ()
    sms: tuple[SmsConfig, ...] = ()
    voice: tuple[VoiceConfig, ...] = ()
    platform: PlatformConfig | None = None
    escalate_after: int = Field(default=10, ge=1)  # failures of one message until a person is called; our default
    body_retention_d: float = Field(default=7.0, ge=0)  # of delivered messages; alarms and audit trail keep the content
    report_retention_h: float = Field(default=1.0, ge=0)  # of delivered readings reports; the history has the readings
    delivery_retention_d: float = Field(
        default=400.0, ge=183
    )  # logs: six months by our reading of art. 21, Cybersecurity Law

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        by_table = {table: [receiver.name for receiver in self._of(table)] for table in self.tables()}
        for table, names in by_table.items():
            if isinstance(getattr(self, table), tuple):
                taken = [name for other, names in by_table.items() if other != table for name in names]
                given_once(table, "name", names, _UNIQUE, *taken)
        return self

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """The settings keys that hold receivers, each a table or a list of tables."""
        return tables_of(cls, ReceiverConfig)

    def receivers(self) -> Iterator[ReceiverConfig]:
        """Every receiver in the settings, of every kind."""
        for table in self.tables():
            yield from self._of(table)

    def names(self) -> tuple[str, ...]:
        """The name of every connector, which is its key in the outbox."""
        return tuple(receiver.name for receiver in self.receivers())

    def recipients(self, kind: MessageKind, plant: str, level: int | None = None) -> tuple[str, ...]:
        """Names of the connectors that receive this message. `level` is the alarm's; readings have none."""
        return tuple(receiver.name for receiver in self.receivers() if receiver.wants(kind, plant, level))

    def warned(self, warning: EarlyWarning) -> tuple[str, ...]:
        """Names of the connectors that receive an event of this warning."""
        return tuple(receiver.name for receiver in self.receivers() if receiver.wants_warning(warning))

    def notified(self, plant: str, matter: Matter) -> tuple[str, ...]:
        """Names of the connectors that receive notices of this matter in this plant."""
        return tuple(receiver.name for receiver in self.receivers() if receiver.wants_notice(plant, matter))

    def _of(self, table: str) -> tuple[ReceiverConfig, ...]:
        found = getattr(self, table)
        return found if isinstance(found, tuple) else () if found is None else (found,)


def open_connectors(
    config: ConnectorsConfig,
    now: Callable[[], int] = time.time_ns,
    refused: Refuse = refuse_all,
    waiting: Collection[str] = (),
) -> list[Scheduled]:
    """Open every connector in the settings, ready for `OutboxSender`; reads secrets and files, connects to nothing yet.

    Args:
        config: the settings.
        now: ns since the epoch.
        refused: is given the faults of all connectors that cannot be opened; the others are returned.
        waiting: names of connectors that are not opened; their messages wait in the outbox.

    Raises:
        InvalidConfig: by `refuse_all`.
    """
    opened: list[Scheduled] = []
    faults: list[Fault] = []
    for receiver in config.receivers():
        if receiver.name in waiting:
            continue
        try:
            opened.append(receiver.open_connector(now))
        except InvalidConfig as invalid:
            faults += invalid.faults
    if faults:
        refused(faults)
    return opened
