"""Settings of one webhook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field

from ingest.base.config import Secret
from ingest.delivery.connector import Scheduled
from ingest.delivery.https import Url
from ingest.delivery.receiver import ReceiverConfig, ReceiverName
from ingest.domain.model.notice import Matter
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.warning import Colour, EarlyWarning, Step


class WebhookConfig(ReceiverConfig):
    """One receiver: of all alarms and warnings as far as nothing below says which, of notices as it asks for."""

    name: ReceiverName
    allow_http: bool = False  # plain http to another machine: only inside a network trusted like a cable
    url: Url
    secret: Secret  # `whsec_` and base64, or plain characters; 24 to 64 bytes
    second_secret: Secret | None = None  # signs, too, while one takes over from the other
    timeout_s: float = Field(default=15.0, ge=1, le=60)  # Standard Webhooks 1.0.0 recommends 15 to 30 s
    plants: frozenset[str] | None = None
    levels: frozenset[Literal[1, 2]] | None = None  # of alarms
    colours: frozenset[Colour] | None = None  # of warnings: the highest so far
    steps: frozenset[Step] | None = None  # of warnings: only once one of them was asked
    notices: frozenset[Matter] | None = None  # matters of notices; none: it gets no notice
    ca_file: Path | None = None  # trust this authority alone, not the system's

    def wants(self, kind: MessageKind, plant: str, level: int | None) -> bool:
        """Whether an alarm of this plant and level is for this receiver; readings never are."""
        if kind != "alarm":
            return False
        return (self.plants is None or plant in self.plants) and (self.levels is None or level in self.levels)

    def wants_warning(self, warning: EarlyWarning) -> bool:
        """Whether events of this warning are for this receiver. `steps` excludes nothing while everyone is asked."""
        everyone = warning.asking is not None and not warning.who
        return (
            (self.plants is None or warning.plant in self.plants)
            and (self.colours is None or warning.peak in self.colours)
            and (self.steps is None or everyone or min(self.steps) <= warning.step)
        )

    def wants_notice(self, plant: str, matter: Matter) -> bool:
        """Whether notices of this matter in this plant are for this receiver."""
        return matter in (self.notices or ()) and (self.plants is None or plant in self.plants)

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.webhook.connector import open_webhook  # noqa: PLC0415

        return open_webhook(self, now)
