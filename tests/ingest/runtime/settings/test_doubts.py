"""`yujing check` reports what is allowed and hardly meant, each by file, key, value and what was expected."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.domain.calls.config import CallsConfig
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.runtime.settings import Settings, load_settings
from ingest.runtime.settings.doubts import doubts, secrets_of
from ingest.storage.journal.journal import Journal
from tests.small_plant import TEXT, write_plant

TOKEN = "drawn-at-random-0123456789"
HERE = '[[api.tokens]]\nname = "ops"\nrole = "operator"\ntoken = { file = "token" }\n'
NOBODY = "[calls]\nnobody = true\n"
LADDER = '[[calls.ladders]]\nplants = ["small", "service"]\nsteps = [{ position = "值班长" }, { people = ["王"] }]\n'
SHIFT = '[[calls.shifts]]\nposition = "值班长"\nstart = "08:00"\nend = "08:00"\npeople = ["王"]\n'
ALONE = LADDER.replace(', { people = ["王"] }', "")
PERSON = '[[calls.people]]\nname = "王"\nchannels = [{ connector = "h", address = "1" }]\n'
PLATFORM = '[connectors.platform]\nurl = "https://p.example"\nappid = "a"\nappsecret = { file = "secret" }\n'
PLATFORM += 'key = { file = "key" }\niv = { file = "iv" }\n'
HOOK = '[[connectors.webhooks]]\nname = "h"\nurl = "https://h.example/"\nsecret = { file = "secret" }\n'
INFLUX = '[history]\nkind = "influxdb2"\nurl = "http://db.example:8086"\norg = "o"\ntoken = { file = "token" }\n'


@pytest.fixture(autouse=True)
def _in_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"token": TOKEN, "secret": "s" * 12 + "tuvwxyz-abcdefghi", "key": "0" * 31 + "1"}.items():
        secret(name, text)
    secret("iv", "0" * 31 + "2")


def secret(name: str, text: str, mode: int = 0o600) -> None:
    """A secret's file."""
    Path(name).write_text(text)
    Path(name).chmod(mode)


def check(settings: str = "", plant: str = TEXT, *more: str) -> Result:
    """The command, on these files; somebody can sign in, and that nobody is called is meant."""
    write_plant(Path(), plant)
    tokens = ("" if "api.tokens" in settings else HERE) + ("" if "[calls" in settings else NOBODY)
    Path("yujing.toml").write_text(f"{settings}\n{tokens}", encoding="utf-8")
    return CliRunner().invoke(app, ["check", "--config", "yujing.toml", *more])


def point(more: str) -> str:
    """The small plant, with more keys for its last point, CO-02."""
    return TEXT + more


PLANTS = [
    (point("setpoint = 3500\n"), "points (CO-02) setpoint = 3500", "within the instrument's range, 0 to "),
    (point('[points.rules.LL]\non = -50\noff = -40\non_delay_s = 0\nkind = "limit"\nlevel = 2\n'
           'side = "low"\nlabel = "低低"\nlabel_en = "low-low"\nsource = "x"\nconfidence = "engineering default"\n'),
     "points (CO-02) rules.LL.on = -50", "within the instrument's range, 0 to "),
    (point("[points.rules.H]\non = 170\noff = 160\n"),
     "points (CO-02) rules.H.on = 170", "less than HH's, which is 48"),
    (point('[points.rules.HH]\non = 20\noff = 18\nwhen = "CO-01 > 1"\n'),
     "points (CO-02) rules.H.on = 24", "less than HH's, which is 20"),
    *((point(f'[points.rules.HH]\nwhen = "CO-01 {text}"\n'), f"points (CO-02) rules.HH.when = CO-01 {text}", expected)
      for text, expected in (("< 0", "it never holds"), (">= 0", "it always holds"), ("> 1000", "it never holds"),
                             ("> 99999", "within the instrument's range"), ("== 0.5", "hardly ever exactly 0.5"))),
    (point('[points.rules.HH]\nwhen = "{CO-01} > 5 and {CO-01} < 0"\n'),
     "points (CO-02) rules.HH.when = CO-01 > 5 and CO-01 < 0", "it never holds"),
    *((f'{point("")}[[equipment]]\nid = "F"\nname = "炉"\nname_en = "F"\nrunning = "CO-01 {text}"\n',
       f"equipment (F) running = CO-01 {text}", expected)
      for text, expected in (("< 0", "it never holds"), ("> 99999", "within the instrument's range"),
                             ("== 0.5", "hardly ever exactly 0.5"), ("!= 7", "hardly ever exactly 7"))),
    (TEXT.replace("350583", "999999"), "enterprise.region = 999999", "a code of GB/T 2260"),
]  # fmt: skip

