"""Settings of channels that reach people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from ingest.base.config import Secret
from ingest.delivery.channels.texts import CALL, EVENTS, Language
from ingest.delivery.connector import Scheduled
from ingest.delivery.filtered import FilteredReceiver
from ingest.delivery.https import Url
from ingest.delivery.receiver import ReceiverName
from ingest.domain.model.expectations import InvalidValue, misplaced, one_of
from ingest.domain.model.text import Text

USUAL: Final = frozenset(EVENTS) - {"cleared", "feedback", "closed"}
"""Events that people are told of where the settings choose none: our default."""


def _known(event: str) -> str:
    if event not in EVENTS:
        raise InvalidValue(one_of(EVENTS))
    return event


EventName = Annotated[str, AfterValidator(_known)]


class ChannelConfig(FilteredReceiver):
    """A channel: what of a message it tells people, and in which language."""

    name: ReceiverName
    events: frozenset[EventName] | None = None  # others are passed over, and counted
    language: Language = "zh"
    timeout_s: float = Field(default=15.0, ge=1, le=60)
    ca_file: Path | None = None  # trust this authority alone, not the system's

    def tells(self, event: str) -> bool:
        """Whether people are told of an event; of a call always."""
        return event == CALL or event in (USUAL if self.events is None else self.events)


class RobotConfig(ChannelConfig):
    """A robot of a group chat: everybody in the group reads what it posts."""

    url: Url
    token: Secret  # what the robot's address bears after its path: access_token, key or the last part of the path
    posts_a_minute: int = Field(default=20, ge=2, le=1000)  # what the provider takes
    reserve: int = Field(default=5, ge=1, le=500)  # of these, for what is red; by default at most all but one

    @model_validator(mode="after")
    def _reserved(self) -> Self:
        if "reserve" in self.model_fields_set and self.reserve >= self.posts_a_minute:
            expected = Text("小于 posts_a_minute", "less than posts_a_minute")
            raise misplaced((("reserve",), self.reserve, expected))
        return self


class DingTalkConfig(RobotConfig):
    """A robot of a DingTalk group (钉钉群机器人)."""

    url: Url = "https://oapi.dingtalk.com/robot/send"
    secret: Secret | None = None  # 加签: SEC…

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.channels.dingtalk import open_dingtalk  # noqa: PLC0415

        return open_dingtalk(self, now)


class WeComConfig(RobotConfig):
    """A robot of a WeCom group (企业微信群机器人)."""

    url: Url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.channels.wecom import open_wecom  # noqa: PLC0415

        return open_wecom(self, now)


class FeishuConfig(RobotConfig):
    """A robot of a Feishu group (飞书群机器人)."""

    url: Url = "https://open.feishu.cn/open-apis/bot/v2/hook"
    secret: Secret | None = None  # 签名校验

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.channels.feishu import open_feishu  # noqa: PLC0415

        return open_feishu(self, now)
