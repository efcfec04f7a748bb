"""Settings of one webhook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from ingest.base.config import Secret
from ingest.delivery.connector import Scheduled
from ingest.delivery.filtered import FilteredReceiver
from ingest.delivery.https import Url
from ingest.delivery.receiver import ReceiverName


class WebhookConfig(FilteredReceiver):
    """An endpoint that gets each event as a signed CloudEvent."""

    name: ReceiverName
    allow_http: bool = False  # plain http to another machine: only inside a network trusted like a cable
    url: Url
    secret: Secret  # `whsec_` and base64, or plain characters; 24 to 64 bytes
    second_secret: Secret | None = None  # signs, too, while one takes over from the other
    signing_key: Secret | None = None  # signs, too, by Ed25519: `whsk_` and base64
    timeout_s: float = Field(default=15.0, ge=1, le=60)  # Standard Webhooks 1.0.0 recommends 15 to 30 s
    ca_file: Path | None = None  # trust this authority alone, not the system's

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.webhook.connector import open_webhook  # noqa: PLC0415

        return open_webhook(self, now)
