"""Base class of the settings of every receiver: its name, which messages it gets, and how its connector is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from ingest.base.config import Config
from ingest.delivery.connector import Scheduled
from ingest.delivery.destinations import AllowedNetwork
from ingest.domain.model.notice import Matter
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.warning import EarlyWarning

ReceiverName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""The name of a receiver where there may be several of its kind."""


class ReceiverConfig(Config):
    """Settings of one receiver. Every kind is a field of `ConnectorsConfig`; see `docs/extending.md` to add one."""

    if TYPE_CHECKING:

        @property
        def name(self) -> str:
            """Its key in the outbox and its label in metrics: a field where there may be several, else a constant."""

    allow_networks: tuple[AllowedNetwork, ...] = ()  # networks of special use in which its host may be, by its name

    def wants(self, kind: MessageKind, plant: str, level: int | None) -> bool:  # noqa: ARG002  all by default
        """Whether an alarm of this plant, or its readings, are for this receiver.

        `level` is the alarm's: 1, or 2, the graver; readings have none.
        """
        return True

    def wants_warning(self, warning: EarlyWarning) -> bool:  # noqa: ARG002  all by default
        """Whether events of this warning are for this receiver."""
        return True

    def wants_notice(self, plant: str, matter: Matter) -> bool:  # noqa: ARG002  nobody by default
        """Whether notices of this matter in this plant are for this receiver."""
        return False

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """Open its connector, ready for `OutboxSender`; reads secrets and files, connects to nothing yet.

        Raises:
            InvalidConfig: a secret or file cannot be used; it lists every fault.
        """
        raise NotImplementedError
