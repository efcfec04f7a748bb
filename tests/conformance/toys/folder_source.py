"""A toy source, as `docs/extending.md` has it: frames as files in a folder, such as a share that gateways write to.

`<number>.frame` holds the topic, a line break and the payload; it is moved into the folder when it is whole.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ingest.intake.sources.config import SourceConfig
from ingest.intake.sources.feed import Feed
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Committed, Refusal, encode_committed, encode_refusal


class FolderConfig(SourceConfig):
    path: Path

    @property
    def address(self) -> str:
        return str(self.path)


class FolderSource:
    unmet = sessions_lost = 0
    certificate: bytes | None = None

    def __init__(self, config: FolderConfig, feed: Feed) -> None:
        self._folder, self._feed = config.path, feed
        self._stopping, self._newest = threading.Event(), 0
        self._thread = threading.Thread(target=self._run, name="folder-source")
        self.trouble: str | None = "not started"

    @property
    def connected(self) -> bool:
        return self.trouble is None

    reading = connected

    def start(self, on_subscribed: Callable[[], None]) -> None:
        self._on_subscribed = on_subscribed
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def acknowledge(self, messages: Sequence[Raw]) -> None:
        for message in messages:
            with suppress(OSError):  # it is away: the file is read again by the next start, and known again
                (self._folder / f"{message.packet}.frame").unlink(missing_ok=True)

    def announce(self, committed: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed | None]:
        for plant, gateway, report in committed:
            self._write(f"{plant}.{gateway}.committed", encode_committed(report))
        return [report for _, _, report in committed]

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        return self._write(f"{plant}.{gateway}.refused", encode_refusal(refusal))

    def flush(self) -> None:
        """Nothing waits."""

    def _write(self, name: str, payload: bytes) -> bool:
        with suppress(OSError):
            return (self._folder / name).write_bytes(payload) > 0
        return False

    def _run(self) -> None:
        try:
            while not self._stopping.wait(0.02):
                try:
                    self._read()
                except OSError as error:
                    self.trouble = f"{self._folder}: {error.strerror}"
        except BaseException as error:  # noqa: BLE001  the service ends with it, and is started again
            self._feed.failed(error)

    def _read(self) -> None:
        frames = [int(file.stem) for file in self._folder.iterdir() if file.match("*.frame") and file.stem.isdecimal()]
        if self.trouble is not None:
            self.trouble = None
            self._on_subscribed()
        for number in sorted(number for number in frames if number > self._newest):
            topic, _, payload = (self._folder / f"{number}.frame").read_bytes().partition(b"\n")
            message = Raw(topic.decode(errors="replace"), payload, *self._feed.clock.read(), packet=number)
            if not self._feed.handover.put([message], self._stopping.is_set):
                return
            self._newest = number
