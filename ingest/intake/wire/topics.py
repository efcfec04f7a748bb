"""Topics of the native protocol: `yujing/v1/{plant}/{gateway}/{frame|status|committed|refused}`."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

PREFIX = "yujing/v1"
FRAMES = f"{PREFIX}/+/+/frame"
STATUSES = f"{PREFIX}/+/+/status"

Leaf = Literal["frame", "status", "committed", "refused"]


class Topic(msgspec.Struct, frozen=True, gc=False):
    """The parts of a topic: sender and kind of message."""

    plant: str
    gateway: str
    leaf: Leaf


def frame_topic(plant: str, gateway: str) -> str:
    """The topic of a gateway's frames."""
    return f"{PREFIX}/{plant}/{gateway}/frame"


def status_topic(plant: str, gateway: str) -> str:
    """The topic of a gateway's retained status and last will."""
    return f"{PREFIX}/{plant}/{gateway}/status"


def committed_topic(plant: str, gateway: str) -> str:
    """The topic on which the service announces to a gateway what is on disk (retained)."""
    return f"{PREFIX}/{plant}/{gateway}/committed"


def refused_topic(plant: str, gateway: str) -> str:
    """The topic on which the service tells a gateway what it could not take."""
    return f"{PREFIX}/{plant}/{gateway}/refused"


def parse_topic(topic: str) -> Topic | None:
    """Parse a topic of this protocol; None if it is another."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "yujing" or parts[1] != "v1" or not parts[2] or not parts[3]:
        return None
    for leaf in get_args(Leaf):
        if parts[4] == leaf:
            return Topic(parts[2], parts[3], leaf)
    return None
