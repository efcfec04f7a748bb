"""`yujing notify`: a trial of a channel that reaches people."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ingest.base.usage_errors import BilingualGroup
from ingest.cli.configured import UNAVAILABLE, ConfigFile, refuse, settings_to_try
from ingest.cli.findings import show_finding
from ingest.domain.model.expectations import one_of
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text

if TYPE_CHECKING:
    from ingest.delivery.channels.config import ChannelConfig

app = typer.Typer(
    cls=BilingualGroup, no_args_is_help=True, help="通知渠道联调 A trial of a channel that reaches people."
)
_DEFAULT: Final = Path("yujing.toml")


@app.callback()
def _group() -> None:
    """A group, though it has one command so far; its help text is given where `app` is made."""


@app.command("test")
def try_out(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="渠道名称 Its name in the settings.")],
    config: ConfigFile = _DEFAULT,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="只找此人：号码、邮箱或成员编号 Call this person: number, mail address, member."
        ),
    ] = None,
) -> None:
    """发一条测试消息，说明哪里不对、怎么改 Send one test message; exit code 1 if it is not taken."""
    try:
        receiver = _channel(config, channel, to)
        good = asyncio.run(_tried(receiver, to))
    except InvalidConfig as error:
        refuse(error)
    if not good:
        raise typer.Exit(UNAVAILABLE)


def _channel(config: Path, name: str, to: str | None) -> ChannelConfig:
    from ingest.delivery.channels.addressed import AddressedConfig  # noqa: PLC0415  other commands need none of it
    from ingest.delivery.channels.config import ChannelConfig  # noqa: PLC0415

    settings = settings_to_try(config, "connectors", "*", name)
    channels = [each for each in settings.connectors.receivers() if isinstance(each, ChannelConfig)]
    receiver = next((each for each in channels if each.name == name), None)
    if receiver is None:
        known = one_of(each.name for each in channels) if channels else Text("配置中没有渠道", "no channel is set up")
        raise InvalidConfig([Fault(str(config), "CHANNEL", name, known)])
    if to is not None and not to.strip():
        raise InvalidConfig([Fault(str(config), "--to", to, Text("一个人的地址", "the address of a person"))])
    if to is None and isinstance(receiver, AddressedConfig) and not receiver.to:
        wanted = Text("它的 to 为空：用 --to 写明发给谁", "its `to` is empty: say whom by --to")
        raise InvalidConfig([Fault(str(config), "--to", "(missing)", wanted)])
    return receiver


async def _tried(receiver: ChannelConfig, to: str | None) -> bool:
    from ingest.delivery.channels.trial import trial  # noqa: PLC0415

    good = True
    async for finding in trial(receiver, to):
        show_finding(finding)
        good = good and finding.good is not False
    return good
