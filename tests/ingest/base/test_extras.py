"""A missing library is reported with the extra that brings it, in both languages; all that does not need it goes on."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from ingest.base.config import Secret
from ingest.base.extras import EXTRAS, ExtraMissing, command, installed
from ingest.cli import main as cli
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.lists import make
from ingest.domain.cases.written import write_csv, write_xlsx
from ingest.storage.history.config import DuckDBConfig, InfluxV2Config
from ingest.storage.history.registry import open_store
from ingest.storage.history.unavailable import UnavailableStore
from ingest.storage.state.backend import open_backend
from ingest.storage.state.config import StateConfig
from tests.deploy.written import PYPROJECT
from tests.small_plant import write_plant

SETTINGS = {
    "duckdb": "",
    "influxdb2": '[history]\nkind = "influxdb2"\nurl = "http://127.0.0.1:1"\norg = "o"\ntoken = { file = "token" }\n',
    "postgresql": '[state]\nurl = "postgresql://yujing@127.0.0.1:1/yujing"\n',
}
KEYS = {"duckdb": "history.kind", "influxdb2": "history.kind", "postgresql": "state.url"}
OURS = (
    "ingest.storage.history.duck",
    "ingest.storage.history.influx_v2",
    "ingest.storage.history.setup_v2",
    "ingest.storage.state.postgresql",
)

Hide = Callable[[str], None]


class Hidden(MetaPathFinder):
    """An import hook to which these modules are not installed."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self._modules = modules

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name.partition(".")[0] in self._modules:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Hide:
    """Takes an extra's libraries away until the end of the test, and what of ours may have loaded them."""

    def take_away(extra: str) -> None:
        modules = EXTRAS[extra]
        for name in [*sys.modules]:
            if name.partition(".")[0] in modules or name.startswith(OURS):
                parent, _, leaf = name.rpartition(".")
                if hasattr(sys.modules.get(parent), leaf):  # `from parent import leaf` would be content with it
                    monkeypatch.delattr(sys.modules[parent], leaf)
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, "meta_path", [Hidden(modules), *sys.meta_path])

    return take_away


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """A settings file with these tables, beside a plant."""

    def write(text: str) -> str:
        monkeypatch.chdir(tmp_path)
        write_plant(tmp_path)
        (tmp_path / "token").write_text("0123456789abcdef" * 2)
        (tmp_path / "yujing.toml").write_text(text, encoding="utf-8")
        return str(tmp_path / "yujing.toml")

    return write


@pytest.mark.parametrize("extra", SETTINGS)
@pytest.mark.parametrize("asked", ["check", "run"])
def test_settings_that_need_an_extra_are_refused_by_its_name(
    hide: Hide, config: Callable[[str], str], asked: str, extra: str
) -> None:
    file = config(SETTINGS[extra])
    hide(extra)
    result = CliRunner().invoke(cli.app, [asked, "--config", file])
    structlog.reset_defaults()
    assert result.exit_code == 2, result.output
    words = result.output.replace("\\", "")
    for word in (KEYS[extra], "已安装附加组件", "its extra installed", command(extra)):
        assert word in words
    assert "Traceback" not in words


@pytest.mark.parametrize("extra", SETTINGS)
def test_settings_that_need_no_extra_are_valid_without_any(
    hide: Hide, config: Callable[[str], str], extra: str
) -> None:
    """The base runs on SQLite and an InfluxDB 1.x, whatever is missing."""
    file = config('[history]\nkind = "influxdb1"\nurl = "http://127.0.0.1:1"\n')
    hide(extra)
    result = CliRunner().invoke(cli.app, ["check", "--offline", "--config", file])
    assert result.exit_code == 0, result.output


def test_a_history_that_was_in_force_and_lost_its_library_waits_and_says_which(hide: Hide, tmp_path: Path) -> None:
    """As after an upgrade without the extra: plants are watched, and the history's share waits on disk."""
    hide("duckdb")
    hide("influxdb2")
    token = Secret(file=tmp_path / "token")
    for opens, extra in (
        (partial(open_store, DuckDBConfig(path=tmp_path / "h")), "duckdb"),
        (partial(open_store, InfluxV2Config(url="http://127.0.0.1:1", org="o", token=token)), "influxdb2"),
    ):
        store = UnavailableStore(opens)
        assert f"history.kind = {extra}: 需要附加组件 needs the extra {extra}: {command(extra)}" in str(store.error)


def test_a_state_database_on_a_server_names_the_extra_and_no_password(hide: Hide) -> None:
    hide("postgresql")
    with pytest.raises(
        ExtraMissing, match=r"state.url = postgresql://yujing@127.0.0.1:1/yujing: .*yujing\[postgresql\]"
    ):
        open_backend(StateConfig(url="postgresql://yujing@127.0.0.1:1/yujing"))


def test_a_list_is_had_as_csv_where_workbooks_cannot_be_written(hide: Hide) -> None:
    sheet = make("hazards", [], [], load_criteria(), 0)
    hide("xlsx")
    write_csv(sheet, io.BytesIO())
    with pytest.raises(ExtraMissing, match=r"XLSX: .*yujing\[xlsx\]"):
        write_xlsx(sheet, io.BytesIO())


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("demo", ["demo"]),
        ("demo", ["replay"]),
        ("demo", ["simulate", "platform"]),
        ("duckdb", ["history", "verify"]),
        ("duckdb", ["history", "compact"]),
        ("duckdb", ["history", "export", "to"]),
        ("influxdb2", ["influx", "setup"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_command_that_needs_an_extra_ends_with_its_name(
    hide: Hide,
    config: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    extra: str,
    words: list[str],
) -> None:
    config(SETTINGS.get(extra, ""))
    hide(extra)
    monkeypatch.setattr(sys, "argv", ["yujing", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    output = capsys.readouterr().err
    assert f"需要附加组件 needs the extra {extra}: {command(extra)}" in output


def test_a_library_that_fails_to_load_is_reported_with_the_reason(
    hide: Hide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide("influxdb2")  # and ours with it
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[1:])
    (tmp_path / "influxdb_client.py").write_text('raise ImportError("libssl.so.9: cannot open shared object file")\n')
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    config = InfluxV2Config(url="http://127.0.0.1:1", org="o", token=Secret(file=tmp_path / "token"))
    with pytest.raises(ExtraMissing, match=r"yujing\[influxdb2\].*libssl.so.9"):
        open_store(config)


def test_nothing_of_an_extra_is_loaded_before_it_is_used() -> None:
    code = "import sys, ingest.cli.main, ingest.services.exports.worker; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert {module for modules in EXTRAS.values() for module in modules} & set(loaded) == set()


def test_the_package_offers_each_extra_and_all_of_them_together() -> None:
    offered = PYPROJECT["project"]["optional-dependencies"]
    assert offered.keys() - {"all", "dev"} == EXTRAS.keys()
    assert offered["all"] == [f"yujing[{','.join(sorted(EXTRAS))}]"]
    assert "yujing[all]" in offered["dev"]
    assert all(map(installed, EXTRAS))
