"""The interface of a source: it receives messages of gateways, and sends back acknowledgements and announcements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Committed, Refusal


class Source(Protocol):
    """Hands messages over in the order of arrival, and drops none before it was acknowledged.

    It is built with the `Handover` it fills and the `Clock` that gives times of arrival; when the hand-over is full it
    waits in `put`, so that the sender is held back and nothing is dropped. Messages never acknowledged come again after
    a restart. Everything but `start` and `stop` may be called from any thread, and fails with no error while the other
    side is away.
    """

    @property
    def connected(self) -> bool:
        """Whether the other side has accepted us."""

    @property
    def trouble(self) -> str | None:
        """Why nothing comes, if known; None: all is well."""

    @property
    def reading(self) -> bool:
        """Whether all messages of gateways reach us now."""

    @property
    def unmet(self) -> int:
        """How many of our needs the other side is known not to meet."""

    @property
    def certificate(self) -> bytes | None:
        """The other side's newest certificate (DER), or None where there is no TLS."""

    @property
    def sessions_lost(self) -> int:
        """How often the other side had lost the session it kept for us."""

    def start(self, on_subscribed: Callable[[], None]) -> None:
        """Connect in the background, and stay connected; the source's thread calls `on_subscribed` each time."""

    def stop(self) -> None:
        """End the source's thread; messages not acknowledged stay where they are."""

    def acknowledge(self, messages: Sequence[Raw]) -> None:
        """Acknowledge messages that are on disk: called after the journal's commit, and before `flush`."""

    def announce(self, committed: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed | None]:
        """Announce to gateways (plant, gateway, message) what is on disk.

        Returns as much of each as fits; None: nothing does. While the other side is away it may be lost.
        """

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        """Tell a gateway what could not be taken; False: not connected, it has to be sent later."""

    def flush(self) -> None:
        """Send acknowledgements and announcements."""
