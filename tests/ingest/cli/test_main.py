"""The command line says what is wrong and what to do, and keeps its exit codes."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.resources import as_file, files
from pathlib import Path
from typing import cast
from uuid import UUID

import click
import pytest
import structlog
import typer
from rich.cells import cell_len
from typer.main import get_command
from typer.testing import CliRunner, Result

from gateway_sim.cli import app as simulator
from ingest.base.build import version_of
from ingest.cli.main import app
from ingest.domain.model.warning import WarningEvent
from ingest.storage.state.engine_store import EngineStore
from tests import migrated
from tests.ingest.domain.warnings.small import SECOND, episodes_of_plant, fact
from tests.small_plant import TEXT, write_plant

START_S = 1_763_884_800  # 2025-11-23T08:00:00Z


@pytest.fixture(autouse=True)
def _back_where_we_were(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The command goes to the folder of its settings and logs to its own output; the next test begins as this one."""
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def write(folder: Path, text: str) -> str:
    """A settings file."""
    (folder / "yujing.toml").write_text(text, encoding="utf-8")
    return str(folder / "yujing.toml")


ONE_CO = "固定式一氧化碳浓度（STL_CO）"


def test_the_simulators_plants_are_valid_and_judged_as_far_as_they_can_be(tmp_path: Path) -> None:
    with as_file(files("gateway_sim") / "plants") as plants:
        shutil.copytree(plants, tmp_path / "plants")
    result = run("check", "--config", write(tmp_path, ""))
    assert result.exit_code == 0, result.output
    assert "3 家企业 plants" in result.output
    waiting = {" ".join(line.split()[3:]) for line in result.output.splitlines() if line.startswith("未评估")}
    waiting = {line for line in waiting if ": PEOPLE: " not in line}  # nobody is counted in the demonstration
    assert waiting <= {  # a lone sensor has no neighbours; the demonstration has no commissioning records
        "demo-dust/DP-01: DEV: 缺少设定值 needs setpoint",
        f"demo-steel/CO-03: NEIGHBOUR: 缺少设备 GH-01 上的另外 2 个测点：{ONE_CO} needs 2 other STL_CO on GH-01",
        f"demo-steel/CO-04: NEIGHBOUR: 缺少设备 BF-01 上的另外 2 个测点：{ONE_CO} needs 2 other STL_CO on BF-01",
        f"demo-steel/CO-03: SPREAD: 缺少设备 GH-01 上的另一个测点：{ONE_CO} needs another STL_CO on GH-01",
        f"demo-steel/CO-04: SPREAD: 缺少设备 BF-01 上的另一个测点：{ONE_CO} needs another STL_CO on BF-01",
    }


def test_a_waiting_rule_is_explained_in_both_languages(tmp_path: Path) -> None:
    write_plant(tmp_path)
    result = run("check", "--config", write(tmp_path, ""))
    words = "".join(result.output.split())
    assert "未评估notevaluatedsmall/CO-01:NEIGHBOUR:缺少" in words
    assert "needs2otherSTL_CO" in words


