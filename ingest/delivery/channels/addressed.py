"""Settings of channels that go to addresses of people: mail, short messages, calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ingest.base.config import Secret
from ingest.delivery.channels.config import ChannelConfig
from ingest.delivery.connector import Scheduled
from ingest.delivery.destinations import written_fault
from ingest.delivery.https import Url, is_loopback
from ingest.domain.model.expectations import InvalidValue, misplaced
from ingest.domain.model.notice import Matter
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning

PHONE: Final = re.compile(r"\+?[0-9]{5,20}")
MAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")

_PORTS: Final = {"tls": 465, "starttls": 587, "none": 25}


def _phone(text: str) -> str:
    if not PHONE.fullmatch(text):
        raise InvalidValue(Text("电话号码，如 13800000000", "a phone number such as 13800000000"))
    return text


def _mail(text: str) -> str:
    if not MAIL.fullmatch(text):
        raise InvalidValue(Text("邮箱地址，如 a@example.cn", "a mail address such as a@example.cn"))
    return text


Phone = Annotated[str, AfterValidator(_phone)]
MailAddress = Annotated[str, AfterValidator(_mail)]


class AddressedConfig(ChannelConfig):
    """A channel that tells everybody in `to`; without anybody there it serves calls alone."""

    to: tuple[str, ...] = ()

    def wants(self, kind: MessageKind, plant: str, level: int | None) -> bool:
        """See `ReceiverConfig`."""
        return bool(self.to) and super().wants(kind, plant, level)

    def wants_warning(self, warning: EarlyWarning) -> bool:
        """See `ReceiverConfig`."""
        return bool(self.to) and super().wants_warning(warning)

    def wants_notice(self, plant: str, matter: Matter) -> bool:
        """See `ReceiverConfig`."""
        return bool(self.to) and super().wants_notice(plant, matter)


class EmailConfig(AddressedConfig):
    """A mail server that takes our mail."""

    host: str = Field(min_length=1, max_length=253)
    port: int | None = Field(default=None, ge=1, le=65535)
    tls: Literal["tls", "starttls", "none"] = "tls"
    username: str | None = Field(default=None, min_length=1, max_length=200)
    password: Secret | None = None
    sender: MailAddress
    to: tuple[MailAddress, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        expected = written_fault(self.host, self.allow_networks)
        if expected is not None:
            raise misplaced((("host",), self.host, expected))
        if (self.username is None) != (self.password is None):
            key = "username" if self.username is None else "password"
            both = Text("username 与 password 同填或同不填", "username and password together, or neither")
            raise misplaced(((key,), None, both))
        if self.tls == "none" and not is_loopback(self.host):
            wanted = Text(
                '"tls" 或 "starttls"（"none" 只用于本机）', '"tls" or "starttls" ("none" is for this machine only)'
            )
            raise misplaced((("tls",), self.tls, wanted))
        return self

    @property
    def tcp_port(self) -> int:
        """The port in the settings, else the usual one."""
        return self.port or _PORTS[self.tls]

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.channels.email import open_email  # noqa: PLC0415

        return open_email(self, now)


Variable = Literal["level", "text", "id", "name"]


class AliyunConfig(AddressedConfig):
    """What short messages and calls by Alibaba Cloud have in common."""

    provider: Literal["aliyun"] = "aliyun"
    access_key_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")
    access_key_secret: Secret
    template: str = Field(pattern=r"^[A-Za-z0-9_]{1,64}$")  # its code, as the provider approved it
    text_chars: int = Field(default=35, ge=10, le=500)  # characters the provider takes of a variable
    to: tuple[Phone, ...] = ()


class SmsConfig(AliyunConfig):
    """Short messages (阿里云短信服务 SendSms)."""

    url: Url = "https://dysmsapi.aliyuncs.com/"
    sign_name: str = Field(min_length=1, max_length=100)  # 短信签名
    variables: tuple[Variable, ...] = ("level", "text", "id")  # those its template has

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.channels.phone import open_sms  # noqa: PLC0415

        return open_sms(self, now)


class VoiceConfig(AliyunConfig):
    """Calls that read a text aloud (阿里云语音服务 SingleCallByTts)."""

    url: Url = "https://dyvmsapi.aliyuncs.com/"
    show_number: Phone | None = None  # None: the provider's common numbers
    play_times: int = Field(default=2, ge=1, le=3)
    variables: tuple[Variable, ...] = ("level", "text")  # those its template has

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        """See `ReceiverConfig`."""
        from ingest.delivery.channels.phone import open_voice  # noqa: PLC0415

        return open_voice(self, now)
