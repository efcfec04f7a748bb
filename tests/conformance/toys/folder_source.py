"""A toy source, as `docs/extending.md` has it: frames as files in a folder, such as a share that gateways write to.

`<number>.frame` holds the topic, a line break and the payload; it is moved into the folder when it is whole.
"""

import threading
from collections.abc import Callable, Sequence
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
    unmet = 0
    certificate: bytes | None = None
    sessions_lost = 0

    def __init__(self, config: FolderConfig, feed: Feed) -> None:
        self._folder, self._feed = config.path, feed
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def connected(self) -> bool:
        return self._thread is not None and self._folder.is_dir()

    @property
    def reading(self) -> bool:
        return self.connected

    @property
    def trouble(self) -> str | None:
        return None if self.connected else f"{self._folder} is not read"

    def start(self, on_subscribed: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=self._run, name="folder-source")
        self._thread.start()
        on_subscribed()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def acknowledge(self, messages: Sequence[Raw]) -> None:
        for message in messages:
            (self._folder / f"{message.packet}.frame").unlink(missing_ok=True)

    def announce(self, committed: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed | None]:
        for plant, gateway, report in committed:
            (self._folder / f"{plant}.{gateway}.committed").write_bytes(encode_committed(report))
        return [report for _, _, report in committed]

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        (self._folder / f"{plant}.{gateway}.refused").write_bytes(encode_refusal(refusal))
        return True

    def flush(self) -> None:
        """Nothing waits."""

    def _run(self) -> None:
        newest = 0
        while not self._stopping.wait(0.02):
            for number in sorted(int(file.stem) for file in self._folder.glob("*.frame") if int(file.stem) > newest):
                topic, _, payload = (self._folder / f"{number}.frame").read_bytes().partition(b"\n")
                message = Raw(topic.decode(errors="replace"), payload, *self._feed.clock.read(), packet=number)
                if not self._feed.handover.put([message], self._stopping.is_set):
                    return
                newest = number