SETTINGS = [
    ('[[warnings.duty]]\nstep = "enterprise"\nname = "王"\nplants = ["smal"]\n',
     "warnings.duty.王.plants = smal", "a plant of a file in plants"),
    ('[[warnings.duty]]\nstep = "county"\nname = "县"\nregions = ["999999"]\n',
     "warnings.duty.县.regions = 999999", "a code of GB/T 2260"),
    ('[[alarms.positions]]\nname = "一号"\nplants = ["gone"]\n',
     "alarms.positions.一号.plants = gone", "a plant of a file in plants"),
    (HOOK + 'plants = ["gone"]\n', "connectors.webhooks.h.plants = gone", "a plant of a file in plants"),
    (HERE + 'plants = ["gone"]\n', "api.tokens.ops.plants = gone", "a plant of a file in plants"),
    (HERE.replace('"ops"', '"yujing"'), "api.tokens.yujing.name = yujing", "another name"),
    ('[api]\nhost = "0.0.0.0"\n', "api.host = 0.0.0.0", "127.0.0.1 behind a proxy with TLS, or tls_cert and tls_key"),
    ('[mqtt]\nhost = "broker.example"\nusername = "u"\npassword = { file = "token" }\n',
     "mqtt.tls_ca = （缺少）(missing)", "the authority of broker.example's certificate"),
    (INFLUX, "history.url = http://db.example:8086", "https"),
    ('[state]\nurl = "postgresql://u@db.example:5432/y"\nsslmode = "disable"\n',
     "state.sslmode = disable", "verify-full"),
    ("[calls]\nring_s = 30\n", "calls.ladders = small", "a ladder, or nobody = true"),
    (HOOK + LADDER.replace('"service"', '"service", "gone"') + SHIFT + PERSON,
     "calls.ladders.0.plants = gone", "a plant that has a file"),
    (HOOK + LADDER + PERSON, "calls.shifts = 值班长", "none is planned at small"),
    (HOOK + LADDER + SHIFT.replace('["王"]', '["黄"]') + PERSON,
     "calls.shifts.0.people = 黄", "a name of [[calls.people]]"),
    (LADDER + SHIFT + PERSON, "calls.people.王.channels = h", "a name of [connectors]"),
    (HOOK + LADDER + SHIFT + PERSON.replace('"h"', '"hh"'), "calls.people.王.channels = hh", "one of h; near: h"),
    (HOOK + LADDER + SHIFT + PERSON + '[[calls.people]]\nname = "李"\n', "calls.people.李.channels = （没有）(none)",
     "at least one way to reach the person"),
    (HOOK + LADDER.replace("steps", 'colours = ["red"]\ncauses = ["warning", "system"]\nsteps') + SHIFT + PERSON,
     "calls.ladders = small", "nobody would be called for orange warnings, alarms of level 2"),
    (HOOK + LADDER.replace(', "service"', "") + SHIFT + PERSON, "calls.ladders = service", "of the service itself"),
    (HOOK + ALONE + SHIFT.replace('end = "08:00"', 'end = "20:00"') + PERSON,
     "calls.shifts = small", "值班长 calls nobody Monday 00:00–08:00 and 7 more times"),
    ('[calls]\nholidays = ["2026-10-01"]\n' + HOOK + ALONE + SHIFT + 'holidays = "never"\n' + PERSON,
     "calls.shifts = small", "值班长 calls nobody on holidays, whole days"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "what", "expected"), PLANTS, ids=[what for _, what, _ in PLANTS])
def test_a_doubtful_plant_file_is_reported(plant: str, what: str, expected: str) -> None:
    assert_reported(check("", plant), "plants/small.toml", what, expected)


@pytest.mark.parametrize(("settings", "what", "expected"), SETTINGS, ids=[what for _, what, _ in SETTINGS])
def test_doubtful_settings_are_reported(settings: str, what: str, expected: str) -> None:
    assert_reported(check(settings), "yujing.toml", what, expected)


def assert_reported(result: Result, file: str, what: str, expected: str) -> None:
    """One doubt and no other; the files are valid."""
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    at = lines.index(f"    {what}")
    assert lines[at - 1].endswith(file)
    assert re.match("    应为：.*[\u4e00-\u9fff]", lines[at + 1])
    assert lines[at + 2].startswith("    expected: ")
    assert expected in lines[at + 2]
    assert result.output.count("存疑 doubtful") == 2, "itself, and its number"
    assert "1 处存疑" in result.output


def test_invalid_secrets_are_reported_and_never_shown() -> None:
    secret("token", "a" * 16, 0o644)
    secret("iv", Path("key").read_text())
    result = check(PLATFORM + HERE)
    assert "api.tokens.ops.token = token, mode 0644" in result.output
    assert "api.tokens.ops.token = （不显示）(hidden)" in result.output
    assert "connectors.platform.iv = （不显示）(hidden)" in result.output
    assert "3 处存疑" in result.output
    assert "a" * 16 not in result.output
    assert "0" * 31 not in result.output


