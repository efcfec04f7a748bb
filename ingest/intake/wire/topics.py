"""Topics of the native protocol: `yujing/v1/{plant}/{gateway}/{frame|status|committed|refused}`."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

PREFIX = "yujing/v1"
FRAMES = f"{PREFIX}/+/+/frame"
STATUSES = f"{PREFIX}/+/+/status"

Leaf = Literal["frame", "status", "committed", "refused"]


class Topic(msgspec.Struct, frozen=True, gc=False):
    """Who speaks, and about what."""

    plant: str
    gateway: str
    leaf: Leaf


def frame_topic(plant: str, gateway: str) -> str:
    """Where a gateway publishes its frames."""
    return f"{PREFIX}/{plant}/{gateway}/frame"


def status_topic(plant: str, gateway: str) -> str:
    """Where a gateway's retained status (and last will) stands."""
    return f"{PREFIX}/{plant}/{gateway}/status"


def committed_topic(plant: str, gateway: str) -> str:
    """Where the service tells a gateway what is safely on disk (retained)."""
    return f"{PREFIX}/{plant}/{gateway}/committed"


def refused_topic(plant: str, gateway: str) -> str:
    """Where the service tells a gateway what it could not take."""
    return f"{PREFIX}/{plant}/{gateway}/refused"


def parse_topic(topic: str) -> Topic | None:
    """Return the parts of a topic of ours, or None."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "yujing" or parts[1] != "v1" or not parts[2] or not parts[3]:
        return None
    for leaf in get_args(Leaf):
        if parts[4] == leaf:
            return Topic(parts[2], parts[3], leaf)
    return None
