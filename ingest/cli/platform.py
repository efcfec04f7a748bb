"""`yujing platform`: the profiles there are, and a trial of the connection to a province."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ingest.base.usage_errors import BilingualGroup
from ingest.cli.configured import UNAVAILABLE, ConfigFile, refuse, say, settings_to_try
from ingest.cli.findings import show_finding
from ingest.delivery.findings import Finding
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text

if TYPE_CHECKING:
    from ingest.delivery.platform.config import PlatformConfig
    from ingest.delivery.platform.model import ProfileFile
    from ingest.delivery.platform.opening import Opened

app = typer.Typer(
    cls=BilingualGroup, no_args_is_help=True, help="省级平台：协议与联调 Provincial platform: profiles and a trial."
)
_DEFAULT: Final = Path("yujing.toml")
_MARKS: Final = {"found": "found 查到", "recalled": "recalled 记得", "default": "default 本产品默认"}


@app.command("profiles")
def profiles() -> None:
    """列出随产品提供的协议，各部分的来源 List the profiles that come with the service, and what each part rests on."""
    from ingest.delivery.platform.loading import load_profile, shipped  # noqa: PLC0415  other commands need none of it

    for name in shipped():
        form = load_profile(name, "profile")
        typer.echo(f"{name}: {form.profile.title.zh} {form.profile.title.en}")
        for part, mark, source in _marks(form):
            typer.echo(f"    {part}: {_MARKS[mark]}: {source}")


def _marks(form: ProfileFile) -> list[tuple[str, str, str]]:
    from ingest.delivery.platform.parts import Part  # noqa: PLC0415

    parts = [(name, value) for name, value in form if isinstance(value, Part)]
    parts += [(f"codes.{name}", code) for name, code in form.codes.items()]
    return [(name, part.confidence, part.source) for name, part in parts]


@app.command("test")
def try_out(
    config: ConfigFile = _DEFAULT,
    *,
    profile: Annotated[
        str | None, typer.Option(help="试用另一协议 Try this profile instead of that in the settings.")
    ] = None,
    send: Annotated[
        bool,
        typer.Option(
            "--send", help="真的发送各类测试记录（注明“联调测试”） Send a record of each kind, marked as a test."
        ),
    ] = False,
) -> None:
    """联调：编码、网址、时钟、令牌、各类记录 Try codes, address, clock, token, records; exit code 1 if one fails."""
    from ingest.delivery.platform.opening import open_parts  # noqa: PLC0415

    try:
        platform, plants = _settings(config, profile)
        opened = open_parts(platform)
    except InvalidConfig as error:
        refuse(error)
    found = asyncio.run(_tried(platform, opened, plants, send=send))
    if not all(finding.good is not False for finding in found):
        raise typer.Exit(UNAVAILABLE)
    if not send:
        say.print(
            "未发送测试记录；与平台约好后加 --send。 No record was sent; agree with the platform, then add --send."
        )


def _settings(config: Path, profile: str | None) -> tuple[PlatformConfig, list[Plant]]:
    from ingest.plants.load import load_configuration  # noqa: PLC0415
    from ingest.plants.numbering import MemoryNumbering  # noqa: PLC0415

    settings = settings_to_try(config, "connectors", "platform")
    platform = settings.connectors.platform
    if platform is None:
        wanted = Text("表 [connectors.platform]", "a table [connectors.platform]")
        raise InvalidConfig([Fault(str(config), "connectors.platform", "(missing)", wanted)])
    if profile is not None:
        platform = type(platform).model_validate({**dict(platform), "profile": profile})
    configuration = load_configuration(settings.plants, MemoryNumbering(), version=1)
    return platform, configuration.enterprises()


async def _tried(platform: PlatformConfig, opened: Opened, plants: list[Plant], *, send: bool) -> list[Finding]:
    from ingest.delivery.platform.trial import trial  # noqa: PLC0415

    found = []
    async for finding in trial(platform, opened, plants, send=send):
        show_finding(finding)
        found.append(finding)
    return found
