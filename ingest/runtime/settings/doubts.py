"""Finds what settings may say but hardly mean: unknown names, weak secrets, unprotected connections.

These are doubts, not faults: the service starts with them, and `yujing check` lists them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_IROTH, S_IWGRP, S_IWOTH
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel

from ingest.base.config import Secret
from ingest.delivery.https import is_loopback
from ingest.delivery.platform.code_doubts import doubts_of_codes
from ingest.domain.model.expectations import with_near
from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.doubts import doubts_of
from ingest.plants.numbering import MemoryNumbering, PointKey
from ingest.plants.regions import region_doubt
from ingest.runtime.settings import Settings
from ingest.runtime.settings.call_doubts import doubts_of_calls
from ingest.runtime.settings.certificates import ending
from ingest.storage.history.config import InfluxConfig
from ingest.storage.journal.errors import JournalBroken, JournalUnavailable
from ingest.storage.journal.inspection import JournalInspection

RESERVED_NAME: Final = "yujing"
"""Under this name the service itself stands in the audit trail."""

_LETTERS: Final = 8  # different ones that a token has at least; of 16 drawn at random nearly all differ
_MOUNTED: Final = Path("/run/secrets")  # a container's own, readable for everybody in it


def doubts(file: Path, settings: Settings, configuration: PlantConfiguration) -> list[Fault]:
    """Yield every doubt about the settings and their plant files; reads secrets, shows none."""
    found = [Fault(str(file), key, value, expected) for key, value, expected in _of_settings(settings, configuration)]
    found += [
        Fault(str(file), *doubt)
        for doubt in doubts_of_calls(settings.calls, settings.connectors.names(), configuration)
    ]
    found += ending(settings, time.time_ns())
    found += doubts_of(configuration, settings.plants)
    if settings.connectors.platform is not None:
        found += doubts_of_codes(settings.connectors.platform, configuration.enterprises())
    return [*found, *_renamed(settings, configuration)]


_Doubt = tuple[str, str, Text]


def _of_settings(settings: Settings, configuration: PlantConfiguration) -> Iterator[_Doubt]:
    yield from _data(settings)
    yield from _names(settings, configuration)
    yield from _ways(settings)
    yield from _secrets(settings)


def _data(settings: Settings) -> Iterator[_Doubt]:
    """Yield a doubt if only one of journal and state database exists: the other is lost or under another path."""
    paths = {"journal.path": settings.journal.path, "state.path": settings.state.path}
    if settings.state.server is None:
        there = [path for path in paths.values() if path.exists()]
        for key, path in paths.items():
            if len(there) == 1 and path not in there:
                yield (
                    key,
                    str(path),
                    Text(
                        f"存在的文件：{there[0]} 在，二者属同一套安装",
                        f"a file that is there, as {there[0]} is: they are of one installation",
                    ),
                )


def _names(settings: Settings, configuration: PlantConfiguration) -> Iterator[_Doubt]:
    named: list[tuple[str, Iterable[str] | None]] = [
        *((f"warnings.duty.{duty.name}.plants", duty.plants) for duty in settings.warnings.duty),
        *((f"alarms.positions.{position.name}.plants", position.plants) for position in settings.alarms.positions),
        *_plants_of_receivers(settings),
        *((f"api.tokens.{token.name}.plants", token.plants) for token in settings.api.tokens),
    ]
    known = {plant.id for plant in configuration.enterprises()} | {SERVICE}
    for key, plants in named:
        for plant in sorted(set(plants or ()) - known):
            folder = settings.plants
            yield key, plant, Text(f"{folder} 中有其文件的企业", f"a plant of a file in {folder}")
    for duty in settings.warnings.duty:
        for region in sorted(duty.regions or ()):
            nowhere = region_doubt(region.ljust(6, "0"))
            if nowhere:
                yield f"warnings.duty.{duty.name}.regions", region, nowhere
    for token in settings.api.tokens:
        if token.name == RESERVED_NAME:
            yield (
                f"api.tokens.{token.name}.name",
                token.name,
                Text("别的名字：服务自身在审计中用此名", "another name: under it the service itself is in the audit"),
            )


def _plants_of_receivers(settings: Settings) -> Iterator[tuple[str, Iterable[str] | None]]:
    for table in settings.connectors.tables():
        found = getattr(settings.connectors, table)
        for receiver in found if isinstance(found, tuple) else [] if found is None else [found]:
            key = f"connectors.{table}.{receiver.name}" if isinstance(found, tuple) else f"connectors.{table}"
            yield f"{key}.plants", getattr(receiver, "plants", None)


def _renamed(settings: Settings, configuration: PlantConfiguration) -> Iterator[Fault]:
    """Yield a doubt about former ids that carry nothing over: alarms of such a point would be removed."""
    known = _numbered(settings.journal.path)
    was = {
        (plant.id, point.id): point.was for plant in configuration.enterprises() for point in plant.points if point.was
    }
    carried = MemoryNumbering(known)([*was], was).renamed
    for (plant, point), former in was.items():
        if (plant, point) not in carried:
            here = [name for of, name in known if of == plant]
            expected = (
                Text("不写 `was`：两者一直是各自的测点", "no `was`: both have been points of their own, and stay so")
                if former in here
                else with_near(
                    Text(
                        f"{point} 从前的编号；{plant} 从来没有这个测点",
                        f"the id that {point} had; no point of {plant} ever had this one",
                    ),
                    former,
                    here,
                )
            )
            yield Fault(str(settings.plants / f"{plant}.toml"), f"points ({point}) was", former, expected)


def _numbered(journal: Path) -> dict[PointKey, int]:
    """Return every point the journal ever numbered; none if it does not exist yet or cannot be read."""
    try:
        with JournalInspection(journal) as file:
            return {key: number for number, key in file.points().items()}
    except (JournalUnavailable, JournalBroken):  # the start tells that
        return {}


def _ways(settings: Settings) -> Iterator[_Doubt]:
    api, mqtt, history, server = settings.api, settings.mqtt, settings.history, settings.state.server
    if not api.tokens:
        yield (
            "api.tokens",
            "(none)",
            Text(
                "每人一个令牌，否则无人能登录、看到或确认报警",
                "a token for each person: nobody can sign in, see an alarm or acknowledge it",
            ),
        )
    if not is_loopback(api.host) and not api.tls:
        yield (
            "api.host",
            api.host,
            Text(
                "代理之后的 127.0.0.1，或 tls_cert 与 tls_key：令牌明文传输",
                "127.0.0.1 behind a proxy with TLS, or tls_cert and tls_key: tokens go in the clear",
            ),
        )
    if mqtt.password is not None and mqtt.tls_ca is None and not is_loopback(mqtt.host):
        yield (
            "mqtt.tls_ca",
            "(missing)",
            Text(
                f"{mqtt.host} 证书的签发机构：密码明文传输",
                f"the authority of {mqtt.host}'s certificate: the password goes in the clear",
            ),
        )
    if isinstance(history, InfluxConfig) and history.url.startswith("http:"):
        bears = getattr(history, "token", None) or getattr(history, "password", None)
        if bears is not None and not is_loopback(urlsplit(history.url).hostname or ""):
            expected = Text("https：令牌或密码明文传输", "https: the token or password goes in the clear")
            yield "history.url", history.url, expected
    if server is not None and not server.here and settings.state.sslmode in {"disable", "require"}:
        yield (
            "state.sslmode",
            settings.state.sslmode,
            Text(
                f"verify-full：中间人可读取并冒充 {server.host}",
                f"verify-full: who is between may read and pretend to be {server.host}",
            ),
        )


def _secrets(settings: Settings) -> Iterator[_Doubt]:
    for key, secret in secrets_of(settings):
        if secret.file is not None and (mode := _open_mode(secret.file)):
            yield (
                key,
                f"{secret.file}, mode {mode:04o}",
                Text(
                    "只有属主和属组可读的文件：chmod 0640",
                    "a file that only its owner and group can read: chmod 0640",
                ),
            )
    for token in settings.api.tokens:
        text = _read(token.token)
        if text is not None and len(set(text)) < _LETTERS:
            yield (
                f"api.tokens.{token.name}.token",
                "(hidden)",
                Text(
                    f"随机生成：不同字符不足 {_LETTERS} 个",
                    f"drawn at random: it has less than {_LETTERS} different characters",
                ),
            )
    platform = settings.connectors.platform
    if platform is not None and platform.key is not None and platform.iv is not None:
        drawn, vector = _read(platform.key), _read(platform.iv)
        if drawn is not None and vector is not None and drawn.lower() == vector.lower():
            expected = Text("与密钥不同的值", "another value than the key's")
            yield "connectors.platform.iv", "(hidden)", expected


def secrets_of(part: BaseModel, at: str = "") -> Iterator[tuple[str, Secret]]:
    """Yield every secret in the settings with its key."""
    for name, value in part:
        key = f"{at}{name}"
        if isinstance(value, Secret):
            yield key, value
        elif isinstance(value, BaseModel):
            yield from secrets_of(value, f"{key}.")
        elif isinstance(value, tuple):
            for number, base_model in enumerate(value):
                if isinstance(base_model, BaseModel):
                    yield from secrets_of(base_model, f"{key}.{getattr(base_model, 'name', number)}.")


def _read(secret: Secret) -> str | None:
    try:
        return secret.read()
    except LookupError:  # a fault, told elsewhere
        return None


def _open_mode(file: Path) -> int:
    """Return its permissions if others may read or change it, else 0."""
    try:
        mode = file.stat().st_mode & 0o777
    except OSError:
        return 0
    return mode if mode & (S_IROTH | S_IWOTH | S_IWGRP) and not file.is_relative_to(_MOUNTED) else 0
