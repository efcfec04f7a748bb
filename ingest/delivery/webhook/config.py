"""Settings of one webhook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from ingest.base.config import Secret
from ingest.delivery.connector import Scheduled
from ingest.delivery.filtered import FilteredReceiver
from ingest.delivery.https import Url
from ingest.delivery.receiver import ReceiverName
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.expectations import InvalidValue, with_near
from ingest.domain.model.text import Text
from ingest.domain.model.warning import WarningEventKind

EVENTS: Final = frozenset(str(kind) for kind in (*AlarmEventKind, *WarningEventKind, "given"))
"""The events of alarms, warnings and notices."""


def _known(event: str) -> str:
    if event not in EVENTS:
        raise InvalidValue(
            with_near(Text("报警、预警或提醒的事件", "an event of alarms, warnings or notices"), event, EVENTS)
        )
    return event


class WebhookConfig(FilteredReceiver):
    """An endpoint that gets each event as a signed CloudEvent."""

    name: ReceiverName
    allow_http: bool = False  # plain http to another machine: only inside a network trusted like a cable
    url: Url
    secret: Secret  # `whsec_` and base64, or plain characters; 24 to 64 bytes
    second_secret: Secret | None = None  # signs, too, while one takes over from the other
    signing_key: Secret | None = None  # signs, too, by Ed25519: `whsk_` and base64
    timeout_s: float = Field(default=15.0, ge=1, le=60)  # Standard Webhooks 1.0.0 recommends 15 to 30 s
    events: frozenset[Annotated[str, AfterValidator(_known)]] | None = None  # others are passed over, and counted
    ca_file: Path | None = None  # trust this authority alone, not the system's

    def tells(self, event: str) -> bool:
        """Whether messages with this event are posted; what rings people always is."""
        return self.events is None or event in self.events or event not in EVENTS

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.webhook.connector import open_webhook  # noqa: PLC0415

        return open_webhook(self, now)
