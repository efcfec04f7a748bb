"""A topic names one plant, one gateway and one purpose, or it is none of ours."""

from __future__ import annotations

import pytest

from ingest.intake.wire.topics import Topic, committed_topic, frame_topic, parse_topic, refused_topic, status_topic


def test_what_is_built_is_read_back() -> None:
    assert parse_topic(frame_topic("p", "g")) == Topic("p", "g", "frame")
    assert parse_topic(status_topic("p", "g")) == Topic("p", "g", "status")
    assert parse_topic(committed_topic("p", "g")) == Topic("p", "g", "committed")
    assert parse_topic(refused_topic("p", "g")) == Topic("p", "g", "refused")


@pytest.mark.parametrize(
    "topic",
    ["", "yujing/v1/p/g", "yujing/v2/p/g/frame", "yujing/v1//g/frame", "yujing/v1/p/g/frame/x", "x/v1/p/g/frame"],
)
def test_other_topics_are_not_ours(topic: str) -> None:
    assert parse_topic(topic) is None
