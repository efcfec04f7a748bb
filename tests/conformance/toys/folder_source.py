"""A toy source, as `docs/extending.md` has it: frames as files in a folder, such as a share that gateways write to.

`<number>.frame` holds the topic, a line break and the payload; it is moved into the folder when it is whole.
"""

from pathlib import Path

from ingest.intake.sources.config import SourceConfig
from ingest.intake.sources.feed import Feed
from ingest.intake.sources.polled import Leaf, PolledSource


class FolderConfig(SourceConfig):
    path: Path

    @property
    def address(self) -> str:
        return str(self.path)


class FolderSource(PolledSource):
    interval_s = 0.02

    def __init__(self, config: FolderConfig, feed: Feed) -> None:
        super().__init__(feed)
        self._folder, self._newest = config.path, 0

    def fetch(self) -> None:
        frames = [int(file.stem) for file in self._folder.iterdir() if file.match("*.frame") and file.stem.isdecimal()]
        for number in sorted(number for number in frames if number > self._newest):
            topic, _, payload = (self._folder / f"{number}.frame").read_bytes().partition(b"\n")
            if not self.hand_over(topic.decode(errors="replace"), payload, packet=number):
                return
            self._newest = number

    def forget(self, packet: int) -> None:
        (self._folder / f"{packet}.frame").unlink(missing_ok=True)

    def send(self, plant: str, gateway: str, leaf: Leaf, payload: bytes) -> None:
        (self._folder / f"{plant}.{gateway}.{leaf}").write_bytes(payload)
