"""Absurd plant files are refused or doubted, each by file, key, value and what was expected; sound ones are not."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.plants.doubts import doubts_of
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point

ROOT = Path(__file__).parents[3]
CO = "STL_CO"
LIMIT = 'kind = "limit"\nlevel = 1\nside = "high"\nsource = "x"\nconfidence = "engineering default"\n'
LIMIT += 'label = "限"\nlabel_en = "limit"\n'
LOW = LIMIT.replace('"high"', '"low"')
RATE = LIMIT.replace('"limit"', '"rate"', 1).replace('"high"', '"rise"')
STEP = RATE.replace('"rate"', '"step"')
DEVIATION = LIMIT.replace('"limit"', '"deviation"', 1).replace('"high"', '"above"')
VOTES = LIMIT.replace('"limit"', '"votes"', 1).replace('side = "high"\n', "")
MACHINE = '[[equipment]]\nid = "{}"\nname = "二"\nname_en = "Two"\n'
GATEWAY = '[[gateways]]\nid = "GW-2"\nname = "二"\nname_en = "Two"\n'
QUIET = 'disabled_rules = ["BAD", "SILENT", "RANGE", "STUCK", "CURRENT", "H", "HH", "PINNED", "PINNED_HH", "FORECAST",'
QUIET += '"NEIGHBOUR"]\n'


@dataclass(frozen=True)
class Absurd:
    """What a CO point, or the file, is changed to, and the doubts that follow."""

    key: str
    value: str
    zh: str
    en: str
    point: str = ""  # of the point CO-1, which is on E-1
    more: str = ""  # further tables
    was: str = ""  # a line of the file that is replaced
    now: str = ""


def rule(code: str, text: str, kind: str = "") -> str:
    return f"[points.rules.{code}]\n{kind}{text}\n"


P = "points (CO-1) "
DOUBTED = [
    Absurd("enterprise.region", "990583", "没有以此开头的省份", "no province begins so", was="350583", now="990583"),
    Absurd("enterprise.region", "357783", "没有地市 77", "no prefecture 77", was="350583", now="357783"),
    Absurd("enterprise.region", "001234", "没有以此开头的省份", "no province begins so", was="350583", now="001234"),
    Absurd(P + "setpoint", "5000", "在仪表量程", "within the instrument's range", point="setpoint = 5000\n"),
    Absurd(P + "setpoint", "-80", "在仪表量程", "within the instrument's range", point="setpoint = -80\n"),
    Absurd(P + "rules.H.on", "170", "小于 HH 的限值", "less than HH's", point=rule("H", "on = 170\noff = 20")),
    Absurd(P + "rules.LL.on", "9", "小于 L 的限值", "less than L's",
           point=rule("LL", "on = 9\noff = 10", LOW) + rule("L", "on = 8\noff = 9", LOW)),
    Absurd(P + "rules.L.on", "30", "小于 H 的限值", "less than H's", point=rule("L", "on = 30\noff = 31", LOW)),
    Absurd(P + "rules.HH.on", "9000", "在仪表量程", "within the instrument's range",
           point=rule("HH", "on = 9000\noff = 8990")),
    Absurd(P + "rules.LL.on", "-500", "在仪表量程", "within the instrument's range",
           point=rule("LL", "on = -500", LOW)),
    Absurd(P + "rules.X.on", "0", "并非总是成立", "does not always meet", point=rule("X", "on = 0", LIMIT)),
    Absurd(P + "rules.X.on", "1000", "并非总是成立", "does not always meet", point=rule("X", "on = 1000", LOW)),
    Absurd(P + "rules.H.off", "-3000", "回差小于量程", "a deadband below the span", point=rule("H", "off = -3000")),
    Absurd(P + "rules.H.off", "-200", "报警永不恢复", "the alarm never returns", point=rule("H", "off = -200")),
    Absurd(P + "rules.X.unit", "mg/m³", "数值不换算", "values are not converted",
           point=rule("X", 'on = 30\nunit = "mg/m³"', LIMIT)),
    Absurd(P + "rules.X.on", "5000", "容得下的变化", "has room for", point=rule("X", "on = 5000\nwindow_s = 60", RATE)),
    Absurd(P + "rules.X.on", "5000", "小于量程", "below the span", point=rule("X", "on = 5000\nwindow_s = 60", STEP)),
    Absurd(P + "rules.X.on", "990", "可达的偏差", "has room for",
           point="setpoint = 50\n" + rule("X", "on = 990", DEVIATION)),
    Absurd(P + "rules.X.on", "9900", "可达的偏差", "has room for",
           point="setpoint = 50\n" + rule("X", "on = 9900", DEVIATION.replace("above", "either"))),
    Absurd(P + "rules.HH.on_delay_s", "3600", "事故不等这么久", "an accident does not wait",
           point=rule("HH", "on_delay_s = 3600")),
    Absurd(P + "rules.HH.on_delay_s", "60", "事故不等这么久", "an accident does not wait",
           point=rule("HH", "on_delay_s = 60\nred = true")),
    Absurd("enterprise.budget", "0.0001", "至少 0.00055，即每条自学规则至少 1.6", "each rule that learns at least 1.6",
           was="workers = 50", now="workers = 50\nbudget = 0.0001",
           point=rule("X", "", LIMIT.replace('"limit"', '"ewma"', 1).replace('side = "high"\n', ""))),
    Absurd("enterprise.budget", "0.5", "至少 1：自学规则自己的预算", "so many a day the rules' own budgets come to",
           was="workers = 50", now="workers = 50\nbudget = 0.5",
           point=rule("X", "budget = 3000", LIMIT.replace('"limit"', '"ewma"', 1).replace('side = "high"\n', ""))),
    Absurd(P + "rules.X.budget", "0.6", "至少 1.6，否则规则要有 1000 天", "not evaluated before 1000 days",
           point=rule("X", "budget = 0.6", LIMIT.replace('"limit"', '"ewma"', 1).replace('side = "high"\n', ""))),
    Absurd(P + "rules.H.when", "CO-2 < 0", "从不成立", "never holds", point=rule("H", 'when = "CO-2 < 0"')),
    Absurd(P + "rules.H.when", "CO-2 >= 0", "总是成立", "always holds", point=rule("H", 'when = "CO-2 >= 0"')),
    Absurd(P + "rules.H.when", "CO-2 > 70000", "在仪表量程", "within", point=rule("H", 'when = "CO-2 > 70000"')),
    Absurd(P + "rules.H.when", "CO-2 == 12.5", "几乎不会恰好等于", "hardly ever exactly",
           point=rule("H", 'when = "CO-2 == 12.5"')),
    Absurd(P + "rules.H.when", "CO-2 > 50 and CO-2 < 20", "能同时成立", "can hold together",
           point=rule("H", 'when = "{CO-2} > 50 and {CO-2} < 20"')),
    Absurd("equipment (E-2) running", "CO-1 < 0", "从不成立", "never holds",
           more=MACHINE.format("E-2") + 'running = "CO-1 < 0"\n'),
    Absurd("equipment (E-2) running", "CO-1", "它属于 E-1", "it belongs to E-1",
           more=MACHINE.format("E-2") + 'running = "CO-1 > 5"\n' + point("CO-3", CO, 'equipment = "E-2"\n')),
    Absurd("equipment (E-2)", "E-2", "所属的设备", "some point names", more=MACHINE.format("E-2")),
    Absurd("gateways (GW-2)", "GW-2", "用到的网关", "some point names", more=GATEWAY),
    Absurd("points (CO-3) name", "炉前", "同名同信号", "the same signal",
           more=point("CO-3", CO, 'equipment = "E-1"\nname = "炉前"\n')),
    Absurd(P + "rules", "(none)", "不会报警", "it never alarms", point=QUIET),
    Absurd(P + "silence_s", "0.5", "没有这么快", "instruments send more seldom", point="silence_s = 0.5\n"),
    Absurd(P + "silence_s", "864000", "太久才会发现", "would go unseen", point="silence_s = 864000\n"),
    Absurd(P + "range", "[0, 5e+06]", "通常", "usually", point="range = [0, 5e6]\n"),
    Absurd("points (T-1) range", "[0, 1e+06]", "通常", "usually",
           more=point("T-1", "STL_CW_OUT_T", "range = [0, 1e6]\n")),
    Absurd("points (T-1) range", "[-400, 100]", "绝对零度", "absolute zero",
           more=point("T-1", "STL_CW_OUT_T", "range = [-400, 100]\n")),
    Absurd("points (R-1) setpoint", "200", "工作压力 250 kPa", "working pressure, 250 kPa",
           more=point("P-1", "STL_BF_TOP_P", 'equipment = "E-1"\nsetpoint = 250\n')
           + point("R-1", "STL_BF_RELIEF_SET", 'equipment = "E-1"\nsetpoint = 200\n')),
    Absurd("points (D-1) setpoint", "1000", "至少 1520 mm", "at least 1520 mm",
           more=point("P-1", "STL_GH_P", 'equipment = "E-1"\nsetpoint = 10\n')
           + point("D-1", "STL_DRAIN_SEAL", 'equipment = "E-1"\nsetpoint = 1000\nrange = [0, 3000]\n')),
    Absurd("equipment (E-2)", "STL_GH_P", "一氧化碳探头", "where there is gas",
           more=MACHINE.format("E-2") + point("P-1", "STL_GH_P", 'equipment = "E-2"\nsetpoint = 10\n')),
    Absurd(P + "rules.V.on", "3", "永不动作", "it never trips",
           point=rule("V", 'on = 3\nat = 30\npeers = ["CO-2"]', VOTES),
           was='id = "CO-2"\n', now='id = "CO-2"\nequipment = "E-1"\n'),
    Absurd(P + "rules.V.peers", "CO-2", "不同地点", "different places",
           point=rule("V", 'on = 2\nat = 30\npeers = ["CO-2"]', VOTES)),
    Absurd("points (O-1) range", "[0, 300]", "至多 100 %", "at most 100 %",
           more=point("O-1", "STL_O2", "range = [0, 300]\n")),
]  # fmt: skip

CONTACT = point("CO-1-FAULT", "STATUS_CONTACT")
HEAD = '[[instruments]]\nid = "K-1"\npoints = ["CO-1"]\nstatus = {{ {} }}\n'
DOUBTED += [
    Absurd("points (CO-1-FAULT) signal", "STATUS_CONTACT", "起作用", "nothing follows from it", more=CONTACT),
]
BOUND = '[[instruments]]\nid = "K-2"\npoints = ["CO-2"]\nstatus = { failure = "CO-1-FAULT" }\n'

REFUSED = [
    Absurd("instruments.0.status.failure (K-1)", "CO-1-FALT", "", "; near: CO-1-FAULT",
           more=CONTACT + HEAD.format('failure = "CO-1-FALT"')),
    Absurd("instruments.0.status.failure (K-1)", "CO-1-FAULT == 2", "", '"ID == 0"',
           more=CONTACT + HEAD.format('failure = "CO-1-FAULT == 2"')),
    Absurd("instruments.0.status.failure (K-1)", "CO-2", "", "its signal STL_CO is analogue",
           more=HEAD.format('failure = "CO-2"')),
    Absurd("instruments.0.status.faliure (K-1)", "CO-2", "", "near: failure", more=HEAD.format('faliure = "CO-2"')),
    Absurd("instruments.0.status.function_check (K-1)", "CO-1-FAULT", "", "instruments.0.status.failure has it",
           more=CONTACT + HEAD.format('failure = "CO-1-FAULT", function_check = "CO-1-FAULT == 0"')),
    Absurd("instruments.1.status.failure (K-2)", "CO-1-FAULT", "", "instruments.0.status.failure has it",
           more=CONTACT + HEAD.format('failure = "CO-1-FAULT"') + BOUND),
    Absurd("instruments.0.status.failure (K-1)", "CO-1-FAULT", "", "among the points of instruments.0",
           more=CONTACT + HEAD.format('failure = "CO-1-FAULT"').replace('["CO-1"]', '["CO-1", "CO-1-FAULT"]')),
    Absurd("instruments.0.status.failure (K-1)", "OTHER-1", "", "a digital point of this file",
           more=HEAD.format('failure = "OTHER-1"')),  # of another plant
    Absurd("points.0.rules.H.off (CO-1)", "30.0", "", "at most on", point=rule("H", "off = 30")),
    Absurd("points.0.rules.LL.off (CO-1)", "5.0", "", "at least on", point=rule("LL", "on = 9\noff = 5", LOW)),
    Absurd("points.0.rules.H.when (CO-1)", "CO-9 > 5", "", "a known signal or point",
           point=rule("H", 'when = "CO-9 > 5"')),
    Absurd("equipment.1.running (E-2)", "CO-9 > 5", "", "a point of this file",
           more=MACHINE.format("E-2") + 'running = "CO-9 > 5"\n'),
    Absurd("points.0.range (CO-1)", "[9, 3]", "", "low below high", point="range = [9, 3]\n"),
    Absurd("points.2.id (CO-1)", "CO-1", "", "an id of its own", more=point("CO-1", CO)),
    Absurd("enterprise.uscc", "91350100M000100Y44", "", "check character", was="100Y43", now="100Y44"),
    Absurd("enterprise.dust_workers", "500", "", "at most workers", was="dust_workers = 12", now="dust_workers = 500"),
    Absurd("points.0.rules.H.on_percent (CO-1)", "80", "", "", point=rule("H", "on_percent = 80")),
]  # fmt: skip


def written(folder: Path, absurd: Absurd) -> Path:
    """Write the plant, with one thing in it that is absurd."""
    first = point("CO-1", CO, f'equipment = "E-1"\nname = "炉前"\n{absurd.point}')
    text = plant("steel", first + point("CO-2", CO) + absurd.more)
    assert absurd.was in text
    file = folder / "p.toml"
    file.write_text(text.replace(absurd.was, absurd.now) if absurd.was else text, encoding="utf-8")
    return file


def doubts(folder: Path) -> list[Fault]:
    """Every doubt about the plant files of a folder."""
    return doubts_of(load_configuration(folder, MemoryNumbering(), version=1), folder)


@pytest.mark.parametrize("absurd", DOUBTED, ids=lambda value: f"{value.key} = {value.value}")
def test_an_absurd_plant_file_is_doubted_by_file_key_value_and_expected(tmp_path: Path, absurd: Absurd) -> None:
    file = written(tmp_path, absurd)
    found = doubts(tmp_path)
    assert [(doubt.file, doubt.key, doubt.value) for doubt in found] == [(str(file), absurd.key, absurd.value)]
    assert absurd.zh in found[0].expected.zh
    assert absurd.en in found[0].expected.en


@pytest.mark.parametrize("absurd", REFUSED, ids=lambda value: f"{value.key} = {value.value}")
def test_what_cannot_be_evaluated_is_refused(tmp_path: Path, absurd: Absurd) -> None:
    written(tmp_path, absurd)
    with pytest.raises(InvalidConfig) as refused:
        doubts(tmp_path)
    key, file = absurd.key, str(tmp_path / "p.toml")
    first = refused.value.faults[0]  # rules that follow a faulty one have faults of their own
    assert (first.file, first.key, first.value.strip("'")) == (file, key, absurd.value)
    assert absurd.en in first.expected.en


def test_a_plant_without_gateways_and_one_with_anothers_code_are_doubted(tmp_path: Path) -> None:
    head = plant("steel", "").partition("[[equipment]]")[0]
    (tmp_path / "p.toml").write_text(head, encoding="utf-8")
    other = plant("steel", point("CO-1", CO, 'equipment = "E-1"\n'), name="q")
    (tmp_path / "q.toml").write_text(other, encoding="utf-8")
    assert [(Path(doubt.file).name, doubt.key, doubt.value) for doubt in doubts(tmp_path)] == [
        ("p.toml", "gateways", "(none)"),
        ("p.toml", "points", "(none)"),
        ("q.toml", "enterprise.uscc", "91350100M000100Y43"),
    ]


def test_at_least_forty_absurd_files_are_named() -> None:
    assert len(DOUBTED) + len(REFUSED) + 2 >= 40


def test_a_sound_plant_the_sample_and_those_of_demo_and_accidents_are_not_doubted(tmp_path: Path) -> None:
    written(tmp_path, Absurd("", "", "", ""))
    assert doubts(tmp_path) == []
    shipped = [ROOT / "deploy/plant.sample.toml", *(ROOT / "gateway_sim").glob("**/plants/*.toml")]
    assert len(shipped) > 4
    for number, file in enumerate(shipped):
        folder = tmp_path / str(number)
        folder.mkdir()
        text = file.read_text(encoding="utf-8")
        (folder / f"{tomllib.loads(text)['enterprise']['id']}.toml").write_text(text, encoding="utf-8")
        assert doubts(folder) == [], file.name


def test_a_limit_that_many_points_share_is_named_for_each_of_them(tmp_path: Path) -> None:
    absurd = rule("H", "on = 170\noff = 20")
    many = "".join(point(f"CO-{number}", CO, absurd) for number in range(50))
    (tmp_path / "p.toml").write_text(plant("steel", many), encoding="utf-8")
    assert [doubt.key for doubt in doubts(tmp_path) if doubt.key.startswith("points")] == [
        f"points (CO-{number}) rules.H.on" for number in range(50)
    ]