def test_a_point_is_explained_within_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number and where it comes from, what is not evaluated, what depends on it."""
    monkeypatch.setenv("COLUMNS", "80")
    write_plant(tmp_path)
    result = run("explain", "point", "small", "CO-01", "--config", write(tmp_path, ""))
    assert result.exit_code == 0, result.output
    words = "".join(result.output.replace("│", " ").split())
    for word in (
        "STL_CO·量程",
        "必设mandatory·依据basisrecalled,verify:令第10号",
        "PINNED",
        "企业文件plantfile:",
        "STUCK(企业文件plantfile)",
    ):
        assert word in words, word
    assert "NEIGHBOUR:缺少" in words
    assert "needs2otherSTL_CO" in words
    assert max(map(cell_len, result.output.splitlines())) <= 80


@pytest.fixture
def warned(tmp_path: Path) -> Iterator[WarningEvent]:
    """A state database that somebody else writes to, with a warning that grew old; gives its beginning."""
    database = migrated.opened(tmp_path / "data" / "state.db")
    made = episodes_of_plant(START_S)
    events = made.learn(START_S * SECOND, known=[fact("CO-01", START_S)])
    events += made.pass_time((START_S + 60) * SECOND)
    EngineStore(database).commit(1, [], [], warnings=events)
    yield events[0]
    database.close()


def test_the_reasons_of_a_colour_are_explained_while_the_service_runs(tmp_path: Path, warned: WarningEvent) -> None:
    """At a moment, and without one when it was gravest; what never was, and what was not yet, is named."""
    config, key = write(tmp_path, ""), str(warned.warning.id)
    early = run("explain", "warning", key, "--at", "2025-11-23T08:00:03+00:00", "--config", config)
    assert early.exit_code == 0, early.output
    assert "蓝色 blue" in early.output
    assert "CO-01 H L1" in early.output
    explanation = json.loads(run("explain", "warning", key, "--json", "--config", config).stdout)
    assert (explanation["colour"], [reason["rule"] for reason in explanation["reasons"]]) == ("yellow", ["OLD", "L1"])
    before = run("explain", "warning", key, "--at", "2025-11-23T07:00+00:00", "--config", config)
    assert before.exit_code == 2
    assert "raised at 2025-11-23T08:00:00.000Z" in " ".join(before.output.split())
    nobody = run("explain", "warning", str(UUID(int=7)), "--config", config)
    assert (nobody.exit_code, "no such warning" in nobody.output) == (2, True)


def test_a_plant_nobody_answers_for_is_named(tmp_path: Path) -> None:
    write_plant(tmp_path)
    assert "nobody assigned small" in run("check", "--config", write(tmp_path, "")).output
    duty = '[[warnings.duty]]\nstep = "county"\nname = "南安"\nregions = ["{}"]\n'
    assert "nobody assigned" in run("check", "--config", write(tmp_path, duty.format("3501"))).output
    assert "nobody assigned" not in run("check", "--config", write(tmp_path, duty.format("3505"))).output


def test_what_the_rules_that_learn_of_a_plant_come_to_a_day_is_printed(tmp_path: Path) -> None:
    write_plant(tmp_path)
    config = write(tmp_path, "")
    assert "budget of false alarms" not in run("check", "--config", config).output
    (file,) = (tmp_path / "plants").glob("*.toml")
    rule = '[points.rules.DRIFT]\nkind = "ewma"\nlevel = 1\nbudget = 60\nlabel = "漂移"\nlabel_en = "drift"\n'
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{rule}", encoding="utf-8")
    words = " ".join(run("check", "--config", config).output.split())
    assert "small: 误报预算：1 条自学规则合计至多约每天 0.02 次" in words
    assert "some 0.02 a day at most of 30 (rules that learn: 1)" in words


def test_a_fault_in_the_rules_of_warnings_is_named(tmp_path: Path) -> None:
    write_plant(tmp_path)
    (tmp_path / "rules.toml").write_text('version = "1"\nrules = []\n', encoding="utf-8")
    result = run("check", "--config", write(tmp_path, '[warnings]\nrules = "rules.toml"\n'))
    assert result.exit_code == 2
    assert "rules.toml" in result.output


def test_an_explanation_can_be_had_as_json(tmp_path: Path) -> None:
    write_plant(tmp_path)
    result = run("explain", "point", "small", "CO-01", "--json", "--config", write(tmp_path, ""))
    assert result.exit_code == 0, result.output
    explanation = json.loads(result.stdout)
    high = next(rule for rule in explanation["rules"] if rule["code"] == "H")
    assert high["keys"]["on_delay_s"] == {"value": 0.0, "from": "plant file"}


@pytest.mark.parametrize(
    ("plant", "point", "near"), [("smal", "CO-01", "near: small"), ("small", "CO-1", "near: CO-01")]
)
def test_an_unknown_name_is_reported_with_similar_ones(tmp_path: Path, plant: str, point: str, near: str) -> None:
    write_plant(tmp_path)
    result = run("explain", "point", plant, point, "--config", write(tmp_path, ""))
    assert result.exit_code == 2
    assert near in result.output


def test_every_fault_of_every_file_is_named_at_once(tmp_path: Path) -> None:
    write_plant(tmp_path, TEXT.replace('"350583"', '"35"').replace("STL_CO", "STL_C0").replace("100Y43", "100Y44"))
    result = run("check", "--config", write(tmp_path, '[mqtt]\nport = "eighteen"\n[api]\nprot = 80\n'))
    assert result.exit_code == 2
    for word in ("mqtt.port", "eighteen", "api.prot", "enterprise.region", "enterprise.uscc", "STL_C0"):
        assert word in result.output, word


def test_faults_of_an_entry_hide_neither_its_secret_nor_those_of_others(tmp_path: Path) -> None:
    write_plant(tmp_path)
    entries = [
        '[[api.tokens]]\nname = "a"\nrole = "wizard"\ntoken = { file = "no-a" }\n',
        *('[[api.tokens]]\nname = "b"\nrole = "admin"\ntoken = { file = "no-b" }\n' for _ in range(2)),
        '[[connectors.webhooks]]\nname = "h"\nurl = "http://10.1.1.1/"\nsecret = { env = "NO_H" }\n',
        '[[connectors.webhooks]]\nname = "i"\nurl = "https://10.1.1.1/"\nsecret = { file = "no-i" }\n',
        '[[warnings.duty]]\nstep = "contry"\nname = "x"\n[mqtt]\nprt = 1\n[warnings]\nrules = "no.toml"\n',
    ]
    result = run("check", "--config", write(tmp_path, "".join(entries)))
    assert result.exit_code == 2
    keys = [line.split(" = ")[0].strip() for line in result.output.splitlines() if " = " in line]
    assert sorted(keys) == sorted(
        [
            "api.tokens.a.role", "api.tokens.a.token", "api.tokens.1.name", "api.tokens.1.token", "api.tokens.2.name",
            "api.tokens.2.token", "connectors.webhooks.h.url", "connectors.webhooks.h.secret",
            "connectors.webhooks.i.secret", "warnings.duty.x.step", "mqtt.prt", "warnings.rules",
        ]
    )  # fmt: skip


def test_a_secret_that_is_not_there_is_named_by_its_place(tmp_path: Path) -> None:
    write_plant(tmp_path)
    token = '[[api.tokens]]\nname = "a"\nrole = "admin"\ntoken = { file = "nowhere" }'
    result = run("check", "--config", write(tmp_path, token))
    assert result.exit_code == 2
    assert "nowhere" in result.output


@pytest.mark.parametrize("command", [["check"], ["run", "--new"]], ids=["check", "run"])
def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path, command: list[str]) -> None:
    write_plant(tmp_path)
    (tmp_path / "cert.pem").write_text("no certificate")
    for key, text in (("tls_ca", "nowhere.pem"), ("tls_cert", "cert.pem")):
        result = run(*command, "--config", write(tmp_path, f'[mqtt]\n{key} = "{text}"\n'))
        assert result.exit_code == 2, result.output
        assert f"mqtt.{key}" in result.output
        assert text in result.output


def test_what_waits_for_a_number_of_the_plant_is_shown_and_no_fault(tmp_path: Path) -> None:
    write_plant(tmp_path, TEXT + '\n[[points]]\nid = "P-01"\nsignal = "STL_CW_P"\ngateway = "GW-01"\nrange = [0, 1]\n')
    result = run("check", "--config", write(tmp_path, ""))
    assert result.exit_code == 0, result.output
    assert "未评估 not evaluated" in result.output
    assert "needs setpoint" in result.output


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    write_plant(tmp_path)
    inline = '[[api.tokens]]\nname = "a"\nrole = "admin"\ntoken = "hunter2-hunter2-hunter2"\n'
    result = run("check", "--config", write(tmp_path, inline))
    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert "api.tokens.a.token" in result.output


@pytest.mark.parametrize("text", ["", "[mqtt", "\udcff"], ids=["no plants", "broken TOML", "not UTF-8"])
def test_the_service_does_not_start_on_what_it_cannot_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "yujing.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    result = run("run", "--new", "--config", str(tmp_path / "yujing.toml"))
    assert result.exit_code == 2
    assert "expected" in result.output
    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert events[-1]["event"] == "ended", "the log is lines of JSON to its last"
    lines = events[-1]["error"].splitlines()
    assert lines
    assert all(re.search("应为：.*[\u4e00-\u9fff].* expected: .", line) for line in lines), "Chinese first"
    assert str(tmp_path) in events[-1]["error"] or "plants" in events[-1]["error"]


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    write_plant(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("run", "--new", "--config", write(tmp_path, f"[api]\nport = {port}\n"))
    assert result.exit_code == 1
    assert str(port) in result.output


@pytest.mark.parametrize("text", ["5", "x", "-1s", "0s"])
def test_a_time_is_a_number_and_a_unit(text: str) -> None:
    result = run("demo", "--for", text, "--port", "0")
    assert result.exit_code == 2


def test_the_version_is_printed() -> None:
    """With the sources it is of, whatever was installed here once."""
    assert re.fullmatch(r"yujing \d+\.\d+\.\d+\+(g[0-9a-f]{9}(\.s[0-9a-f]{9})?|s[0-9a-f]{9})\n", run("version").output)
    assert run("--version").output == run("version").output


@pytest.mark.parametrize("word", ["--version", "version"])
def test_the_version_is_printed_without_loading_the_program(word: str) -> None:
    code = "import sys; from ingest.__main__ import main; main(); print('ingest.cli.main' in sys.modules)"
    asked = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True, check=True)
    assert asked.stdout == f"{run('--version').output}False\n"


def test_a_command_loads_neither_the_service_nor_the_migrations_it_does_not_run() -> None:
    """They are more than a third of all code: a check would take as much longer, and each of a page's commands."""
    code = "import sys, ingest.cli.main; print(*{'alembic', 'fastapi', 'ingest.runtime.service'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_the_version_of_a_checkout_is_that_of_its_sources_as_they_are(tmp_path: Path) -> None:
    for name in ("version.py", "pyproject.toml"):
        shutil.copy(Path(__file__).parents[3] / name, tmp_path)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.cn"]
    seen = []
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-qm", "first"],
        ["commit", "-qm", "second", "--allow-empty"],
    ):
        subprocess.run([*git, *words], check=True)
        seen.append(version_of(tmp_path))
    assert seen[0].startswith("0.1.0+s")
    assert len(set(seen[1:])) == 3
    (tmp_path / "version.py").write_text((tmp_path / "version.py").read_text() + "# changed\n")
    assert version_of(tmp_path).startswith(f"{seen[-1]}.s")
    assert version_of(tmp_path / "nowhere") == metadata.version("yujing")


@pytest.mark.parametrize("command", [["replay"], ["simulate", "platform"]])
def test_the_simulators_commands_are_reached_through_yujing(command: list[str]) -> None:
    help_ = [sys.executable, "-m", "ingest", *command, "--help"]
    result = subprocess.run(help_, capture_output=True, text=True, check=True)
    assert "Usage" in result.stdout


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command below a group and the group itself, by the words that lead there."""
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize("program", [app, simulator], ids=["yujing", "gateway_sim"])
def test_every_command_takes_the_short_word_for_help(program: typer.Typer) -> None:
    """What goes on to the simulator is asked there."""
    forwarded = {("replay",), ("simulate", "platform")} if program is app else set()
    asked = [path for path in commands(cast("click.Group", get_command(program))) if path not in forwarded]
    assert len(asked) > 3
    for path in asked:
        short, long = (CliRunner().invoke(program, [*path, option]) for option in ("-h", "--help"))
        assert (short.exit_code, short.output) == (0, long.output), path
        assert "Usage" in short.output
