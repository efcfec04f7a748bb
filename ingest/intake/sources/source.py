"""The seam every source fills: messages of gateways into the hand-over, and back what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Committed, Refusal


class Source(Protocol):
    """Hands over in the order of arrival, and forgets nothing that was not acknowledged.

    It is built with the `Handover` it feeds and the `Clock` that says when a message came; a source that finds the
    hand-over full waits in `put`, so that whoever sends is held back and nothing is dropped. What was handed over and
    never acknowledged comes again after a restart. Everything but `start` and `stop` may be called from any thread.
    """

    @property
    def connected(self) -> bool:
        """Whether the other side has accepted us."""

    @property
    def trouble(self) -> str | None:
        """Why nothing comes, as far as it is known; None: all is well."""

    @property
    def reading(self) -> bool:
        """Whether everything that gateways say reaches us now."""

    @property
    def unmet(self) -> int:
        """How many of our needs the other side does not meet, as far as it has said."""

    @property
    def certificate(self) -> bytes | None:
        """What the other side showed last (DER), or None where there is no TLS."""

    @property
    def sessions_lost(self) -> int:
        """How often the other side had forgotten what it held for us."""

    def start(self, on_subscribed: Callable[[], None]) -> None:
        """Connect in the background, and stay connected; the source's thread calls `on_subscribed` each time."""

    def stop(self) -> None:
        """End the source's thread; what is not acknowledged stays where it is."""

    def acknowledge(self, messages: Sequence[Raw]) -> None:
        """These are on disk and may be forgotten: called after the journal's commit, with `flush` behind it."""

    def announce(self, committed: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed | None]:
        """Tell gateways (plant, gateway, what) what is on disk; as much of each as could be told."""

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        """Tell a gateway what could not be taken; False: not now, it has to be told later."""

    def flush(self) -> None:
        """Send what was acknowledged and announced."""
