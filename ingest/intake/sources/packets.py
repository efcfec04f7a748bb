"""Parses MQTT packets in place: their boundaries, and the fields of a publish; pure."""

from __future__ import annotations

from typing import Final

Publish = tuple[bytes, bytes, int, bool]
"""Topic, payload, packet id (0: no acknowledgement wanted), and whether it is retained."""

PUBLISH: Final = 3
"""The packet type of a publish, in the upper half of the first byte."""

_RETAINED: Final = 0x01  # set only on what answers a subscription (MQTT 5, 3.3.1.3)


def whole_size(data: bytes, at: int) -> int:
    """Size of the incomplete packet that begins at `at`, bytes; 0 if its length is incomplete too."""
    length = length_at(data, at + 1, len(data))
    return length[0] + length[1] - at if length is not None else 0


def body_of(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and ends, or None if the packet is incomplete.

    Raises:
        ValueError: a length no packet may have.
    """
    length = length_at(data, at + 1, len(data))
    if length is None or length[0] + length[1] > len(data):
        return None
    return length[1], length[0] + length[1]


def length_at(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """A variable byte integer (MQTT 5, 1.5.5) and the position after it, or None if it goes on beyond `end`.

    Raises:
        ValueError: it takes more than four bytes.
    """
    if at < end and data[at] < 128:  # as nearly always
        return data[at], at + 1
    number, shift = 0, 0
    for place in range(at, min(at + 4, end)):
        byte = data[place]
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place + 1
        shift += 7
    if end >= at + 4:
        raise ValueError("a length that takes more than four bytes")
    return None


def publish_in(data: bytes, head: int, start: int, end: int, *, five: bool) -> Publish:
    """Parse the publish whose body lies between `start` and `end`.

    Raises:
        ValueError: QoS 2 or 3, or fields that reach beyond the packet.
    """
    qos = head >> 1 & 3
    if qos > 1:
        raise ValueError(f"a publish of QoS {qos}; subscribed with 1")
    if end < start + 2:
        raise ValueError("a publish without a topic")
    topic_end = start + 2 + (data[start] << 8 | data[start + 1])
    at = topic_end + 2 if qos else topic_end
    if five:  # properties, with their length, stand in front of the payload
        length = length_at(data, at, end)
        if length is None:
            raise ValueError("properties that do not end")
        at = length[0] + length[1]
    if at > end:
        raise ValueError("a publish that is shorter than its fields")
    packet = data[topic_end] << 8 | data[topic_end + 1] if qos else 0
    return data[start + 2 : topic_end], data[at:end], packet, head & _RETAINED != 0
