"""The base of a source that fetches what has come, such as from a folder, a database or a queue with no push."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Literal, final

from ingest.intake.sources.feed import Feed
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Committed, Refusal, encode_committed, encode_refusal
from ingest.intake.wire.trust import in_words

Leaf = Literal["committed", "refused"]
"""What a message to a gateway is about, as in the topics of the protocol."""


class PolledSource(ABC):
    """A `Source` that calls `fetch` at an interval, in a thread of its own; a subclass is what it fetches from.

    While the other side is away, `fetch`, `forget` and `send` raise OSError: that becomes the `trouble`, and `fetch` is
    called again. Any other error of `fetch` ends the thread and goes to `Feed.failed`.

    Attributes:
        interval_s: seconds between two calls of `fetch`.
    """

    interval_s: ClassVar[float] = 1.0
    unmet = sessions_lost = 0
    certificate: bytes | None = None

    def __init__(self, feed: Feed) -> None:
        """Prepare without connecting."""
        self.trouble: str | None = "not started"
        self._feed = feed
        self._on_subscribed: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__)

    @abstractmethod
    def fetch(self) -> None:
        """Hand over all messages that came since the last call, in their order, by `hand_over`."""

    @abstractmethod
    def forget(self, packet: int) -> None:
        """Let the other side forget a message: it is on disk. Called from any thread, also twice for the same."""

    @abstractmethod
    def send(self, plant: str, gateway: str, leaf: Leaf, payload: bytes) -> None:
        """Leave a message for a gateway; it replaces the one before about the same. Called from any thread."""

    @final
    def hand_over(self, topic: str, payload: bytes, packet: int) -> bool:
        """Hand a message over, and wait for room; `packet` is what `forget` will name it by.

        Returns False if the source was stopped meanwhile: the message was not taken, and `fetch` is to return.
        """
        self._reached()
        received, set_by = self._feed.clock.read()
        unread = not self._feed.admit(topic, len(payload))
        message = Raw(topic, b"" if unread else payload, received, set_by, packet, unread=unread)
        return self._feed.handover.put([message], self._stopping.is_set)

    @property
    def connected(self) -> bool:
        """See `Source`."""
        return self.trouble is None

    @property
    def reading(self) -> bool:
        """See `Source`."""
        return self.trouble is None

    def start(self, on_subscribed: Callable[[], None]) -> None:
        """See `Source`."""
        self._on_subscribed = on_subscribed
        self._thread.start()

    def stop(self) -> None:
        """See `Source`."""
        self._stopping.set()
        self._thread.join()

    def acknowledge(self, messages: Sequence[Raw]) -> None:
        """See `Source`. What cannot be forgotten now is fetched again after the next start, and recognised."""
        for message in messages:
            with suppress(OSError):
                self.forget(message.packet)

    def announce(self, committed: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed | None]:
        """See `Source`."""
        for plant, gateway, report in committed:
            self._sent(plant, gateway, "committed", encode_committed(report))
        return [report for _, _, report in committed]

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        """See `Source`."""
        return self._sent(plant, gateway, "refused", encode_refusal(refusal))

    def flush(self) -> None:  # noqa: B027  not for subclasses: `forget` and `send` are done when they return
        """See `Source`."""

    def _sent(self, plant: str, gateway: str, leaf: Leaf, payload: bytes) -> bool:
        with suppress(OSError):
            self.send(plant, gateway, leaf, payload)
            return True
        return False

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self.fetch()
                    self._reached()
                except OSError as error:
                    self.trouble = in_words(error)
                self._stopping.wait(self.interval_s)
        except BaseException as error:  # noqa: BLE001  the service ends with it, and is started again
            self._feed.failed(error)

    def _reached(self) -> None:
        """Note that the other side is there, before what it has sent is handed over."""
        if self.trouble is not None:
            self.trouble = None
            self._on_subscribed()