@pytest.mark.parametrize(
    ("mode", "open_"), [(0o600, False), (0o640, False), (0o400, False), (0o644, True), (0o660, True)]
)
def test_a_secret_is_for_its_owner_and_group(mode: int, open_: bool) -> None:
    secret("token", TOKEN, mode)
    assert ("mode" in check(HERE).output) == open_


def test_doubts_are_faults_if_asked_for() -> None:
    refused = check('[api]\nhost = "0.0.0.0"\n', TEXT, "--strict")
    assert (refused.exit_code, "valid" in refused.output) == (2, False)
    assert "doubtful, refused by --strict" in refused.output
    assert check("", TEXT, "--strict").exit_code == 0


def test_what_is_well_is_not_doubted() -> None:
    safe = HERE + HOOK + 'plants = ["small"]\n' + LADDER + SHIFT + PERSON
    safe += PLATFORM + INFLUX.replace("http://db.example", "https://db.example")
    safe += '[mqtt]\nhost = "127.0.0.1"\npassword = { file = "token" }\nusername = "u"\n'
    assert "0 处存疑" in check(safe).output


def test_the_plants_that_come_with_the_service_are_not_doubted(tmp_path: Path) -> None:
    with as_file(files("gateway_sim") / "plants") as plants:
        shutil.copytree(plants, tmp_path / "plants")
    configuration = load_configuration(tmp_path / "plants", MemoryNumbering(), version=1)
    settings = Settings(calls=CallsConfig(nobody=True))
    found = [(doubt.key, doubt.value) for doubt in doubts(tmp_path / "yujing.toml", settings, configuration)]
    assert found == [("api.tokens", "(none)")]


def test_every_secret_of_the_settings_is_found(tmp_path: Path) -> None:
    write_plant(tmp_path)
    text = HERE + HOOK + PLATFORM + INFLUX + '[mqtt]\npassword = { env = "P" }\n'
    Path("yujing.toml").write_text(text)
    assert {key for key, _ in secrets_of(load_settings(Path("yujing.toml")))} == {
        "mqtt.password", "history.token", "connectors.webhooks.h.secret", "connectors.platform.appsecret",
        "connectors.platform.key", "connectors.platform.iv", "api.tokens.ops.token",
    }  # fmt: skip


@pytest.mark.parametrize(("typo", "key"), [("journal", "journal.path"), ("state", "state.path")])
def test_a_path_that_leads_beside_the_data_is_doubted(typo: str, key: str) -> None:
    """With it the service would not start; where nothing is yet, as before a first start, nothing is wrong."""
    paths = '[journal]\npath = "data/journal.db"\n[state]\npath = "data/state.db"\n'
    assert key not in check(paths).output
    Path("data").mkdir()
    for name in ("journal.db", "state.db"):
        Path("data", name).touch()
    assert key not in check(paths).output
    assert f"{key} = dta/{typo}.db" in " ".join(check(paths.replace(f"data/{typo}", f"dta/{typo}")).output.split())


def test_settings_that_let_nobody_in_are_doubted() -> None:
    """So is a file without tokens, with an API or none."""
    write_plant(Path())
    for text in ("", "[api]\nport = 9000\n"):
        Path("yujing.toml").write_text(text + NOBODY, encoding="utf-8")
        assert_reported(
            CliRunner().invoke(app, ["check"]), "yujing.toml", "api.tokens = （没有）(none)", "nobody can sign in"
        )


def test_a_former_id_that_carries_nothing_over_is_doubted_before_it_costs_an_alarm() -> None:
    """The plant never had it, or both were points of their own; a right one is none, before the start and after."""
    renamed = TEXT.replace('id = "CO-02"', 'id = "CO-09"\nwas = "{}"')
    assert "0 处存疑" in check("", renamed.format("CO-O2")).output, "before the first start nobody can know"
    Path("data").mkdir()
    Path("data", "state.db").touch()
    with closing(Journal(Path("data/journal.db"))) as journal:
        journal.number_points([("small", name) for name in ("CO-01", "CO-02", "CO-03")])
    assert_reported(
        check("", renamed.format("CO-O2")), "plants/small.toml", "points (CO-09) was = CO-O2", "near: CO-02"
    )
    assert "0 处存疑" in check("", renamed.format("CO-02")).output
    with closing(Journal(Path("data/journal.db"))) as journal:
        journal.number_points([("small", "CO-09")], {("small", "CO-09"): "CO-02"})
    assert "0 处存疑" in check("", renamed.format("CO-02")).output, "taken over since long"
    assert_reported(
        check("", renamed.format("CO-03")), "plants/small.toml", "points (CO-09) was = CO-03", "no `was`: both have"
    )
