"""The annotated settings file explains every setting, with its true default."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ingest.base.config import Config, Secret
from ingest.delivery.config import ConnectorsConfig
from ingest.runtime.settings import Settings, load_settings
from tests.deploy.written import DEPLOY

SAMPLE = DEPLOY / "yujing.toml"
HEADER = re.compile(r"(?P<off># )?\[+(?P<name>[a-z._]+)\]+")
KEY = re.compile(r"(?P<off># )?(?P<key>\w+) = (?P<value>.+)")


@dataclass
class Key:
    """One setting as the file documents it."""

    comment: str = ""  # the comment above it
    shown: Any = None  # the value on the commented line
    set: Any = None  # the value in force


@dataclass
class Table:
    """One table of the file. A table may stand in it several times: the kinds of history do."""

    name: str
    off: bool = False  # it is an example of what may be added, or of another kind
    keys: dict[str, Key] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A component's settings, and where they belong."""

    name: str
    model: type[Config]

    def __str__(self) -> str:
        return f"{self.name or 'top'}-{self.model.__name__}"


def parts(model: type[Config] = Settings, name: str = "") -> Iterator[Part]:
    yield Part(name, model)
    for key, info in model.model_fields.items():
        for inner in configs_in(info.annotation):
            yield from parts(inner, f"{name}.{key}".lstrip("."))


def configs_in(annotation: Any) -> Iterator[type[Config]]:
    """The component settings an annotation names; a secret is a value, not a component."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        if annotation is not Secret:
            yield annotation
    elif get_origin(annotation) in {Union, UnionType, Annotated, tuple}:
        for inner in get_args(annotation):
            yield from configs_in(inner)


def tables() -> list[Table]:
    found = [Table("")]
    comment = ""
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        if header := HEADER.fullmatch(line):
            found.append(Table(header["name"], off=bool(header["off"])))
        elif written := KEY.fullmatch(line):
            key = found[-1].keys.setdefault(written["key"], Key(comment))
            value = tomllib.loads(f"value = {written['value']}")["value"]
            if written["off"]:
                key.shown = value
            else:
                key.set = value
            continue
        comment = line.removeprefix("# ") if line.startswith("# ") else ""
    return found


CHANNELS = {f"connectors.{table}" for table in ConnectorsConfig.tables() if table != "platform"}
SEVERAL = {
    "api.tokens", "alarms.positions", "warnings.duty", "calls.people", "calls.people.channels", "calls.shifts",
    "calls.ladders", "calls.ladders.steps", *CHANNELS,
}  # fmt: skip
"""Tables that may stand in the file several times."""

PARTS = list(parts())
TABLES = tables()
SETTINGS = [
    pytest.param(part, key, info, id=f"{part}-{key}")
    for part in PARTS
    for key, info in part.model.model_fields.items()
    if not any(configs_in(info.annotation))
]


def table_of(part: Part) -> Table:
    """Where the file documents a component; of several kinds, the one whose `kind` it is."""
    kind = part.model.model_fields.get("kind")
    for table in TABLES:
        if table.name == part.name and (kind is None or table.keys["kind"].shown == kind.default):
            return table
    raise AssertionError(f"{part} has no table in {SAMPLE.name}")


def default_of(part: Part, key: str, info: FieldInfo) -> Any:
    """The default as TOML would have it; PydanticUndefined for what must be given."""
    return plain(info.get_default(call_default_factory=True, validated_data={}))


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    return str(value) if isinstance(value, Path | Enum) else value


@pytest.mark.parametrize(("part", "key", "info"), SETTINGS)
def test_every_setting_is_documented_with_its_default(part: Part, key: str, info: FieldInfo) -> None:
    assert key in table_of(part).keys, f"[{part.name}] {key} is not in {SAMPLE.name}"
    written = table_of(part).keys[key]
    assert re.fullmatch(r"[A-Z\"].{10,}\.", written.comment), f"[{part.name}] {key}: a sentence above it"
    default = default_of(part, key, info)
    if default is None:
        assert "Unset by default." in written.comment
    elif default is not PydanticUndefined:
        assert written.shown == default


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        pytest.param(table.name, key, written.shown, id=f"{table.name or 'top'}-{key}")
        for table in TABLES
        for key, written in table.keys.items()
        if not table.off
        and table.name != "api.tokens"  # has no defaults of its own: an entry is added by each
        and written.shown is not None
        and not written.comment.endswith("Unset by default.")
    ],
)
def test_a_commented_line_alone_sets_what_holds_without_it(table: str, key: str, value: Any) -> None:
    """Its table then has nothing else: whoever takes out the mark of one line needs to give no other."""
    given: dict[str, Any] = {key: value}
    for part in reversed(table.split(".") if table else []):
        given = {part: given}
    assert Settings.model_validate(given) == Settings()


def test_the_file_names_nothing_that_is_no_setting() -> None:
    known = {part.name: set[str]() for part in PARTS}
    for part in PARTS:
        known[part.name] |= set(part.model.model_fields)
    assert [(t.name, key) for t in TABLES for key in t.keys if key not in known[t.name]] == []


def test_the_file_loads_as_it_is_shipped() -> None:
    """For an installation by systemd: data in the state directory, TLS to the broker, one token."""
    settings = load_settings(SAMPLE)
    assert {Path("/var/lib/yujing")} == {settings.journal.path.parent, settings.state.path.parent}
    assert settings.mqtt.tls_ca
    assert [token.name for token in settings.api.tokens] == ["admin"]


def test_every_example_is_a_value_the_service_takes(tmp_path: Path) -> None:
    """With all marks taken out (and one kind of history and of state kept), the file still loads."""
    for kind in ("duckdb", "influxdb1", "influxdb2"):
        lines = []
        for table in (t for t in TABLES if t.name != "history" or t.keys["kind"].shown == kind):
            if table.name:
                several = table.name in SEVERAL
                lines.append(f"[[{table.name}]]" if several else f"[{table.name}]")
            shown = {key: w.set if w.shown is None else w.shown for key, w in table.keys.items()}
            if table.name == "state":
                at_server = kind == "influxdb1"
                shown = {key: value for key, value in shown.items() if (key == "path") != at_server}
            lines += [f"{key} = {toml(value)}" for key, value in shown.items()]
        file = tmp_path / f"{kind}.toml"
        file.write_text("\n".join(lines), encoding="utf-8")
        settings = load_settings(file)
        assert settings.history.kind == kind
        channels = ("dingtalk", "wecom", "feishu", "mail", "sms", "voice")
        assert settings.connectors.names() == ("inspector", *channels, "platform")


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f'{key} = "{inner}"' for key, inner in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else str(value)
